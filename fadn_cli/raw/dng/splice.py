"""A denoised copy of a DNG that keeps every other byte of it.

Called by `write`. The one thing to know: only samples, previews and the IFDs that change are
written anew, at the end, the samples last. What came behind the old samples moves down into their
place, if every offset that leads there is known (`tiff.moving`); if not, it stays, so that maker
notes are right, and what is new goes where the old pixels were. Previews that go become zeros.

References
----------
DNG 1.7.1; TIFF 6.0, section 15 (tiles).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from fadn_cli.errors import WriteError
from fadn_cli.mosaic.steps import factor_between
from fadn_cli.mosaic.values import Mosaic, RawImage
from fadn_cli.raw.codec.lossless import Encoded
from fadn_cli.raw.dng.edit import (
    RGB,
    DngEdit,
    WriteChoices,
    edit_fields,
    edited_packet,
    version_fields,
)
from fadn_cli.raw.dng.levels import scaled_fields
from fadn_cli.raw.dng.marks import Marked, mark
from fadn_cli.raw.dng.samples import Storage, plan_storage, write_samples
from fadn_cli.raw.dng.size_notes import explain_splice
from fadn_cli.raw.previews.describe import void_tags
from fadn_cli.raw.previews.renew import Renewal, renew_previews, shrink_first_preview
from fadn_cli.raw.source.dng_checks import find_raw_ifd
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.ifd import Ifd, Span, TiffFile
from fadn_cli.raw.tiff.moving import Moves, plan_moves, write_moved
from fadn_cli.raw.tiff.rewrite import Rewrite
from fadn_cli.raw.tiff.room import Room
from fadn_cli.raw.tiff.tags import Compression, Tag, make_field
from fadn_cli.raw.tiff.tree import data_spans, joined, name_ifds, parts_of, previews_below
from fadn_cli.raw.tiff.write import Field
from fadn_cli.system.opening import open_anew

_DIGESTS = (Tag.RAW_IMAGE_DIGEST, Tag.NEW_RAW_IMAGE_DIGEST)
_OLD_LAYOUT = (
    Tag.STRIP_OFFSETS,
    Tag.STRIP_BYTE_COUNTS,
    Tag.ROWS_PER_STRIP,
    Tag.TILE_WIDTH,
    Tag.TILE_LENGTH,
    Tag.TILE_OFFSETS,
    Tag.TILE_BYTE_COUNTS,
    Tag.ROW_INTERLEAVE_FACTOR,
    Tag.COLUMN_INTERLEAVE_FACTOR,
    Tag.JXL_DISTANCE,
    Tag.JXL_EFFORT,
    Tag.JXL_DECODE_SPEED,
    Tag.LINEARIZATION_TABLE,  # LibRaw has applied it to the samples we were given
)
_LARGEST_FILE = (1 << 32) - (1 << 20)  # of a classic TIFF, with room for the IFDs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A DNG that is to be copied, and what of it is not."""

    tiff: TiffFile
    """All of it."""
    raw_ifd: Ifd
    """The IFD of its samples."""
    dropped: tuple[Ifd, ...]
    """Previews that go."""
    renewals: tuple[Renewal, ...]
    """Previews that are replaced, or added."""
    spans: Mapping[Ifd, Sequence[Span]]
    """Where the pixels lie that may be overwritten."""
    factor: int
    """How many times finer the new samples' steps are."""


def splice(
    path: Path,
    raw_image: RawImage,
    mosaic: Mosaic,
    edit: DngEdit,
    *,
    choices: WriteChoices,
    threads: int | None,
    encoded: Encoded | None = None,
) -> tuple[str, ...]:
    """Write a copy of a DNG source with other samples; `write.write_dng` states the contract."""
    source = _prepare(raw_image, mosaic, choices)
    moves = _plan_moves(source)
    with open_anew(path) as output:
        room = _copy(output, source, moves)
        copied = _as_copied(path, source, moves)
        rewrite = Rewrite(copied.tiff)
        for ifd in copied.dropped:
            rewrite.remove(ifd)
        # What fits where it was goes there; what does not must not take the samples' room.
        at_home = [renewal for renewal in copied.renewals if _fits_at_home(copied, renewal)]
        others = [renewal for renewal in copied.renewals if renewal not in at_home]
        _write_pictures(room, copied, rewrite, at_home)
        marked = mark(mosaic, raw_image.defects.marks, factor=source.factor)
        # The previews show it without the marks.
        samples = marked.mosaic.samples if encoded is None else encoded
        storage = _plan_storage(copied, marked.mosaic, samples, choices)
        unmerged = _state_changes(rewrite, copied, storage, edit, marked)
        if is_last := not copied.spans[copied.raw_ifd]:  # nothing is to follow the samples
            _write_pictures(room, copied, rewrite, others)
            rewrite.write(room)
        before = room.appended
        layout = write_samples(
            Room(output) if is_last else room,
            samples,
            storage,
            byteorder=source.tiff.byteorder,
            threads=threads,
        )
        displaced = 0 if is_last else room.appended - before
        if not is_last:
            _write_pictures(room, copied, rewrite, others)
        _refuse_long(output, raw_image)
        rewrite.change(copied.raw_ifd, layout)
        rewrite.write(room)
        size = output.seek(0, 2)
    return *unmerged, *explain_splice(
        source.raw_ifd,
        layout,
        grown=size - len(source.tiff.data),
        previews_grown=_previews_grown(source),
        shared=not source.spans[source.raw_ifd],
        unused=room.unused,
        reason=moves.reason,
        displaced=displaced,
        factor=source.factor,
    )


