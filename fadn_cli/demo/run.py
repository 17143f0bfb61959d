"""`fadn demo`: photograph a drawn scene at high ISO, denoise it as any raw, show both.

`cli` calls `run`. The one thing to know: only the camera is made up. The noisy DNG goes through the
same `denoise_file` as a user's, without being told its noise; but since the scene is known, the
gain can be stated as a true PSNR.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fadn_cli.compare.picture import before_after_picture
from fadn_cli.demo.scene import draw_scene
from fadn_cli.errors import OutputExistsError
from fadn_cli.mosaic.cfa import CANONICAL, CfaPattern
from fadn_cli.mosaic.conversion import normalize
from fadn_cli.pipeline.file import denoise_file
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.pipeline.report import DenoiseReport
from fadn_cli.raw.develop.render import develop
from fadn_cli.raw.dng.plain import PlainCamera, build_plain
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.system.files import atomic_output, make_folder
from fadn_cli.system.opening import write_plain

HEIGHT, WIDTH = 640, 960
ISO = 12800
SHOT_NOISE = 5e-3  # a sensor that is full at 200 photons: a small camera at night
READ_NOISE = 4e-5
SENSORS = CANONICAL
"""What the made-up camera may have, by name."""
_SEED = 2026
_BLACK, _WHITE = 1024, 15871  # DN of a 14-bit camera
_CROPS = ((250, 30), (420, 260))

_NEUTRAL = np.array([0.5, 1.0, 0.62], np.float32)
"""What the camera sees where the scene is white: it sees green best, as all do."""
_MIXING = np.array([[0.74, 0.23, 0.03], [0.11, 0.79, 0.10], [0.02, 0.28, 0.70]], np.float32)
"""How its filters mix linear sRGB; rows sum to 1, so that white stays neutral."""
_SRGB_TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], np.float32
)  # [IEC 61966-2-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demonstration:
    """What `run` made, and what was gained."""

    noisy: Path
    """The raw that the made-up camera took."""
    denoised: Path
    """What `fadn denoise` makes of it."""
    picture: Path
    """Both, side by side."""
    psnr_before: float
    """dB, noisy mosaic against the noiseless one, normalized and clipped to 0..1."""
    psnr_after: float
    """dB, denoised mosaic against the noiseless one."""
    report: DenoiseReport
    """Of the denoising."""


def run(
    folder: Path, *, sensor: str = "bayer", quality: str | None = None, overwrite: bool = False
) -> Demonstration:
    """Make the three files of the demonstration; the same bytes on every run.

    Parameters
    ----------
    folder : Path
        Created where it does not exist.
    sensor : str
        Of the made-up camera: "bayer", "xtrans" or "mono".
    quality : str, optional
        "max" (Bayer only), "best" or "fast"; None: "best".
    overwrite : bool
        Whether earlier files of the demonstration are replaced.

    Raises
    ------
    OutputExistsError
        One of the files exists and `overwrite` is false; nothing has been written then.
    WriteError
        The folder or a file cannot be written.
    ConfigError
        There is no network of that quality for the sensor.
    WeightsError
        No network for the sensor is bundled.
    """
    noisy, denoised = folder / "fadn_demo.dng", folder / "fadn_demo_denoised.dng"
    picture = folder / "fadn_demo_before_after.png"
    _prepare(folder, (noisy, denoised, picture), overwrite=overwrite)
    cfa = SENSORS[sensor]
    clean = expose(draw_scene(HEIGHT, WIDTH), cfa)
    with atomic_output(noisy, overwrite=overwrite) as temporary:
        write_plain(temporary, build_dng(add_noise(clean), cfa))
    options = DenoiseOptions(quality=quality, overwrite=overwrite)
    report = denoise_file(noisy, denoised, options)
    before, after = read_raw(noisy), read_raw(denoised)
    with atomic_output(picture, overwrite=overwrite) as temporary:
        before_rgb, after_rgb = develop(before, before.mosaic), develop(after, after.mosaic)
        before_after_picture(before_rgb, after_rgb, temporary, crops=_CROPS)
    return Demonstration(
        noisy=noisy,
        denoised=denoised,
        picture=picture,
        psnr_before=_psnr(clean, normalize(before.mosaic)),
        psnr_after=_psnr(clean, normalize(after.mosaic)),
        report=report,
    )


def expose(scene: NDArray[np.float32], cfa: CfaPattern = CANONICAL["bayer"]) -> NDArray[np.float32]:
    """Let the camera see a scene: its filters, its sensor's mosaic, no noise yet.

    Parameters
    ----------
    scene : (H, W, 3) float32
        Linear sRGB light.
    cfa : CfaPattern
        The colours of the sensor; without any it sees what green ones would.

    Returns
    -------
    (H, W) float32, normalized
        Unclipped above white.
    """
    camera = scene @ (_MIXING * _NEUTRAL[:, None]).T  # (H, W, 3) camera RGB
    mosaic = camera[..., 1].copy()
    side = range(cfa.period)
    for row, col in ((row, col) for row in side for col in side):
        for channel, color in ((0, "R"), (2, "B")):
            if cfa.at(row, col) == color:
                site = slice(row, None, cfa.period), slice(col, None, cfa.period)
                mosaic[site] = camera[(*site, channel)]
    return mosaic


def add_noise(x: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Count photons, add the electronics' noise, and convert to 14 bits: the same every time.

    Returns
    -------
    (H, W) uint16 DN
        Saturated at white; what falls below black is kept.
    """
    rng = np.random.default_rng(_SEED)
    noisy = rng.poisson(x / SHOT_NOISE) * SHOT_NOISE + rng.normal(0, READ_NOISE**0.5, x.shape)
    return np.clip(np.rint(noisy * (_WHITE - _BLACK) + _BLACK), 0, _WHITE).astype(np.uint16)


def build_dng(samples: NDArray[np.uint16], cfa: CfaPattern = CANONICAL["bayer"]) -> bytes:
    """Wrap a mosaic of the made-up camera into a plain, uncompressed DNG."""
    matrix = (_MIXING * _NEUTRAL[:, None]) @ np.linalg.inv(_SRGB_TO_XYZ)
    return build_plain(
        samples,
        PlainCamera(
            make="fadn",
            model="fadn demo camera",
            black_level=_BLACK,
            white_level=_WHITE,
            iso=ISO,
            color_matrix=tuple(float(value) for value in matrix.flat),
            neutral=tuple(float(value) for value in _NEUTRAL),
            cfa=cfa,
        ),
    )


def _prepare(folder: Path, outputs: tuple[Path, ...], *, overwrite: bool) -> None:
    """Make the folder, and refuse before any work where a file is in the way."""
    for output in outputs:
        if not overwrite and output.exists():
            raise OutputExistsError(
                f"{output}: exists already", advice="Add --overwrite, or name another folder."
            )
    make_folder(folder, advice="Name another folder.")


def _psnr(clean: NDArray[np.float32], x: NDArray[np.float32]) -> float:
    """Peak signal-to-noise ratio in dB of a normalized mosaic, both clipped to 0..1."""
    error = np.clip(clean, 0, 1) - np.clip(x, 0, 1)
    return float(-10 * np.log10(np.mean(error * error, dtype=np.float64)))
