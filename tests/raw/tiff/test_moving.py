"""What follows bytes that go moves down with its offsets, unless one may be unknown."""

import io
import struct

import pytest

from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.moving import plan_moves, write_moved
from fadn_cli.raw.tiff.tags import Tag
from tests.making.parts import assemble, point_to
from tests.making.tiff import ASCII, BYTE, LONG, RATIONAL, SHORT, UNDEFINED, At

HOLE = bytes(range(1, 256)) * 40
PICTURE = b"\xff\xd8 a picture that lies behind \xff\xd9"
NIKON = b"Nikon\0\2\x10\0\0II*\0\x08\0\0\0" + bytes(40)


def make(folder, *, byteorder="<", parts=None, order=(), **fields):
    """A file with a hole in front of all that its IFDs say."""
    shown = {
        254: (LONG, 1),
        256: (LONG, 48),
        257: (LONG, 32),
        259: (SHORT, 7),
        273: point_to("picture"),
        279: (LONG, len(PICTURE)),
    }
    main = {
        256: (LONG, 1),
        271: (ASCII, "A maker of cameras"),
        330: (LONG, lambda at: [at["first"], at["second"]]),
        34665: point_to("exif"),
        "next": lambda at: at["chained"],
    }
    own = fields.pop("exif", {})
    exif = {33434: (RATIONAL, [(1, 125)]), 36867: (ASCII, "2026:01:02 03:04:05")} | own
    main |= {int(tag.removeprefix("tag")): value for tag, value in fields.items()}
    known = {
        "hole": HOLE,
        "picture": PICTURE,
        "first": shown,
        "second": {256: (LONG, 2), 273: (LONG, lambda at: [at["picture 2"]] * 1), 279: (LONG, 40)},
        "picture 2": bytes(range(100, 140)),
        "exif": exif,
        "chained": {256: (LONG, 3), 270: (ASCII, "the last of the chain")},
        "ifd0": main,
    }
    known |= parts or {}
    names = [*order, *(name for name in known if name not in order)]
    path = assemble(folder / "in.tif", {name: known[name] for name in names}, byteorder=byteorder)
    at = path.read_bytes().index(HOLE)
    return parse(map_file(path), name="in.tif", tolerant=True), (at, at + len(HOLE))


def meaning(tiff):
    """What a file says, followed wherever it leads: values, pictures, IFDs."""

    def of(ifd):
        said = {}
        for entry in ifd.entries:
            if entry.tag in (273, 513):
                sizes = ifd.ints(279 if entry.tag == 273 else 514)
                said[entry.tag] = [
                    bytes(tiff.data[at : at + size])
                    for at, size in zip(entry.ints, sizes, strict=True)
                ]
            elif entry.tag not in (330, 34665):
                said[entry.tag] = (entry.type, bytes(entry.data))
        return said, [of(child) for child in ifd.children]

    return [of(ifd) for ifd in tiff.ifds]


def moved(tiff, span):
    """The plan for a file without a stretch, and that file."""
    moves = plan_moves(tiff, [span], first=span[0])
    output = io.BytesIO()
    write_moved(output, tiff, moves)
    return moves, output.getvalue()


@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize(
    "order", ((), ("ifd0",), ("ifd0", "exif"), ("picture", "first", "chained"))
)
def test_the_file_says_the_same_without_the_room(tmp_path, byteorder, order):
    tiff, span = make(tmp_path, byteorder=byteorder, order=order)

    moves, data = moved(tiff, span)

    assert meaning(tiff) == meaning(parse(data, name="out.tif"))
    assert HOLE not in data
    assert () == moves.free
    assert len(tiff.data) - len(HOLE) <= len(data) < len(tiff.data) - len(HOLE) + 16
    assert bytes(tiff.data[8 : span[0]]) == data[8 : span[0]] or order


def test_nothing_moves_where_the_room_is_last(tmp_path):
    names = ("picture", "first", "second", "picture 2", "exif", "chained", "ifd0")
    tiff, span = make(tmp_path, order=names)

    moves, data = moved(tiff, span)

    assert not moves.any
    assert bytes(tiff.data[: span[0]]) == data


def test_notes_that_count_from_themselves_move_whole(tmp_path):
    note = {37500: (UNDEFINED, lambda at: At(at["note"], len(NIKON)))}
    tiff, span = make(tmp_path, exif=note, parts={"note": NIKON})

    moves, data = moved(tiff, span)

    assert () == moves.free
    assert meaning(tiff) == meaning(parse(data, name="out.tif"))


def led_to(note):
    """A note that lies in front, of what its words may lead to."""
    return {
        "exif": {37500: (UNDEFINED, lambda at: At(at["note"], 64))},
        "parts": {"note": note},
        "order": ("note",),
    }


UNKNOWN = 65000
FIXED = {
    "a trailer": ({"parts": {"trailer": b"what a program puts last"}}, "no known tag"),
    "a short trailer": ({"parts": {"trailer": b"!"}}, "no known tag"),
    "bytes between": ({"parts": {"between": b"sixteen and more"}, "order": ("hole", "between")},
                      "no known tag"),
    "a note with offsets": (
        {"exif": {37500: (UNDEFINED, b"\5\0 the notes of a Canon camera")}},
        "MakerNote may hold",
    ),
    "private data": ({"tag50740": (BYTE, b"Maker\0 of something")}, "DNGPrivateData may hold"),
    "an unknown value": ({f"tag{UNKNOWN}": (UNDEFINED, b"who knows what")}, "tag 65000 may hold"),
    "an unknown offset": ({f"tag{UNKNOWN}": point_to("picture")}, "tag 65000 may lead"),
    "a note in front that leads behind": (
        led_to(lambda at: bytes(11) + struct.pack(">I", at["picture"]) + bytes(49)),
        "MakerNote may lead",
    ),
    "a Nikon's, that counts from itself": (
        led_to(lambda at: NIKON[:20] + struct.pack("<I", (at["picture"] - at["note"] - 10) % 2**32)
               + bytes(40)),
        "MakerNote may lead",
    ),
    "parts that overlap": (
        {"tag273": point_to("picture"), "tag279": (LONG, len(PICTURE) + 1)},
        "overlap",
    ),
    "an IFD that is not there": ({"tag34853": (LONG, 0x7FFFFFF0)}, "leads nowhere"),
}  # fmt: skip


@pytest.mark.parametrize("name", FIXED)
def test_the_room_is_left_where_something_may_count_on_its_place(tmp_path, name):
    fields, reason = FIXED[name]
    tiff, span = make(tmp_path, **fields)

    moves, data = moved(tiff, span)

    assert reason in moves.reason
    assert (span,) == moves.free
    assert not moves.any
    assert bytes(tiff.data) == data


def test_what_lies_behind_the_last_that_has_to_stay_moves_all_the_same(tmp_path):
    note = {37500: (UNDEFINED, b"\5\0 the notes of a Canon camera")}
    tiff, span = make(tmp_path, exif=note, order=("hole", "exif", "picture 2", "picture"))
    start = tiff.ifds[0].sub_ifds(Tag.SUB_IFDS)[1].first_int(273, 0)

    moves = plan_moves(tiff, [span, (start, start + 40)], first=span[0])

    assert (span,) == moves.free
    assert moves.any
    assert moves.target(start + 40) <= start + 16
    assert moves.target(start - 1) == start - 1
