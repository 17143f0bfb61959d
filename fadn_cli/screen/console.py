"""What the user reads: tables, warnings and errors. Presentation only, with rich.

`cli`, `progress` and `__main__` call it with the plain values of `report`. The one thing to know:
no text from outside is ever taken for markup (rich would eat `[raw]` in a file name), and stdout
gets nothing but what was asked for; everything else goes to stderr.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fadn_cli.errors import FadnError
from fadn_cli.findings import Diagnosis, FileFindings, Finding, PixelComparison, Verification
from fadn_cli.pipeline.report import FileInfo, decodable, to_json
from fadn_cli.pipeline.wording import (
    name_camera,
    spell_banding,
    spell_cfa,
    spell_exposure,
    spell_noise,
    spell_number,
    spell_share,
)

_STYLES = {"error": "bold red", "warning": "bold yellow"}
_PIPE_WIDTH = 160  # where there is no terminal to ask, tables should not fold


def show_error(error: FadnError) -> None:
    """Print what went wrong and what to do next."""
    console = make_console(stderr=True)
    text = Text.assemble(("fadn: error: ", "bold red"), printable(str(error)))
    console.print(text, soft_wrap=True)
    if error.advice:
        console.print(Text(f"  {printable(error.advice)}"), soft_wrap=True)


def show_warning(warning: str) -> None:
    """Print what the user should know."""
    text = Text.assemble(("fadn: warning: ", "bold yellow"), printable(warning))
    make_console(stderr=True).print(text, soft_wrap=True)


def show_json(value: Any) -> None:
    """Print any value of `report`, or a list of them, as JSON on stdout."""
    make_console(stderr=False).out(to_json(value), highlight=False)


def show_info(info: FileInfo) -> None:
    """Print what fadn sees in one raw, on stdout."""
    top, left, height, width = info.active_area
    black = " / ".join(" ".join(f"{level:g}" for level in row) for row in info.black_level)
    if len(info.black_level) > 2 and len({level for row in info.black_level for level in row}) == 1:
        black = f"{info.black_level[0][0]:g}"
    rows = {
        "File": str(info.path),
        "Camera": name_camera(info.make, info.model),
        "ISO": spell_number(info.iso),
        "Exposure": spell_exposure(info.exposure_time),
        "Size": f"{info.width} x {info.height}",
        "Active area": f"{width} x {height} from column {left}, row {top}",
        "Orientation": str(info.orientation),
        "CFA": spell_cfa(info.cfa),
        "Black level": black,
        "White level": f"{info.white_level:g}",
        "Noise measured": spell_noise(info.noise_measured),
        "Noise profile": spell_noise(info.noise_profile),
        "Noise used": spell_noise(info.noise_used),
        "Specialist": info.specialist or "none",
        "Bad pixels": str(info.bad_pixels),
        "Hot pixels": str(info.hot_pixels),
        "Banding": spell_banding(info.row_noise, info.column_noise),
        "Denoised": "by fadn" if info.is_fadn_output else "not yet",
    }
    console = make_console(stderr=False)
    for label, value in rows.items():
        console.print(Text.assemble((f"{label:<16}", "bold"), printable(value)), soft_wrap=True)
    for warning in info.warnings:
        show_warning(warning)


def show_config(path: Path, presets: Sequence[str], rows: Sequence[tuple[str, Any, str]]) -> None:
    """Print where the presets are, and what holds: option, value, who says so; on stdout."""
    console = make_console(stderr=False)
    missing = "" if path.exists() else " (not there yet: fadn config --create)"
    head = {"File": f"{path}{missing}", "Presets": ", ".join(presets) or "none"}
    for label, value in head.items():
        console.print(Text.assemble((f"{label:<16}", "bold"), printable(value)), soft_wrap=True)
    table = make_table("Option", "Value", "From")
    for key, value, source in rows:
        shown = "" if value is None else to_json(value)  # as one writes it in the file
        table.add_row(*(Text(printable(cell)) for cell in (key, shown, source)))
    console.print(table)


def show_models(models: Sequence[dict[str, Any]]) -> None:
    """Print the bundled specialists, given as JSON's types, on stdout."""
    table = make_table(
        "Specialist", "Quality", "Noise at mid grey", "Weights", "MAC/sample", "PSNR by noise level"
    )
    for model in models:
        low, high = model["noise_range"]
        above = "and more" if high is None else f"to {spell_share(high)}"
        psnr = ", ".join(f"{level} {value:.2f} dB" for level, value in model["psnr"].items())
        table.add_row(
            Text(model["name"]),
            Text(model["quality"]),
            Text(f"{spell_share(low)} {above}"),
            Text(f"{model['parameters']:,}"),
            Text(f"{model['macs_per_packed_pixel'] / 4:,.0f}"),
            Text(psnr),
        )
    make_console(stderr=False).print(table)


def show_findings(files: Sequence[FileFindings]) -> None:
    """Print what is wrong with each of several files, on stdout."""
    console = make_console(stderr=False)
    for file in files:
        verdict = _count_findings(file.findings) or "nothing is wrong"
        name = Text(printable(str(file.path)), "bold")
        console.print(Text.assemble(name, f": {verdict}"), soft_wrap=True)
        for finding in file.findings:
            label = (f"  {finding.severity:<8} ", _STYLES[finding.severity])
            where = "" if finding.offset is None else f" (byte {finding.offset})"
            line = Text.assemble(label, printable(str(finding)), where)
            console.print(line, soft_wrap=True)


