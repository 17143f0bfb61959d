"""The documentation says what the program does. `python -m tests.test_docs` rewrites docs/cli.md
and the manual page."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import fadn_cli
from fadn_cli import __version__, errors
from fadn_cli.cli import app as cli
from tests.manual import manual_page

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
CLI_PAGE = ROOT / "docs" / "cli.md"
MANUAL = ROOT / "docs" / "fadn.1"
PAGES = sorted(
    str(page.relative_to(ROOT))
    for place in ("", "weights/", "docs/")
    for page in ROOT.glob(f"{place}*.md")
)
COMMANDS = typer.main.get_command(cli.app).commands


def cli_page():
    """docs/cli.md: what every command says of itself, 80 columns wide."""
    lines = [
        "# The commands",
        "",
        "What each says of itself with `--help`; `man fadn` shows the same, and the exit codes.",
        "Made by `python -m tests.test_docs`: do not edit it here.",
        "",
        "| command | what it does |",
        "|---|---|",
    ]
    for name, command in COMMANDS.items():
        lines.append(f"| [`fadn {name}`](#fadn-{name}) | {command.help.strip().splitlines()[0]} |")
    for words in (["fadn"], *(["fadn", name] for name in COMMANDS)):
        call = " ".join(words)
        shown = [line.rstrip() for line in help_of(words[1:]).strip().splitlines()]
        lines += ["", f"## {call}", "", "```text", f"$ {call} --help", *shown, "```"]
    return "\n".join(lines) + "\n"


def help_of(command):
    """What `fadn COMMAND --help` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "fadn_cli", *command, "--help"],
        env={**os.environ, "COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_the_page_of_the_commands_is_the_real_one():
    assert cli_page() == CLI_PAGE.read_text(encoding="utf-8"), "run `python -m tests.test_docs`"


def test_the_manual_page_is_the_real_one():
    assert manual_page() == MANUAL.read_text(encoding="utf-8"), "run `python -m tests.test_docs`"


def test_the_manual_page_is_one_that_man_can_show():
    if shutil.which("man") is None or shutil.which("groff") is None:
        pytest.skip("man or groff is not installed")

    environment = {**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANROFFOPT": "-ww"}
    command = ["man", "--warnings=all", "--local-file", str(MANUAL)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    shown = re.sub(" +", " ", re.sub(".\b", "", done.stdout))  # set justified
    assert "" == done.stderr
    assert "fadn - denoise raw photographs" in shown
    assert "--strength F" in shown
    assert "-h, --help" in shown
    assert "fadn denoise IMG_1234.NEF -o clean.tif\n" in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command):
    assert f"fadn {command}" in README.read_text(encoding="utf-8")


def test_every_exit_code_is_told():
    text = (ROOT / "docs" / "scripting.md").read_text(encoding="utf-8")
    classes = [errors.FadnError, *errors.FadnError.__subclasses__()]

    for code in {each.exit_code for each in classes} | {0, 2, 129, 130, 143}:
        assert f"| {code} |" in text


def test_the_first_two_shell_blocks_are_one_line_each():
    blocks = re.findall(r"^```sh\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)

    assert all(1 == block.count("\n") for block in blocks[:2])
    assert "fadn demo" in blocks[0]
    assert "pytest" in blocks[1]


@pytest.mark.parametrize("page", PAGES)
def test_every_local_link_leads_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")

    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def anchors(page):
    """What GitHub calls the headings of a page in links."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", sorted({*PAGES, "Makefile"}))
def test_every_module_spoken_of_exists(page):
    text = (ROOT / page).read_text(encoding="utf-8")

    for name in re.findall(r"\b(?!training\.md)((?:fadn_cli|training)(?:\.\w+)+)", text):
        *rooms, last = name.removeprefix("fadn_cli.").split(".")
        place = ROOT.joinpath("fadn_cli", *rooms)
        there = (place / last).is_dir() or (place / f"{last}.py").exists()
        assert there or hasattr(fadn_cli, last), name
    for path in re.findall(r"(?<![\w/*.-])[\w/-]+\.py\b|\bfadn_cli/[\w./*-]*\w", text):
        places = (path, f"fadn_cli/**/{path}", f"benchmarks/{path}")
        assert any(next(ROOT.glob(place), None) for place in places), path


def test_the_changelog_knows_this_version_or_what_comes():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert f"## [{__version__}]" in text or "## [Unreleased]" in text


if __name__ == "__main__":
    MANUAL.write_text(manual_page(), encoding="utf-8")
    CLI_PAGE.write_text(cli_page(), encoding="utf-8")
