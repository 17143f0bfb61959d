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


def memory_of(megapixels: float, *, more: bool = False) -> int:
    """Return the bytes that work on one file takes, beyond `MEMORY_AT_LEAST`.

    Examples
    --------
    >>> memory_of(24) // 10**6, memory_of(24, more=True) // 10**6
    (288, 624)
    """
    return round(megapixels * (MORE_PER_MEGAPIXEL if more else MEMORY_PER_MEGAPIXEL))
