"""Float twins beside the int8 files: ``python -m fadn_cli.training.export.twins [NAME ...]
--ruler DIR``.

Writes weights/<name>.fp16.onnx and, into the network's row of the manifest, how far it is from the
int8 file. The one thing to know: it needs no training run, only the int8 files; do it again
whenever one of them was exported.
"""

import argparse
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from fadn_cli.denoise.network.inference import Network, make_features, on_processor
from fadn_cli.denoise.network.specialists import Specialist, bundled, find, folder, read_weights
from fadn_cli.denoise.noise import stabilize
from fadn_cli.denoise.sensors.kinds import SENSORS
from fadn_cli.noise import noise_model
from fadn_cli.training.export.float_graph import float_twin
from fadn_cli.training.export.weights import add_to_row, levels_within
from fadn_cli.training.judge.evaluate import evaluate

TOLERANCE = 0.06
"""Root mean square of what a twin may differ by from its int8 file, in units of sigma."""


class _Both:
    """A network and its twin as the ruler's `Denoise`: the twin's output, and what it is off by."""

    def __init__(self, specialist: Specialist, twin: bytes) -> None:
        self._inputs = stabilize.KINDS[specialist.inputs]
        self._colors = SENSORS[specialist.cfa_kind].noise_colors
        self._int8 = Network(specialist, threads=1)
        session = on_processor(specialist.file, twin, 1)
        self._twin = Network(specialist, threads=1, session=session)
        self._squares: list[float] = []

    def __call__(self, packed: NDArray[np.float32], shot: float, read: float) -> Any:
        """Denoise by both, and return the twin's."""
        noise = noise_model(shot, read, source="", colors=self._colors)
        _, std = make_features(packed, noise, self._inputs)
        twin = self._twin(packed, noise)
        off = (twin - self._int8(packed, noise)) / std
        self._squares.append(float(np.mean(off.astype(np.float64) ** 2)))
        return twin

    @property
    def rms(self) -> float:
        """How far it was off so far, in units of sigma."""
        return float(np.sqrt(np.mean(self._squares)))


def export(specialist: Specialist, ruler: Path) -> dict[str, Any]:
    """Write the twin of a bundled network, and return what the manifest says of it.

    Parameters
    ----------
    specialist : Specialist
    ruler : Path
        Folder of the ruler's photographs.

    Raises
    ------
    ValueError
        It differs from the int8 file by more than `TOLERANCE`.
    """
    graph = onnx.load_from_string(read_weights(specialist))
    data = float_twin(graph).SerializeToString(deterministic=True)
    both = _Both(specialist, data)
    levels = levels_within(specialist.noise_range)
    psnr = evaluate(ruler, both, levels, sensor=SENSORS[specialist.cfa_kind])["psnr"]
    if both.rms > TOLERANCE:
        raise ValueError(f"{specialist.name}: its twin is off by {both.rms:.2g} sigma")
    target = folder() / f"{specialist.name}.fp16.onnx"
    partial = target.with_suffix(".tmp")
    partial.write_bytes(data)
    partial.replace(target)
    return {
        "file": target.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "parity_sigma": float(f"{both.rms:.1e}"),
        "psnr": {level: round(value, 2) for level, value in psnr.items() if level != "mean"},
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("names", nargs="*", metavar="NAME", help="networks; default: all")
    parser.add_argument("--ruler", type=Path, required=True, metavar="DIR")
    arguments = parser.parse_args()
    chosen = [find(name) for name in arguments.names] or bundled()
    for specialist in chosen:
        twin = export(replace(specialist, twin=None), arguments.ruler)
        add_to_row(folder(), specialist.name, twin=twin)
        shifts = ", ".join(
            f"{level} {value:.2f} dB ({value - specialist.psnr[level]:+.2f})"
            for level, value in twin["psnr"].items()
        )
        print(f"{specialist.name}: off by {twin['parity_sigma']} sigma, {shifts}", flush=True)


if __name__ == "__main__":
    main()
