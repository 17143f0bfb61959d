"""Why a DNG is not as small as it might be, in sentences for the user.

Both DNG writers call it. The one thing to know: without such a sentence, the samples take no more
room than lossless JPEG makes of the source's, and the file is that much smaller.
"""

from collections.abc import Iterator, Sequence

from fadn_cli.raw.tiff.ifd import Ifd
from fadn_cli.raw.tiff.tags import Compression, Tag
from fadn_cli.raw.tiff.tree import data_spans, integer
from fadn_cli.raw.tiff.write import Field

_FINER = "the samples have steps {} times as fine, for what is left of the noise"
_WORTH_TELLING = 0.01  # of the old raw data; less is what rounding and padding take


def explain_splice(
    raw_ifd: Ifd,
    layout: Sequence[Field],
    *,
    grown: int,
    previews_grown: int,
    shared: bool,
    unused: int,
    reason: str,
    displaced: int,
    factor: int = 1,
) -> tuple[str, ...]:
    """Say why the copy of a DNG is larger than it might be.

    Parameters
    ----------
    raw_ifd : Ifd
        The source's, of the samples.
    layout : sequence of Field
        What the new one says of how they lie.
    grown : int
        Bytes that the file is larger than its source; negative if it is smaller.
    previews_grown : int
        Bytes that the previews take more than before; negative if they take fewer.
    shared : bool
        Whether the old samples had to stay, since something else uses their bytes too.
    unused : int
        Bytes in the middle of the file that nothing takes any more.
    reason : str
        Why what follows them must stay in its place; empty if it lies before the samples.
    displaced : int
        Bytes of samples that went to the end for want of room in the middle.
    factor : int
        How many times finer than the source's the samples' steps are.

    Returns
    -------
    tuple of str
        One sentence each; () if there is nothing to explain.
    """
    old = sum(stop - start for _, start, stop in data_spans(raw_ifd))
    preview = f"The previews take {previews_grown:,} bytes more than the source's."
    return (
        *_grown_samples(raw_ifd, layout, old, factor),
        *([preview] if previews_grown > 0 and grown > 0 else []),
        *_lost_room(old, shared=shared, unused=unused, reason=reason, displaced=displaced),
    )


def explain_build(
    source_bytes: int, output_bytes: int, *, compression: str, factor: int = 1
) -> tuple[str, ...]:
    """Say why a DNG built from another raw is larger than that; () if it is not."""
    if output_bytes <= source_bytes:
        return ()
    codec = "JPEG XL" if compression == "jxl" else "lossless JPEG"
    reason = f"{codec} does not pack the samples as tightly as the camera did"
    if compression == "none":
        reason = "its samples are uncompressed"
    elif factor > 1:
        reason = _FINER.format(factor)
    grown = output_bytes - source_bytes
    return (f"The DNG is {grown:,} bytes larger than the source: {reason}.",)


def _grown_samples(raw_ifd: Ifd, layout: Sequence[Field], old: int, factor: int) -> Iterator[str]:
    """Say why the samples take more room than before."""
    said = {field.tag: field.values for field in layout}
    sizes = said.get(Tag.TILE_BYTE_COUNTS, said.get(Tag.STRIP_BYTE_COUNTS, ()))
    new = sum(size for size in sizes if isinstance(size, int))
    if raw_ifd.get(Tag.LINEARIZATION_TABLE) is not None:
        before = integer(raw_ifd, Tag.BITS_PER_SAMPLE, 0)
        yield (
            "The source's LinearizationTable had to be baked into the samples: they have "
            f"{said[Tag.BITS_PER_SAMPLE][0]} bits, not {before}, and take {new:,} bytes "
            f"instead of {old:,}."
        )
    elif new > old and said[Tag.COMPRESSION] == (Compression.NONE,):
        yield f"The samples are uncompressed: they take {new:,} bytes instead of {old:,}."
    elif new > old and factor > 1:
        yield (f"{_FINER.format(factor).capitalize()}: they take {new:,} bytes instead of {old:,}.")
    elif new > old:
        codec = "JPEG XL" if said[Tag.COMPRESSION] == (Compression.JPEG_XL,) else "Lossless JPEG"
        yield (
            f"{codec} makes {new:,} bytes of the samples, the source's own compression "
            f"made {old:,}."
        )


def _lost_room(
    old: int, *, shared: bool, unused: int, reason: str, displaced: int
) -> Iterator[str]:
    """Say which bytes could not be saved."""
    if shared:
        yield (
            f"The {old:,} bytes of the source's raw data are still in the file, unused: "
            "something else in it uses some of them, or they lie outside it."
        )
    if displaced:
        yield (
            f"{displaced:,} bytes of samples went to the end of the file: the room in its "
            "middle, where the source has them, is too small."
        )
    if unused > _WORTH_TELLING * old:
        why = f": {reason}" if reason else ""
        yield (
            f"{unused:,} bytes in the middle of the file, where the source has its pixels, lie "
            f"unused: what follows them must stay in its place{why}."
        )
