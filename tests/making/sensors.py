"""Mosaics of every kind of sensor."""

import numpy as np

from fadn_cli.mosaic.cfa import CfaPattern

XTRANS_CELL = "GBGGRGRGRBGBGBGGRGGRGGBGBGBRGRGRGGBG"
"""The 36 colours of an X-Trans cell, row by row, in the phase that networks see."""
COLORS = {"bayer": "RGGB", "xtrans": XTRANS_CELL, "mono": "Y"}
"""A pattern of each kind of sensor."""


def filtered(scene, cfa: CfaPattern, gains=(0.5, 1.0, 0.7)):
    """Sample a grey scene, (H, W) float32, through the filters of a mosaic: red, green, blue."""
    letters = dict(zip("RGB", gains, strict=True)) | {"Y": 1.0}
    side = cfa.period
    cell = [[letters[cfa.at(row, col)] for col in range(side)] for row in range(side)]
    height, width = scene.shape
    tiled = np.tile(np.array(cell), (height // side + 1, width // side + 1))
    return (scene * tiled[:height, :width]).astype(np.float32)
