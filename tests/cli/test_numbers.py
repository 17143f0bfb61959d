"""Numbers beyond physics and machines are usage errors, or told, and never ruin a photograph."""

import pytest
from typer.testing import CliRunner

from fadn_cli.cli.app import app
from fadn_cli.pipeline.file import denoise_file
from fadn_cli.pipeline.options import DenoiseOptions
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.tiff import LONG
from tests.programs.fadn import fadn

FAST = DenoiseOptions(quality="fast")


@pytest.mark.parametrize(
    "arguments",
    (
        ("--threads", "99999999999999999999"),
        ("--threads", "1025"),
        ("--jobs", "99999999999999999999"),
        ("--iso", "99999999999999999999999"),
        ("--iso", "1" + "0" * 5000),
        ("--shot-noise", "1e300", "--read-noise", "0"),
        ("--shot-noise", "1e30", "--read-noise", "0"),
        ("--shot-noise", "1e-4", "--read-noise", "1e300"),
        ("--strength", "1e400"),
        ("--ensemble", "3"),
        ("--ensemble", "-1"),
        ("--ensemble", "99999999999999999999"),
    ),
)
def test_a_number_that_cannot_be_is_wrong_usage(tmp_path, arguments):
    write_dng(tmp_path / "a.dng", noisy_samples(64, 64))
    result = CliRunner().invoke(app, ["denoise", str(tmp_path), *arguments])

    assert 2 == result.exit_code
    assert arguments[0] in result.stderr or arguments[2] in result.stderr
    assert "Traceback" not in result.stderr


def test_hundreds_of_threads_are_not_started_and_change_nothing(tmp_path):
    source = write_dng(tmp_path / "a.dng", noisy_samples(96, 128), iso=3200)
    denoise_file(source, tmp_path / "one.dng", FAST)

    done = fadn(
        *("denoise", source, "-o", tmp_path / "many.dng"),
        *("--quality", "fast"),
        "--threads",
        "999",
    )

    assert 0 == done.returncode, done.stderr
    assert (tmp_path / "one.dng").read_bytes() == (tmp_path / "many.dng").read_bytes()


@pytest.mark.parametrize("iso", (0xFFFFFFFF, 65535))
def test_an_absurd_iso_is_as_good_as_none(tmp_path, iso):
    samples = noisy_samples(96, 128)
    absurd = write_dng(tmp_path / "a.dng", samples, iso=None, extra={34855: (LONG, iso)})
    none = write_dng(tmp_path / "b.dng", samples, iso=None)

    told, expected = (denoise_file(path, path.with_suffix(".out"), FAST) for path in (absurd, none))

    assert told.iso is None
    assert expected.noise_used == told.noise_used
    assert (iso == 0xFFFFFFFF) == any("which cannot be" in each for each in told.warnings)


LITTLE = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_AS, ({limit}, resource.RLIM_INFINITY))
sys.argv[0] = "fadn"
runpy.run_module("fadn_cli", run_name="__main__")
"""


@pytest.mark.parametrize("megabytes", (150, 250, 300))
def test_too_little_memory_is_no_bug_and_no_fault_of_the_file(tmp_path, megabytes):
    source = write_dng(tmp_path / "a.dng", noisy_samples(1600, 2400), iso=3200)
    code = LITTLE.format(limit=megabytes << 20)

    run = fadn("denoise", source, "-o", tmp_path / "out.dng", "--quality", "fast", code=code)

    assert run.returncode != 0 or (tmp_path / "out.dng").exists()
    assert "ulimit -v" in run.stderr
    assert "Traceback" not in run.stderr
    assert "copy it again" not in run.stderr
