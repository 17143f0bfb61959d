"""IFDs of a copied file that change: written anew, and pointed to.

`splice` calls it. The one thing to know: the old IFDs stay where they are, unused, and of their
bytes only pointers are overwritten, so that everything else in the file keeps its place.

References
----------
TIFF 6.0, section 2; TIFF/EP (ISO 12234-2) for SubIFDs.
"""

import struct
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import BinaryIO

from fadn_cli.raw.tiff.ifd import FieldType, Ifd, TiffFile
from fadn_cli.raw.tiff.room import Room
from fadn_cli.raw.tiff.tags import Tag
from fadn_cli.raw.tiff.write import Field, build_ifd, rebuild_ifd

_END_OF_CHAIN = 0


class Rewrite:
    """The IFDs of a file that change, go or are added; IFD0 always changes.

    Parameters
    ----------
    tiff : TiffFile
        The source.
    """

    def __init__(self, tiff: TiffFile) -> None:
        self._tiff = tiff
        self._fields: dict[Ifd, dict[int, Field]] = {tiff.ifds[0]: {}}
        self._drops: dict[Ifd, set[int]] = {tiff.ifds[0]: set()}
        self._moved: dict[int, int] = {}
        self._sizes: dict[int, int] = {}
        self._removed: set[int] = set()
        self._added: list[list[Field]] = []
        self._new: list[int] = []

    def change(self, ifd: Ifd, fields: Iterable[Field], *, drop: Collection[int] = ()) -> None:
        """Give an IFD other values and leave out tags; several calls for one IFD add up."""
        self._fields.setdefault(ifd, {}).update((field.tag, field) for field in fields)
        self._drops.setdefault(ifd, set()).update(drop)

    def remove(self, ifd: Ifd) -> None:
        """Leave out a SubIFD of an IFD that changes, or the rest of the chain behind IFD0."""
        self._removed.add(ifd.offset)

    def add(self, fields: Iterable[Field]) -> None:
        """Make another SubIFD of IFD0."""
        self._added.append(list(fields))

    def write(self, room: Room) -> None:
        """Write what has changed, innermost first, and overwrite the pointers to it.

        Once more, it writes what has changed since into the same places.

        Parameters
        ----------
        room : Room
            Of a copy of the source; the IFDs go where they fit, so that what others look for at the
            end of the file stays there.

        Raises
        ------
        ValueError
            What has changed since takes more room.
        """
        order = self._tiff.byteorder
        for fields in self._added[len(self._new) :]:
            size = len(build_ifd(fields, byteorder=order, at_offset=0))
            self._new.append(room.seek(size))
            room.output.write(build_ifd(fields, byteorder=order, at_offset=self._new[-1]))
        for ifd in reversed(list(self._tiff.walk())):
            if ifd in self._fields:
                self._point_to_moved(ifd)
                self._place(room, ifd)
            elif ifd.next_offset in self._moved:  # some writers chain SubIFDs
                self._point(room.output, ifd.next_pointer, self._moved[ifd.next_offset])

    def _point_to_moved(self, ifd: Ifd) -> None:
        """Change the SubIFDs of an IFD so that they lead to where those have gone."""
        entry = ifd.get(Tag.SUB_IFDS)
        old = [] if entry is None or not ifd.sub_ifds(Tag.SUB_IFDS) else list(entry.ints)
        kept = [offset for offset in old if offset not in self._removed]
        offsets = [self._moved.get(offset, offset) for offset in kept]
        offsets += self._new if ifd is self._tiff.ifds[0] else []
        if offsets == old:
            return
        if not offsets:
            self._drops[ifd].add(Tag.SUB_IFDS)
            return
        kind = Tag.SUB_IFDS.type if entry is None else FieldType(entry.type)
        self.change(ifd, [Field(tag=Tag.SUB_IFDS, type=kind, values=offsets)])

    def _place(self, room: Room, ifd: Ifd) -> None:
        """Write the changed copy of an IFD, and make its old pointer lead there."""
        following = self._moved.get(ifd.next_offset, ifd.next_offset)
        ends = ifd.next_offset in self._removed
        copy = replace(ifd, next_offset=_END_OF_CHAIN if ends else following)
        fields, drop = self._fields[ifd], self._drops[ifd]
        size = len(rebuild_ifd(copy, at_offset=0, replace=fields, drop=drop))
        if self._sizes.setdefault(ifd.offset, size) != size:
            raise ValueError(f"an IFD of {self._sizes[ifd.offset]} bytes now takes {size}")
        offset = self._moved.get(ifd.offset)
        offset = room.seek(size) if offset is None else room.output.seek(offset)
        room.output.write(rebuild_ifd(copy, at_offset=offset, replace=fields, drop=drop))
        self._point(room.output, ifd.pointer_offset, offset)
        self._moved[ifd.offset] = offset

    def _point(self, output: BinaryIO, pointer: int, target: int) -> None:
        """Overwrite an offset of the source."""
        output.seek(pointer)
        output.write(struct.pack(self._tiff.byteorder + "I", target))
