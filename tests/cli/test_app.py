"""The command as users meet it: its help, its options, its exit codes, and one raw all the way."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import fadn_cli
from fadn_cli.cli.app import Quality, app
from fadn_cli.demo import run as demo
from fadn_cli.denoise.network import specialists
from fadn_cli.mosaic.conversion import normalize
from fadn_cli.pipeline import file as pipeline
from fadn_cli.raw.dng.edit import COMPRESSIONS, PREVIEWS
from fadn_cli.raw.source.reader import read_raw
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.reports import make_info, make_report
from tests.making.xmp import xmp
from tests.programs.fadn import fadn

COMMANDS = (
    "denoise", "compare", "info", "check", "verify", "models", "config", "doctor", "demo",
)  # fmt: skip
BLACK, WHITE, SHOT, READ = 512, 15000, 2e-3, 1e-5


def clean_scene(height=192, width=256):
    """A (H, W) float32 normalized mosaic: a smooth ramp with a step in it, grey."""
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    return 0.05 + 0.3 * across / width + 0.2 * (down > height / 2)


@pytest.fixture
def noisy(tmp_path):
    """A DNG with the noise of a high ISO."""
    return write_noisy(tmp_path / "IMG_1.dng")


def write_noisy(path):
    """Write a DNG of the clean scene with noise."""
    x = clean_scene()
    rng = np.random.default_rng(3)
    x = x + rng.normal(size=x.shape) * np.sqrt(SHOT * x + READ)
    samples = np.clip(np.rint(x * (WHITE - BLACK) + BLACK), 0, WHITE).astype(np.uint16)
    return write_dng(path, samples, black=(BLACK,), white=WHITE, iso=3200)


def test_help_lists_every_command_with_its_purpose():
    result = CliRunner().invoke(app, ["-h"])

    assert 0 == result.exit_code
    for command in COMMANDS:
        line = next(line for line in result.output.splitlines() if line.strip().startswith(command))
        assert len(line.split()) > 3


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_every_command_has_help(command):
    result = CliRunner().invoke(app, [command, "--help"], terminal_width=200)

    assert 0 == result.exit_code
    options = [line for line in result.output.splitlines() if line.startswith("  -")]
    assert options
    for line in options:
        assert len(line.split("  ")) > 2, line


@pytest.mark.parametrize(
    "arguments",
    [
        "denoise",
        "denoise x --strength 1.1",
        "denoise x --strength -0.1",
        "denoise x --strength nan",
        "denoise x --strength much",
        "denoise x --luma 1.1",
        "denoise x --luma nan",
        "denoise x --chroma -0.1",
        "denoise x --hot-pixels=yes",
        "denoise x --format jpeg",
        "denoise x --quality medium",
        "denoise x --preview small",
        "denoise x --compression zip",
        "denoise x --format tiff --preview keep",
        "denoise x -o x.tif --compression lj92",
        "denoise x --format tiff --preview none --compression none",
        "info x --quality medium",
        "demo --quality medium",
        "denoise x --shot-noise 1e-4",
        "denoise x --read-noise 1e-4",
        "denoise x --shot-noise 0 --read-noise 0",
        "denoise x --shot-noise inf --read-noise 0",
        "denoise x --shot-noise 1e-4 --read-noise -1",
        "denoise x --shot-noise 1e-4 --read-noise nan",
        "denoise x --iso 0",
        "denoise x --threads 0",
        "denoise x -o x.dng --format tiff",
        "denoise x --suffix a/b",
        "denoise x --name {lens}{ext}",
        "denoise x --name {stem}{ext} --suffix y",
        "denoise x --jobs 0",
        "denoise x --report x.dng",
        "denoise x --report x.json --dry-run",
        "denoise x --unknown",
        "info",
        "info x y",
        "check",
        "verify x",
        "verify x y z",
        "compare x",
        "compare x y -o z.pdf",
        "doctor x y",
        "remove x",
    ],
)
def test_wrong_usage_exits_2_and_says_what_is_wrong(arguments):
    result = CliRunner().invoke(app, arguments.split())

    assert 2 == result.exit_code
    assert "Error: " in result.output


@pytest.mark.parametrize(
    "arguments",
    (
        ("denoise", ""),
        ("denoise", "x", ""),
        ("denoise", "x", "-o", ""),
        ("denoise", "x", "--bad-pixels", ""),
        ("denoise", "x", "--report", ""),
        ("info", ""),
        ("check", "x", ""),
        ("verify", "", "x"),
        ("verify", "x", ""),
        ("compare", "", "x"),
        ("compare", "x", ""),
        ("compare", "x", "y", "-o", ""),
        ("bad-pixels", "", "-o", "x"),
        ("bad-pixels", "x", "-o", ""),
        ("doctor", ""),
        ("demo", ""),
    ),
)
def test_an_empty_name_is_not_taken_for_the_folder_one_is_in(tmp_path, monkeypatch, arguments):
    """A script's unset variable would have all its photographs denoised."""
    write_dng(tmp_path / "a.dng", noisy_samples(64, 64))
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(app, arguments)

    assert 2 == result.exit_code
    assert "name is empty" in result.output
    assert ["a.dng"] == [path.name for path in tmp_path.iterdir()]


