"""What a number can be at all: options, presets and what a file states are held against it.

Everybody at whose door numbers enter asks here. The one thing to know: these are bounds of physics
and of machines, far beyond what is useful, so that whatever lies outside is a mistake or damage.
"""

MOST_ISO = 10_000_000
"""ISO speed; the highest of any camera is 4,560,000 [Canon ME20F-SH]."""
MOST_VARIANCE = 1.0
"""Of noise, normalized (0 black, 1 white): noise as strong as the light at white, of no sensor."""
MEGAPIXELS = 400.0
"""Of a photograph, unless the user allows more: the largest sensors have 150, and cameras that move
theirs put together 400 [Fujifilm GFX100]. A few damaged bytes can ask for any number."""
MOST_MEGAPIXELS = 100_000.0
"""That can be allowed."""
MOST_THREADS = 1024
"""Threads or files at once that may be asked for."""
LEAST_MEMORY = 200_000_000
"""Bytes that can be allowed."""
MEMORY_AT_LEAST = 460_000_000
"""Bytes that the program and its networks take, however many files it works on. This and the next
two: the most that was held at 12 and 48 megapixels, and some more [docs/figures.md]."""
MEMORY_PER_MEGAPIXEL = 12_000_000
"""Bytes that each megapixel of the files at work takes at its most."""
MORE_PER_MEGAPIXEL = 26_000_000
"""The same of what is developed, repaired, or seen several ways up."""
MORE_PER_LARGE_TILE = 110_000_000
"""Bytes that each tile of `max` at work takes beyond one of `best`."""


def memory_of(megapixels: float, *, more: bool = False, large_tiles: int = 0) -> int:
    """Return the bytes that work on one file takes, beyond `MEMORY_AT_LEAST`.

    Parameters
    ----------
    megapixels : float
    more : bool
        Whether it is developed, repaired, or seen several ways up.
    large_tiles : int
        How many tiles of `max` are at work at once.

    Examples
    --------
    >>> memory_of(24) // 10**6, memory_of(24, more=True) // 10**6
    (288, 624)
    >>> memory_of(24, large_tiles=2) // 10**6
    508
    """
    frame = megapixels * (MORE_PER_MEGAPIXEL if more else MEMORY_PER_MEGAPIXEL)
    return round(frame) + large_tiles * MORE_PER_LARGE_TILE
