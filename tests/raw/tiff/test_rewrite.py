"""Changed IFDs are found by every pointer that led to the old ones."""

import io
import struct

import pytest

from fadn_cli.raw.tiff.file import parse
from fadn_cli.raw.tiff.rewrite import Rewrite
from fadn_cli.raw.tiff.room import Room
from fadn_cli.raw.tiff.tags import Tag, make_field
from tests.making.tiff import LONG, SHORT, TiffBuilder

WIDTH = Tag.IMAGE_WIDTH


def build(byteorder, *, subs=(), inner=(), chain=0):
    """A TIFF of IFDs that are known by their ImageWidth: 1, its SubIFDs, theirs, and a chain."""
    tiff = TiffBuilder(byteorder)
    below = [tiff.add_ifd({256: (LONG, width)}) for width in inner]
    lower = []
    for index, width in enumerate(subs):
        fields = {256: (LONG, width)}
        if below and index == 0:
            fields[330] = (LONG, below)
        lower.append(tiff.add_ifd(fields))
    following = 0
    for width in range(90 + chain, 90, -1):
        following = tiff.add_ifd({256: (LONG, width)}, following)
    fields = {256: (LONG, 1), 274: (SHORT, 6)} | ({330: (LONG, lower)} if lower else {})
    start = tiff.add_ifd(fields, following)
    return tiff.close(start)


def widths(data):
    """Every IFD's width, as a tree: (width, widths below), and the chain's."""

    def tree(ifd):
        below = [tree(child) for child in ifd.sub_ifds(Tag.SUB_IFDS)]
        return (ifd.first_int(WIDTH, 0), *below)

    return [tree(ifd) for ifd in parse(data, name="x").ifds]


def rewritten(data, change, *, free=()):
    """The bytes after a change: a function of the Rewrite and {width: IFD}."""
    tiff = parse(data, name="x")
    rewrite, output = Rewrite(tiff), io.BytesIO(data)
    change(rewrite, {ifd.first_int(WIDTH, 0): ifd for ifd in tiff.walk()})
    rewrite.write(Room(output, free))
    return output.getvalue()


def widen(*wanted):
    """A change that adds 1000 to the widths of some IFDs."""

    def change(rewrite, ifds):
        for width in wanted:
            rewrite.change(ifds[width], [make_field(WIDTH, width + 1000)])

    return change


@pytest.mark.parametrize("byteorder", ("<", ">"))
@pytest.mark.parametrize(
    ("wanted", "expected"),
    (
        ((), (1, (2, (5,), (6,)), (3,))),
        ((1,), (1001, (2, (5,), (6,)), (3,))),
        ((3,), (1, (2, (5,), (6,)), (1003,))),
        ((2, 3), (1, (1002, (5,), (6,)), (1003,))),
        ((6,), (1, (2, (5,), (1006,)), (3,))),
        ((2, 5), (1, (1002, (1005,), (6,)), (3,))),
        ((1, 2, 3, 5, 6), (1001, (1002, (1005,), (1006,)), (1003,))),
    ),
)
def test_every_changed_ifd_is_reached_and_no_other_is_touched(byteorder, wanted, expected):
    data = build(byteorder, subs=(2, 3), inner=(5, 6))

    assert [expected] == widths(rewritten(data, widen(*wanted)))


def test_a_single_pointer_inside_its_entry_is_followed_too():
    data = build("<", subs=(2,), inner=(5,))

    assert [(1, (1002, (1005,)))] == widths(rewritten(data, widen(2, 5)))
    assert [(1, (2, (1005,)))] == widths(rewritten(data, widen(5)))


@pytest.mark.parametrize("wanted", ((91,), (92,), (93,), (91, 92, 93), (1, 92)))
def test_the_chain_is_followed(wanted):
    expected = [(width + 1000 * (width in wanted),) for width in (1, 91, 92, 93)]

    assert expected == widths(rewritten(build(">", chain=3), widen(*wanted)))


def test_a_chain_of_subifds_leads_to_the_new_ones_too():
    """DNG forbids them, and some writers make them all the same."""
    data = bytearray(build("<", subs=(2, 3)))
    first, second = (ifd.offset for ifd in parse(bytes(data), name="x").ifds[0].children)
    at = first + 2 + 12  # one entry
    data[at : at + 4] = struct.pack("<I", second)

    after = parse(rewritten(bytes(data), widen(3)), name="x").ifds[0].children

    assert after[1].offset == after[0].next_offset != second


def test_what_is_removed_is_reached_no_more():
    data = build("<", subs=(2, 3, 4), chain=2)

    def change(rewrite, ifds):
        for width in (2, 4, 91, 92):
            rewrite.remove(ifds[width])

    assert [(1, (3,))] == widths(rewritten(data, change))


def test_without_subifds_there_is_no_pointer_to_them():
    data = rewritten(build("<", subs=(2,)), lambda rewrite, ifds: rewrite.remove(ifds[2]))

    assert parse(data, name="x").ifds[0].get(Tag.SUB_IFDS) is None


@pytest.mark.parametrize("subs", ((), (2, 3)))
def test_what_is_added_comes_last(subs):
    data = build("<", subs=subs)

    after = rewritten(data, lambda rewrite, ifds: rewrite.add([make_field(WIDTH, 77)]))

    assert [(1, *((width,) for width in subs), (77,))] == widths(after)


def test_ifds_go_where_there_is_room():
    data = build("<", subs=(2, 3)) + bytes(400) + b"a trailer that stays last"
    free = (len(data) - 425, len(data) - 25)

    after = rewritten(data, widen(1, 2, 3), free=[free])

    assert [(1001, (1002,), (1003,))] == widths(after)
    assert len(data) == len(after)
    assert after.endswith(b"a trailer that stays last")


def test_tags_are_dropped_and_the_others_kept():
    data = build("<")

    def change(rewrite, ifds):
        rewrite.change(ifds[1], [make_field(WIDTH, 5)], drop={274})
        rewrite.change(ifds[1], [make_field(Tag.COMPRESSION, 7)])

    [ifd0] = parse(rewritten(data, change), name="x").ifds
    assert [(256, (5,)), (259, (7,))] == [(entry.tag, entry.ints) for entry in ifd0.entries]