def test_a_network_of_another_quality_than_asked_for_is_wrong_usage():
    known = specialists.bundled()[0]
    other = next(each for each in specialists.QUALITIES if each != known.quality)

    result = CliRunner().invoke(app, f"denoise x --specialist {known.name} --quality {other}")

    assert 2 == result.exit_code
    assert f"{known.name} is not of quality {other}" in result.output


@pytest.fixture
def denoised(monkeypatch):
    """What the command hands to the pipeline: (path, output, options) of every file."""
    seen = []

    def denoise_file(path, output, options, **_):
        seen.append((path, output, options))
        return make_report(path, output)

    monkeypatch.setattr(pipeline, "denoise_file", denoise_file)
    return seen


def test_a_network_of_the_quality_asked_for_is_taken(tmp_path, denoised):
    known = specialists.bundled()[0]
    (tmp_path / "a.nef").touch()
    arguments = ["--specialist", known.name, "--quality", known.quality]

    result = CliRunner().invoke(app, ["denoise", str(tmp_path), *arguments])

    assert 0 == result.exit_code
    assert (known.name, known.quality) == (denoised[0][2].specialist, denoised[0][2].quality)


def test_the_commands_offer_every_quality_there_is():
    assert list(specialists.QUALITIES) == list(Quality)


@pytest.mark.parametrize("quality", (None, *specialists.QUALITIES))
def test_the_quality_reaches_every_command(tmp_path, monkeypatch, denoised, quality):
    seen = []
    info = make_info()
    shown = demo.Demonstration(
        noisy=tmp_path,
        denoised=tmp_path,
        picture=tmp_path,
        psnr_before=1,
        psnr_after=2,
        report=make_report(),
    )
    monkeypatch.setattr(pipeline, "inspect_file", lambda path, choice: seen.append(choice) or info)
    monkeypatch.setattr(demo, "run", lambda path, **choice: seen.append(choice) or shown)
    (tmp_path / "a.nef").touch()
    arguments = [] if quality is None else ["--quality", quality]

    for command in (["denoise", str(tmp_path)], ["info", "x"], ["demo"]):
        assert 0 == CliRunner().invoke(app, [*command, *arguments]).exit_code

    assert [quality, quality] == [denoised[0][2].quality, seen[0].quality]
    assert {"sensor": "bayer", "quality": quality, "overwrite": False} == seen[1]


