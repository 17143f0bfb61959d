"""Is a file a sound TIFF? Order, types, counts, offsets and overlaps of everything in it.

`dng` calls it before `image_rules` asks for what DNG adds. The one thing to know: it works on the
tree that `file.parse` could read, and reports every pointer that leads to nothing readable.

References
----------
TIFF 6.0, sections 2 and 7; DNG 1.7.1, chapter 2 (SubIFD trees).
"""

from collections.abc import Iterator

from fadn_cli.errors import RawReadError
from fadn_cli.findings import Finding, Severity
from fadn_cli.raw.check.tag_rules import count_fault, is_readable_as_meant, type_fault
from fadn_cli.raw.tiff.file import CLASSIC_MAGIC, POINTER_TAGS
from fadn_cli.raw.tiff.ifd import LETTERS, Entry, FieldType, Ifd, TiffFile
from fadn_cli.raw.tiff.tags import DATA_OFFSETS, Tag, tag_name
from fadn_cli.raw.tiff.tree import (
    HEADER_SIZE,
    MAX_PIECES,
    Part,
    data_spans,
    integers,
    is_image_ifd,
    name_ifds,
    parts_of,
)

_TEXT = (FieldType.ASCII, FieldType.UTF8)


def check_tiff(tiff: TiffFile) -> Iterator[Finding]:
    """Yield what is wrong with a file as a TIFF.

    Parameters
    ----------
    tiff : TiffFile
        Parsed with `tolerant=True`; strict parsing would have stopped at the first fault.

    Yields
    ------
    Finding
        Of kind "magic", "pointer", "order", "type", "count", "text", "bounds", "pieces", "overlap",
        "alignment" or "next".
    """
    if tiff.magic != CLASSIC_MAGIC:
        yield Finding(
            severity="error",
            kind="magic",
            what=f"the magic number is {tiff.magic}, not {CLASSIC_MAGIC}",
            offset=2,
        )
    for name, ifd in name_ifds(tiff).items():
        yield from _check_ifd(tiff, name, ifd)
    last = tiff.ifds[-1]
    if last.next_offset:
        name = f"IFD{len(tiff.ifds) - 1}"
        yield _pointer(tiff, name, "", last.next_offset, last.offset)
    try:
        parts = parts_of(tiff)
    except RawReadError:
        what = f"the file claims more than {MAX_PIECES} strips or tiles"
        yield Finding(severity="error", kind="pieces", what=what)
        return
    yield from _overlaps(parts)


def _check_ifd(tiff: TiffFile, name: str, ifd: Ifd) -> Iterator[Finding]:
    """Check one IFD on its own."""
    yield from _order(name, ifd)
    if ifd.offset % 2:
        yield Finding(
            severity="warning",
            kind="alignment",
            what="the IFD lies at an odd offset",
            ifd=name,
            offset=ifd.offset,
        )
    for entry in ifd.entries:
        yield from _check_entry(name, ifd, entry)
    yield from _pointers(tiff, name, ifd)
    if is_image_ifd(ifd):
        yield from _data_bounds(tiff, name, ifd)
    if ifd.pointer_tag and ifd.next_offset:
        yield Finding(
            severity="error" if ifd.pointer_tag == Tag.SUB_IFDS else "warning",
            kind="next",
            what="its next-IFD pointer is not 0; DNG knows no chains of SubIFDs",
            ifd=name,
            offset=ifd.next_pointer,
        )


def _order(name: str, ifd: Ifd) -> Iterator[Finding]:
    """Check that tags ascend and occur once."""
    late: list[Entry] = []
    seen: set[int] = set()
    highest = -1
    for entry in ifd.entries:
        if entry.tag in seen:
            yield _about("error", "order", "occurs twice", name, entry)
        elif entry.tag < highest:
            late.append(entry)
        seen.add(entry.tag)
        highest = max(highest, entry.tag)
    if late:
        what = f"the tags are not ascending: {tag_name(late[0].tag)}"
        what += f" and {len(late) - 1} more come too late" if late[1:] else " comes too late"
        offset = late[0].location
        yield Finding(severity="error", kind="order", what=what, ifd=name, offset=offset)


