"""The most memory held: in bytes, and never less than is held now."""

import subprocess
import sys

import pytest

from fadn_cli.system import usage
from fadn_cli.system.usage import peak_memory

CODE = """
from fadn_cli.system.usage import peak_memory
before = peak_memory()
held = bytes(range(256)) * 400_000
print(before, peak_memory())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not say")
def test_the_peak_is_in_bytes_and_rises_with_what_is_held():
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)

    before, after = map(int, run.stdout.split())
    assert 4_000_000 < before < 60_000_000
    assert before + 80_000_000 < after < before + 120_000_000


def test_where_proc_does_not_say_getrusage_does(monkeypatch, tmp_path):
    monkeypatch.setattr(usage, "_STATUS", tmp_path / "status")
    assert peak_memory() > 4_000_000

    monkeypatch.setitem(sys.modules, "resource", None)
    assert peak_memory() is None
