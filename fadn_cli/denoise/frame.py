"""Run a specialist over a whole packed frame: tiles out to threads, results blended.

`pipeline` calls it. The one thing to know: the result depends neither on the number of threads nor
on the size of the tiles, and memory beyond the output does not grow with the frame.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.levels import keep_levels
from fadn_cli.denoise.mix import mix
from fadn_cli.denoise.network import Network
from fadn_cli.denoise.specialists import Specialist
from fadn_cli.denoise.tiles import Tile, TileGrid
from fadn_cli.noise import NoiseModel

TILE = 640
"""Largest side of a tile in packed pixels: each at work needs some 130 MB. Larger ones overlap
less, but leave the processor's cache: on 24 megapixels 640 and 768 took the same time."""
MOST_WORKERS = 4
"""Tiles at work at once; further threads share in a tile, which bounds memory on large machines."""

OnTile = Callable[[int, int], None]
"""Called with (tiles done, tiles in all) as the work goes on."""


def denoise_packed(
    packed: NDArray[np.float32],
    noise: NoiseModel,
    specialist: Specialist,
    *,
    strength: float = 1.0,
    threads: int | None = None,
    on_tile: OnTile | None = None,
) -> tuple[NDArray[np.float32], int]:
    """Run a specialist over a packed frame in overlapping, blended tiles.

    Returns
    -------
    denoised : (4, h, w) float32, normalized
        A new array; the samples of `packed` at strength 0.
    tiles : int
        How many tiles the network ran on; 0 at strength 0.
    """
    if strength == 0:
        return packed.copy(), 0
    _, height, width = packed.shape
    grid = TileGrid.cover(
        height,
        width,
        receptive_field=specialist.receptive_field,
        alignment=specialist.alignment,
        tile=TILE,
    )
    count = len(grid)
    cores = threads or available_cores()
    workers = min(cores, count, MOST_WORKERS)
    network = _load(specialist, cores // workers)

    def results() -> Iterator[tuple[Tile, NDArray[np.float32]]]:
        # One tile waits while each worker has one: memory does not grow with the frame.
        with ThreadPoolExecutor(workers) as pool:
            running: deque[tuple[Tile, Future[NDArray[np.float32]]]] = deque()
            try:
                for tile, samples in grid.split(packed):
                    running.append((tile, pool.submit(network, samples, noise)))
                    if len(running) > workers:
                        yield finish(running)
                while running:
                    yield finish(running)
            finally:
                for _, future in running:
                    future.cancel()

    def finish(
        running: deque[tuple[Tile, Future[NDArray[np.float32]]]],
    ) -> tuple[Tile, NDArray[np.float32]]:
        tile, future = running.popleft()
        result = future.result()
        if on_tile is not None:
            on_tile(tile.index + 1, count)
        return tile, result

    denoised = keep_levels(packed, grid.blend(results()), noise)
    return mix(packed, denoised, strength=strength), count


def available_cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(maxsize=4)
def _load(specialist: Specialist, threads: int) -> Network:
    """Load a network once for all files of a batch."""
    return Network(specialist, threads=threads)
