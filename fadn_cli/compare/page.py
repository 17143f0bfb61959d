"""A comparison as one HTML page that needs nothing else: no network, no other file, no script.

`cli` and `gallery` call `page_html`. The one thing to know: the page is complete without
JavaScript, as pictures side by side; page.js only makes sliders of them.
"""

import base64
import math
from collections.abc import Iterator
from html import escape
from pathlib import Path
from string import Template

from fadn_cli import __version__
from fadn_cli.compare.chart import noise_chart
from fadn_cli.compare.display import RGB, jpeg
from fadn_cli.compare.pair import Comparison, Detail
from fadn_cli.compare.residual import RANGE
from fadn_cli.pipeline.report import decodable
from fadn_cli.pipeline.wording import spell_share, spell_stops

_WHOLE_QUALITY, _DETAIL_QUALITY, _RESIDUAL_QUALITY = 88, 95, 85
_STOPS = (1, 2, 3)  # of exposure, by which the page can brighten everything
_DEVELOPED = "The output is developed: what was removed can be shown of a DNG only."


def page_html(comparison: Comparison, *, made_of: str = "") -> str:
    """Write a comparison as a page.

    Parameters
    ----------
    comparison : Comparison
    made_of : str
        What the page states to have been made of, for who asks whether it is still the one.

    Returns
    -------
    str
        HTML, ASCII but for the names in it; the same for the same comparison.
    """
    facts = dict(comparison.facts)
    iso = (f"ISO {facts['ISO']}",) if "ISO" in facts else ()
    noise = f"noise {facts['Noise at mid grey'].split(' (')[0]}"
    left = facts.get("Left in flat places", "").split(" of")[0]
    summary = ", ".join((facts["Camera"], *iso, noise + (f", {left} left" if left else "")))
    return template("page.html").substitute(
        version=__version__,
        made_of=_text(made_of),
        title=_text(comparison.name),
        summary=_text(summary),
        style=asset("page.css"),
        script=asset("page.js"),
        filters="".join(_exposure_filter(stops) for stops in _STOPS),
        whole=_whole(comparison),
        details="\n".join(
            _detail(number, detail) for number, detail in enumerate(comparison.details, start=1)
        ),
        residual=_residual(comparison),
        curves=_curves(comparison),
        facts="\n".join(f"<dt>{_text(k)}</dt><dd>{_text(v)}</dd>" for k, v in comparison.facts),
    )


