"""What this machine does for fadn: processor, speed, room and speed of the disk, spelling of names.

`run` asks each of these. The one thing to know: times are taken here and now, so they waver.
"""

import locale
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from fadn_cli.denoise.network import specialists
from fadn_cli.denoise.network.specialists import Specialist
from fadn_cli.errors import FadnError
from fadn_cli.findings import Check
from fadn_cli.noise import noise_model
from fadn_cli.pipeline.wording import spell_bytes
from fadn_cli.system.cores import available_cores

MEGAPIXELS = 24
"""The photograph that times are given for."""
_WRITTEN = 32_000_000  # bytes: about one output of 24 megapixels
_SLOW_DISK = 20e6  # bytes a second: below it the disk takes longer than the network
_LITTLE_SPACE = 2e9  # bytes: some eighty outputs
_LONG_ENOUGH = 5.0  # seconds: what took longer is not timed again
_BUSY = 0.5  # load per core by others, from which on times are no longer ours
_NOISE = noise_model(5e-4, 1e-5, source="given")  # a camera at ISO 3200


def check_processor() -> Check:
    """Cores, and whether others keep them busy."""
    cores, all_cores = available_cores(), os.cpu_count() or 1
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    busy = load > _BUSY * cores
    return Check(
        name="Processor",
        value=f"{cores} of {all_cores} cores to use, load {load:.1f}",
        severity="warning" if busy else "ok",
        advice="Other programs keep the processor busy: everything takes longer." if busy else "",
        figures={"cores": cores, "load": load},
    )


def check_speed(quality: str) -> Callable[[], Check]:
    """Make the check of one quality."""

    def check() -> Check:
        """Time as many tiles as work at once."""
        from fadn_cli.denoise.frame import MOST_WORKERS, denoise_packed

        specialist = specialists.choose(_NOISE, quality)
        tiles = min(available_cores(), MOST_WORKERS)
        rng = np.random.default_rng(0)
        side = specialist.tile
        width = tiles * (side - specialist.overlap) + specialist.overlap
        height = _rows_timed(specialist)
        packed = rng.normal(0.1, 0.01, (4, height, width)).astype(np.float32)
        times = []
        for _ in range(2):  # the first one loads the network
            start = time.perf_counter()
            denoise_packed(packed, _NOISE, specialist)
            times.append(time.perf_counter() - start)
            if times[-1] > _LONG_ENOUGH:
                break
        seconds = min(times) * MEGAPIXELS * 1e6 / packed.size
        return Check(
            name=f"Speed {quality}",
            value=f"{min(times):.2f} s for {packed.size / 1e6:.1f} megapixels:"
            f" {MEGAPIXELS} take about {seconds:.0f} s, files aside",
            figures={"seconds": seconds, "megapixels": MEGAPIXELS},
        )

    return check


def _rows_timed(specialist: Specialist) -> int:
    """Return how many rows of one of a network's tiles are timed: all, but of those that compute
    more than `best`'s no more than take as much as a whole tile of it."""
    best = specialists.of_quality("best", "bayer")[0]
    most = best.tile**2 * best.macs_per_packed_pixel
    rows = min(int(most / (specialist.tile * specialist.macs_per_packed_pixel)), specialist.tile)
    return max(rows // specialist.alignment, 1) * specialist.alignment


def check_space(folder: Path) -> Check:
    """Room for outputs."""
    with _trouble_in(folder):
        usage = shutil.disk_usage(folder)
    little = usage.free < _LITTLE_SPACE
    return Check(
        name="Folder",
        value=f"{folder.resolve()}, {spell_bytes(usage.free)} free",
        severity="warning" if little else "ok",
        advice="Free some disk space, or choose a folder on another disk." if little else "",
        figures={"path": str(folder.resolve()), "free_bytes": usage.free},
    )


def check_writing(folder: Path) -> Check:
    """Write as much as an output, as safely."""
    block = os.urandom(1_000_000)

    # A file that has no name, and is gone whatever happens.
    with _trouble_in(folder), tempfile.TemporaryFile(dir=folder) as file:
        start = time.perf_counter()
        for _ in range(_WRITTEN // len(block)):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
        rate = _WRITTEN / max(time.perf_counter() - start, 1e-6)
    slow = rate < _SLOW_DISK
    return Check(
        name="Writing",
        value=f"{rate / 1e6:.0f} MB/s",
        severity="warning" if slow else "ok",
        advice="Writing takes longer than denoising: choose a folder on a faster disk."
        if slow
        else "",
        figures={"bytes_per_second": rate},
    )


@contextmanager
def _trouble_in(folder: Path) -> Iterator[None]:
    """Tell what fails as the folder's fault."""
    try:
        yield
    except OSError as error:
        raise FadnError(
            f"{folder}: {error.strerror or error}",
            advice="Choose a folder that exists and that you may write to.",
        ) from error


def check_text() -> Check:
    """Whether names with accents come through."""
    names, output = sys.getfilesystemencoding(), sys.stdout.encoding or "unknown"
    language = ".".join(part or "none" for part in locale.getlocale())
    plain = {names.lower().replace("-", ""), output.lower().replace("-", "")} == {"utf8"}
    return Check(
        name="Text",
        value=f"file names {names}, output {output}, locale {language}",
        severity="ok" if plain else "warning",
        advice=""
        if plain
        else "Names with accents are shown as escapes: set the locale, as LANG=C.UTF-8.",
        figures={"file_names": names, "output": output},
    )