def _prepare(raw_image: RawImage, mosaic: Mosaic, choices: WriteChoices) -> _Source:
    """Read the source's structure, and render the previews that are wanted."""
    tiff = parse(map_file(raw_image.path), name=raw_image.path.name, tolerant=True)
    raw_ifd = find_raw_ifd(tiff)
    dropped: tuple[Ifd, ...] = ()
    renewals: Sequence[Renewal] = ()
    if choices.preview == "none":
        dropped = previews_below(tiff)
        renewals = shrink_first_preview(tiff, raw_ifd, raw_image, mosaic)
    elif choices.preview == "render":
        renewals = renew_previews(tiff, raw_ifd, raw_image, mosaic)
    renewed = (renewal.ifd for renewal in renewals if renewal.ifd is not None)
    return _Source(
        tiff=tiff,
        raw_ifd=raw_ifd,
        dropped=dropped,
        renewals=tuple(renewals),
        spans={ifd: _replaceable_spans(tiff, ifd) for ifd in (raw_ifd, *dropped, *renewed)},
        factor=factor_between(raw_image.mosaic.white_level, mosaic.white_level),
    )


def _plan_moves(source: _Source) -> Moves:
    """Plan what follows old samples and previews that go to take their place, where it can."""
    gone = [span for spans in source.spans.values() for span in spans]
    staying = [renewal.ifd for renewal in source.renewals if _fits_at_home(source, renewal)]
    for_good = (
        start for ifd in source.spans if ifd not in staying for start, _ in source.spans[ifd]
    )
    first = min(for_good, default=len(source.tiff.data))
    return plan_moves(source.tiff, gone, first=first)


def _copy(output: BinaryIO, source: _Source, moves: Moves) -> Room:
    """Copy what is kept of the source; return the room that the rest leaves."""
    write_moved(output, source.tiff, moves)
    for start, stop in moves.free:
        if (start, stop) not in source.spans[source.raw_ifd]:
            output.seek(start)
            output.write(bytes(stop - start))  # nothing is left of a preview that has gone
    output.flush()
    return Room(output, moves.free)


def _as_copied(path: Path, source: _Source, moves: Moves) -> _Source:
    """Return the source as it lies in the copy."""
    tiff = source.tiff
    if moves.any:
        tiff = parse(map_file(path), name=tiff.name, tolerant=True)
    ifds = dict(zip(source.tiff.walk(), tiff.walk(), strict=True))
    free = set(moves.free)
    return replace(
        source,
        tiff=tiff,
        raw_ifd=ifds[source.raw_ifd],
        dropped=tuple(ifds[ifd] for ifd in source.dropped),
        renewals=tuple(
            replace(renewal, ifd=renewal.ifd and ifds[renewal.ifd]) for renewal in source.renewals
        ),
        spans={
            ifds[ifd]: [span for span in spans if span in free]
            for ifd, spans in source.spans.items()
        },
    )


def _replaceable_spans(tiff: TiffFile, ifd: Ifd) -> list[Span]:
    """Return where an IFD's pixels lie, neighbours joined; none if anything else lies there too."""
    spans = joined((start, stop) for _, start, stop in data_spans(ifd))
    ifds = name_ifds(tiff)
    others = [
        part for part in parts_of(tiff) if not (part.kind == "data" and ifds[part.ifd] is ifd)
    ]
    inside_file = all(stop <= len(tiff.data) for _, stop in spans)
    alone = not any(
        start < other.stop and other.start < stop for start, stop in spans for other in others
    )
    return spans if inside_file and alone else []