def asset(name: str) -> str:
    """Return a text that lies beside this module, as the wheel carries it."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8").strip()


def template(name: str) -> Template:
    """Return a page with $names to be filled in."""
    return Template(asset(name) + "\n")


def _text(text: str) -> str:
    """Make any text, undecodable file names included, fit for HTML."""
    return escape(decodable(text))


def _image(rgb: RGB, alt: str, *, quality: int) -> str:
    """Write a picture into the page itself."""
    height, width, _ = rgb.shape
    data = base64.b64encode(jpeg(rgb, quality=quality)).decode()
    return (
        f'<img alt="{_text(alt)}" width="{width}" height="{height}"'
        f' src="data:image/jpeg;base64,{data}">'
    )


def _pair(before: RGB, after: RGB, *, name: str, quality: int, marks: str = "") -> str:
    """Write two pictures that page.js makes a slider of."""
    height, width, _ = before.shape
    views = "\n".join(
        f'<div class="view {word.lower()}">{_image(rgb, f"{word}: {name}", quality=quality)}'
        f"<b>{word}</b></div>"
        for word, rgb in (("Before", before), ("After", after))
    )
    return (
        f'<figure class="pair" data-name="{_text(name)}"'
        f' style="--ratio:{width / height:.4f};--w:{width};--h:{height}">\n'
        f'<div class="stage">\n{views}\n{marks}</div>\n</figure>'
    )


def _whole(comparison: Comparison) -> str:
    """Write the whole picture, the places of the details marked in it."""
    marks = []
    for number, detail in enumerate(comparison.details, start=1):
        left, top, width, height = (f"{share:.2%}" for share in detail.place)
        marks.append(
            f'<span style="left:{left};top:{top};width:{width};height:{height}">'
            f'<a href="#detail-{number}" title="{detail.kind}">{number}</a></span>'
        )
    return _pair(
        comparison.before,
        comparison.after,
        name="the whole picture",
        quality=_WHOLE_QUALITY,
        marks=f'<div class="marks">{"".join(marks)}</div>\n',
    )


def _detail(number: int, detail: Detail) -> str:
    """Write a detail at 100 %, and what was removed from it."""
    said = f"Signal {spell_share(detail.level)} of white."
    if detail.stops:
        said += f" Both shown {spell_stops(detail.stops)} brighter than they are."
    views = _pair(detail.before, detail.after, name=detail.kind.lower(), quality=_DETAIL_QUALITY)
    if detail.residual is not None:
        height, width, _ = detail.residual.shape
        image = _image(detail.residual, "What was removed", quality=_RESIDUAL_QUALITY)
        views += (
            f'\n<figure style="--w:{width};--h:{height}"><div class="view">{image}'
            "<b>Removed</b></div></figure>"
        )
    return (
        f'<section class="detail" id="detail-{number}">\n<h2>{number} {detail.kind}</h2>\n'
        f'<p>{said}</p>\n<div class="views">\n{views}\n</div>\n</section>'
    )


def _residual(comparison: Comparison) -> str:
    """Write what was removed from the whole picture, and how to read it."""
    head = "<section>\n<h2>What was removed</h2>\n"
    if comparison.residual is None:
        return f"{head}<p>{_DEVELOPED}</p>\n</section>"
    image = _image(comparison.residual, "What was removed", quality=_RESIDUAL_QUALITY)
    return (
        f"{head}<p>Before minus after, in units of the noise: grey is no change, black and white"
        f" are {RANGE:g}\N{GREEK SMALL LETTER SIGMA}. Even grain is noise. Where the photograph"
        f" can be recognised, detail went with it.</p>\n{image}\n</section>"
    )


def _curves(comparison: Comparison) -> str:
    """Write the noise curves, as a drawing and in figures."""
    if comparison.residual is None:
        return ""
    head = "<section>\n<h2>Noise by brightness</h2>\n"
    if not comparison.points:
        return f"{head}<p>No place in this photograph is flat enough to measure.</p>\n</section>"
    chart = noise_chart(comparison.points, comparison.noise, comparison.noise_after)
    rows = "\n".join(_rows(comparison))
    return (
        f"{head}<p>Measured in flat places of the raw, in the greens.</p>\n{chart}\n"
        f'<ul class="key">{"".join(_key(comparison))}</ul>\n'
        "<details><summary>Figures</summary>\n<table>\n"
        "<tr><th>stops below white</th><th>before</th><th>noise model</th><th>after</th>"
        f"<th>left</th></tr>\n{rows}\n</table>\n</details>\n</section>"
    )


def _key(comparison: Comparison) -> Iterator[str]:
    """Yield what the marks of the chart mean."""
    dot = '<circle class="{}" cx="20" cy="8" r="4.5"/>'
    line = '<path class="model {}" d="M2 8H38"/>'
    entries = [
        (dot.format("before"), "before"),
        (line.format("before"), f"before, noise model ({comparison.noise.source})"),
        (dot.format("after"), "after"),
    ]
    if comparison.noise_after is not None:
        entries.append((line.format("after"), "after, as the file states (NoiseProfile)"))
    for mark, text in entries:
        yield f'<li><svg class="chart" viewBox="0 0 40 16">{mark}</svg>{_text(text)}</li>'


def _rows(comparison: Comparison) -> Iterator[str]:
    """Yield the figures of the curves."""
    for point in comparison.points:
        model = float(comparison.noise.variance(point.level)[1:3].mean()) ** 0.5
        cells = (
            f"{-math.log2(point.level):.1f}",
            *(f"{std:.3%}".replace("%", " %") for std in (point.before, model, point.after)),
            f"{point.after / point.before:.0%}".replace("%", " %"),
        )
        yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _exposure_filter(stops: int) -> str:
    """Write an SVG filter that brightens in linear light."""
    parts = "".join(
        f'<feFunc{channel} type="linear" slope="{2**stops}"/>' for channel in ("R", "G", "B")
    )
    return (
        f'<filter id="ev{stops}" color-interpolation-filters="linearRGB">'
        f"<feComponentTransfer>{parts}</feComponentTransfer></filter>"
    )