def test_options_become_the_pipelines(tmp_path, denoised):
    source = tmp_path / "a.nef"
    source.touch()
    arguments = "--strength 0.5 --iso 200 --shot-noise 1e-4 --read-noise 1e-6 --threads 3"
    arguments += " --specialist bayer-x --overwrite --format tiff"

    result = CliRunner().invoke(app, ["denoise", str(source), *arguments.split()])

    assert 0 == result.exit_code
    options = pipeline.DenoiseOptions(
        strength=0.5,
        format="tiff",
        iso=200,
        shot_noise=1e-4,
        read_noise=1e-6,
        specialist="bayer-x",
        overwrite=True,
        threads=3,
    )
    assert [(source, tmp_path / "a_denoised.tif", options)] == denoised


@pytest.mark.parametrize("preview", PREVIEWS)
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_choices_for_a_dng_become_the_pipelines(tmp_path, denoised, preview, compression):
    (tmp_path / "a.nef").touch()
    arguments = ["--preview", preview, "--compression", compression]

    result = CliRunner().invoke(app, ["denoise", str(tmp_path), *arguments])

    assert 0 == result.exit_code
    assert [pipeline.DenoiseOptions(preview=preview, compression=compression)] == [
        options for _, _, options in denoised
    ]


def test_choices_for_a_dng_are_wrong_usage_for_a_tiff():
    result = CliRunner().invoke(app, ["denoise", "x", "-o", "x.tif", "--preview", "none"])

    assert 2 == result.exit_code
    assert "--preview can only be given for a DNG" in result.output


def test_without_options_the_pipelines_defaults_hold(tmp_path, denoised):
    (tmp_path / "a.nef").touch()

    CliRunner().invoke(app, ["denoise", str(tmp_path)])

    assert [pipeline.DenoiseOptions()] == [options for _, _, options in denoised]


def test_version_is_the_packages():
    run = fadn("--version")

    assert (0, f"fadn {fadn_cli.__version__}\n", "") == (run.returncode, run.stdout, run.stderr)


def test_shells_can_complete_the_commands():
    run = fadn(
        changes={"_FADN_COMPLETE": "complete_bash", "COMP_WORDS": "fadn de", "COMP_CWORD": "1"}
    )

    assert ["denoise", "demo"] == run.stdout.split()


def test_a_raw_comes_out_cleaner_and_known_as_ours(noisy, tmp_path):
    source = noisy.read_bytes()

    run = fadn("denoise", noisy)

    assert 0 == run.returncode, run.stderr
    assert "" == run.stdout
    assert "IMG_1.dng: Fadn Synthetic, ISO 3200, noise " in run.stderr
    assert source == noisy.read_bytes()
    before, after = (
        np.abs(normalize(read_raw(path).mosaic) - clean_scene()).mean()
        for path in (noisy, tmp_path / "IMG_1_denoised.dng")
    )
    assert after < before / 2

    info = json.loads(fadn("info", "--json", tmp_path / "IMG_1_denoised.dng").stdout)
    assert info["is_fadn_output"] is True
    assert ["RGGB", 256, 192] == [info["cfa"], info["width"], info["height"]]

    again = fadn("denoise", tmp_path, "--overwrite", "-o", tmp_path / "second")
    assert "1 denoised, 0 failed, 1 skipped" in again.stderr
    assert [".fadn-state.jsonl", "IMG_1_denoised.dng"] == sorted(
        path.name for path in (tmp_path / "second").iterdir()
    )


def test_strength_0_gives_the_sources_samples(noisy, tmp_path):
    run = fadn("denoise", noisy, "--strength", "0", "-o", tmp_path / "same.dng", "-q")

    assert (0, "", "") == (run.returncode, run.stdout, run.stderr)
    expected, actual = (read_raw(path).mosaic for path in (noisy, tmp_path / "same.dng"))
    assert np.array_equal(expected.samples, actual.samples)


