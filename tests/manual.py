"""The manual page, written from what the commands say of themselves: `python -m tests.test_docs`.

The one thing to know: nothing is told here that the program does not tell; a test holds docs/fadn.1
against `manual_page`, so that it can never be out of date.
"""

import re
import textwrap

import typer
from typer._click.core import Context

from fadn_cli import __version__, errors
from fadn_cli.cli import app as cli

EXITS = {
    0: "All done.",
    1: "Several files, and some failed; check, verify or doctor found something wrong.",
    2: "Wrong usage.",
    **{kind.exit_code: kind.__doc__.splitlines()[0] for kind in errors.FadnError.__subclasses__()},
    129: "Ended by SIGHUP.",
    130: "Interrupted.",
    143: "Ended by SIGTERM.",
}
"""What each exit code means, in the words of the error classes."""


def manual_page():
    """The whole page in man's language."""
    group = typer.main.get_command(cli.app)
    lines = [
        '.\\" Written by python -m tests.test_docs. Do not edit.',
        f'.TH FADN 1 "" "fadn {__version__}" "User Commands"',
        ".SH NAME",
        f"fadn \\- {roff(lower_first(group.help).rstrip('.'))}",
        ".SH SYNOPSIS",
        *(line for command in group.commands.values() for line in synopsis(command)),
        ".SH DESCRIPTION",
        roff(f"{group.help} Without a GPU, without a network. Each command is described below."),
        ".SH COMMANDS",
    ]
    for name, command in group.commands.items():
        lines += [f".SS fadn {name}", *described(command.help), *parameters(command)]
    lines += [".SH EXIT STATUS"]
    for code, meaning in sorted(EXITS.items()):
        lines += [".TP", f".B {code}", roff(meaning)]
    lines += [".SH SEE ALSO", ".BR darktable (1),", ".BR exiftool (1)"]
    return "\n".join(lines) + "\n"


def synopsis(command):
    """How a command is called."""
    pieces = " ".join(command.collect_usage_pieces(context_of(command))).replace("[[DIR]]", "[DIR]")
    return [f".B fadn {command.name}", roff(pieces), ".br"]


def described(text):
    """Paragraphs; those after \\b as they stand."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if paragraph.lstrip().startswith("\b"):
            example = textwrap.dedent(paragraph.partition("\n")[2]).splitlines()
            yield from (".PP", ".EX", *map(roff, example), ".EE")
        else:
            yield from (".PP", roff(" ".join(paragraph.split())))


def parameters(command):
    """Arguments, then options, in the words of the help."""
    context = context_of(command)
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            usage, text = record
            yield from (".TP", f".B {roff(usage)}", roff(" ".join(text.split())))


def context_of(command):
    """What a command is asked in; its names of --help are the app's."""
    names = cli.app.info.context_settings["help_option_names"]
    return Context(command, info_name=f"fadn {command.name}", help_option_names=names)


def roff(text):
    """Text that man takes as it stands."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.MULTILINE)


def lower_first(text):
    return text[0].lower() + text[1:]
