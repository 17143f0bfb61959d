"""Raw files of X-Trans and monochrome sensors: a coloured scene through their filters."""

import numpy as np

from fadn_cli.mosaic.cfa import CfaPattern
from tests.making.dng.fields import NEUTRAL
from tests.making.dng.write import write_dng
from tests.making.sensors import COLORS
from tests.making.tiff import ASCII, LONG, RATIONAL, SHORT, TiffBuilder

BLACK, WHITE = 512, 15000
MONO_TAGS = {262: (SHORT, 34892), 33421: None, 33422: None, 50711: None}
"""What a monochrome DNG's raw IFD says otherwise than a mosaic's."""
NO_COLORS = {"neutral": None, "color_matrix": None, "illuminant": None}


def scene(height, width):
    """Light of slowly changing colours, (H, W, 3), about a quarter of white; grey to a camera of
    `NEUTRAL` where all three are equal."""
    y, x = np.mgrid[:height, :width] / 100
    planes = (np.sin(2 * x + y), np.sin(3 * y + 1), np.cos(2 * x - 2 * y))
    return 0.25 + 0.15 * np.stack(planes, axis=-1)


def photograph(cfa, height, width, *, black=BLACK, light=None, seed=0):
    """Samples of the scene, (H, W) uint16: with grain, and a block that is at white."""
    light = scene(height, width) if light is None else light
    letters = [["RGBY".index(cfa.at(row, col)) for col in range(width)] for row in range(height)]
    planes = np.concatenate([light * NEUTRAL, light.mean(axis=-1, keepdims=True)], axis=-1)
    x = np.take_along_axis(planes, np.array(letters)[..., None], axis=-1)[..., 0]
    x += np.random.default_rng(seed).normal(size=x.shape) * np.sqrt(1e-4 * x + 1e-6)
    x[height // 3 : height // 3 + 20, width // 3 : width // 3 + 20] = 1.2
    return np.clip(np.rint(black + (WHITE - black) * x), 0, WHITE).astype(np.uint16)


def write_sensor(path, kind, height=97, width=131, *, phase=(0, 0), area=None, light=None, **more):
    """Write a DNG of a kind of sensor; return its path and its samples.

    Parameters
    ----------
    kind : str
        "bayer", "xtrans" or "mono".
    phase : (row, column)
        Of the canonical cell, where the active area begins.
    area : (top, left, bottom, right), optional
        ActiveArea.
    more : optional
        As `write_dng` takes it.
    """
    cfa = CfaPattern(colors=COLORS[kind]).shifted(*phase)
    top, left = (area or (0, 0))[:2]
    samples = photograph(cfa.shifted(-top, -left), height, width, light=light)
    fields = {"black": (BLACK,), "white": WHITE, "active_area": area}
    if kind == "mono":
        fields |= NO_COLORS | {"extra_raw": MONO_TAGS}
    else:
        fields |= {"cfa": cfa.colors, "cfa_dim": (cfa.period, cfa.period)}
    return write_dng(path, samples, **fields | more), samples


def write_grey_tiff(path, samples, *, bits=16, tags=None):
    """Write a TIFF of grey samples: a raw as MicaSense's cameras write it, unless `tags` differ."""
    tiff = TiffBuilder()
    height, width = samples.shape
    data = samples.astype("<u2" if bits == 16 else "u1").tobytes()
    fields = {
        254: (LONG, 0),
        256: (LONG, width),
        257: (LONG, height),
        258: (SHORT, bits),
        259: (SHORT, 1),
        262: (SHORT, 1),
        271: (ASCII, "MicaSense"),
        272: (ASCII, "RedEdge"),
        273: (LONG, tiff.add(data)),
        277: (SHORT, 1),
        278: (LONG, height),
        279: (LONG, len(data)),
        50713: (SHORT, (2, 2)),
        50714: (RATIONAL, (BLACK,) * 4),
    }
    wanted = {tag: field for tag, field in (fields | (tags or {})).items() if field is not None}
    path.write_bytes(tiff.close(tiff.add_ifd(wanted)))
    return path
