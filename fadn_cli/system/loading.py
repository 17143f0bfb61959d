"""Modules loaded quickly: without looking for garbage meanwhile.

`__main__` and the commands load what they need inside `quick`. The one thing to know: a module is
thousands of small things that stay, and Python looks through all of them again and again while more
come; that is a fifth of the time that a command takes to start [measured].
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick() -> Iterator[None]:
    """Collect no garbage inside the block, and leave what it made out of later collections."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collects:
            gc.enable()
