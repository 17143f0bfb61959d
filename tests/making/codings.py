"""How samples are cut into strips or tiles, and how these become bytes."""

from collections.abc import Callable
from typing import NamedTuple

import imagecodecs
import numpy as np


class Coding(NamedTuple):
    """How samples become the bytes of a strip or tile."""

    encode: Callable[[np.ndarray, str], bytes]
    bits: int
    compression: int = 1


WORDS = Coding(lambda piece, order: piece.astype(order + "u2").tobytes(), 16)
BYTES = Coding(lambda piece, order: piece.astype(np.uint8).tobytes(), 8)


def packed(bits):
    """Samples of so many bits, the highest first, each row beginning with a byte."""

    def encode(piece, order):
        rows = []
        for row in piece.tolist():
            text = "".join(f"{value:0{bits}b}" for value in row)
            text += "0" * (-len(text) % 8)
            rows.append(int(text, 2).to_bytes(len(text) // 8, "big"))
        return b"".join(rows)

    return Coding(encode, bits)


def plain(bits):
    """Uncompressed samples of so many bits."""
    return WORDS if bits == 16 else packed(bits)


def lossless(*, components=2, predictor=1, precision=16, bits=16):
    """Lossless JPEG; BitsPerSample may be more than its precision."""

    def encode(piece, order):
        lines = piece if components == 1 else piece.reshape(len(piece), -1, components)
        return imagecodecs.jpeg8_encode(
            np.ascontiguousarray(lines), lossless=True, predictor=predictor, bitspersample=precision
        )

    return Coding(encode, bits, 7)


def cut(samples, tile=None, rows=None):
    """Cut samples into tiles, the edges padded, or into strips."""
    height, width = samples.shape
    if tile is None:
        rows = rows or height
        return [samples[top : top + rows] for top in range(0, height, rows)]
    down, across = tile
    padded = np.pad(samples, ((0, -height % down), (0, -width % across)), mode="edge")
    return [
        padded[top : top + down, left : left + across]
        for top in range(0, height, down)
        for left in range(0, width, across)
    ]
