"""Every fadn command in README and docs runs, in a shell and for real; all else there is checked.

A command line is run by bash in a home made for it, where `fadn` is a stand-in that notes how it is
called; each call is then made here, in this process, and must succeed. So quoting, patterns and
pipes are the shell's, and the work is fadn's.
"""

import base64
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import fadn_cli
from fadn_cli.cli.app import app
from fadn_cli.pipeline import presets
from fadn_cli.pipeline.file import DenoiseOptions, denoise_file
from tests.making.camera_tiff import CAMERAS, write_camera_tiff
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.tiles import choose_small

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ROOT / "docs" / "scripting.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
STAND_INS = ("systemctl", "xdg-open", "darktable-cli", "inotifywait")
CALLS_FADN = re.compile(r"\bfadn [a-z]|docs/recipes/")
ELSEWHERE = {
    "--install-completion": "changes the shell's own files: test_scripting completes in bash",
    "--scheduler": "needs a cluster: test_cluster has one",
    "--device NAME": "names an option",
    "--device cuda": "is refused where there is none: test_place has devices of its own",
    "FILE.json": "names an option",
    "...": "stands for any command",
    "../shared/": "needs the real raws, which lie beside a checkout only",
    ".venv/bin/": "the README's first blocks are run by .ci/run",
    "systemctl": "the units themselves are checked below",
}
"""Lines that are not run, by what they contain, and why."""

NOTE = """#!/bin/bash
# Note how fadn is called; what a pipe needs an answer to is answered by fadn itself.
input=
[[ " $* " == *" - "* ]] && input=$(base64 -w0)
printf '%s\\0' "$#" "$input" "$PWD" "$@" >>"$HOME/calls"
[[ $1 == info ]] && exec PYTHON -m fadn_cli "$@"
exit 0
""".replace("PYTHON", shlex.quote(sys.executable))


def blocks(path):
    """The fenced blocks of a page: (language, name, text)."""
    found = re.findall(
        r"^```(\w+)(?: (\S+))?\n(.*?)^```$", path.read_text(encoding="utf-8"), re.M | re.S
    )
    return [(language, name, text) for language, name, text in found]


def commands():
    """Every command line that calls fadn: in sh blocks, examples of the help, running text."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = [
            line for kind, _, block in blocks(page) if kind == "sh" for line in block.splitlines()
        ]
        lines += re.findall(r"^ {4}((?:fadn|find) .*)$", text, re.M)
        lines += re.findall(r"`(fadn [\w-]+ [^`]+)`", text)
        for line in dict.fromkeys(lines):
            if CALLS_FADN.search(line) and not any(mark in line for mark in ELSEWHERE):
                yield page.name, line


COMMANDS = sorted(set(commands()))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One raw of each kind and one output, to be copied."""
    folder = tmp_path_factory.mktemp("store")
    write_dng(folder / "raw.dng", noisy_samples(), iso=3200)
    for suffix in ("NEF", "CR2"):
        make, model = CAMERAS[suffix.lower()]
        write_camera_tiff(folder / f"raw.{suffix}", noisy_samples(), make=make, model=model)
    options = DenoiseOptions(quality="fast", threads=1)
    for suffix in ("dng", "NEF", "CR2"):
        denoise_file(folder / f"raw.{suffix}", folder / f"{suffix}_denoised.dng", options)
    return folder


@pytest.fixture
def home(store, tmp_path, monkeypatch):
    """A photographer's home: raws in it, in folders, and on a card; the working folder is there."""
    choose_small(monkeypatch, 64)  # for the doctor, who times whole tiles
    home = tmp_path / "home"
    for place, names in {
        ".": ("IMG_1234.dng", "IMG_1234.NEF", "photo.dng", "later/new.RW2"),
        "Photos/2026": ("IMG_1.NEF", "day 1/IMG_2.NEF", "day 1/IMG_3.CR2"),
        "Photos": ("IMG_4.CR2",),
        "Photos/inbox": ("IMG_5.NEF",),
        "day 1": ("IMG_6.NEF",),
        "card/DCIM": ("100CANON/IMG_7.CR2",),
    }.items():
        for name in names:
            path = home / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            suffix = path.suffix if path.suffix != ".RW2" else ".NEF"
            shutil.copyfile(store / f"raw{suffix}", path)
    shutil.copyfile(store / "raw.CR2", home / "IMG_1234.CR2")
    (home / "IMG_1234.NEF.xmp").write_text("<x/>")
    (home / "last").touch()
    os.utime(home / "last", (0, 0))
    (home / "fadn").symlink_to(ROOT)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, script in {"fadn": NOTE, **dict.fromkeys(STAND_INS, "#!/bin/sh\nexit 0\n")}.items():
        (tools / name).write_text(script)
        (tools / name).chmod(0o755)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path(fadn_cli.__file__).parents[1]))
    return home


