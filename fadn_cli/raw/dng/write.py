"""A raw photograph with other samples, written as a DNG.

Called by `pipeline`. The one thing to know: a source that is a DNG is copied and spliced, so that
everything but the samples stays what it was (`splice`); any other is built anew (`canonical`).
"""

from pathlib import Path

from fadn_cli.mosaic.steps import factor_between
from fadn_cli.mosaic.values import Mosaic, RawImage
from fadn_cli.raw.codec.lossless import Encoded, TileEncoder, precision
from fadn_cli.raw.dng.canonical import build
from fadn_cli.raw.dng.edit import DngEdit, WriteChoices
from fadn_cli.raw.dng.samples import components_of
from fadn_cli.raw.dng.splice import splice, stated_bits
from fadn_cli.raw.source.dng_checks import find_raw_ifd
from fadn_cli.raw.tiff.file import map_file, parse

__all__ = ["DngEdit", "WriteChoices", "write_dng"]


def write_dng(
    path: Path,
    raw_image: RawImage,
    mosaic: Mosaic,
    *,
    edit: DngEdit,
    choices: WriteChoices | None = None,
    threads: int | None = None,
    encoded: Encoded | None = None,
) -> tuple[str, ...]:
    """Write a DNG of `raw_image` that holds the samples of `mosaic`, bit for bit.

    But where the source marks bad samples, and readers are still told to repair those: see `marks`.

    Parameters
    ----------
    path : Path
        Written from scratch; best the temporary file of `files.atomic_output`.
    raw_image : RawImage
        The source; its file is read again, and never written.
    mosaic : Mosaic
        The new samples, of the source's size; CFA and active area are the source's, and so are its
        levels, or a power of two times as high (`conversion.scaled`).
    edit : DngEdit
        What the file is to say about the denoising.
    choices : WriteChoices, optional
        What becomes of the previews, and how the samples are stored.
    threads : int, optional
        How many to compress with; all cores the process may use if None. The bytes do not depend
        on it, nor on the time or the machine.
    encoded : Encoded, optional
        The samples, as the encoder of `encoder_for` has left them. Where nothing is to be rendered
        (`shows_nothing_new`), those of `mosaic` are not looked at.

    Returns
    -------
    tuple of str
        Why the file is larger than it might be, one sentence each; () if it is not.

    Raises
    ------
    RawReadError
        The source can no longer be read.
    WriteError
        The DNG would exceed 4 GiB.
    ValueError
        `mosaic` has another size than the source.
    OSError
        Writing failed; `files.atomic_output` makes it a WriteError.
    """
    if mosaic.samples.shape != raw_image.mosaic.samples.shape:
        raise ValueError(
            f"the mosaic is {mosaic.samples.shape}, the source {raw_image.mosaic.samples.shape}"
        )
    write = splice if raw_image.metadata.is_dng else build
    choices = choices or WriteChoices()
    return write(path, raw_image, mosaic, edit, choices=choices, threads=threads, encoded=encoded)


def encoder_for(
    raw_image: RawImage, levels: Mosaic, choices: WriteChoices, threads: int | None = None
) -> TileEncoder | None:
    """Return what encodes the new samples before all of them are there.

    Parameters
    ----------
    raw_image : RawImage
        The source.
    levels : Mosaic
        What is to be written, its samples not yet known: none may be higher than the source's
        highest, or white, in the new steps.
    choices : WriteChoices
        As for `write_dng`.
    threads : int, optional
        As for `write_dng`.

    Returns
    -------
    TileEncoder or None
        None where marks of bad pixels are to be put back, which no good sample may look like; and
        where the samples are not compressed.
    """
    if choices.compression != "lj92" or raw_image.defects.marks:
        return None
    factor = factor_between(raw_image.mosaic.white_level, levels.white_level)
    if raw_image.metadata.is_dng:
        tiff = parse(map_file(raw_image.path), name=raw_image.path.name, tolerant=True)
        stated = stated_bits(find_raw_ifd(tiff), levels, factor)
    else:
        stated = int(levels.white_level).bit_length()
    highest, (height, width) = int(factor * raw_image.mosaic.highest), levels.samples.shape
    return TileEncoder(
        (height, width),
        bits=precision(highest, stated),
        components=components_of(levels.cfa.kind),
        threads=threads,
    )


def shows_nothing_new(raw_image: RawImage, choices: WriteChoices) -> bool:
    """Tell whether no picture is rendered of the new samples."""
    return raw_image.metadata.is_dng and choices.preview == "keep"
