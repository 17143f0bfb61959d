"""Adobe's DNG SDK, as `dngpy` wraps it: what it decodes, and what it says against a file.

It says so on the process's own stdout and stderr, below Python's, in words that name the file.
"""

import os
import re
import sys
import tempfile
import warnings
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pytest


class Answer(NamedTuple):
    """What the SDK makes of a file."""

    samples: np.ndarray | None
    """(H, W) uint16: the mosaic; None if it does not open."""
    said: frozenset[str]
    """Lines that it prints, and the error that it raises; without file names and offsets."""
    is_monochrome: bool
    """Whether it sees a sensor without colours."""


def need_sdk():
    """The SDK; skips where there is no wheel of it."""
    return pytest.importorskip("dngpy", reason="no wheel of dngpy for this machine")


def ask(path):
    """Open a DNG, and decode its mosaic."""
    dngpy = need_sdk()
    samples, is_monochrome, lines = None, False, []
    with tempfile.TemporaryFile() as file:
        with _redirected(file), warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                opened = dngpy.Dng(str(path))
                samples = np.array(opened.raw_pixels).squeeze()
                is_monochrome = opened.metadata.is_monochrome
            except RuntimeError as error:
                lines.append(str(error))
        file.seek(0)
        lines += file.read().decode("utf-8", "replace").splitlines()
    lines += [str(each.message) for each in warned]
    said = frozenset(_plain(line, path) for line in lines if line.strip() and not _is_timing(line))
    return Answer(samples, said, is_monochrome)


def _is_timing(line):
    """Whether a line tells how long something took, as it does of interleaved samples."""
    return re.fullmatch(r"\w+: \d+\.\d+ sec", line.strip()) is not None


def _plain(line, path):
    """A line without what differs between a file and its copy: the name, and offsets."""
    return re.sub(r"\(\d+\)", "(N)", line.replace(str(path), "FILE"))


@contextmanager
def _redirected(file):
    """Send what the process prints into a file."""
    kept = {number: os.dup(number) for number in (1, 2)}
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    try:
        for number in kept:
            os.dup2(file.fileno(), number)
        yield
    finally:
        for number, old in kept.items():
            os.dup2(old, number)
            os.close(old)
