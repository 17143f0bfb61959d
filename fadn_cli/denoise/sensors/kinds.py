"""The kinds of sensors there are, and a mosaic's active area as planes of its own kind.

`pipeline` calls it. The one thing to know: a pattern that no kind knows has no networks either, and
is refused.
"""

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.mono import MONO
from fadn_cli.denoise.sensors.sensor import Packing, Sensor
from fadn_cli.denoise.sensors.xtrans import XTRANS
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.conversion import denormalize, normalize
from fadn_cli.mosaic.steps import SOURCE_STEPS, Steps
from fadn_cli.mosaic.values import Mosaic

SENSORS = {sensor.kind: sensor for sensor in (BAYER, XTRANS, MONO)}
"""Every kind, by its name."""


def sensor_of(cfa: CfaPattern) -> Sensor:
    """Return the kind of sensor that has a pattern.

    Raises
    ------
    ValueError
        None that we know has it.
    """
    if cfa.kind is None:
        raise ValueError(f"no sensor that fadn knows has the pattern {cfa.colors} ({cfa.name})")
    return SENSORS[cfa.kind]


def pack_mosaic(x: NDArray[np.float32], cfa: CfaPattern) -> tuple[NDArray[np.float32], Packing]:
    """Split a mosaic of any phase and size into the planes of its sensor.

    Parameters
    ----------
    x : (H, W) float32, normalized
    cfa : CfaPattern
        The colours of `x`, from its (0, 0).

    Returns
    -------
    packed : (planes, h, w) float32, normalized
        A copy.
    packing : Packing
        Whose `unpack` is the exact inverse.

    Raises
    ------
    ValueError
        `x` is no mosaic or too small, or no sensor has the pattern.
    """
    sensor = sensor_of(cfa)
    aligned, packing = sensor.align(x, cfa)
    return sensor.pack(aligned), packing


def pack_active(mosaic: Mosaic) -> tuple[NDArray[np.float32], Packing]:
    """Normalize and pack the active area of a mosaic; masked borders never reach the network.

    Returns
    -------
    packed : (planes, h, w) float32, normalized
    packing : Packing
        What `unpack_active` needs.
    """
    area = mosaic.active_area
    x = normalize(mosaic)[area.slices]
    return pack_mosaic(x, mosaic.cfa.shifted(area.top, area.left))


def unpack_active(
    packed: NDArray[np.float32],
    packing: Packing,
    source: Mosaic,
    steps: Steps = SOURCE_STEPS,
) -> Mosaic:
    """Undo `pack_active`, with `denormalize`'s one rounding and clipping.

    Parameters
    ----------
    packed : (planes, h, w) float32, normalized
        Of the shape `pack_active` gave.
    packing : Packing
        From `pack_active`.
    source : Mosaic
        What `pack_active` was given.
    steps : Steps
        What to round to.
    """
    x = np.zeros(source.samples.shape, np.float32)
    x[source.active_area.slices] = packing.unpack(packed)
    return denormalize(x, source, steps)
