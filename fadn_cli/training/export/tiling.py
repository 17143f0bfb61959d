"""How a network's tiles are laid: ``python -m fadn_cli.training.export.tiling``.

`weights` writes it into the manifest; the command does so again for every bundled file. The one
thing to know: all of it are constants of the network, never of the machine, so that the same
photograph gives the same bytes everywhere.

Two tiles that overlap by twice the reach, and a ramp, agree where one gives way to the other. They
may overlap by less: what a border does fades long before it ends, and one tile fades into the other
over all that neither knows exactly. The overlap is the least at which that stays invisible.

What a border does is measured without int8's rounding, which the least difference throws elsewhere:
as far as the border reaches, two tiles then differ by 0.02 to 0.03 sigma of fine grain, as alike on
both sides as the noise that is left. That is no seam, and no overlap short of the reach ends it.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from fadn_cli.denoise.network import specialists
from fadn_cli.denoise.network.inference import Network, on_processor
from fadn_cli.denoise.network.specialists import Specialist
from fadn_cli.denoise.noise import stabilize
from fadn_cli.denoise.sensors.kinds import SENSORS
from fadn_cli.denoise.tiles import RAMP, TileGrid
from fadn_cli.noise import noise_model
from fadn_cli.training.export.float_graph import float_twin
from fadn_cli.training.judge.ruler import shot_noise_at, typical_read_noise

SEAM = 0.02
"""Of sigma, rms: what a seam may differ by on flat grey, where the noise that is left is 0.05 to
0.15."""
MARGIN = 0.8
"""Of that: what is measured here is to hold for other noise too, and where a border shows far, the
worst of many places is worse by chance."""
GREYS = (0.05, 0.18, 0.5)
LEAST_OVERLAP = 40
"""Packed pixels: on photographs a border does more than on flat grey, near to it."""
SIDES = {
    ("bayer", "max"): 528,
    ("bayer", "best"): 448,
    ("bayer", "fast"): 640,
    ("xtrans", "best"): 428,
    ("xtrans", "fast"): 512,
    ("mono", "best"): 552,
    ("mono", "fast"): 640,
}
"""Of tiles, packed pixels: two at work and all else stay below 600 MB (700 bytes a packed pixel of
`max` and `best`, some 320 of `fast`, 920 and 450 of X-Trans' wider layers); and four or five rows
of them are 24 megapixels, so that the first is encoded while the others are at work."""
_ROWS, _COLS = 192, 192  # packed pixels that are looked at beside a border


def reach_of(graph: onnx.GraphProto, inputs: stabilize.Inputs) -> int:
    """Return how far a border at a multiple of the alignment shows, in packed pixels.

    By following through the layers which pixels can know of what lies beyond: before pixel 0, and
    from pixel 0 on.

    Parameters
    ----------
    graph : GraphProto
        Of a network.
    inputs : Inputs
        What it sees.
    """
    radius, blocks = inputs.low_pass_radius, sum(stabilize.BAND_RADII[: inputs.bands])
    coarse = (radius - 1) // 2 + blocks, -radius // 2 - blocks  # blocks of 2x2 packed pixels
    if inputs.unshuffle == 2:
        seen = coarse
    else:
        seen = max(radius - 1, 2 * coarse[0] + 1), min(-radius, 2 * coarse[1])
    known = {"features": seen}
    for node in graph.node:
        before = [known[name] for name in node.input if name in known]
        if before:
            last, first = max(pair[0] for pair in before), min(pair[1] for pair in before)
            known[node.output[0]] = _beyond(node, last, first)
    last, first = known["residual"]
    return max((last + 1) * inputs.unshuffle, -first * inputs.unshuffle)


def _beyond(node: onnx.NodeProto, last: int, first: int) -> tuple[int, int]:
    """Return the last pixel that knows of what lies before 0, and the first of what lies after."""
    sizes = {each.name: list(each.ints) for each in node.attribute}
    if node.op_type == "Resize":
        return 2 * last + 1, 2 * first
    if node.op_type in ("Conv", "AveragePool"):
        if sizes["strides"][0] == 2:
            return last // 2, first // 2
        pad = sizes["kernel_shape"][0] // 2
        return last + pad, first - pad
    return last, first


def measure_border(network: Network) -> NDArray[np.float64]:
    """Measure what a border does to flat grey.

    Returns
    -------
    (n,) float64, sigma
        Root mean square, by packed pixels from the border.
    """
    specialist = network.specialist
    sensor, rng = SENSORS[specialist.cfa_kind], np.random.default_rng(3)
    low, high = max(specialist.noise_range[0], 1.5e-3), min(specialist.noise_range[1], 0.12)
    shot = shot_noise_at((low * high) ** 0.5)
    noise = noise_model(shot, typical_read_noise(shot), source="", colors=sensor.noise_colors)
    shot_of, read_of = sensor.noise_of_planes(noise)
    squares = []
    for grey in GREYS:
        std = np.sqrt(shot_of * np.float32(grey) + read_of)
        x = rng.standard_normal((sensor.planes, _ROWS, 2 * _COLS)).astype(np.float32)
        x = np.float32(grey) + std * x
        whole = network(x, noise) / std
        right, left = (
            network(np.ascontiguousarray(part), noise) / std
            for part in (x[..., _COLS:], x[..., :_COLS])
        )
        squares.append(np.square(whole[..., _COLS:] - right).mean(axis=(0, 1)))
        squares.append(np.square(whole[..., :_COLS] - left).mean(axis=(0, 1))[::-1])
    return np.sqrt(np.mean(squares, axis=0, dtype=np.float64))


def least_overlap(border: NDArray[np.float64], reach: int, alignment: int) -> int:
    """Return the least overlap at which one tile fades into the next invisibly."""
    exact = -(-(2 * reach + RAMP) // alignment) * alignment
    for overlap in range(-(-LEAST_OVERLAP // alignment) * alignment, exact, alignment):
        grid = TileGrid.cover(1, 1, reach=reach, alignment=alignment, tile=1, overlap=overlap)
        place = np.arange(overlap)
        share = np.clip((place - (overlap - grid.ramp) // 2 + 0.5) / grid.ramp, 0, 1)
        seam = np.hypot(share * border[:overlap], (1 - share) * border[:overlap][::-1])
        if seam.max() < MARGIN * SEAM:
            return overlap
    return exact


def lay(specialist: Specialist) -> dict[str, Any]:
    """Return what the manifest says of a bundled file's tiles."""
    model = onnx.load_from_string(specialists.read_weights(specialist))
    inputs = stabilize.KINDS[specialist.inputs]
    reach = reach_of(model.graph, inputs)
    unrounded = on_processor(specialist.file, float_twin(model).SerializeToString(), 1)
    border = measure_border(Network(specialist, threads=1, session=unrounded))
    return {
        "reach": reach,
        "overlap": least_overlap(border, reach, specialist.alignment),
        "tile": SIDES[specialist.cfa_kind, specialist.quality],
    }


def main() -> None:
    """Lay the tiles of every bundled network again."""
    path = specialists.folder() / specialists.MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for row, specialist in (
        (row, specialists.find(row["name"])) for row in manifest["specialists"]
    ):
        row |= lay(specialist)
        print(row["name"], {key: row[key] for key in ("reach", "overlap", "tile")}, flush=True)
    Path(path).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
