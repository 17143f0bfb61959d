"""Whether a file makes sense, before anything is done to it: refused, told, or believed.

`preparation` asks. The one thing to know: what no network was trained on is refused, since it would
come out worse than it went in; what only may be wrong is told.
"""

from fadn_cli.denoise.sense import judge
from fadn_cli.denoise.sensors.kinds import Planes
from fadn_cli.denoise.sensors.sensor import Sensor
from fadn_cli.errors import Needs, UnsupportedRawError
from fadn_cli.mosaic.values import RawImage

_MOSTLY_WHITE = 0.5  # share of the samples
_BLOCK_NAMES = {2: "Quad Bayer", 3: "Nona Bayer", 4: "16-in-1 (Tetra)"}


def refuse_senseless(packed: Planes, sensor: Sensor, raw_image: RawImage) -> tuple[str, ...]:
    """Refuse a mosaic that is not what its tags say; return what the user should know of it.

    Parameters
    ----------
    packed : Planes
        The active area of `raw_image`.
    sensor : Sensor
        Whose planes it holds.
    raw_image : RawImage
        Named in the error.

    Raises
    ------
    UnsupportedRawError
        Blocks of samples share a colour, or pairs of rows have two gains.
    """
    sense, name = judge(packed, is_bayer=sensor.kind == "bayer"), raw_image.path.name
    colors = raw_image.mosaic.cfa.name
    if sense.block > 1:
        side = f"{sense.block}x{sense.block}"
        raise UnsupportedRawError(
            f"{name}: looks like a {_BLOCK_NAMES[sense.block]} mosaic, {side} samples of a colour, "
            f"though its tags say {colors}; {Needs.ONLY_THESE}",
            advice=Needs.REMOSAIC,
        )
    if sense.row_gain > 1:
        raise UnsupportedRawError(
            f"{name}: pairs of rows differ in gain, {sense.row_gain:.2g} times, as in an unmerged "
            f"Dual ISO raw; {Needs.ONLY_THESE}, of one gain",
            advice=Needs.MERGED_ROWS,
        )
    warnings = []
    if sense.greens_misplaced:
        warnings.append(
            f"the CFA tags look wrong: they say {colors}, but the two greens differ, and red and "
            "blue look like the greens"
        )
    if sense.white_share > _MOSTLY_WHITE:
        warnings.append(f"{sense.white_share:.0%} of the samples are at white: overexposed")
    return tuple(warnings)
