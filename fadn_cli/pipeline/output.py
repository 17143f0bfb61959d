"""One denoised mosaic to one finished file: written, read back, and identified.

`pipeline` calls `write_output` with a temporary path. The one thing to know: nothing here depends
on the clock or on chance, so the same source, options and weights give the same bytes.
"""

import hashlib
from pathlib import Path

from fadn_cli import __version__
from fadn_cli.denoise.mix import equivalent_strength
from fadn_cli.denoise.network.specialists import Specialist
from fadn_cli.errors import RawReadError
from fadn_cli.mosaic import Mosaic, RawImage
from fadn_cli.noise import NoiseModel, noise_model
from fadn_cli.raw.check.dng import check_dng
from fadn_cli.raw.develop.render import develop
from fadn_cli.raw.develop.tiff_image import write_tiff
from fadn_cli.raw.dng.write import DngEdit, WriteChoices, write_dng


def write_output(
    path: Path,
    raw_image: RawImage,
    mosaic: Mosaic,
    *,
    format: str,
    luma: float,
    chroma: float,
    hot_pixels: bool | None,
    noise: NoiseModel,
    specialist: Specialist,
    source_sha256: str,
    choices: WriteChoices | None = None,
    threads: int | None = None,
) -> tuple[str, ...]:
    """Write a denoised photograph, and read a DNG back.

    Parameters
    ----------
    path : Path
        A temporary file, whatever its name ends with.
    raw_image : RawImage
        The source.
    mosaic : Mosaic
        The denoised samples.
    format : str
        "dng" or "tiff".
    luma, chroma : float
        How much of the noise was removed, 0 to 1.
    hot_pixels : bool or None
        Whether the user wanted defects repaired, stated in the file; None: left to us.
    noise : NoiseModel
        What the source was denoised by.
    specialist : Specialist
        The network.
    source_sha256 : str
        Of the source file.
    choices : WriteChoices, optional
        How a DNG is written.
    threads : int, optional
        For the compression; None: all cores.

    Returns
    -------
    tuple of str
        Why a DNG is larger than it might be, one sentence each.

    Raises
    ------
    WriteError
        The file does not decode to what was to be written.
    OSError
        The system refused.
    """
    strength = equivalent_strength(luma, chroma)
    description = _describe(luma, chroma, hot_pixels, specialist)
    if format == "tiff":
        write_tiff(path, develop(raw_image, mosaic), raw_image, software=description)
        return ()
    left = specialist.residual_at(noise.grey_std, strength=strength) ** 2
    # Not random: the same source, noise, options and weights are the same photograph.
    identity = hashlib.sha256(f"{source_sha256} {description} {specialist.sha256}".encode())
    identity.update(noise.shot_noise.tobytes() + noise.read_noise.tobytes())
    edit = DngEdit(
        noise_profile=noise_model(
            noise.shot_noise * left, noise.read_noise * left, source="after denoising"
        ),
        strength=strength,
        unique_id=identity.digest()[:16],
        description=description,
    )
    notes = write_dng(path, raw_image, mosaic, edit=edit, choices=choices, threads=threads)
    check_dng(path, mosaic, source=raw_image.path)
    return notes


def _describe(luma: float, chroma: float, hot_pixels: bool | None, specialist: Specialist) -> str:
    """Say in one line what was done, for the file."""
    shares = f"strength={luma:g}" if luma == chroma else f"luma={luma:g} chroma={chroma:g}"
    model = "none" if luma == chroma == 0 else specialist.name
    asked = "" if hot_pixels is None else f" hot_pixels={'on' if hot_pixels else 'off'}"
    return f"fadn {__version__} {shares} model={model}{asked}"


def sha256_of(path: Path) -> str:
    """Hash a file; hexadecimal.

    Raises
    ------
    RawReadError
        It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RawReadError(
            f"{path.name}: cannot be read again ({error.strerror})", advice="Check the disk."
        ) from error
