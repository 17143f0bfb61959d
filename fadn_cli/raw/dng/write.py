"""A raw photograph with other samples, written as a DNG.

Called by `pipeline`. The one thing to know: a source that is a DNG is copied and spliced, so that
everything but the samples stays what it was (`splice`); any other is built anew (`canonical`).
"""

from pathlib import Path

from fadn_cli.mosaic.values import Mosaic, RawImage
from fadn_cli.raw.dng.canonical import build
from fadn_cli.raw.dng.edit import DngEdit, WriteChoices
from fadn_cli.raw.dng.splice import splice

__all__ = ["DngEdit", "WriteChoices", "write_dng"]


def write_dng(
    path: Path,
    raw_image: RawImage,
    mosaic: Mosaic,
    *,
    edit: DngEdit,
    choices: WriteChoices | None = None,
    threads: int | None = None,
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
    return write(path, raw_image, mosaic, edit, choices=choices or WriteChoices(), threads=threads)
