"""Noise against brightness as an SVG drawing: the model, what was measured, before and after.

`page` calls it. The one thing to know: both axes are logarithmic, as stops and decades; a camera's
noise is then a line that bends where read noise ends and shot noise begins.
"""

import math
from collections.abc import Iterator

from fadn_cli.compare.curves import NoisePoint
from fadn_cli.noise import NoiseModel

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 92, 20, 16, 52
_STEPS = 48  # of a model's line
_FEWEST_STOPS = 6


def noise_chart(
    points: tuple[NoisePoint, ...], noise: NoiseModel, noise_after: NoiseModel | None
) -> str:
    """Draw the noise of the greens against their level.

    Parameters
    ----------
    points : tuple of NoisePoint
        At least one.
    noise, noise_after : NoiseModel
        Of source and output; the output may state none.

    Returns
    -------
    str
        An <svg> element; colours come from the page's style sheet by class.
    """
    axes = _Axes(points, noise, noise_after)
    parts = [*axes.draw()]
    for model, name in ((noise, "before"), (noise_after, "after")):
        if model is not None:
            parts.append(f'<polyline class="model {name}" points="{axes.line(model)}"/>')
    for name in ("before", "after"):
        for point in points:
            x, y = axes.place(point.level, getattr(point, name))
            parts.append(f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>')
    label = "Noise against brightness, before and after; the figures are in the table below"
    head = f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
    return "\n".join((head, *parts, "</svg>"))


class _Axes:
    """Stops below white to the right, standard deviation upwards."""

    def __init__(
        self, points: tuple[NoisePoint, ...], noise: NoiseModel, noise_after: NoiseModel | None
    ) -> None:
        self.darkest = min(math.floor(math.log2(points[0].level)), -_FEWEST_STOPS)
        values = [value for point in points for value in (point.before, point.after) if value > 0]
        for model in (noise, noise_after):
            if model is not None:
                values += [_std(model, 2.0**self.darkest), _std(model, 1.0)]
        decades = [math.log10(max(value, 1e-7)) for value in values]
        self.low, self.high = math.floor(min(decades)), math.ceil(max(decades))
        self.high = max(self.high, self.low + 1)

    def place(self, level: float, std: float) -> tuple[float, float]:
        """Return x and y of a noise, held inside the drawing."""
        across = (math.log2(max(level, 1e-7)) - self.darkest) / -self.darkest
        up = (math.log10(max(std, 1e-9)) - self.low) / (self.high - self.low)
        x = _LEFT + min(max(across, 0), 1) * (_WIDTH - _LEFT - _RIGHT)
        y = _HEIGHT - _BOTTOM - min(max(up, 0), 1) * (_HEIGHT - _TOP - _BOTTOM)
        return x, y

    def line(self, model: NoiseModel) -> str:
        """Return a model's points."""
        levels = (2 ** (self.darkest * (1 - step / _STEPS)) for step in range(_STEPS + 1))
        places = (self.place(level, _std(model, level)) for level in levels)
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)

    def draw(self) -> Iterator[str]:
        """Yield grid and labels."""
        bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
        for stop in range(self.darkest, 1):
            x, _ = self.place(2.0**stop, 1)
            yield f'<path class="grid" d="M{x:.1f} {_TOP}V{bottom}"/>'
            if stop % 2 == 0:
                text = "white" if stop == 0 else f"\N{MINUS SIGN}{-stop}"
                anchor = "end" if stop == 0 else "middle"
                place = f'x="{x:.1f}" y="{bottom + 20}" text-anchor="{anchor}"'
                yield f"<text {place}>{text}</text>"
        for decade in range(self.low, self.high + 1):
            _, y = self.place(1, 10.0**decade)
            yield f'<path class="grid" d="M{_LEFT} {y:.1f}H{right}"/>'
            place = f'x="{_LEFT - 8}" y="{y + 5:.1f}" text-anchor="end"'
            yield f"<text {place}>{10.0**decade * 100:g} %</text>"
        middle = (_LEFT + right) / 2
        yield (
            f'<text x="{middle:.0f}" y="{_HEIGHT - 8}" text-anchor="middle">'
            "brightness, in stops below white</text>"
        )
        up = (_TOP + bottom) / 2
        yield (
            f'<text transform="translate(16 {up:.0f}) rotate(-90)" text-anchor="middle">'
            "noise \N{GREEK SMALL LETTER SIGMA}, share of white</text>"
        )


def _std(model: NoiseModel, level: float) -> float:
    """Standard deviation of the greens at a level."""
    return math.sqrt(float(model.variance(level)[1:3].mean()))