def _plan_storage(
    source: _Source, mosaic: Mosaic, samples: NDArray[np.uint16] | Encoded, choices: WriteChoices
) -> Storage:
    """Decide how the new samples are stored."""
    raw_ifd = source.raw_ifd
    bits = raw_ifd.first_int(Tag.BITS_PER_SAMPLE, 0)
    is_plain = raw_ifd.first_int(Tag.COMPRESSION, 1) == Compression.NONE and source.factor == 1
    return plan_storage(
        samples,
        compression=choices.compression,
        kind=mosaic.cfa.kind,
        stated_bits=stated_bits(raw_ifd, mosaic, source.factor),
        plain_bits=bits if is_plain else 0,
    )


def _refuse_long(output: BinaryIO, raw_image: RawImage) -> None:
    """Raise WriteError for a file whose offsets do not fit."""
    if output.seek(0, 2) > _LARGEST_FILE:
        raise WriteError(
            f"{raw_image.path.name}: the DNG would exceed 4 GiB, the limit of the format",
            advice="Write a TIFF instead with --format tiff.",
        )


def stated_bits(raw_ifd: Ifd, mosaic: Mosaic, factor: int) -> int:
    """Return the bit depth that samples in steps finer by a factor have, at least."""
    bits = raw_ifd.first_int(Tag.BITS_PER_SAMPLE, 0)
    if factor == 1:
        return bits
    return max(bits + factor.bit_length() - 1, int(mosaic.white_level).bit_length())


def _fits_at_home(source: _Source, renewal: Renewal) -> bool:
    """Tell whether a new preview fits where the old one was."""
    own = () if renewal.ifd is None else source.spans[renewal.ifd]
    return any(start + start % 2 + len(renewal.data) <= stop for start, stop in own)


def _write_pictures(
    room: Room, source: _Source, rewrite: Rewrite, renewals: Sequence[Renewal]
) -> None:
    """Write new previews, best where the old ones were, and say so in their IFDs."""
    for renewal in renewals:
        own = () if renewal.ifd is None else source.spans[renewal.ifd]
        fields = renewal.place_fields(room.place(renewal.data, rather=own))
        if renewal.ifd is None:
            rewrite.add([*renewal.fields, *fields])
        else:
            rewrite.change(renewal.ifd, [*renewal.fields, *fields], drop=void_tags(renewal.ifd))


def _previews_grown(source: _Source) -> int:
    """Return how many bytes more the previews take than before."""
    new = sum(len(renewal.data) for renewal in source.renewals)
    gone = [*source.dropped, *(r.ifd for r in source.renewals if r.ifd is not None)]
    return new - sum(stop - start for ifd in gone for _, start, stop in data_spans(ifd))


def _state_changes(
    rewrite: Rewrite, source: _Source, storage: Storage, edit: DngEdit, marked: Marked
) -> tuple[str, ...]:
    """Say in the raw IFD and in IFD0 what was done; return what could not be merged."""
    ifd0, raw_ifd = source.tiff.ifds[0], source.raw_ifd
    stated = edit_fields(edit, plane_colors=raw_ifd.ints(Tag.CFA_PLANE_COLOR) or RGB)
    stale = {*_DIGESTS, Tag.NOISE_PROFILE}
    # IFD0 may repeat what belongs to the raw IFD; what it says must not be stale.
    repeated = [field for field in stated if ifd0.get(field.tag) is not None]
    if ifd0 is not raw_ifd:
        repeated += scaled_fields(ifd0, source.factor, marked.constants)
    levels = _default_level(raw_ifd, storage, marked.mosaic)
    levels += scaled_fields(raw_ifd, source.factor, marked.constants)
    xmp = ifd0.get(Tag.XMP)
    packet, unmerged = edited_packet(bytes(xmp.data) if xmp else b"", edit)
    about = [make_field(Tag.XMP, packet), make_field(Tag.RAW_DATA_UNIQUE_ID, edit.unique_id)]
    about += version_fields(ifd0, storage)
    rewrite.change(ifd0, [*about, *repeated], drop=stale)
    rewrite.change(raw_ifd, [*storage.fields(), *levels, *stated], drop={*stale, *_OLD_LAYOUT})
    return unmerged


def _default_level(raw_ifd: Ifd, storage: Storage, mosaic: Mosaic) -> list[Field]:
    """State the white level where its default, which follows from the bits, would change."""
    same_bits = make_field(Tag.BITS_PER_SAMPLE, raw_ifd.first_int(Tag.BITS_PER_SAMPLE, 0))
    if raw_ifd.get(Tag.WHITE_LEVEL) is not None or same_bits in storage.fields():
        return []
    return [make_field(Tag.WHITE_LEVEL, int(mosaic.white_level))]
