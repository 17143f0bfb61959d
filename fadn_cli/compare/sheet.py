"""A comparison as one PNG: the contact sheet, for where no browser is at hand.

`publish` calls `sheet_png`. The one thing to know: details are cut, never scaled; a pixel of the
sheet is a pixel of the photograph.
"""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fadn_cli.compare.display import RGB
from fadn_cli.compare.pair import Comparison, Detail
from fadn_cli.pipeline.report import decodable
from fadn_cli.pipeline.wording import spell_stops

_CELL = (400, 264)  # width and height of a detail
_WIDTH = 3 * _CELL[0] + 2 * 8
_GAP = 8
_MARGIN = 16
_LINE = 24
_GREY, _TEXT, _QUIET = (42, 42, 42), (217, 217, 217), (168, 168, 168)
_FONT_SIZE = 15


def sheet_png(comparison: Comparison) -> bytes:
    """Draw the whole picture twice, and below it each detail: before, after, and what was removed.

    Returns
    -------
    bytes
        PNG; the same for the same comparison.
    """
    wide = (_WIDTH - _GAP) // 2
    rows = [_row([_fit(comparison.before, wide), _fit(comparison.after, wide)])]
    labels = ["Before and after"]
    for detail in comparison.details:
        cells = [detail.before, detail.after, detail.residual]
        rows.append(_row([_cut(cell) for cell in cells if cell is not None]))
        labels.append(_label(detail))
    facts = [f"{name}: {value}" for name, value in comparison.facts]
    height = sum(row.height + _LINE + _GAP for row in rows) + _LINE * len(facts)
    sheet = Image.new("RGB", (_WIDTH + 2 * _MARGIN, height + 2 * _MARGIN), _GREY)
    font = ImageFont.load_default(_FONT_SIZE)
    draw = ImageDraw.Draw(sheet)
    top = _MARGIN
    for row, label in zip(rows, labels, strict=True):
        draw.text((_MARGIN, top), label, fill=_TEXT, font=font)
        sheet.paste(row, (_MARGIN, top + _LINE))
        top += row.height + _LINE + _GAP
    for fact in facts:
        draw.text((_MARGIN, top), decodable(fact), fill=_QUIET, font=font)
        top += _LINE
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", compress_level=4)  # noise hardly shrinks, but takes its time
    return buffer.getvalue()


def _label(detail: Detail) -> str:
    """Say what a row shows."""
    columns = "before, after" + (", removed" if detail.residual is not None else "")
    brighter = f", shown {spell_stops(detail.stops)} brighter" if detail.stops else ""
    return f"{detail.kind}, 100 %: {columns}{brighter}"


def _row(cells: list[Image.Image]) -> Image.Image:
    """Put pictures side by side."""
    width = sum(cell.width for cell in cells) + _GAP * (len(cells) - 1)
    row = Image.new("RGB", (width, max(cell.height for cell in cells)), _GREY)
    left = 0
    for cell in cells:
        row.paste(cell, (left, 0))
        left += cell.width + _GAP
    return row


def _fit(rgb: RGB, width: int) -> Image.Image:
    """Shrink a picture to a width; one that is smaller stays as it is."""
    picture = Image.fromarray(np.ascontiguousarray(rgb))
    if picture.width <= width:
        return picture
    height = max(round(picture.height * width / picture.width), 1)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _cut(rgb: RGB) -> Image.Image:
    """Cut the middle out of a detail."""
    height, width, _ = rgb.shape
    columns, rows = (min(side, most) for side, most in zip((width, height), _CELL, strict=True))
    top, left = (height - rows) // 2, (width - columns) // 2
    return Image.fromarray(np.ascontiguousarray(rgb[top : top + rows, left : left + columns]))
