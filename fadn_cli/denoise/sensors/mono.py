"""Mosaics without colours: 2x2 samples to a packed pixel, four planes that saw the same.

The one thing to know: they are packed as Bayer mosaics are, so that networks, tiles and estimators
work alike; but all four planes share one colour, and with it noise and brightness.
"""

import numpy as np

from fadn_cli.denoise.sensors.sensor import Packing, Places, Samples, Sensor, reflected
from fadn_cli.denoise.sensors.sites import COLUMN_LINES, ROW_LINES, pack_sites, unpack_sites
from fadn_cli.mosaic.cfa import CfaPattern


class Mono(Sensor):
    """Four planes of one colour."""

    kind = "mono"
    cell = 2
    colors = "YYYY"
    noise_colors = "Y"
    noise_index = (0, 0, 0, 0)
    least_side = 2
    row_lines = ROW_LINES
    column_lines = COLUMN_LINES

    def places(self, shape: tuple[int, int], cfa: CfaPattern) -> Places:
        """Repeat the last but one row and column where sides are odd."""
        height, width = shape
        return Places(
            packing=Packing(sensor=self, cfa=cfa, bottom=height % 2, right=width % 2),
            rows=reflected(np.arange(height + height % 2), height),
            cols=reflected(np.arange(width + width % 2), width),
        )

    def pack(self, mosaic: Samples) -> Samples:
        """Split a mosaic into the planes of the four sites of each 2x2 cell."""
        return pack_sites(mosaic)

    def unpack(self, packed: Samples) -> Samples:
        """Interleave them again."""
        return unpack_sites(packed)


MONO = Mono()
"""The sensor without colours."""
