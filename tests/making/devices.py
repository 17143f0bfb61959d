"""A device of the tests' own, on the processor: right, or wrong in every way one can be."""

import threading

import numpy as np
import pytest

from fadn_cli.denoise.network import place, providers, trial
from fadn_cli.denoise.network.devices import Device, find_device
from fadn_cli.denoise.network.inference import on_processor

NAME = "cuda"
SIDE = 64
"""Packed pixels per side of the known tile, in tests."""
WAYS = {
    "lies": "off by",
    "not a number": "no picture",
    "another shape": "no picture",
    "fails": "CUDA failure 719",
    "no memory": "Failed to allocate memory",
    "no driver": "cannot be started",
}
"""How it can be wrong, and what the user is told."""


class Pretend:
    """What onnxruntime would be for a device, and a count of what it was asked."""

    def __init__(self):
        self.way = "right"
        self.right_tiles = None  # so many of a photograph, before it goes wrong; None: no limit
        self.loaded, self.tiles, self.at_once, self.most_at_once = [], 0, 0, 0
        self._lock = threading.Lock()

    def open(self, found, weights, threads, shape):
        """Stand in for `providers._open`."""
        if self.way == "no driver":
            return providers_open(found, weights, threads, shape)
        self.loaded.append((found.name, shape))
        return _Session(self, on_processor(found.name, weights, 1))

    def result(self, residual):
        """Make of the right output what this device makes."""
        with self._lock:
            self.tiles += 1
            is_right = self.right_tiles is not None and self.tiles <= self.right_tiles
        if self.way == "right" or is_right:
            return residual
        if self.way == "fails":
            raise RuntimeError("CUDA failure 719: unspecified launch failure\nand a page of it")
        if self.way == "no memory":
            raise RuntimeError("Failed to allocate memory for requested buffer of size 99")
        if self.way == "another shape":
            return residual[..., :-1]
        wrong = residual.copy()
        wrong[..., :4, :4] = np.nan if self.way == "not a number" else 3
        return wrong


class _Session:
    """One of its networks."""

    def __init__(self, pretend, session):
        self._pretend, self._session = pretend, session

    def run(self, names, inputs):
        """Run one tile."""
        self._pretend.at_once += 1
        self._pretend.most_at_once = max(self._pretend.most_at_once, self._pretend.at_once)
        try:
            return [self._pretend.result(self._session.run(names, inputs)[0])]
        finally:
            self._pretend.at_once -= 1


providers_open = providers._open


def found(name=NAME, *, hardware="", identity="driver 1", device=None):
    """A device as `providers` finds it."""
    kind: Device = device or find_device(name)
    return providers.Found(
        device=kind, provider=kind.providers[0], hardware=hardware, identity=identity
    )


def next_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what this process has found out, but not what is kept."""
    monkeypatch.setattr(place, "_given_up", {})
    monkeypatch.setattr(trial, "_known", {})


def install(monkeypatch: pytest.MonkeyPatch, folder, *, here=None) -> Pretend:
    """Let there be devices, and nothing known of them; verdicts are kept in a folder."""
    pretend = Pretend()
    those = here if here is not None else (found(),)
    monkeypatch.setattr(providers, "_open", pretend.open)
    monkeypatch.setattr(providers, "found_devices", lambda: those)
    monkeypatch.setattr(place, "found_devices", lambda: those)
    next_process(monkeypatch)
    monkeypatch.setattr(trial, "cache_folder", lambda: folder)
    monkeypatch.setattr(trial, "SIDE", SIDE)
    place._load.cache_clear()
    return pretend