def _check_entry(name: str, ifd: Ifd, entry: Entry) -> Iterator[Finding]:
    """Check an entry's type, count and place."""
    if is_image_ifd(ifd) or entry.type not in LETTERS:
        fault = type_fault(entry)
        if fault:
            harmless = is_readable_as_meant(entry)
            yield _about("warning" if harmless else "error", "type", fault, name, entry)
    if is_image_ifd(ifd) or not entry.count:
        fault = count_fault(entry)
        if fault:
            harmless = entry.type in _TEXT or not is_image_ifd(ifd)
            yield _about("warning" if harmless else "error", "count", fault, name, entry)
    try:
        stop = entry.value_offset + entry.size
    except RawReadError:  # an unknown type, reported above
        return
    if stop > len(entry.source) or entry.value_offset < HEADER_SIZE:
        what = f"its {entry.size} bytes lie outside the file of {len(entry.source)} bytes"
        yield _about("error", "bounds", what, name, entry)
    elif entry.type in _TEXT and entry.count and entry.data[-1]:
        yield _about("warning", "text", "is not ended by a NUL", name, entry)


def _pointers(tiff: TiffFile, name: str, ifd: Ifd) -> Iterator[Finding]:
    """Check that every pointer to an IFD led to one."""
    for entry in ifd.entries:
        if entry.tag not in POINTER_TAGS:
            continue
        try:
            offsets = entry.ints
        except RawReadError:  # reported as a wrong type or place
            continue
        reached = [child.offset for child in ifd.children if child.pointer_tag == entry.tag]
        for offset in offsets:
            if offset in reached:
                reached.remove(offset)
            else:
                yield _pointer(tiff, name, tag_name(entry.tag), offset, entry.location)


def _pointer(tiff: TiffFile, name: str, tag: str, offset: int, location: int) -> Finding:
    """Describe a pointer that leads to nothing."""
    if any(ifd.offset == offset for ifd in tiff.walk()):
        what = "leads to an IFD that was already met: a loop"
    elif offset > len(tiff.data) - 2:
        what = "leads to an IFD beyond the end of the file"
    else:
        what = "leads to something that is no IFD, or is damaged"
    what = what if tag else f"the next-IFD pointer {what}"
    return Finding(severity="error", kind="pointer", what=what, ifd=name, tag=tag, offset=location)


def _data_bounds(tiff: TiffFile, name: str, ifd: Ifd) -> Iterator[Finding]:
    """Check that strips, tiles and JPEGs lie in the file."""
    outside = dict.fromkeys(DATA_OFFSETS, 0)
    for tag, start, stop in data_spans(ifd):
        outside[tag] += stop > len(tiff.data) or (start < HEADER_SIZE and start < stop)
    for tag, count in outside.items():
        entry = ifd.get(tag)
        if count and entry is not None:
            total = len(integers(ifd, tag))
            what = f"{count} of {total} pieces of image data lie outside the file"
            yield _about("error", "bounds", what, name, entry)


def _overlaps(parts: list[Part]) -> Iterator[Finding]:
    """Check that no part of the file is two things at once."""
    ordered = sorted(parts, key=lambda part: (part.start, part.stop))
    furthest = ordered[0]
    for part in ordered[1:]:
        if part.start < furthest.stop:
            yield _overlap(furthest, part)
        if part.stop > furthest.stop:
            furthest = part


def _overlap(first: Part, second: Part) -> Finding:
    """Describe two parts that share bytes."""
    movable = not {first.kind, second.kind} & {"header", "ifd"}
    same = (first.start, first.stop) == (second.start, second.stop)
    severity: Severity = "error"
    if movable and (same or first.embeds or second.embeds):
        severity = "warning"  # writers share equal values, maker notes hold previews
    return Finding(
        severity=severity,
        kind="overlap",
        what=f"{second.label} shares bytes with {first.label}",
        ifd=second.ifd,
        tag=tag_name(second.tag) if second.tag else "",
        offset=second.start,
    )


def _about(severity: Severity, kind: str, what: str, name: str, entry: Entry) -> Finding:
    """Make a finding about an entry."""
    return Finding(
        severity=severity,
        kind=kind,
        what=what,
        ifd=name,
        tag=tag_name(entry.tag),
        offset=entry.location,
    )
