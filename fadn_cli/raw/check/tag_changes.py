"""Which tags differ between a DNG and a copy of it with other samples, and which of them may.

`verify` calls it. The one thing to know: IFDs are compared by name, wherever they lie, and a
pointer to an IFD or to image data by what it leads to; where bytes lie is `byte_changes`' business.
Previews may be left out, if all of them are, and rendered anew, if the copy says so of them.

References
----------
DNG 1.7.1, chapters 2 and 4.
"""

from collections.abc import Iterator, Mapping, Sequence

from fadn_cli.errors import RawReadError
from fadn_cli.findings import TagChange
from fadn_cli.raw.check.pairs import Pair, pair_ifds
from fadn_cli.raw.dng.levels import scaled_fields
from fadn_cli.raw.dng.marker import packets_agree
from fadn_cli.raw.previews.describe import void_tags
from fadn_cli.raw.tiff.file import POINTER_TAGS
from fadn_cli.raw.tiff.ifd import FieldType, Ifd, Number, TiffFile
from fadn_cli.raw.tiff.tags import DATA_OFFSETS, Compression, Tag, tag_name
from fadn_cli.raw.tiff.tree import integer, integers
from fadn_cli.raw.tiff.write import Field

_LAYOUT = frozenset(
    {
        Tag.STRIP_OFFSETS,
        Tag.STRIP_BYTE_COUNTS,
        Tag.ROWS_PER_STRIP,
        Tag.TILE_WIDTH,
        Tag.TILE_LENGTH,
        Tag.TILE_OFFSETS,
        Tag.TILE_BYTE_COUNTS,
        Tag.COMPRESSION,
        Tag.BITS_PER_SAMPLE,
        Tag.ROW_INTERLEAVE_FACTOR,
        Tag.COLUMN_INTERLEAVE_FACTOR,
        Tag.JXL_DISTANCE,
        Tag.JXL_EFFORT,
        Tag.JXL_DECODE_SPEED,
    }
)
_STATEMENTS = frozenset(
    {
        Tag.NOISE_PROFILE,
        Tag.NOISE_REDUCTION_APPLIED,
        Tag.RAW_IMAGE_DIGEST,
        Tag.NEW_RAW_IMAGE_DIGEST,
        Tag.ENHANCE_PARAMS,
    }
)
_OF_RAW = _LAYOUT | _STATEMENTS | {Tag.NEW_SUBFILE_TYPE, Tag.LINEARIZATION_TABLE}
_OF_IFD0 = _STATEMENTS | {Tag.RAW_DATA_UNIQUE_ID}
_VERSIONS = (Tag.DNG_VERSION, Tag.DNG_BACKWARD_VERSION)
_LOSSLESS_JPEG_VERSION = (1, 1, 0, 0)  # what lossless-JPEG tiles need
_JPEG_XL_VERSIONS = ((1, 7, 0, 0), (1, 7, 1, 0))  # what JPEG XL needs, without and interleaved
_BYTE_SIZED = (FieldType.BYTE, FieldType.ASCII, FieldType.SBYTE, FieldType.UNDEFINED)
_LONGEST = 60  # characters of a value that is shown
_LONGEST_BYTES = 16  # of a value whose bytes are shown


def compare_tags(
    source: TiffFile,
    output: TiffFile,
    *,
    raw_ifd: Ifd,
    white_level: float,
    factor: int = 1,
    constants: Mapping[int, int] | None = None,
) -> Iterator[TagChange]:
    """Yield every tag in which a DNG differs from its source, IFD by IFD.

    Parameters
    ----------
    source, output : TiffFile
        Parsed with `tolerant=True`.
    raw_ifd : Ifd
        The source's.
    white_level : float
        The source's in DN, which the output may state where the source left it to be understood.
    factor : int
        How many times finer the output's steps are.
    constants : mapping, optional
        By a value that marks bad pixels in the source: what marks them in the output.
    """
    pairs = pair_ifds(source, output)
    scaled = {
        id(ifd): {field.tag: field for field in scaled_fields(ifd, factor, constants)}
        for ifd in {raw_ifd, source.ifds[0]}
    }
    white = white_level * factor
    needed = _needed_version(next((p.after for p in pairs if p.before is raw_ifd), None))
    ifds_differ = any(pair.fate in ("dropped", "added") for pair in pairs)
    for pair in pairs:
        old, new = pair.before, pair.after
        tags = {entry.tag for ifd in (old, new) if ifd for entry in ifd.entries}
        for tag in sorted(tags):
            expected = scaled.get(id(old), {}).get(tag)
            if _same(old, new, tag) and (expected is None or _says(new, expected)):
                continue
            allowed = pair.fate in ("dropped", "added") or _may_change_in_preview(pair, tag)
            if old is not None and new is not None:
                allowed |= old is raw_ifd and _may_change_in_raw(old, new, tag, white)
                allowed |= expected is not None and _says(new, expected)
                allowed |= old is source.ifds[0] and _may_change_in_ifd0(old, new, tag, needed)
                allowed |= old is source.ifds[0] and tag == Tag.SUB_IFDS and ifds_differ
            yield TagChange(
                ifd=pair.name,
                tag=tag_name(tag),
                before=_spell(old, tag),
                after=_spell(new, tag),
                allowed=allowed,
            )


