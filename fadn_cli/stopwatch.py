"""Seconds by stage of a job; `pipeline` fills the report with them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Running since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block that ends well."""
        start = time.perf_counter()
        yield
        self._stages[name] = time.perf_counter() - start

    def seconds(self) -> dict[str, float]:
        """Return the stages' seconds, and "total" so far."""
        return {**self._stages, "total": time.perf_counter() - self._start}
