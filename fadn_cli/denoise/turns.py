"""The same mosaic flipped and turned, denoised each time, and the mean of what comes out.

`pipeline` calls `denoise_turned`. The one thing to know: a network that had learned all there is
would gain nothing from it; ours err differently each way up, and the mean of them errs less. It is
the mosaic that is turned, not its planes, so that every turn is a mosaic of the same sensor in
another phase, odd sizes included.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.kinds import pack_mosaic
from fadn_cli.denoise.sensors.sensor import Packing
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.noise import BAYER_SITES, NoiseModel

COUNTS = (1, 2, 4, 8)
"""How many ways up a mosaic can be denoised: as it is, turned half round, mirrored both ways, and
all that on its side."""

Samples = NDArray[np.float32]
Denoise = Callable[[Samples, NoiseModel, int], Samples]
"""(packed, noise, which turn it is) -> denoised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One of the eight ways up."""

    upside_down: bool = False
    """Whether the rows are reversed."""
    mirrored: bool = False
    """Whether the columns are."""
    on_side: bool = False
    """Whether rows and columns change places, after that."""

    def apply(self, x: NDArray[Any]) -> NDArray[Any]:
        """Turn an (H, W) array. Returns a view."""
        x = x[:: -1 if self.upside_down else 1, :: -1 if self.mirrored else 1]
        return x.T if self.on_side else x

    def undo(self, x: NDArray[Any]) -> NDArray[Any]:
        """Turn it back: the exact inverse of `apply`. Returns a view."""
        x = x.T if self.on_side else x
        return x[:: -1 if self.upside_down else 1, :: -1 if self.mirrored else 1]

    def apply_to_cfa(self, cfa: CfaPattern, shape: tuple[int, int]) -> CfaPattern:
        """Return the colours of a turned (H, W) mosaic."""
        side = cfa.period
        height, width = (-(-length // side) * side for length in shape)
        up = cfa.shifted(shape[0] - height, 0) if self.upside_down else cfa
        start = up.shifted(0, shape[1] - width) if self.mirrored else up
        cell = np.array(list(start.colors)).reshape(side, side)
        return CfaPattern(colors="".join(self.apply(cell).ravel()))

    def apply_to_noise(self, noise: NoiseModel) -> NoiseModel:
        """Return the noise of a turned mosaic: on its side, Gr is Gb."""
        if not self.on_side or noise.colors != BAYER_SITES:
            return noise
        order = [0, 2, 1, 3]
        return replace(
            noise, shot_noise=noise.shot_noise[order], read_noise=noise.read_noise[order]
        )


def turns(count: int) -> tuple[Turn, ...]:
    """Return so many ways up, the first as it is.

    Raises
    ------
    ValueError
        It is none of `COUNTS`.
    """
    if count not in COUNTS:
        raise ValueError(f"ensemble must be one of {COUNTS}, got {count}")
    flips = ((False, False), (True, True), (False, True), (True, False))
    every = [
        Turn(upside_down=up, mirrored=back, on_side=side)
        for side in (False, True)
        for up, back in flips
    ]
    return tuple(every[:count])


def denoise_turned(
    packed: Samples, packing: Packing, noise: NoiseModel, denoise: Denoise, count: int
) -> Samples:
    """Denoise a packed frame several ways up, and return the mean.

    Parameters
    ----------
    packed : (planes, h, w) float32, normalized
        Not modified.
    packing : Packing
        How it was packed.
    noise : NoiseModel
        Of `packed`.
    denoise : callable
        Denoises one packed frame.
    count : int
        One of `COUNTS`; 1: `denoise` alone.

    Returns
    -------
    (planes, h, w) float32, normalized
    """
    if count == 1:
        return denoise(packed, noise, 0)
    x = packing.unpack(packed)
    total = np.zeros_like(x)
    for number, turn in enumerate(turns(count)):
        cfa = turn.apply_to_cfa(packing.cfa, x.shape)
        turned, how = pack_mosaic(np.ascontiguousarray(turn.apply(x)), cfa)
        total += turn.undo(how.unpack(denoise(turned, turn.apply_to_noise(noise), number)))
    total *= np.float32(1 / count)
    return pack_mosaic(total, packing.cfa)[0]
