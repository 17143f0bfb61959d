"""Run a specialist over a whole packed frame: rows of tiles out to threads, rows of results back.

`pipeline` calls it. The one thing to know: nothing of the frame's size is held. While results are
asked for, rows of the frame are packed, given out as tiles, and joined again as soon as no tile to
come can change them. The result depends neither on the number of threads nor on the order in which
they are done: tiles are the network's, the same on every machine.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache, partial
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.levels import Strip, keep_levels
from fadn_cli.denoise.mix import mix
from fadn_cli.denoise.network.inference import Network
from fadn_cli.denoise.network.place import Place
from fadn_cli.denoise.network.specialists import Specialist
from fadn_cli.denoise.sensors.kinds import SENSORS, ArrayFrame, Frame
from fadn_cli.denoise.tiles import Tile, TileGrid
from fadn_cli.noise import NoiseModel
from fadn_cli.system.cores import usable_threads

MOST_WORKERS = 4
"""Tiles at work at once; further threads share in a tile, which bounds memory on large machines."""
_AHEAD = 1  # tiles beyond those at work, waiting or done
_ROWS = 64  # of a frame that is in no tiles, at once

OnTile = Callable[[int, int], None]
"""Called with (tiles done, tiles in all) as the work goes on."""


class Shares(TypedDict, total=False):
    """How much of the noise to remove, and on how many threads: see `denoise_rows`."""

    luma: float
    chroma: float
    threads: int | None


def denoise_rows(
    frame: Frame,
    noise: NoiseModel,
    specialist: Specialist,
    *,
    luma: float = 1.0,
    chroma: float = 1.0,
    threads: int | None = None,
    place: Place | None = None,
    on_tile: OnTile | None = None,
) -> tuple[Generator[Strip], int]:
    """Run a specialist over a frame in overlapping, blended tiles.

    Parameters
    ----------
    frame : Frame
        Packed, normalized; its rows are asked for twice.
    noise : NoiseModel
        Of the frame.
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
    strips : iterator of Strip
        All rows of the frame, from the top; not clipped. The work is done as they are asked for.
    tiles : int
        How many tiles the network runs on.
    """
    if luma == chroma == 0:
        return beside(frame, frame), 0
    grid = grid_of(specialist, frame.shape)
    cores, workers = usable_threads(threads), workers_for(grid, threads)
    load = partial(load_network, specialist, grid, threads)
    network = load() if place is None else place.network(specialist, load, threads=cores)
    results = _run_tiles(grid, frame, lambda tile: network(tile, noise), workers)
    if on_tile is not None:
        results = _counted(results, len(grid), on_tile)
    strips = keep_levels(frame, grid.blend(results), noise, SENSORS[specialist.cfa_kind])
    return _mixed(strips, luma, chroma), len(grid)


def denoise_packed(
    packed: NDArray[np.float32],
    noise: NoiseModel,
    specialist: Specialist,
    *,
    place: Place | None = None,
    on_tile: OnTile | None = None,
    **shares: Unpack[Shares],
) -> tuple[NDArray[np.float32], int]:
    """Do what `denoise_rows` does to a frame in memory: (planes, h, w) float32, a new array."""
    strips, tiles = denoise_rows(
        ArrayFrame(packed), noise, specialist, place=place, on_tile=on_tile, **shares
    )
    return gathered(strips, packed.shape), tiles


def gathered(strips: Iterable[Strip], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return what became of a frame of a shape as one array."""
    denoised = np.empty(shape, np.float32)
    for strip in strips:
        denoised[:, strip.start : strip.start + strip.after.shape[1]] = strip.after
    return denoised


def grid_of(specialist: Specialist, shape: tuple[int, int, int]) -> TileGrid:
    """Return the tiles that a specialist sees a frame of a shape in."""
    return TileGrid.cover(
        *shape[1:],
        reach=specialist.reach,
        overlap=specialist.overlap,
        alignment=specialist.alignment,
        tile=specialist.tile,
    )


def beside(frame: Frame, after: Frame) -> Generator[Strip]:
    """Yield all rows of a frame, and a copy of what they have become."""
    for start in range(0, frame.shape[1], _ROWS):
        rows = start, start + _ROWS
        yield Strip(start, frame.rows(*rows), after.rows(*rows).copy())


def _mixed(strips: Iterable[Strip], luma: float, chroma: float) -> Generator[Strip]:
    """Blend each strip with what it was."""
    for strip in strips:
        mix(strip.before, strip.after, luma=luma, chroma=chroma)
        yield strip


def _run_tiles(
    grid: TileGrid,
    frame: Frame,
    work: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    workers: int,
) -> Iterator[tuple[Tile, NDArray[np.float32]]]:
    """Yield each tile's result in order; some wait for their turn, so that no worker ever does."""

    def run(tile: Tile) -> NDArray[np.float32]:
        return work(grid.cut(frame, tile))

    with ThreadPoolExecutor(workers) as pool:
        running: deque[tuple[Tile, Future[NDArray[np.float32]]]] = deque()
        try:
            for tile in grid.tiles:
                running.append((tile, pool.submit(run, tile)))
                if len(running) > workers + _AHEAD:
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


def workers_for(grid: TileGrid, threads: int | None) -> int:
    """Return how many tiles are at work at once."""
    return min(usable_threads(threads), len(grid), MOST_WORKERS)


def load_network(specialist: Specialist, grid: TileGrid, threads: int | None) -> Network:
    """Load a network onto the processor, once for all frames."""
    # The workers' calls share the network's threads, and each works along.
    return _load(specialist, usable_threads(threads) - workers_for(grid, threads) + 1)


@lru_cache(maxsize=4)
def _load(specialist: Specialist, threads: int) -> Network:
    """Load a network once for all files of a batch."""
    return Network(specialist, threads=threads)
