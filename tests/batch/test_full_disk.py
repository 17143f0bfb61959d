"""A disk that is really full, a tmpfs of the tests' own: nothing partial, nothing lost."""

import json
import shutil
import subprocess
import sys

import pytest

from fadn_cli.batch.ledger import STATE_FILE
from fadn_cli.raw.check.dng import check_file
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.programs.fadn import environment

HEIGHT, WIDTH = 400, 600  # some 300 kB, compressed

SCRIPT = """
mount -t tmpfs -o size={size}k none "$1" || exit 77
mkdir "$1/out" && cp "$2"/*.dng "$1"
"$3" -m fadn_cli denoise "$1" -o "$1/out" --quality fast --preview none --report "$2/told.json"
code=$?
ls -A "$1/out" > "$2/left"
mkdir "$2/kept" && cp "$1"/out/*.dng "$1/out/.fadn-state.jsonl" "$2/kept" 2>/dev/null
cmp "$1/a.dng" "$2/a.dng" && cmp "$1/b.dng" "$2/b.dng" || exit 78
exit $code
"""


def denoise_on(folder, size):
    """Denoise three files on a disk of so many kB; return the exit code and its JSON."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare")
    disk = folder / "disk"
    disk.mkdir()
    for number, name in enumerate("abc"):
        write_dng(folder / f"{name}.dng", noisy_samples(HEIGHT, WIDTH, seed=number), iso=3200)
    run = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT.format(size=size)]
        + ["sh", disk, folder, sys.executable],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=120,
        check=False,
    )
    if not (folder / "left").exists():
        pytest.skip(f"no disk of our own can be mounted here: {run.stderr[-200:]}")
    assert "Traceback" not in run.stderr
    told = folder / "told.json"
    return run, json.loads(told.read_text()), (folder / "left").read_text().split()


@pytest.mark.parametrize("room", (8, 200, 600, 800))
def test_a_disk_that_is_full_is_told_and_nothing_partial_is_left(tmp_path, room):
    sources = 3 * (2 * HEIGHT * WIDTH // 1000 + 8)

    run, told, left = denoise_on(tmp_path, sources + room)

    assert 1 == run.returncode, run.stderr
    whole = sorted(name for name in left if name.endswith(".dng"))
    assert sorted({*whole, STATE_FILE} & set(left)) == sorted(left)
    assert len(whole) == told["counts"]["denoised"] < 3
    for result in told["files"]:
        assert (result["error"] is None) == (result["state"] == "denoised")
        if result["error"] is not None:
            assert 9 == result["error"]["exit_code"]
            assert "No space left on device" in result["error"]["message"]
            assert "Free some disk space" in result["error"]["advice"]
    for name in whole:
        assert check_file(tmp_path / "kept" / name).ok


def test_a_disk_with_room_takes_all_three(tmp_path):
    run, told, left = denoise_on(tmp_path, 10_000)

    assert 0 == run.returncode, run.stderr
    assert 3 == told["counts"]["denoised"]
    assert 4 == len(left)
