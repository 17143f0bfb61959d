"""The planes of a sensor's mosaics, in tensors, whole batches at once.

`photos` and `synthesis` call it. The one thing to know: the planes are those of
`denoise.sensors`, in the same order, of mosaics that begin in the canonical phase.
"""

import functools
from collections.abc import Iterator

import torch

from fadn_cli.denoise.noise.stabilize import chessboard
from fadn_cli.denoise.sensors.sensor import Sensor
from fadn_cli.denoise.sensors.xtrans import GREENS, PAIRS


def planes_of(x: torch.Tensor, sensor: Sensor) -> Iterator[torch.Tensor]:
    """Yield what each plane of a sensor sees, in order.

    Parameters
    ----------
    x : (..., H, W) tensor
        Mosaics, or pictures of which every plane takes its own samples; H and W multiples of the
        sensor's cell.
    sensor : Sensor

    Yields
    ------
    (..., H / cell, W / cell) tensor
        A view where samples lie at the same place in every cell.
    """
    cell = sensor.cell
    if sensor.kind != "xtrans":
        for row in range(cell):
            for col in range(cell):
                yield x[..., row::cell, col::cell]
        return
    for row, col in GREENS:
        yield x[..., row::cell, col::cell]
    even = _even_cells(x.shape[-2] // cell, x.shape[-1] // cell, x.device)
    for own, other in (PAIRS, PAIRS[::-1]):  # red, then blue: what one is, the other is beside
        for (row, col), (odd_row, odd_col) in zip(own, other, strict=True):
            yield torch.where(
                even, x[..., row::cell, col::cell], x[..., odd_row::cell, odd_col::cell]
            )


def packed(mosaics: torch.Tensor, sensor: Sensor) -> torch.Tensor:
    """Split mosaics into planes: (N, planes, h, w) of (N, H, W), as `Sensor.pack` does."""
    return torch.stack(list(planes_of(mosaics, sensor)), dim=1)


def of_planes(values: torch.Tensor, sensor: Sensor) -> torch.Tensor:
    """Return what each plane has of (N, levels, ...): (N, planes, ...).

    Levels are the sensor's `noise_colors`.
    """
    # Stacked: an index would be copied to the device, and waited for.
    return torch.stack([values[:, index] for index in sensor.noise_index], dim=1)


@functools.cache  # a constant made anew would be copied, and waited for, at every step
def _even_cells(height: int, width: int, device: torch.device) -> torch.Tensor:
    """Return (height, width) booleans: the cells whose row and column are even together."""
    return torch.from_numpy(chessboard(height, width) > 0).to(device)
