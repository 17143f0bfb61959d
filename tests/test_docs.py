"""The documentation says what the program does. `python -m tests.test_docs` rewrites the help."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from fadn_cli import __version__, cli, errors

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
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


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("weights/*.md")))
def test_every_local_link_leads_somewhere(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_changelog_knows_this_version_or_what_comes():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert f"## [{__version__}]" in text or "## [Unreleased]" in text


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    README.write_text(
        HELP_BLOCK.sub(lambda match: match[1] + help_text() + match[2], text), encoding="utf-8"
    )