def shell(line, home):
    """Run a command line as the user would; return the calls of fadn that it made."""
    line = line.replace("/media/card", str(home / "card"))
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        cwd=home,
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    noted = home / "calls"
    words = noted.read_text().split("\0")[:-1] if noted.exists() else []
    calls = []
    while words:
        count, words = int(words[0]) + 2, words[1:]
        calls.append(words[:count])
        words = words[count:]
    return calls


def perform(calls, monkeypatch):
    """Make the calls of fadn in this process; each must succeed."""
    for listed, folder, *arguments in calls:
        monkeypatch.chdir(folder)
        result = CliRunner().invoke(app, arguments, input=base64.b64decode(listed))
        assert 0 == result.exit_code, (arguments, result.output, result.exception)


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_every_command_with_fadn_in_it_works(page, line, home, store, monkeypatch):
    if "_denoised.dng" in line:  # what is looked at has been denoised before
        suffix = "CR2" if "IMG_1234.CR2" in line else "dng"
        shutil.copyfile(store / f"{suffix}_denoised.dng", home / "IMG_1234_denoised.dng")
    if "--bad-pixels " in line:  # a list has been made
        (home / "d800.txt").write_text("20 10\n")
    if "dark1.NEF" in line:  # of dark frames
        dark = np.random.default_rng(1).integers(0, 6, (64, 96)).astype(np.uint16)
        for number in (1, 2, 3):
            write_camera_tiff(home / f"dark{number}.NEF", dark)
    if "--preset " in line:  # and presets have been created
        presets.create_config()

    calls = shell(line, home)

    assert calls, "fadn was not called"
    perform(calls, monkeypatch)


def test_there_are_commands_for_photographers_and_scripts():
    pages = [page for page, _ in COMMANDS]

    assert pages.count("README.md") >= 12
    assert pages.count("guide.md") + pages.count("scripting.md") >= 12
    for command in ("denoise", "compare", "info", "check", "verify", "doctor"):
        assert any(f"fadn {command} " in line for _, line in COMMANDS), command


def test_every_shell_block_is_sound():
    texts = [text for page in PAGES for kind, _, text in blocks(page) if kind == "sh"]
    texts += [path.read_text() for path in (ROOT / "docs" / "recipes").glob("*.sh")]

    for text in texts:
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)
        if shutil.which("shellcheck"):
            command = ["shellcheck", "--shell=bash", "-"]
            run = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
            assert 0 == run.returncode, run.stdout


def test_the_makefile_makes_what_is_missing_and_no_more(home, monkeypatch):
    make = f"make -f {ROOT}/docs/recipes/Makefile -C Photos/2026"
    dry = subprocess.run(
        [*make.split(), "-n"], cwd=home, capture_output=True, text=True, check=True
    )
    assert "fadn denoise --quiet --overwrite IMG_1.NEF -o IMG_1_denoised.dng" in dry.stdout

    perform(shell(make, home), monkeypatch)

    assert (home / "Photos/2026/IMG_1_denoised.dng").exists()
    again = subprocess.run([*make.split(), "-q"], cwd=home, capture_output=True, check=False)
    assert 0 == again.returncode


def test_the_watched_folder_is_denoised_as_files_arrive(home, monkeypatch):
    (home.parent / "bin" / "inotifywait").write_text("#!/bin/sh\nprintf 'a b.NEF\\nc.NEF\\n'\n")

    calls = shell(f"{ROOT}/docs/recipes/watch.sh Photos/inbox Clean", home)

    assert 3 == len(calls)  # what was there, and after each of two files
    perform(calls[:2], monkeypatch)
    assert (home / "Clean" / "IMG_5_denoised.dng").exists()


