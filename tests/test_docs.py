"""The documentation says what the program does. `python -m tests.test_docs` rewrites the help
and the manual page."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from fadn_cli import __version__, errors
from fadn_cli.cli import app as cli
from tests.manual import manual_page

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
MANUAL = ROOT / "docs" / "fadn.1"
COMMANDS = list(typer.main.get_command(cli.app).commands)
HELP_BLOCK = re.compile(r"(<!-- help -->\n```\n).*?(```\n<!-- /help -->)", re.DOTALL)


def help_text():
    """What every command says of itself, 80 columns wide."""
    environment = {**os.environ, "COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"}
    texts = []
    for command in ([], *([name] for name in COMMANDS)):
        arguments = [*command, "--help"]
        done = subprocess.run(
            [sys.executable, "-m", "fadn_cli", *arguments],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        texts.append(f"$ fadn {' '.join(arguments)}\n{done.stdout.strip()}\n")
    return "\n".join(line.rstrip() for line in "\n".join(texts).splitlines()) + "\n"


def test_the_readmes_help_is_the_real_one():
    found = HELP_BLOCK.search(README.read_text(encoding="utf-8"))

    assert found is not None
    expected = found[1] + help_text() + found[2]
    assert expected == found[0], "run `python -m tests.test_docs`"


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
def test_every_command_is_in_the_readme_and_its_help(command):
    assert f"fadn {command}" in README.read_text(encoding="utf-8")
    assert f"$ fadn {command} --help" in help_text()


def test_every_exit_code_is_in_the_readme():
    text = README.read_text(encoding="utf-8")
    classes = [errors.FadnError, *errors.FadnError.__subclasses__()]

    for code in {each.exit_code for each in classes} | {0, 2, 130}:
        assert f"| {code} |" in text


def test_the_first_two_shell_blocks_are_one_line_each():
    blocks = re.findall(r"^```sh\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)

    assert all(1 == block.count("\n") for block in blocks[:2])
    assert "fadn demo" in blocks[0]
    assert "pytest" in blocks[1]


@pytest.mark.parametrize(
    "page",
    sorted(page for place in ("", "weights/", "docs/") for page in ROOT.glob(f"{place}*.md")),
)
def test_every_local_link_leads_somewhere(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_changelog_knows_this_version_or_what_comes():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert f"## [{__version__}]" in text or "## [Unreleased]" in text


if __name__ == "__main__":
    MANUAL.write_text(manual_page(), encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    README.write_text(
        HELP_BLOCK.sub(lambda match: match[1] + help_text() + match[2], text), encoding="utf-8"
    )
