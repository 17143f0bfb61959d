"""Pictures as previews show them: drawn light, its sRGB picture, JPEGs."""

import io

import numpy as np
from PIL import Image


def light(height=192, width=288):
    """Linear light, 0 to 1, grey: a slope, a bright disc at the top left, a dark one below.

    Turned or mirrored it cannot be mistaken for itself.
    """
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / np.float32(min(height, width))
    light = 0.12 + 0.1 * x + 0.05 * y
    light += 0.5 * ((x - 0.4) ** 2 + (y - 0.35) ** 2 < 0.05)
    light -= 0.1 * ((x - 0.9) ** 2 + (y - 0.8) ** 2 < 0.02)
    return light


def encoded(light, stops=0.0):
    """Linear light as an sRGB picture, (height, width, 3) uint8."""
    light = np.clip(light * 2**stops, 0, 1)
    tones = np.where(light < 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.repeat(np.rint(tones * 255).astype(np.uint8)[..., None], 3, axis=2)


def jpeg_bytes(picture, quality=95):
    """A picture as a baseline JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def jpeg(height=16, width=None, seed=0):
    """A small baseline JPEG of random pixels, square unless a width is given."""
    shape = (height, width or height, 3)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return jpeg_bytes(pixels, quality=75)
