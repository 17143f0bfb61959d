"""Damage done to bytes: at random, but again and again the same from the same generator.

The one thing to know: a file's structure is a thousandth of its bytes, so most of the damage is
done where a number decides something: the places that `hot_spots` finds.
"""

import random
import struct
from collections.abc import Callable

from fadn_cli.errors import FadnError
from fadn_cli.raw.tiff.file import parse

EXTREMES = (0, 1, 2, 3, 7, 8, 16, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF)
EXTREMES += (0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_ENTRY = 12  # bytes of an IFD's entry
_SHORT = 256  # bytes of a value that decides something
_HEAD = 4096  # bytes with which other files say what they are
_PIECE = 512  # bytes that are moved, doubled or lost at once
_CHANGES = (1, 1, 1, 2, 3, 5, 9)


def hot_spots(data: bytes) -> tuple[int, ...]:
    """Return where numbers lie that decide something: of a TIFF its entries and their values."""
    spots = {*range(min(len(data), _HEAD if data[:2] not in (b"II", b"MM") else 8))}
    try:
        tiff = parse(data, name="seed", tolerant=True)
    except FadnError:
        return tuple(sorted(spots))
    for ifd in tiff.walk():
        for entry in ifd.entries:
            spots.update(range(entry.location, entry.location + _ENTRY))
            try:
                start, size = entry.value_offset, len(entry.data)
            except FadnError:
                continue
            spots.update(range(start, start + min(size, _SHORT)))
    return tuple(sorted(spot for spot in spots if spot < len(data)))


def mutate(data: bytes, spots: tuple[int, ...], rng: random.Random) -> bytes:
    """Damage bytes in a few places; they are never the same as before for long."""
    damaged = bytearray(data)
    for _ in range(rng.choice(_CHANGES)):
        if not damaged:
            break
        place = rng.choice(spots) if spots and rng.random() < 0.8 else rng.randrange(len(damaged))
        rng.choice(_WAYS)(damaged, min(place, len(damaged) - 1), rng)
    return bytes(damaged)


def _set_byte(data: bytearray, place: int, rng: random.Random) -> None:
    data[place] = rng.randrange(256)


def _flip_bit(data: bytearray, place: int, rng: random.Random) -> None:
    data[place] ^= 1 << rng.randrange(8)


def _set_number(data: bytearray, place: int, rng: random.Random) -> None:
    size, layout = rng.choice(((2, "H"), (4, "I"), (4, "I"), (8, "Q")))
    value = rng.choice(EXTREMES) if rng.random() < 0.7 else rng.getrandbits(32)
    content = struct.pack(rng.choice("<>") + layout, value & (1 << 8 * size) - 1)
    data[place : place + size] = content[: len(data) - place]


def _add_to_number(data: bytearray, place: int, rng: random.Random) -> None:
    order, change = rng.choice(("little", "big")), rng.choice((-16, -2, -1, 1, 2, 16, 256))
    number = int.from_bytes(data[place : place + 4], order) + change
    data[place : place + 4] = (number % (1 << 32)).to_bytes(4, order)[: len(data) - place]


def _copy_piece(data: bytearray, place: int, rng: random.Random) -> None:
    start, size = rng.randrange(len(data)), rng.randrange(1, _PIECE)
    piece = data[start : start + size]
    data[place : place + len(piece)] = piece[: len(data) - place]


def _lose_piece(data: bytearray, place: int, rng: random.Random) -> None:
    del data[place : place + rng.randrange(1, _PIECE)]


def _insert_piece(data: bytearray, place: int, rng: random.Random) -> None:
    data[place:place] = rng.randbytes(rng.randrange(1, 64))


def _blank(data: bytearray, place: int, rng: random.Random) -> None:
    size = min(rng.randrange(1, _PIECE), len(data) - place)
    data[place : place + size] = bytes([rng.choice((0, 255))]) * size


def _cut_off(data: bytearray, place: int, rng: random.Random) -> None:
    if rng.random() < 0.3:
        del data[place if rng.random() < 0.5 else rng.randrange(len(data)) :]


_WAYS: tuple[Callable[[bytearray, int, random.Random], None], ...] = (
    *(_set_byte, _flip_bit, _set_number, _set_number, _set_number, _add_to_number),
    *(_copy_piece, _lose_piece, _insert_piece, _blank, _cut_off),
)
