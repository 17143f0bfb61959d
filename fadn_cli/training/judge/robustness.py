"""What each defect of real files costs: ``python -m fadn_cli.training.judge.robustness --photos DIR
[RUN ...]``.

Every photograph of the ruler is given noise with one defect, always on, at the level where it
bites, and the table says how far each run's error lies below that of its input. The one thing to
know: photographs, crops and seeds are the same for every run, so two rows differ only by the runs;
without a run, the networks that are bundled are measured through the public `denoise_mosaic`.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fadn_cli.denoise.network import specialists
from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.training.data.synthesis import SPOTLESS, Dirt, add_noise
from fadn_cli.training.judge.evaluate import Denoise, shipped, torch_denoise
from fadn_cli.training.judge.ruler import LEVELS, cases
from fadn_cli.training.run.state import load_denoiser


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """One defect, and where it bites."""

    dirt: Dirt = SPOTLESS
    """What is wrong with the samples."""
    level: str
    """Noise of this level of the ruler."""
    ev: float = 0.0
    """Exposure of the photographs."""


def _only(name: str) -> Dirt:
    """Return one defect, always on."""
    return replace(SPOTLESS, **{name: 1.0})


DEFECTS: Mapping[str, Defect] = {
    "none": Defect(level="C"),
    "white clipping": Defect(dirt=_only("white_clipping"), level="C", ev=1.5),
    "black clipping": Defect(dirt=_only("black_clipping"), level="C", ev=-5),
    # Steps and black levels matter where few photons blur them; rows where read noise is all.
    "quantization": Defect(dirt=_only("quantization"), level="A", ev=-7),
    "black error": Defect(dirt=_only("black_error"), level="A", ev=-7),
    "row noise": Defect(dirt=_only("row_noise"), level="D", ev=-7),
    "hot pixels": Defect(dirt=_only("hot_pixels"), level="C"),
    "parameter error": Defect(dirt=_only("parameter_error"), level="C"),
    "deep shadows": Defect(level="C", ev=-7),
}


def measure(folder: Path, rows: Mapping[str, Denoise]) -> dict[str, dict[str, float]]:
    """Return how far denoising lowers the error, per row and defect.

    Returns
    -------
    {row: {defect: dB}}
        Mean squared error against the target of `add_noise`, nothing clipped, relative to the noisy
        samples'; the mean over the folder's photographs. Differences between rows are those of
        PSNR.
    """
    levels = {name: (LEVELS[defect.level][0], 2.0**defect.ev) for name, defect in DEFECTS.items()}
    gains: dict[str, dict[str, list[float]]] = {row: {name: [] for name in DEFECTS} for row in rows}
    for number, case in enumerate(cases(folder, levels)):
        generator = torch.Generator().manual_seed(number // len(DEFECTS))  # one per photograph
        clean = torch.from_numpy(case.clean)[None]
        shot_noise = torch.full((1, 1, 1, 1), case.shot_noise)
        read_noise = torch.full((1, 1, 1, 1), case.read_noise)
        dirt = DEFECTS[case.level].dirt
        batch = add_noise(clean, shot_noise, read_noise, dirt, generator)
        noisy, target = (values[0].numpy() for values in batch[:2])
        shot, read = (float(values[0, 0]) for values in batch[2:])
        before = _squared_error(noisy, target)
        if before == 0:
            continue  # white all over: no noise is left to remove
        for row, denoise in rows.items():
            after = _squared_error(denoise(noisy, shot, read), target)
            gains[row][case.level].append(10 * np.log10(before / after))
    return {
        row: {name: float(np.mean(values)) for name, values in per_defect.items()}
        for row, per_defect in gains.items()
    }


def _squared_error(samples: NDArray[np.float32], target: NDArray[np.float32]) -> float:
    """Return the mean squared error."""
    return float(np.mean((samples - target) ** 2, dtype=np.float64))


def table_text(gains: Mapping[str, Mapping[str, float]]) -> str:
    """Format gains as a Markdown table, one row per run."""
    lines = [
        "| dB over noisy | " + " | ".join(DEFECTS) + " |",
        "|---" * (len(DEFECTS) + 1) + "|",
        *(
            f"| {row} | " + " | ".join(f"{per_defect[name]:.2f}" for name in DEFECTS) + " |"
            for row, per_defect in gains.items()
        ),
    ]
    return "\n".join(lines)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("runs", type=Path, nargs="*", help="folders of runs; default: the bundled")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR")
    arguments = parser.parse_args()
    rows: dict[str, Denoise]
    if arguments.runs:
        cpu = torch.device("cpu")
        rows = {run.name: torch_denoise(load_denoiser(run, cpu)) for run in arguments.runs}
    else:
        bayer = [each for each in specialists.bundled() if each.cfa_kind == BAYER.kind]
        qualities = dict.fromkeys(each.quality for each in bayer)  # each once
        rows = {
            f"bundled, {quality}": shipped(estimated=False, quality=quality)
            for quality in qualities
        }
    print(table_text(measure(arguments.photos, rows)))


if __name__ == "__main__":
    main()
