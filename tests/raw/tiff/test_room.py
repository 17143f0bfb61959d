"""New bytes go where there is room for them, and to the end where there is none."""

import io

from hypothesis import given
from hypothesis import strategies as st

from fadn_cli.raw.tiff.room import Room

SIZE = 400


def make_room(*free, size=SIZE):
    return Room(io.BytesIO(b"x" * size), free)


def test_the_first_room_that_is_large_enough_is_taken():
    room = make_room((10, 20), (100, 150), (200, 300))

    assert [100, 10, 140, 200, SIZE] == [room.seek(size) for size in (40, 5, 10, 90, 11)]
    assert 11 == room.appended
    assert 0 == room.unused - (20 - 15) - (300 - 290)


def test_a_favourite_place_comes_first():
    room = make_room((10, 90), (200, 300))

    assert [200, 10, 250] == [
        room.seek(50, rather=[(190, 310)]),
        room.seek(30),
        room.seek(20, rather=[(190, 310)]),
    ]


def test_a_favourite_place_that_is_too_small_is_no_obstacle():
    assert 10 == make_room((10, 90), (200, 210)).seek(50, rather=[(200, 210)])


@given(
    cuts=st.lists(st.integers(0, SIZE), min_size=2, max_size=8, unique=True),
    sizes=st.lists(st.integers(1, 90), max_size=12),
)
def test_nothing_overlaps_and_nothing_else_is_overwritten(cuts, sizes):
    ordered = sorted(cuts)
    free = list(zip(ordered[::2], ordered[1::2], strict=False))
    room = make_room(*free)

    places = [(room.place(b"n" * size), size) for size in sizes]

    content = room.output.getvalue()
    taken = sorted((at, at + size) for at, size in places)
    assert all(stop <= start for (_, stop), (start, _) in zip(taken, taken[1:], strict=False))
    assert all(at % 2 == 0 for at, _ in places)
    assert all(content[at : at + size] == b"n" * size for at, size in places)
    kept = [at for at in range(SIZE) if not any(start <= at < stop for start, stop in free)]
    assert all(content[at] == ord("x") for at in kept)
    assert room.appended == sum(size for at, size in places if at >= SIZE)
