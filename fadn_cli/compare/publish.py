"""A comparison to a file: the page or the contact sheet, under the name the user asked for.

`cli` calls `publish`. The one thing to know: the file appears only when it is whole, like every
output, and replaces neither a photograph nor, unless asked to, anything else.
"""

from pathlib import Path

from fadn_cli.compare.page import page_html
from fadn_cli.compare.pair import compare_files
from fadn_cli.compare.sheet import sheet_png
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.system.files import atomic_output, ensure_not_source
from fadn_cli.system.opening import write_plain

_PAGE, _SHEET = (".html", ".htm"), ".png"


def publish(
    before: Path,
    after: Path,
    output: Path | None = None,
    *,
    options: DenoiseOptions | None = None,
    overwrite: bool = False,
) -> Path:
    """Compare a photograph before and after denoising, and write the page or the sheet.

    Parameters
    ----------
    before, after : Path
        See `pair.compare_files`.
    output : Path, optional
        .html for the page, .png for the contact sheet, or a folder for the page; None: the page,
        beside `after` and named like it.
    options : DenoiseOptions, optional
        The user's noise or ISO, as for the denoising.
    overwrite : bool
        Whether an existing file is replaced.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    ValueError
        The name of `output` says neither page nor sheet.
    FadnError
        See `pair.compare_files`; the output exists or cannot be written.
    """
    target = _name(after, output)
    for source in (before, after):
        ensure_not_source(source, target)
    with atomic_output(target, overwrite=overwrite) as temporary:
        comparison = compare_files(before, after, options)
        if target.suffix.lower() == _SHEET:
            write_plain(temporary, sheet_png(comparison))
        else:
            write_plain(temporary, page_html(comparison))
    return target


def _name(after: Path, output: Path | None) -> Path:
    """Name the file to write."""
    page = after.stem + _PAGE[0]
    if output is None:
        return after.with_name(page)
    if output.is_dir():
        return output / page
    if output.suffix.lower() not in (*_PAGE, _SHEET):
        raise ValueError(f"{output}: neither a folder, nor does it end in .html or .png")
    return output
