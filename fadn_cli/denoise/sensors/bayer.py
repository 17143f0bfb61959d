"""Bayer mosaics: 2x2 samples to a packed pixel, planes R, Gr, Gb, B.

The one thing to know: the phase is moved by *reflect* padding, which keeps a Bayer phase
(`symmetric` and `edge` break it), so all four patterns and odd sizes come back exactly.
"""

import numpy as np

from fadn_cli.denoise.sensors.sensor import Packing, Places, Samples, Sensor, reflected
from fadn_cli.denoise.sensors.sites import COLUMN_LINES, ROW_LINES, pack_sites, unpack_sites
from fadn_cli.mosaic.cfa import CfaPattern


class Bayer(Sensor):
    """Planes R, Gr, Gb and B, one for each site of the cell, red first."""

    kind = "bayer"
    cell = 2
    colors = "RGGB"
    noise_colors = "RGGB"
    noise_index = (0, 1, 2, 3)
    least_side = 2
    row_lines = ROW_LINES
    column_lines = COLUMN_LINES

    def places(self, shape: tuple[int, int], cfa: CfaPattern) -> Places:
        """Reflect so that (0, 0) is red and both sides are even."""
        top, left = cfa.red_origin
        height, width = shape
        bottom, right = (height + top) % 2, (width + left) % 2
        return Places(
            packing=Packing(sensor=self, cfa=cfa, top=top, left=left, bottom=bottom, right=right),
            rows=reflected(np.arange(-top, height + bottom), height),
            cols=reflected(np.arange(-left, width + right), width),
        )

    def pack(self, mosaic: Samples) -> Samples:
        """Split an RGGB mosaic into planes R, Gr, Gb, B."""
        return pack_sites(mosaic)

    def unpack(self, packed: Samples) -> Samples:
        """Interleave planes R, Gr, Gb, B into an RGGB mosaic."""
        return unpack_sites(packed)

    def own_samples(self, packed: Samples, packing: Packing) -> list[Samples]:
        """Return the four planes without what was added, to the sample."""
        _, height, width = packed.shape
        return [
            packed[
                2 * row + col,
                packing.top * (1 - row) : height - packing.bottom * row,
                packing.left * (1 - col) : width - packing.right * col,
            ]
            for row in (0, 1)
            for col in (0, 1)
        ]

    def mirror_again(self, packed: Samples, packing: Packing) -> None:
        """Renew the rows and columns of single planes that were added."""
        if packing.top:
            packed[:2, 0] = packed[:2, 1]
        if packing.bottom:
            packed[2:, -1] = packed[2:, -2]
        if packing.left:
            packed[0::2, :, 0] = packed[0::2, :, 1]
        if packing.right:
            packed[1::2, :, -1] = packed[1::2, :, -2]


BAYER = Bayer()
"""The Bayer sensor."""