def _may_change_in_preview(pair: Pair, tag: int) -> bool:
    """Tell whether a tag may change since its IFD holds another picture."""
    return pair.fate == "rendered" and pair.before is not None and tag in void_tags(pair.before)


def _needed_version(raw_ifd: Ifd | None) -> tuple[int, ...]:
    """Return the version of DNG that is needed for how samples are stored."""
    if raw_ifd is None or integer(raw_ifd, Tag.COMPRESSION, 1) != Compression.JPEG_XL:
        return _LOSSLESS_JPEG_VERSION
    return _JPEG_XL_VERSIONS[integer(raw_ifd, Tag.COLUMN_INTERLEAVE_FACTOR, 1) != 1]


def _may_change_in_ifd0(old: Ifd, new: Ifd, tag: int, needed: tuple[int, ...]) -> bool:
    """Tell whether denoising may change a tag of IFD0, wherever the samples are."""
    if tag in _VERSIONS:
        is_stated = old.get(tag) is not None or needed in _JPEG_XL_VERSIONS
        return is_stated and integers(old, tag) < needed == integers(new, tag)
    if tag == Tag.XMP:
        before, after = _packet(old), _packet(new)
        return after is not None and packets_agree(before or b"", after)
    return tag in _OF_IFD0


def _packet(ifd: Ifd) -> bytes | None:
    """Return the XMP packet of an IFD; None if there is none, or none that can be read."""
    entry = ifd.get(Tag.XMP)
    try:
        return None if entry is None else bytes(entry.data)
    except RawReadError:
        return None


def _may_change_in_raw(old: Ifd, new: Ifd, tag: int, white_level: float) -> bool:
    """Tell whether denoising may change a tag of the IFD that holds the samples."""
    if tag == Tag.WHITE_LEVEL:
        return old.get(tag) is None and integers(new, Tag.WHITE_LEVEL) == (int(white_level),)
    if tag == Tag.LINEARIZATION_TABLE:
        return new.get(tag) is None  # baked into the samples, which are compared
    return tag in _OF_RAW


def _says(ifd: Ifd | None, expected: Field) -> bool:
    """Tell whether an IFD says by a tag what it must in finer steps."""
    found = None if ifd is None else ifd.get(expected.tag)
    if found is None or found.type != expected.type:
        return False
    return bytes(found.data) == expected.encode(found.byteorder)[1]


def _same(old: Ifd | None, new: Ifd | None, tag: int) -> bool:
    """Tell whether two IFDs say the same by a tag."""
    if old is None or new is None:
        return False
    first, second = old.get(tag), new.get(tag)
    if first is None or second is None:
        return False
    if tag in POINTER_TAGS:
        return len(old.sub_ifds(tag)) == len(new.sub_ifds(tag)) and first.count == second.count
    if (first.type, first.count) != (second.type, second.count):
        return False
    if tag in DATA_OFFSETS and _lead_into_file(old, new, tag):
        return True
    try:
        if first.byteorder == second.byteorder or first.type in _BYTE_SIZED:
            return first.data == second.data
        return first.values == second.values
    except RawReadError:  # unreadable in the source is unreadable in its copy
        return first.encoded == second.encoded


def _lead_into_file(old: Ifd, new: Ifd, tag: int) -> bool:
    """Tell whether offsets of image data lead to some, which are compared byte by byte."""
    size = len(old.entries[0].source)
    pairs = zip(integers(old, tag), integers(new, tag), strict=False)
    return all(first == second or first < size for first, second in pairs)


def _spell(ifd: Ifd | None, tag: int) -> str | None:
    """Show a value; None if there is none."""
    entry = None if ifd is None else ifd.get(tag)
    if ifd is None or entry is None:
        return None
    if tag in POINTER_TAGS:
        return f"{len(ifd.sub_ifds(tag))} IFDs"
    try:
        if entry.type == FieldType.ASCII:
            return show(entry.text)
        if entry.type in _BYTE_SIZED and entry.count > _LONGEST_BYTES:
            return f"{entry.count} bytes"
        return show(entry.values)
    except RawReadError:
        return "unreadable"


def show(values: str | Sequence[Number]) -> str:
    """Show text or numbers, shortened."""
    if not isinstance(values, str):
        shown = values[:_LONGEST]
        values = " ".join(f"{v[0]}/{v[1]}" if isinstance(v, tuple) else f"{v:.9g}" for v in shown)
    return values if len(values) <= _LONGEST else f"{values[: _LONGEST - 1]}…"
