"""What happened to a photograph, as plain values, and what `fadn info` says about a raw.

The pipeline fills these in, the console prints them, the tests assert on them. The
one thing to know: nothing here needs numpy, so that the command line starts quickly, and every
type becomes JSON through `to_dict`.
"""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fadn_cli.noise import NoiseModel


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseSummary:
    """A NoiseModel in plain numbers: Var = shot_noise * x + read_noise, normalized."""

    shot_noise: tuple[float, ...]
    """Four variances per unit of signal, order R, Gr, Gb, B."""
    read_noise: tuple[float, ...]
    """Four variances at black, order R, Gr, Gb, B."""
    source: str
    """Where the numbers came from, in words for the user."""
    grey_std: float
    """Standard deviation at mid grey (x = 0.18), mean of the greens."""

    @classmethod
    def from_model(cls, noise: "NoiseModel") -> "NoiseSummary":
        """Take the numbers of a NoiseModel, to the seven digits that float32 holds."""
        return cls(
            shot_noise=tuple(_seven_digits(value) for value in noise.shot_noise),
            read_noise=tuple(_seven_digits(value) for value in noise.read_noise),
            source=noise.source,
            grey_std=_seven_digits(noise.grey_std),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DenoiseReport:
    """What `denoise_file` did to one photograph."""

    source: Path
    """The raw file that was read."""
    output: Path
    """The file that was written."""
    make: str
    """Camera maker, as the file spells it."""
    model: str
    """Camera model, as the file spells it."""
    iso: int | None
    """ISO speed; None if the file has none."""
    height: int
    """Rows of the full mosaic."""
    width: int
    """Columns of the full mosaic."""
    cfa: str
    """Colours row by row from the mosaic's (0, 0): "RGGB", ..., 36 of an X-Trans sensor; "MONO"."""
    noise_measured: NoiseSummary | None
    """What the pixels say; None if it was not measured."""
    noise_profile: NoiseSummary | None
    """What the DNG's NoiseProfile says; None if it has none."""
    noise_prior: tuple[float, float] | None
    """The least and the most shot noise that cameras have at this ISO, to which the measurement was
    held; None if nothing was measured or the ISO is unknown."""
    noise_used: NoiseSummary | None
    """What the denoising went by."""
    row_noise: float | None
    """How far whole rows are lifted or lowered, in units of the grain's standard deviation at
    black; None where that cannot be told from the scene."""
    column_noise: float | None
    """The same of columns."""
    specialist: str | None
    """Name of the network; None where luma and chroma are 0."""
    quality: str | None
    """The network's: "max", "best" or "fast"; None where luma and chroma are 0."""
    strength: float
    """0 (the source's samples) to 1 (fully denoised); what leaves as much noise as luma and chroma
    do, where these differ."""
    luma: float
    """How much of the noise was removed from the mean of each cell's four samples, 0 to 1."""
    chroma: float
    """How much was removed from what the four differ from their mean, 0 to 1."""
    bad_pixels: int
    """How many samples were repaired that the file itself or the user's list calls bad."""
    hot_pixels: int | None
    """How many isolated defects were repaired besides; None if they were left as they are."""
    corner_gain: float | None
    """By how much more than the centre the corners were lifted in the samples (lens shading), found
    by their noise; None where none was found."""
    banding_removed: tuple[str, ...]
    """Whether the offsets of "rows", of "columns", of both or neither were taken away."""
    format: str
    """"dng" or "tiff"."""
    tiles: int
    """Number of tiles the network ran on."""
    seconds: dict[str, float]
    """Time by stage: "read", "estimate" (repairs included), "denoise", "write", "total"."""
    peak_memory_bytes: int | None
    """The most memory that the process has held since it began; None where the system does not
    say (Windows)."""
    megapixels: float
    """Size of the full mosaic, in millions of samples."""
    source_sha256: str
    """Hash of the source file, hexadecimal."""
    output_sha256: str
    """Hash of the output file, hexadecimal."""
    source_bytes: int
    """Size of the source file."""
    output_bytes: int
    """Size of the output file."""
    mean_shift: tuple[float, ...]
    """Change of the mean of planes R, Gr, Gb, B, in units of the noise sigma at that mean."""
    residual_std_ratio: float
    """Residual noise: the share of the noise's standard deviation that is left on flat areas."""
    warnings: tuple[str, ...]
    """What the user should know, one sentence each."""
    notes: tuple[str, ...] = ()
    """Why a DNG is larger than it might be, or its steps no finer; one sentence each."""
    step_factor: int = 1
    """How many steps of the output's samples are one DN of the source."""
    dithered: bool = False
    """Whether the last rounding was dithered, where what is left of the noise is below a step."""
    device: str | None = None
    """What the network ran on, as "cpu" or "cuda"; both, where one took over from the other; None
    where luma and chroma are 0."""
    device_fallback: str | None = None
    """Why the processor took over from another device, or ran all tiles though there was one; None
    if it did not."""

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON's types; paths as strings."""
        return dict(plain(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo:
    """What fadn sees in one raw file, and what it would do with it."""

    path: Path
    """The raw file."""
    make: str
    """Camera maker, as the file spells it."""
    model: str
    """Camera model, as the file spells it."""
    iso: int | None
    """ISO speed; None if the file has none."""
    exposure_time: float | None
    """Seconds."""
    height: int
    """Rows of the full mosaic."""
    width: int
    """Columns of the full mosaic."""
    active_area: tuple[int, int, int, int]
    """The exposed part: top, left, height, width in pixels of the full mosaic."""
    cfa: str
    """Colours row by row from the mosaic's (0, 0): "RGGB", ..., 36 of an X-Trans sensor; "MONO"."""
    black_level: tuple[tuple[float, ...], ...]
    """DN, the repeat pattern row by row, aligned to the mosaic's (0, 0)."""
    white_level: float
    """DN."""
    orientation: int
    """EXIF orientation, 1-8."""
    noise_measured: NoiseSummary | None
    """What the pixels say; None if it could not be measured."""
    noise_profile: NoiseSummary | None
    """What the DNG's NoiseProfile says; None if it has none."""
    noise_prior: tuple[float, float] | None
    """The least and the most shot noise that cameras have at this ISO, to which the measurement is
    held; None if the ISO is unknown."""
    noise_used: NoiseSummary | None
    """What denoising would go by; None if no noise model can be had."""
    row_noise: float | None
    """How far whole rows are lifted or lowered, in units of the grain's standard deviation at
    black; None where that cannot be told from the scene."""
    column_noise: float | None
    """The same of columns."""
    specialist: str | None
    """The network that would be chosen; None without a noise model."""
    quality: str | None
    """The network's: "max", "best" or "fast"; None without a noise model."""
    bad_pixels: int
    """How many samples the file itself or the user's list calls bad, which are always repaired."""
    hot_pixels: int
    """How many isolated defects there are besides, which --hot-pixels repairs."""
    is_fadn_output: bool
    """Whether the file carries our marker: it is already denoised."""
    warnings: tuple[str, ...]
    """What the user should know, one sentence each."""

    def to_dict(self) -> dict[str, Any]:
        """Return the information as JSON's types; paths as strings."""
        return dict(plain(self))


def plain(value: Any) -> Any:
    """Turn dataclasses, mappings, tuples and paths into JSON's types; not-a-number into None.

    Examples
    --------
    >>> plain({"sizes": (1, 2.5, float("nan")), "path": Path("a.dng")})
    {'sizes': [1, 2.5, None], 'path': 'a.dng'}
    """
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path | str):
        return decodable(os.fspath(value))
    return value


def to_json(value: Any) -> str:
    """Return any of the types above, or a list of dataclasses, as indented ASCII JSON text."""
    return json.dumps(plain(value), indent=2, allow_nan=False)


def decodable(text: str) -> str:
    r"""Escape what UTF-8 cannot hold (the undecodable bytes of a file name), for any stream.

    Examples
    --------
    >>> decodable(os.fsdecode(b"caf\xe9.dng"))
    'caf\\udce9.dng'
    """
    return text.encode("utf-8", "backslashreplace").decode()


def _seven_digits(value: float) -> float:
    """Drop the digits that only the conversion from float32 adds."""
    return float(f"{value:.7g}")