def test_a_real_inotifywait_understands_how_it_is_called(home):
    if shutil.which("inotifywait", path=os.defpath) is None:
        pytest.skip("inotifywait is not installed")
    script = (ROOT / "docs" / "recipes" / "watch.sh").read_text()
    (call,) = re.findall(r"^(inotifywait .*) \|$", script, re.M)
    call = call.replace('"$folder"', ".").replace("--monitor ", "")  # ends with the first event

    done = subprocess.run(
        f"while :; do : > 'a b.NEF'; sleep 0.1; done & {call}; kill $!",
        shell=True,
        cwd=home,
        env={**os.environ, "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert ("a b.NEF\n", "") == (done.stdout, done.stderr)


def test_the_systemd_units_are_sound(tmp_path):
    units = {name: text for kind, name, text in blocks(RECIPES) if kind == "ini"}
    assert {
        "fadn-inbox.path",
        "fadn-inbox.service",
        "fadn-nightly.service",
        "fadn-nightly.timer",
    } == set(units)
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    program = tmp_path / "fadn"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for name, text in units.items():
        (tmp_path / name).write_text(text.replace("%h/.local/bin/fadn", str(program)))

    run = subprocess.run(
        [
            "systemd-analyze",
            "verify",
            "--user",
            "--man=no",
            *(str(tmp_path / name) for name in units),
        ],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    complaints = [line for line in run.stderr.splitlines() if "fadn" in line]
    assert (0, []) == (run.returncode, complaints), run.stderr


@pytest.mark.parametrize("unit", ("fadn-inbox.service", "fadn-nightly.service"))
def test_what_the_services_start_works(unit, home, monkeypatch):
    (text,) = (text for _, name, text in blocks(RECIPES) if name == unit)
    (line,) = re.findall(r"^ExecStart=%h/.local/bin/(.*)$", text, re.M)

    perform(shell(line.replace("%h", str(home)), home), monkeypatch)

    assert list((home / "Clean").rglob("*_denoised.dng"))


LUA = r"""
local log = {}
local function note(...) log[#log + 1] = table.concat({...}, "|") end
local settings = {command = "fa dn", options = "--strength 0.8"}
local image = {
  path = "/photos/it's", filename = "IMG_1.NEF", group_leader = "leader", rating = 4, red = true,
}
local buttons, shortcuts = {}, {}
package.preload["darktable"] = function() return {
  preferences = {
    register = function(_, name, kind, _, _, default) note("setting", name, kind, default) end,
    read = function(_, name) return settings[name] end,
  },
  control = {ending = false, execute = function(command) note("run", command); return STATUS end},
  database = {import = function(path)
    note("import", path)
    return setmetatable({group_with = function(_, leader) note("group", leader) end},
      {__newindex = function(_, key, value) note("set", key, tostring(value)) end})
  end},
  tags = {
    get_tags = function() return {{name = "flowers"}, {name = "darktable|changed"}} end,
    attach = function(tag) note("tag", tag.name) end,
  },
  gui = {
    action_images = {image},
    create_job = function() return {valid = true} end,
    libs = {image = {register_action = function(_, label, run) buttons[label] = run end}},
  },
  print = function(text) note("print", text) end,
  register_event = function(_, kind, run) shortcuts[kind] = run end,
} end
local open = io.open
io.open = function(path) note("look", path); return EXISTS and {close = function() end} or nil end
dofile(arg[1])
buttons["denoise with fadn"](nil, {image})
shortcuts["shortcut"]()
for _, line in ipairs(log) do print(line) end
"""


def lua(prelude):
    """Run the darktable script with a darktable that only notes what it is asked."""
    program = shutil.which("lua5.4") or shutil.which("lua5.3") or shutil.which("lua")
    if program is None:
        pytest.skip("Lua is not installed")
    command = [program, "-", str(ROOT / "docs" / "recipes" / "fadn.lua")]
    run = subprocess.run(command, input=prelude + LUA, text=True, capture_output=True, check=False)
    assert "" == run.stderr
    return run.stdout.splitlines()


def test_the_darktable_script_denoises_imports_and_groups():
    log = lua("STATUS, EXISTS = 0, true\n")

    output = "/photos/it's/IMG_1_denoised.dng"
    command = next(line for line in log if line.startswith("run|")).removeprefix("run|")
    words = ["fa dn", "denoise", "--quiet", "--strength", "0.8", "-o", output, "--"]
    assert [*words, "/photos/it's/IMG_1.NEF"] == shlex.split(command)
    after = log[log.index(f"import|{output}") :]
    assert ["group|leader", "set|rating|4", "set|red|true"] == after[1:4]
    assert "tag|flowers" in after
    assert "tag|darktable|changed" not in log
    assert 2 == log.count(f"import|{output}")  # the button, then the shortcut


@pytest.mark.parametrize("outcome", ("STATUS, EXISTS = 1, true\n", "STATUS, EXISTS = 0, false\n"))
def test_the_darktable_script_says_what_failed_and_imports_nothing(outcome):
    log = lua(outcome)

    assert "print|fadn could not denoise IMG_1.NEF" in log
    assert not any(line.startswith("import|") for line in log)
