"""The command in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import fadn_cli


def environment(**changes):
    """In which `python -m fadn_cli` is the code under test, whatever is installed."""
    return os.environ | {"PYTHONPATH": str(Path(fadn_cli.__file__).parents[1])} | changes


def fadn(*arguments, code=None, changes=None, **options):
    """Run the command, or Python code in its place, in a process of its own."""
    command = ["-c", code] if code else ["-m", "fadn_cli"]
    return subprocess.run(
        [sys.executable, *command, *map(os.fspath, arguments)],
        capture_output=True,
        env=environment(**(changes or {})),
        text=True,
        errors="surrogateescape",
        timeout=120,
        check=False,
        **options,
    )
