"""One denoised mosaic to one finished file: written, read back, and identified.

`file` calls `write_output` with a temporary path. The one thing to know: nothing here depends
on the clock or on chance, so the same source, options and weights give the same bytes.
"""

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from fadn_cli import __version__
from fadn_cli.mosaic.steps import SOURCE_STEPS
from fadn_cli.mosaic.values import Mosaic, RawImage
from fadn_cli.noise import noise_model
from fadn_cli.pipeline.preparation import Treatment
from fadn_cli.raw.check.dng import check_dng
from fadn_cli.raw.develop.render import develop
from fadn_cli.raw.develop.tiff_image import write_tiff
from fadn_cli.raw.dng.marks import mark
from fadn_cli.raw.dng.write import DngEdit, write_dng
from fadn_cli.raw.xmp.merge import NO_EDITS, Edits
from fadn_cli.system.opening import unreadable
from fadn_cli.system.snapshot import hold, open_held


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A finished file, still under its temporary name."""

    source_sha256: str
    """Of the source file, hexadecimal."""
    output_sha256: str
    """Of the output file, hexadecimal."""
    source_bytes: int
    """Size of the source file."""
    output_bytes: int
    """Size of the output file."""
    notes: tuple[str, ...]
    """Why a DNG is larger than it might be, or its steps no finer; one sentence each."""

    def told(self) -> dict[str, Any]:
        """Return what the report says of it, by the report's names."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def write_output(
    path: Path,
    raw_image: RawImage,
    mosaic: Mosaic,
    treatment: Treatment,
    sidecars: Edits = NO_EDITS,
) -> Written:
    """Write a denoised photograph, and read a DNG back.

    Parameters
    ----------
    path : Path
        A temporary file, whatever its name ends with.
    raw_image : RawImage
        The source.
    mosaic : Mosaic
        The denoised samples.
    treatment : Treatment
        What was done, which the file is to state, and how the user wants it written.
    sidecars : Edits
        What a DNG's XMP is to say besides; a TIFF is developed, and does without.

    Raises
    ------
    WriteError
        The file does not decode to what was to be written.
    OSError
        The system refused.
    """
    with hold(raw_image.path) as source:
        if treatment.options.format == "tiff":
            notes = _write_tiff(path, raw_image, mosaic, treatment)
        else:
            edit = _edit(raw_image, treatment, source.sha256, sidecars)
            notes = _write_dng(path, raw_image, mosaic, treatment, edit)
    return Written(
        source_sha256=source.sha256,
        output_sha256=_hash_new(path),
        source_bytes=source.size,
        output_bytes=path.stat().st_size,
        notes=(*treatment.notes, *notes),
    )


def _write_tiff(
    path: Path, raw_image: RawImage, mosaic: Mosaic, treatment: Treatment
) -> tuple[str, ...]:
    """Write a developed picture."""
    write_tiff(path, develop(raw_image, mosaic), raw_image, software=_describe(treatment))
    return ()


def _write_dng(
    path: Path, raw_image: RawImage, mosaic: Mosaic, treatment: Treatment, edit: DngEdit
) -> tuple[str, ...]:
    """Write a DNG and check it; return why it is larger than it might be."""
    options = treatment.options
    notes = write_dng(
        path, raw_image, mosaic, edit=edit, choices=options.choices, threads=options.threads
    )
    marked = mark(mosaic, raw_image.defects.marks, factor=treatment.steps.factor)
    check_dng(path, marked.mosaic, source=raw_image.path)
    return notes


def _edit(
    raw_image: RawImage, treatment: Treatment, source_sha256: str, sidecars: Edits
) -> DngEdit:
    """Return what a DNG is to say about what was done."""
    noise, description = treatment.noise.used, _describe(treatment)
    left = treatment.residual_std_ratio**2
    # Not random: the same source, noise, options and weights are the same photograph.
    identity = hashlib.sha256(
        f"{source_sha256} {description} {treatment.specialist.sha256}".encode()
    )
    identity.update(noise.shot_noise.tobytes() + noise.read_noise.tobytes())
    identity.update(raw_image.defects.others.astype("<i8").tobytes())
    source = raw_image.mosaic
    rounding = treatment.steps.variance(source.white_level - float(source.black_level.mean()))
    return DngEdit(
        noise_profile=noise_model(
            noise.shot_noise * left,
            noise.read_noise * left + rounding,
            source="after denoising",
            colors=noise.colors,
        ),
        strength=treatment.strength,
        unique_id=identity.digest()[:16],
        description=description,
        sidecars=sidecars,
    )


def _describe(treatment: Treatment) -> str:
    """Say in one line what was done, for the file."""
    luma, chroma, asked = treatment.luma, treatment.chroma, treatment.options.hot_pixels
    shares = f"strength={luma:g}" if luma == chroma else f"luma={luma:g} chroma={chroma:g}"
    model = "none" if luma == chroma == 0 else treatment.specialist.name
    repairs = "" if asked is None else f" hot_pixels={'on' if asked else 'off'}"
    repairs += "" if treatment.options.bad_pixels is None else " bad_pixels=listed"
    if treatment.shading is not None:
        repairs += f" corner_gain={treatment.shading.corner:.2f}"
    if treatment.banding and treatment.banding.removed:
        repairs += f" banding={'+'.join(treatment.banding.removed)}"
    repairs += "" if treatment.options.ensemble == 1 else f" ensemble={treatment.options.ensemble}"
    steps = "" if treatment.steps == SOURCE_STEPS else f" steps={treatment.steps}"
    return f"fadn {__version__} {shares} model={model}{repairs}{steps}"


def _hash_new(path: Path) -> str:
    """Hash what has just been written; an OSError says that it is gone."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(path: Path) -> str:
    """Hash a file, or what a snapshot holds of it; hexadecimal.

    Raises
    ------
    RawReadError
        It cannot be read.
    """
    try:
        with open_held(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error
