"""One denoised mosaic to one finished file: written, read back, and identified.

`file` gives an `Output` its rows as they are denoised; they are encoded meanwhile. The one thing to
know: nothing here depends on the clock or on chance, so the same source, options and weights give
the same bytes.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fadn_cli import __version__
from fadn_cli.mosaic.conversion import with_levels
from fadn_cli.mosaic.steps import SOURCE_STEPS
from fadn_cli.mosaic.values import Mosaic, RawImage
from fadn_cli.noise import noise_model
from fadn_cli.pipeline.preparation import Treatment
from fadn_cli.raw.check.dng import check_dng
from fadn_cli.raw.codec.lossless import Encoded, TileEncoder
from fadn_cli.raw.develop.render import develop
from fadn_cli.raw.develop.tiff_image import write_tiff
from fadn_cli.raw.dng.marks import mark
from fadn_cli.raw.dng.write import DngEdit, encoder_for, shows_nothing_new, write_dng
from fadn_cli.raw.xmp.merge import NO_EDITS, Edits
from fadn_cli.system.snapshot import hash_file, held_bytes, size_of


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


class Output:
    """A denoised photograph whose rows come one after the other, and then its file.

    Parameters
    ----------
    raw_image : RawImage
        The source.
    treatment : Treatment
        What is done, which the file is to state, and how the user wants it written.

    Raises
    ------
    ValueError
        The steps of `treatment` do not fit 16 bits.
    """

    def __init__(self, raw_image: RawImage, treatment: Treatment) -> None:
        self._raw_image, self._treatment = raw_image, treatment
        options, source = treatment.options, raw_image.mosaic
        self._levels = with_levels(source, treatment.steps.factor)
        self._encoder: TileEncoder | None = None
        self._encoded: Encoded | None = None
        seen = options.format == "tiff" or not shows_nothing_new(raw_image, options.choices)
        if options.format == "dng":
            self._encoder = encoder_for(raw_image, self._levels, options.choices, options.threads)
        self._samples: NDArray[np.uint16] | None = None
        if seen or self._encoder is None:
            self._samples = np.empty(source.samples.shape, np.uint16)
        self._height = 0
        # The source is hashed while it is denoised.
        self._pool = ThreadPoolExecutor(1)
        context = copy_context()  # in which the source is held
        self._hashing = self._pool.submit(context.run, sha256_of, raw_image.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        if self._encoder is not None:
            self._encoder.__exit__()

    def add(self, rows: NDArray[np.uint16]) -> None:
        """Take the next rows of the denoised mosaic, in the new steps: (n, W) uint16 DN."""
        if self._samples is not None:
            self._samples[self._height : self._height + len(rows)] = rows
        self._height += len(rows)
        if self._encoder is not None:
            self._encoder.add(rows)

    def write(self, path: Path, sidecars: Edits = NO_EDITS) -> Written:
        """Write the photograph, and read a DNG back.

        Parameters
        ----------
        path : Path
            A temporary file, whatever its name ends with.
        sidecars : Edits
            What a DNG's XMP is to say besides; a TIFF is developed, and does without.

        Raises
        ------
        WriteError
            The file does not decode to what was to be written.
        OSError
            The system refused.
        """
        samples = np.broadcast_to(np.uint16(0), self._levels.samples.shape)
        mosaic = replace(self._levels, samples=samples if self._samples is None else self._samples)
        if self._treatment.options.format == "tiff":
            notes = _write_tiff(path, self._raw_image, mosaic, self._treatment)
        else:
            notes = self._write_dng(path, mosaic, sidecars)
        output_sha256 = self._pool.submit(_hash_new, path)
        if self._treatment.options.format == "dng":
            self._check(path, mosaic)
        return Written(
            source_sha256=self._hashing.result(),
            output_sha256=output_sha256.result(),
            source_bytes=size_of(self._raw_image.path),
            output_bytes=path.stat().st_size,
            notes=(*self._treatment.notes, *notes),
        )

    def _write_dng(self, path: Path, mosaic: Mosaic, sidecars: Edits) -> tuple[str, ...]:
        """Write a DNG; return why it is larger than it might be."""
        options = self._treatment.options
        self._encoded = None if self._encoder is None else self._encoder.finish()
        return write_dng(
            path,
            self._raw_image,
            mosaic,
            edit=_edit(self._raw_image, self._treatment, self._hashing.result(), sidecars),
            choices=options.choices,
            threads=options.threads,
            encoded=self._encoded,
        )

    def _check(self, path: Path, mosaic: Mosaic) -> None:
        """Read a DNG back."""
        raw_image, factor = self._raw_image, self._treatment.steps.factor
        check_dng(
            path,
            mark(mosaic, raw_image.defects.marks, factor=factor).mosaic,
            source=raw_image.path,
            encoded=self._encoded,
            threads=self._treatment.options.threads,
        )


def _write_tiff(
    path: Path, raw_image: RawImage, mosaic: Mosaic, treatment: Treatment
) -> tuple[str, ...]:
    """Write a developed picture."""
    write_tiff(path, develop(raw_image, mosaic), raw_image, software=_describe(treatment))
    return ()


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
    data = held_bytes(path)
    if data is not None:  # as a file, it would be copied once more
        return hashlib.sha256(data).hexdigest()
    return hash_file(path)
