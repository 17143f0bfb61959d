"""Run a specialist over a whole packed frame: tiles out to threads, results blended.

`pipeline` calls it. The one thing to know: the result depends neither on the number of threads nor
on the size of the tiles, and memory beyond the output does not grow with the frame.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.levels import keep_levels
from fadn_cli.denoise.mix import mix
from fadn_cli.denoise.network.inference import Network
from fadn_cli.denoise.network.place import Place
from fadn_cli.denoise.network.specialists import Specialist
from fadn_cli.denoise.sensors.kinds import SENSORS
from fadn_cli.denoise.tiles import Tile, TileGrid
from fadn_cli.noise import NoiseModel
from fadn_cli.system.cores import usable_threads

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
    luma: float = 1.0,
    chroma: float = 1.0,
    threads: int | None = None,
    place: Place | None = None,
    on_tile: OnTile | None = None,
) -> tuple[NDArray[np.float32], int]:
    """Run a specialist over a packed frame in overlapping, blended tiles.

    Parameters
    ----------
    packed : (planes, h, w) float32, normalized
        Not modified.
    noise : NoiseModel
        Of `packed`.
    specialist : Specialist
        The network.
    luma, chroma : float
        How much of the noise to remove, 0 to 1 (see `mix`); at 0 and 0 the network does not run.
    threads : int, optional
        In all, see `cores.usable_threads`.
    place : Place, optional
        Where the network runs; None: on the processor.
    on_tile : callable, optional
        Progress.

    Returns
    -------
    denoised : (planes, h, w) float32, normalized
        A new array; the samples of `packed` where luma and chroma are 0.
    tiles : int
        How many tiles the network ran on.
    """
    if luma == chroma == 0:
        return packed.copy(), 0
    sensor = SENSORS[specialist.cfa_kind]
    grid = TileGrid.cover(
        *packed.shape[1:],
        receptive_field=specialist.receptive_field,
        alignment=specialist.alignment,
        tile=TILE,
    )
    cores = usable_threads(threads)
    workers = min(cores, len(grid), MOST_WORKERS)
    # The workers' calls share the network's threads, and each works along.
    load = partial(_load, specialist, cores - workers + 1)
    network = load() if place is None else place.network(specialist, load, threads=cores)
    results = _run_tiles(grid, packed, lambda tile: network(tile, noise), workers)
    if on_tile is not None:
        results = _counted(results, len(grid), on_tile)
    denoised = keep_levels(packed, grid.blend(results), noise, sensor)
    return mix(packed, denoised, luma=luma, chroma=chroma), len(grid)


def _run_tiles(
    grid: TileGrid,
    packed: NDArray[np.float32],
    work: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    workers: int,
) -> Iterator[tuple[Tile, NDArray[np.float32]]]:
    """Yield each tile's result in order; one waits while each worker has one, never more."""
    with ThreadPoolExecutor(workers) as pool:
        running: deque[tuple[Tile, Future[NDArray[np.float32]]]] = deque()
        try:
            for tile, samples in grid.split(packed):
                running.append((tile, pool.submit(work, samples)))
                if len(running) > workers:
                    first, future = running.popleft()
                    yield first, future.result()
            while running:
                first, future = running.popleft()
                yield first, future.result()
        finally:
            for _, future in running:  # after an error or Ctrl-C: do not begin what waits
                future.cancel()


def _counted(
    results: Iterable[tuple[Tile, NDArray[np.float32]]], count: int, on_tile: OnTile
) -> Iterator[tuple[Tile, NDArray[np.float32]]]:
    """Pass results through, and tell of each."""
    for done, result in enumerate(results, start=1):
        on_tile(done, count)
        yield result


@lru_cache(maxsize=4)
def _load(specialist: Specialist, threads: int) -> Network:
    """Load a network once for all files of a batch."""
    return Network(specialist, threads=threads)
