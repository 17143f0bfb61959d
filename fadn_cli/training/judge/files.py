"""From file to file, which the ruler does not see: what reading, measuring and storing cost.

``python -m fadn_cli.training.judge.evaluate --photos DIR --files`` calls it. The
photographs become integer raws as cameras have them, `denoise_file` works on the files, and what
comes out is read back. The one thing to know: each is compared with the same denoising kept in
float, told the noise that the file was denoised by, so that what is lost is lost by storing.
"""

import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import fadn_cli
from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.sensor import Sensor
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.conversion import normalize
from fadn_cli.pipeline.report import NoiseSummary
from fadn_cli.raw.dng.plain import PlainCamera, build_plain
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.training.data.photos import SUFFIXES
from fadn_cli.training.judge.ruler import (
    colors_exactly,
    cut_mosaic,
    pattern_of,
    side_in_cells,
)

SEED = 11
CROP = 640
"""Samples per side, at most."""
AREA = 16
"""Packed pixels per side of the areas whose means are compared."""
_COLORS = (0.67, -0.06, -0.1, -0.43, 1.25, 0.2, -0.09, 0.22, 0.57)
_NEUTRAL = (0.5, 1.0, 0.6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """A camera and how it was used."""

    bits: int
    """Of its converter."""
    black_level: int
    """DN."""
    shot_noise: float
    """Variance per unit signal, normalized."""
    read_noise_std: float
    """DN."""
    exposure: float
    """Linear factor of the photograph's light."""
    iso: int
    """What the file says."""

    @property
    def scale(self) -> int:
        """DN from black to white."""
        return 2**self.bits - 1 - self.black_level

    @property
    def grey_std(self) -> float:
        """True sigma at x = 0.18, rounding included."""
        return math.sqrt(self.shot_noise * 0.18 + (self.read_noise_std**2 + 1 / 12) / self.scale**2)


def _exposure(
    bits: int, black: int, shot: float, read_dn: float, exposure: float, iso: int
) -> Exposure:
    """Write an exposure as a row of a table."""
    return Exposure(
        bits=bits,
        black_level=black,
        shot_noise=shot,
        read_noise_std=read_dn,
        exposure=exposure,
        iso=iso,
    )


EXPOSURES = {
    "14 bits, base ISO, -5 EV": _exposure(14, 1024, 6e-6, 1.2, 1 / 32, 100),
    "14 bits, base ISO, as exposed": _exposure(14, 1024, 6e-6, 1.2, 1.0, 100),
    "14 bits, ISO 3200, -2 EV": _exposure(14, 1024, 2e-4, 8.0, 1 / 4, 3200),
    "12 bits, base ISO, -4 EV": _exposure(12, 256, 2e-5, 0.8, 1 / 16, 100),
    "12 bits, ISO 1600, -2 EV": _exposure(12, 256, 3e-4, 3.0, 1 / 4, 1600),
    "10 bits, base ISO, -3 EV": _exposure(10, 64, 1.5e-4, 0.6, 1 / 8, 50),
    "10 bits, ISO 400, -2 EV": _exposure(10, 64, 1e-3, 1.0, 1 / 4, 400),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileScore:
    """One photograph, from file to file."""

    name: str
    """File stem of the photograph."""
    source: float
    """dB of the source, peak white times the exposure."""
    file: float
    """dB of what was written."""
    kept_float: float
    """dB of the same denoising, not stored."""
    areas: tuple[float, float, float]
    """How far means of areas are off, DN rms: of the source, of the file, in float."""
    noise: float
    """Noise used over the true one, at x = 0.18."""


def measure_files(
    folder: Path,
    *,
    quality: str | None = None,
    only: str = "",
    most: int = 12,
    sensor: Sensor = BAYER,
) -> Iterator[tuple[str, list[FileScore]]]:
    """Denoise integer raws made of the folder's photographs, exposure by exposure.

    Parameters
    ----------
    folder : Path
        Photographs never trained on.
    quality : str, optional
        One of `specialists.QUALITIES`; None: "best".
    only : str
        Part of the names of the exposures to measure.
    most : int
        How many photographs.
    sensor : Sensor
        Whose raws.

    Yields
    ------
    name : str
        Of the exposure.
    scores : list of FileScore
    """
    photos = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)[:most]
    for name, exposure in EXPOSURES.items():
        if only in name:
            scores = [_measure(path, i, exposure, quality, sensor) for i, path in enumerate(photos)]
            yield name, scores


def _measure(
    path: Path, index: int, exposure: Exposure, quality: str | None, sensor: Sensor
) -> FileScore:
    """Score one photograph."""
    rng = np.random.default_rng([SEED, index])
    with Image.open(path) as image:
        colors = colors_exactly(np.asarray(image.convert("RGB")), rng, sensor)
    side = min(side_in_cells(length, CROP, sensor) for length in colors.shape[:2]) // 2 * 2
    light = cut_mosaic(colors, sensor, side, side)
    clean = light.astype(np.float64) * exposure.exposure
    samples = _record(clean, exposure, rng, sensor)
    before = (sensor.pack(samples.astype(np.float32)) - exposure.black_level) / exposure.scale
    after, used = _denoise(samples, exposure, quality, sensor)
    kept = in_float(before, used, quality, sensor)
    scale, peak = exposure.scale, exposure.exposure
    return FileScore(
        name=path.stem,
        source=_decibels(before, clean, peak),
        file=_decibels(after, clean, peak),
        kept_float=_decibels(kept, clean, peak),
        areas=(
            scale * area_error(before, clean),
            scale * area_error(after, clean),
            scale * area_error(kept, clean),
        ),
        noise=used.grey_std / exposure.grey_std,
    )


def _record(
    clean: NDArray[np.float64], exposure: Exposure, rng: np.random.Generator, sensor: Sensor
) -> NDArray[np.uint16]:
    """Expose a sensor: (planes, h, w) light to an (H, W) mosaic in DN."""
    x = clean
    if sensor is not BAYER:  # whose was always drawn on its planes
        x = sensor.unpack(clean.astype(np.float32)).astype(np.float64)
    photons = rng.poisson(x / exposure.shot_noise) * exposure.shot_noise * exposure.scale
    values = photons + rng.normal(0, exposure.read_noise_std, x.shape) + exposure.black_level
    recorded = np.clip(np.rint(values), 0, 2**exposure.bits - 1).astype(np.float32)
    return (sensor.unpack(recorded) if sensor is BAYER else recorded).astype(np.uint16)


def _denoise(
    samples: NDArray[np.uint16], exposure: Exposure, quality: str | None, sensor: Sensor
) -> tuple[NDArray[np.float32], NoiseSummary]:
    """Send a mosaic through files; return the packed result and the noise that was used."""
    camera = PlainCamera(
        make="fadn",
        model="fadn ruler",
        black_level=exposure.black_level,
        white_level=2**exposure.bits - 1,
        iso=exposure.iso,
        color_matrix=_COLORS,
        neutral=_NEUTRAL,
        cfa=CfaPattern.parse(pattern_of(sensor)),
    )
    options = fadn_cli.DenoiseOptions(quality=quality, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "source.dng"), Path(folder, "output.dng")
        source.write_bytes(build_plain(samples, camera))
        report = fadn_cli.denoise_file(source, output, options)
        after = sensor.pack(normalize(read_raw(output).mosaic))
    assert report.noise_used is not None
    return after, report.noise_used


def files_table(rows: Iterable[tuple[str, Sequence[FileScore]]]) -> Iterator[str]:
    """Yield a Markdown table of `measure_files`, line by line, and what came out worse."""
    head = ("source", "file", "in float", "lost by storing", "areas, DN: source", "file", "float")
    cells = ("", *head, "noise used / true: median", "most", "worse than the source")
    yield "| " + " | ".join(cells) + " |"
    yield "|---" * len(cells) + "|"
    worse = []
    for name, scores in rows:
        table = np.array([(s.source, s.file, s.kept_float, *s.areas, s.noise) for s in scores])
        mean, noise = table.mean(0), table[:, 6]
        lost = [(s.file - s.source, s.name) for s in scores if s.file < s.source]
        decibels = (*mean[:3], mean[2] - mean[1])
        numbers = [f"{each:.2f}" for each in decibels] + [f"{each:.3f}" for each in mean[3:6]]
        numbers += [f"{np.median(noise):.2f}", f"{noise.max():.2f}"]
        yield f"| {name} | {' | '.join(numbers)} | {len(lost)} of {len(scores)} |"
        worse += [f"{name}: {photo} by {-change:.3f} dB" for change, photo in sorted(lost)]
    if worse:
        yield "\nWorse than the source:"
        yield from worse


def in_float(
    packed: NDArray[np.floating], used: NoiseSummary, quality: str | None, sensor: Sensor = BAYER
) -> NDArray[np.float32]:
    """Denoise a packed mosaic with the noise that its file was denoised by, and do not store it."""
    out = fadn_cli.denoise_mosaic(
        sensor.unpack(packed.astype(np.float32)),
        cfa=pattern_of(sensor),
        shot_noise=used.shot_noise,
        read_noise=used.read_noise,
        quality=quality,
        device="cpu",
    )
    return sensor.pack(out)


def area_error(packed: NDArray[np.floating], clean: NDArray[np.floating]) -> float:
    """Return how far means of AREA x AREA packed pixels are off, rms."""
    means = area_means(packed.astype(np.float64) - clean)
    return float(np.sqrt((means**2).mean()))


def area_means(planes: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the means of AREA x AREA areas of (C, h, w) planes."""
    count, height, width = planes.shape
    rows, cols = height // AREA, width // AREA
    whole = planes[:, : rows * AREA, : cols * AREA].astype(np.float64)
    means: NDArray[np.floating] = whole.reshape(count, rows, AREA, cols, AREA).mean((2, 4))
    return means


def rms(packed: NDArray[np.floating], clean: NDArray[np.floating]) -> float:
    """Return the root of the mean squared error."""
    return float(np.sqrt(np.mean((packed.astype(np.float64) - clean) ** 2)))


def _decibels(packed: NDArray[np.floating], clean: NDArray[np.floating], peak: float) -> float:
    """Return dB against the clean mosaic, nothing clipped."""
    return -20 * math.log10(rms(packed, clean) / peak)