@pytest.mark.parametrize("name", (b"[raw] [x].dng", b"caf\xe9.dng"))
def test_odd_names_survive(tmp_path, name):
    path = write_noisy(tmp_path / os.fsdecode(name))

    run = fadn("denoise", path)

    assert 0 == run.returncode, run.stderr
    assert path.with_name(f"{path.stem}_denoised.dng").exists()
    info = fadn("info", "--json", path)
    assert json.loads(info.stdout)["path"].endswith(".dng")


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        (None, 3, "no such file"),
        (b"", 3, "IMG_2.dng"),
        (b"certainly not a raw file" * 99, 3, "IMG_2.dng"),
    ],
)
def test_what_is_no_raw_exits_3_in_one_line_and_leaves_nothing(tmp_path, content, code, reason):
    path = tmp_path / "IMG_2.dng"
    if content is not None:
        path.write_bytes(content)
    before = sorted(tmp_path.iterdir())

    run = fadn("denoise", path)

    assert code == run.returncode
    error, advice = run.stderr.splitlines()
    assert error.startswith("fadn: error: ")
    assert reason in error
    assert advice.startswith("  ")
    assert before == sorted(tmp_path.iterdir())


def test_info_of_what_is_no_raw_exits_3_too(tmp_path):
    run = fadn("info", tmp_path / "IMG_2.dng")

    assert 3 == run.returncode
    assert run.stderr.startswith("fadn: error: ")
    assert "IMG_2.dng: " in run.stderr
    assert "Traceback" not in run.stderr


def test_an_existing_output_exits_8_and_is_kept(noisy, tmp_path):
    (tmp_path / "IMG_1_denoised.dng").write_bytes(b"mine")

    run = fadn("denoise", noisy)

    assert 8 == run.returncode
    assert "--overwrite" in run.stderr
    assert b"mine" == (tmp_path / "IMG_1_denoised.dng").read_bytes()


@pytest.mark.parametrize("arguments", ((), ("--quality", "fast")))
def test_an_unknown_specialist_exits_6_and_names_the_known(noisy, arguments):
    run = fadn("denoise", noisy, "--specialist", "magic", *arguments)

    assert 6 == run.returncode
    assert "magic" in run.stderr
    assert json.loads(fadn("models", "--json").stdout)[0]["name"] in run.stderr


ONLY_FAST = """
from dataclasses import replace
from fadn_cli.__main__ import main
from fadn_cli.denoise.network import specialists
known = tuple(replace(each, quality="fast") for each in specialists.bundled())
specialists.bundled = lambda: known
main()
"""


def test_a_quality_that_is_not_bundled_exits_2_and_names_those_that_are(noisy, tmp_path):
    run = fadn("denoise", noisy, "--quality", "best", code=ONLY_FAST)

    assert 2 == run.returncode
    assert "no specialist of quality best for bayer sensors is bundled" in run.stderr
    assert "Use one of: fast." in run.stderr
    assert [noisy] == list(tmp_path.iterdir())


def test_a_source_as_its_own_output_exits_9(noisy):
    source = noisy.read_bytes()

    run = fadn("denoise", noisy, "-o", noisy, "--overwrite")

    assert 9 == run.returncode
    assert source == noisy.read_bytes()


