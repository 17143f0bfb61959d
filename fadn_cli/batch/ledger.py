"""What fadn wrote into a folder, so that the next run knows what is done: the state file.

`worker` notes every output before it gets its name, and asks about outputs that exist. The one
thing to know: an output is known by its hash, so a file changed since is never taken for ours, and
lines that are damaged or missing cost nothing but the knowledge of that output: it then counts as
anybody's file, which is never replaced unasked.
"""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from fadn_cli import __version__
from fadn_cli.batch.history import history_of
from fadn_cli.denoise.network import specialists
from fadn_cli.pipeline.defects.listing import fingerprint
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.pipeline.report import plain
from fadn_cli.system.files import to_disk
from fadn_cli.system.locking import wait_lock
from fadn_cli.system.opening import open_plain

STATE_FILE = ".fadn-state.jsonl"
"""Name of the state file, in the outputs' own folder: a line of JSON per output written."""

_WITHOUT_EFFECT = ("overwrite", "threads", "device", "max_megapixels")
"""Options that do not make another picture. The bytes depend on the device, but what a GPU made
need not be made again by the processor: they differ by some hundredths of the noise, unseen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file that fadn wrote, or was about to when it was killed."""

    output: str
    """Its name, without the folder."""
    output_sha256: str
    """Its hash, hexadecimal."""
    source_sha256: str
    """Hash of the file it was made from."""
    key: str
    """What decides its bytes: see `content_key`."""
    source: str = ""
    """Where that file was; empty in the notes of copies, and of earlier versions."""

    @classmethod
    def parse(cls, line: bytes) -> Self | None:
        """Read a line of the state file; None for what is none of ours."""
        try:
            values: Any = json.loads(line)
            names = [field.name for field in fields(cls) if field.name in values]
            entry = cls(**{name: values[name] for name in names})
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        texts = (getattr(entry, field.name) for field in fields(cls))
        return entry if all(isinstance(text, str) for text in texts) else None

    def line(self) -> bytes:
        """Return the line of the state file; the bytes of any file name survive."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return json.dumps(values).encode("ascii") + b"\n"


def recipe(options: DenoiseOptions) -> str:
    """Name everything but the source that decides an output's bytes.

    All options but those without effect on the bytes, whichever there are, and of a list of bad
    pixels what stands in it; the networks that the options leave to choose from; and the version of
    fadn, which is written into every output.

    Returns
    -------
    str
        A hash, hexadecimal.

    Raises
    ------
    WeightsError
        The manifest cannot be read.
    ConfigError
        The list of bad pixels cannot be read.
    """
    quality = options.quality or specialists.default_quality()
    chosen = {field.name: getattr(options, field.name) for field in fields(options)}
    networks = [
        {name: value for name, value in plain(each).items() if name != "twin"}
        for each in specialists.bundled()
        if each.name == options.specialist or (not options.specialist and each.quality == quality)
    ]
    decisive = {
        "options": {
            **{name: value for name, value in chosen.items() if name not in _WITHOUT_EFFECT},
            "quality": None if options.specialist else quality,
            "bad_pixels": None if options.bad_list is None else fingerprint(options.bad_list),
        },
        "networks": networks,
        "version": __version__,
    }
    return _hash(json.dumps(plain(decisive), sort_keys=True))


def content_key(source_sha256: str, source_name: str, recipe: str) -> str:
    """Name everything that decides an output's bytes: the source, its name, and the recipe.

    The name counts because a DNG built from another raw states it.
    """
    return _hash(json.dumps([source_sha256, source_name, recipe]))


def read_entries(output: Path) -> tuple[Entry, ...]:
    """Return what the state file beside an output says of it, the oldest first.

    Whatever cannot be read is left out; a state file that is no plain file says nothing.
    """
    lines = history_of(output.parent / STATE_FILE).lines(output.name)
    entries = (Entry.parse(line) for line in lines)
    return tuple(entry for entry in entries if entry and entry.output == output.name)


def append_entry(folder: Path, entry: Entry) -> None:
    """Add a line to a folder's state file.

    Several writers do not mix their lines, and half a line that a full disk left is closed first.

    Raises
    ------
    OSError
        The system refused, or something else has the state file's name.
    """
    descriptor = open_plain(folder / STATE_FILE, write=True, create=True, follow=False)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        with suppress(OSError):  # no locks here: a short append to one file does well without
            wait_lock(descriptor)
        size = file.seek(0, os.SEEK_END)
        line = entry.line()
        if size:
            file.seek(size - 1)
            line = line if file.read(1) == b"\n" else b"\n" + line
        written = file.write(line)
        if written != len(line):
            raise OSError(f"only {written} of {len(line)} bytes could be written")
        to_disk(descriptor)  # before the output has its name: after a power cut, too


def _hash(text: str) -> str:
    """Hash a text, hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