def show_verification(found: Verification) -> None:
    """Print how an output differs from its source, and whether it may, on stdout."""
    console = make_console(stderr=False)
    if found.tags:
        table = make_table("IFD", "Tag", "Source", "Output", "")
        for change in found.tags:
            both = (change.before, change.after)
            values = (Text("none" if value is None else printable(value)) for value in both)
            verdict = Text("may differ") if change.allowed else Text("must not", _STYLES["error"])
            table.add_row(Text(change.ifd), Text(change.tag), *values, verdict)
        console.print(table)
    for stretch in found.bytes:
        last = stretch.offset + stretch.length - 1
        console.print(Text(f"Bytes {stretch.offset} to {last} differ and must not."))
    for label, value in _pixel_rows(found.pixels):
        console.print(Text.assemble((f"{label:<24}", "bold"), value), soft_wrap=True)
    if found.holds:
        console.print(Text("Nothing differs but what denoising may change.", "bold green"))
    for violation in found.violations:
        console.print(Text(f"Wrong: {printable(violation)}", _STYLES["error"]), soft_wrap=True)


def show_plan(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print what a batch would do, given as JSON's types, on stdout: a line per input."""
    console = make_console(stderr=False)
    for row in rows:
        facts = [row["action"], str(row["source"])]
        facts += ["->", str(row["output"])] if row["output"] else []
        facts += [f"({row['reason']})"] if row["reason"] else []
        console.print(Text(printable(" ".join(facts))), soft_wrap=True)


def show_diagnosis(diagnosis: Diagnosis) -> None:
    """Print what the doctor found, on stdout: what is not as it should be stands out."""
    console = make_console(stderr=False)
    for check in diagnosis.checks:
        label = Text(f"{check.name:<14}", _STYLES.get(check.severity, "bold"))
        mark = "" if check.severity == "ok" else f"{check.severity}: "
        console.print(Text.assemble(label, mark, printable(check.value)), soft_wrap=True)
        if check.advice:
            console.print(Text(f"{'':<14}{printable(check.advice)}"), soft_wrap=True)


def show_places(what: str, paths: Sequence[Path]) -> None:
    """Print where something has been written, on stderr."""
    for path in paths:
        make_console(stderr=True).print(Text(f"{what}: {printable(str(path))}"), soft_wrap=True)


def show_demo(files: Sequence[tuple[str, Path]], *, psnr: tuple[float, float]) -> None:
    """Print where the demonstration's files are, and what was gained: PSNR before and after."""
    console = make_console(stderr=True)
    for label, path in files:
        console.print(Text(f"{label:<16}{printable(str(path))}"), soft_wrap=True)
    before, after = psnr
    gain = f"PSNR against the clean scene: {before:.1f} dB before, {after:.1f} dB after"
    console.print(Text(f"{gain} ({after - before:+.1f} dB)"), soft_wrap=True)


def _count_findings(findings: Sequence[Finding]) -> str:
    """Say how many errors and warnings there are; empty if none."""
    counts: Counter[str] = Counter(finding.severity for finding in findings)
    kinds = [(counts[severity], severity) for severity in _STYLES if counts[severity]]
    return ", ".join(f"{n} {severity}{'s' if n > 1 else ''}" for n, severity in kinds)


def _pixel_rows(pixels: PixelComparison | None) -> Iterator[tuple[str, str]]:
    """Yield what to say of the samples, label and value."""
    if pixels is None:
        return
    yield "Samples that differ", f"{pixels.changed:,} of {pixels.active:,} in the active area"
    yield "of saturated areas", f"{pixels.saturated_changed:,} of {pixels.saturated:,}"
    yield "outside the active area", f"{pixels.outside_changed:,} of {pixels.outside:,}"
    if pixels.marks or pixels.marks_added:
        kept = pixels.marks - pixels.marks_lost
        added = f", and {pixels.marks_added:,} more" if pixels.marks_added else ""
        yield "Marks of bad pixels", f"{kept:,} of {pixels.marks:,} kept{added}"
    if pixels.block_shift:
        shifts = zip(pixels.planes, pixels.block_shift, strict=True)
        means = ", ".join(f"{plane} {spell_share(shift)}" for plane, shift in shifts)
        worst = spell_share(pixels.worst_block_shift)
        yield "Shift of small areas", f"{means} on average, {worst} at most"


def printable(text: str) -> str:
    r"""Escape whatever a terminal could not show or would act on.

    Examples
    --------
    >>> printable("a\x1b[31m.dng")
    'a\\x1b[31m.dng'
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in decodable(text)
    )


def make_console(*, stderr: bool) -> Console:
    """A console that takes text literally; rich itself heeds NO_COLOR."""
    file = _stderr() if stderr else None
    console = Console(file=file, stderr=stderr, markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    return console


def _stderr() -> IO[str] | None:
    """Give stderr through a descriptor of its own; None where it is not the process's stderr.

    Number 2 is turned away while LibRaw decodes, which may be at any time in another thread.
    """
    try:
        return _copied_stderr() if sys.stderr.fileno() == 2 else None
    except (AttributeError, OSError, ValueError):  # there is none, or it is no file
        return None


@lru_cache(maxsize=1)
def _copied_stderr() -> IO[str]:
    """Open a copy of file descriptor 2 once, before anybody turns it away."""
    encoding, errors = sys.stderr.encoding, sys.stderr.errors
    return os.fdopen(os.dup(2), "w", buffering=1, encoding=encoding, errors=errors)


def make_table(*headings: str) -> Table:
    """A table whose first column folds rather than hiding part of a name."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