def test_a_full_disk_exits_9_and_leaves_nothing(noisy, tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    run = fadn("denoise", noisy, preexec_fn=limit)

    assert 9 == run.returncode, run.stderr
    assert "Traceback" not in run.stderr
    assert [noisy] == list(tmp_path.iterdir())


def test_one_bad_file_among_several_exits_1_and_the_good_one_is_done(noisy, tmp_path):
    (tmp_path / "IMG_2.cr2").write_bytes(b"nothing")

    run = fadn("denoise", tmp_path / "gone.dng", tmp_path)

    assert 1 == run.returncode
    assert (tmp_path / "IMG_1_denoised.dng").exists()
    assert "1 denoised, 2 failed, 0 skipped" in run.stderr
    assert "IMG_2.cr2" in run.stderr
    assert "gone.dng: no such file" in run.stderr


def test_a_folder_without_raws_exits_3(tmp_path):
    run = fadn("denoise", tmp_path)

    assert 3 == run.returncode
    assert "no raw files" in run.stderr


PATCHED = """
import sys
from fadn_cli.pipeline import file as pipeline
from fadn_cli.__main__ import main
def raises(*arguments, **options):
    raise {error}
pipeline.denoise_file = pipeline.inspect_file = raises
main()
"""


@pytest.mark.parametrize("command", ("denoise", "info"))
def test_a_bug_keeps_its_traceback(noisy, command):
    run = fadn(command, noisy, code=PATCHED.format(error="ZeroDivisionError('a bug')"))

    assert 1 == run.returncode
    assert run.stderr.startswith("Traceback")
    assert run.stderr.rstrip().endswith("ZeroDivisionError: a bug")


@pytest.mark.parametrize("command", ("denoise", "info"))
def test_ctrl_c_exits_130_without_a_traceback(noisy, command):
    run = fadn(command, noisy, code=PATCHED.format(error="KeyboardInterrupt"))

    assert 130 == run.returncode
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("arguments", ("models", "models --json", "--help", "--version"))
def test_a_reader_that_leaves_is_no_error_worth_a_traceback(arguments):
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "fadn_cli", *arguments.split()]

    with os.fdopen(write_end, "w") as gone:
        run = subprocess.run(
            command,
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(fadn_cli.__file__).parents[1],
            check=False,
        )

    assert "" == run.stderr


def test_models_shows_every_specialist_of_the_manifest():
    table = fadn("models").stdout
    listed = json.loads(fadn("models", "--json").stdout)

    assert listed
    assert all(model["name"] in table for model in listed)
    assert {"name", "noise_range", "sha256", "psnr"} <= set(listed[0])


def test_check_says_of_each_file_what_is_wrong_and_exits_1(tmp_path, noisy):
    broken = write_noisy(tmp_path / "IMG_2.dng")
    broken.write_bytes(broken.read_bytes()[:-100])

    result = CliRunner().invoke(app, ["check", str(noisy), str(broken), str(tmp_path / "no.dng")])

    assert 1 == result.exit_code
    assert f"{noisy}: nothing is wrong" in result.output
    assert f"{broken}: 1 error" in result.output
    assert "no such file" in result.output


def test_warnings_alone_are_no_failure(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), extra={274: None})

    result = CliRunner().invoke(app, ["check", str(path)])

    assert 0 == result.exit_code
    assert "1 warning" in result.output


def test_check_prints_json(noisy):
    result = CliRunner().invoke(app, ["check", str(noisy), "--json"])

    assert [{"path": str(noisy), "ok": True, "findings": []}] == json.loads(result.stdout)


def test_what_denoise_writes_can_be_checked_and_verified(noisy):
    output = noisy.with_name("IMG_1_denoised.dng")
    assert 0 == CliRunner().invoke(app, ["denoise", str(noisy), "--quality", "fast"]).exit_code

    checked = CliRunner().invoke(app, ["check", str(output)])
    verified = CliRunner().invoke(app, ["verify", str(noisy), str(output)])

    assert (0, f"{output}: nothing is wrong\n") == (checked.exit_code, checked.output)
    assert 0 == verified.exit_code
    assert "Nothing differs but what denoising may change." in verified.output
    assert "NoiseReductionApplied" in verified.output


def test_verify_exits_1_if_anything_else_differs(tmp_path, noisy):
    other = write_dng(tmp_path / "other.dng", noisy_samples(192, 256), black=(BLACK,), white=WHITE)

    result = CliRunner().invoke(app, ["verify", str(noisy), str(other), "--json"])

    assert 1 == result.exit_code
    found = json.loads(result.stdout)
    assert found["holds"] is False
    assert found["violations"]
    assert 192 * 256 == found["pixels"]["active"]


