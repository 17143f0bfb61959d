"""Where a photograph's tiles run: on a device, and on the processor if that will not do.

`pipeline` makes one for each photograph, `denoise.frame` takes its network from it. The one thing
to know: a device proves itself before its first tile and is given up at its first failure, for as
long as the process lives; the tile it failed on is done again by the processor, and the user is
told once.
"""

import threading
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.network.devices import AUTO, CPU, PAGE
from fadn_cli.denoise.network.inference import Network
from fadn_cli.denoise.network.providers import Found, Session, found_devices, require
from fadn_cli.denoise.network.specialists import Specialist, read_weights
from fadn_cli.denoise.network.trial import judge, weights_of
from fadn_cli.errors import FadnError, InferenceError
from fadn_cli.noise import NoiseModel

Run = Callable[[NDArray[np.float32], NoiseModel], NDArray[np.float32]]
"""A loaded network: (packed tile, noise) -> denoised tile, as `Network`."""
_given_up: dict[str, str] = {}  # why, by a device's name
_given_up_lock = threading.Lock()


class Place:
    """Where one photograph's tiles run.

    Parameters
    ----------
    asked : str
        One of `devices.NAMES`.

    Raises
    ------
    DeviceError
        The device asked for is not there.
    """

    def __init__(self, asked: str = AUTO) -> None:
        self._asked = asked
        self._candidates = _candidates(asked)
        self._lock = threading.Lock()
        self._ran: dict[str, int] = {}
        self._why = ""
        self._warnings: list[str] = []

    @property
    def device(self) -> str | None:
        """What ran the tiles, as "cuda" or "cuda, cpu"; None before the first one."""
        return ", ".join(self._ran) or None

    @property
    def fallback(self) -> str | None:
        """Why tiles ran on the processor though there was another device; None if none did."""
        return self._why or None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know and was not told before, one sentence each."""
        return tuple(self._warnings)

    def network(self, specialist: Specialist, cpu: Callable[[], Network], *, threads: int) -> Run:
        """Return a network, loaded where it is to run.

        Parameters
        ----------
        specialist : Specialist
        cpu : callable
            Loads it onto the processor.
        threads : int
            That a device may use which is the processor.

        Raises
        ------
        FadnError
            The processor cannot run it either.
        """
        for found in self._candidates:
            if self._may_run(specialist, found, threads):
                try:
                    return self._guarded(found, _load(specialist, found, threads), cpu)
                except FadnError as error:
                    self._give_up(found, str(error))
        network = cpu()
        return lambda packed, noise: self._count(CPU, network(packed, noise))

    def _may_run(self, specialist: Specialist, found: Found, threads: int) -> bool:
        """Whether a device is still trusted with a network, by its trial."""
        if found.name in _given_up:
            self._why = _given_up[found.name]
            return False
        verdict, is_new = judge(specialist, found, threads=threads)
        if verdict.trouble:
            if is_new or self._asked != AUTO:
                self._give_up(found, verdict.trouble)
            else:  # told when it was tried
                self._why = _spell(found, verdict.trouble)
            return False
        if self._asked == AUTO and verdict.is_slower:
            self._why = _spell(found, "it is slower than the processor")
            return False
        return True

    def _guarded(self, found: Found, network: Network, cpu: Callable[[], Network]) -> Run:
        """Let a device run tiles until it fails, and the processor from then on."""

        def run(packed: NDArray[np.float32], noise: NoiseModel) -> NDArray[np.float32]:
            if found.name not in _given_up:
                try:
                    denoised = network(packed, noise)
                    if np.isfinite(denoised).all() or not np.isfinite(packed).all():
                        return self._count(found.name, denoised)
                    self._give_up(found, "its output is no picture")
                except InferenceError as error:
                    self._give_up(found, str(error))
            self._why = self._why or _given_up[found.name]
            return self._count(CPU, cpu()(packed, noise))

        return run

    def _count(self, name: str, denoised: NDArray[np.float32]) -> NDArray[np.float32]:
        """Note where a tile ran."""
        with self._lock:
            self._ran[name] = self._ran.get(name, 0) + 1
        return denoised

    def _give_up(self, found: Found, trouble: str) -> None:
        """Use a device no more; tell of it once, whoever comes first."""
        self._why = _spell(found, trouble)
        with _given_up_lock:
            is_first = found.name not in _given_up
            _given_up.setdefault(found.name, self._why)
        if is_first:
            self._warnings.append(f"{self._why}; the processor goes on. See {PAGE}.")


def _spell(found: Found, trouble: str) -> str:
    """Say what is wrong with a device."""
    return f"{found.name} is not used: {trouble}"


def _candidates(asked: str) -> tuple[Found, ...]:
    """Return the devices to try, by preference; none: the processor."""
    if asked == AUTO:
        return tuple(
            each
            for each in found_devices()
            if not each.is_processor and not each.device.is_slow_to_load
        )
    found = require(asked)
    return () if found is None else (found,)


class _Locked:
    """A session that runs one tile at a time: not every provider copes with several."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()

    def run(self, names: None, inputs: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Run it, when it is this tile's turn."""
        with self._lock:
            return list(self._session.run(names, inputs))


@lru_cache(maxsize=4)
def _load(specialist: Specialist, found: Found, threads: int) -> Network:
    """Load a network onto a device once for all files of a batch."""
    session = Session(found, read_weights(weights_of(specialist, found)), threads)
    return Network(specialist, threads=1, session=_Locked(session))