def test_verify_refuses_what_is_no_dng(tmp_path, noisy):
    other = tmp_path / "out.tif"
    other.write_bytes(b"II*\0\x08\0\0\0" + bytes(100))

    run = fadn("verify", noisy, other)

    assert 4 == run.returncode
    assert "out.tif: is not a DNG" in run.stderr
    assert "--format dng" in run.stderr


def test_a_list_of_names_comes_in_and_json_goes_out(tmp_path):
    names = [b"a [1].dng", b"caf\xe9.dng", b"gone.dng"]
    for name in names[:2]:
        write_noisy(tmp_path / os.fsdecode(name))
    listed = os.fsdecode(b"\0".join(names))

    run = fadn(
        *("denoise", "-", "-o", "out", "--json", "--report", "log/r.json", "--quality", "fast"),
        cwd=tmp_path,
        input=listed,
    )

    batch = json.loads(run.stdout)
    assert 1 == run.returncode == batch["exit_code"]
    assert ["failed", "denoised", "denoised"] == [each["state"] for each in batch["files"]]
    assert batch == json.loads((tmp_path / "log" / "r.json").read_text())
    assert "2 denoised, 1 failed, 0 skipped" in run.stderr
    written = {os.fsencode(path.name) for path in (tmp_path / "out").glob("*.dng")}
    assert {b"a [1]_denoised.dng", b"caf\xe9_denoised.dng"} == written


def test_a_dry_run_prints_the_plan_and_writes_nothing(noisy, tmp_path):
    before = sorted(tmp_path.iterdir())
    arguments = ["denoise", str(tmp_path), "-o", str(tmp_path / "out"), "--dry-run"]

    text = CliRunner().invoke(app, arguments)
    rows = CliRunner().invoke(app, [*arguments, "--json"])

    output = tmp_path / "out" / "IMG_1_denoised.dng"
    assert (0, f"denoise {noisy} -> {output}\n") == (text.exit_code, text.output)
    assert [
        {"source": str(noisy), "output": str(output), "action": "denoise", "reason": ""}
    ] == json.loads(rows.stdout)
    assert before == sorted(tmp_path.iterdir())


def test_a_dry_run_exits_1_if_anything_would_fail(noisy, tmp_path):
    (tmp_path / "IMG_2.dng").write_bytes(b"no raw")
    (tmp_path / "IMG_2_denoised.dng").write_bytes(b"in the way")
    gone = str(tmp_path / "gone.dng")

    for paths in ([gone], [str(noisy), gone], [str(tmp_path)]):
        result = CliRunner().invoke(app, ["denoise", *paths, "--dry-run"])

        assert 1 == result.exit_code
        assert "fail " in result.stdout


def test_a_dry_run_foresees_what_the_run_does_with_sidecars(noisy, tmp_path):
    noisy.with_suffix(".xmp").write_bytes(xmp('xmp:Rating="5"'))
    arguments = ["denoise", str(noisy), "-o", str(tmp_path / "out"), "--quality", "fast"]
    CliRunner().invoke(app, [*arguments, "--sidecars"])

    dry, without = (
        CliRunner().invoke(app, [*arguments, *more, "--dry-run"]) for more in (["--sidecars"], [])
    )

    assert ("done", "redo") == (dry.stdout.split()[0], without.stdout.split()[0])


def test_how_files_are_handled_reaches_the_batch(tmp_path, denoised):
    (tmp_path / "a.nef").touch()
    (tmp_path / "a.xmp").write_text("<edits/>")
    arguments = "--sidecars --name {stem}-clean{ext} --jobs 2 --threads 4 --include a*"

    result = CliRunner().invoke(
        app, ["denoise", str(tmp_path), "-o", str(tmp_path / "out"), *arguments.split()]
    )

    assert 0 == result.exit_code
    assert tmp_path / "out" / "a-clean.dng" == denoised[0][1]
    assert "<edits/>" == (tmp_path / "out" / "a-clean.xmp").read_text()
