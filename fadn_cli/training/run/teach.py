"""Ask a teacher once: ``python -m fadn_cli.training.run.teach CONFIG.toml --teacher RUN
--photos DIR [DIR ...]``.

Writes runs/<config>.lessons, which a config names under `lessons`. The one thing to know: a large
teacher takes several times as long as its student, so it is asked once for each patch of a fixed
set, and several runs learn from that.
"""

import argparse
import dataclasses
from pathlib import Path

import torch

from fadn_cli.training.data.photos import Photos, load_photos
from fadn_cli.training.network.model import Denoiser
from fadn_cli.training.run.batches import make_batch
from fadn_cli.training.run.config import TrainConfig, load_config
from fadn_cli.training.run.lessons import Lessons, to_steps
from fadn_cli.training.run.precision import convolutions
from fadn_cli.training.run.state import load_denoiser

_SEED = 5_000  # added to the config's: patches that no run draws


@torch.no_grad()
def make_lessons(config: TrainConfig, teacher: Denoiser, photos: Photos, count: int) -> Lessons:
    """Draw patches as the config's run would, and ask the teacher.

    Parameters
    ----------
    config : TrainConfig
        Of the student.
    teacher : Denoiser
        For the same kind of sensor.
    photos : Photos
    count : int
        How many patches; rounded up to whole batches.

    Raises
    ------
    ValueError
        The teacher is for another kind of sensor.
    """
    kinds = [each.seen.kind for each in (teacher.student.config, config.network)]
    if len(set(kinds)) > 1:
        raise ValueError(f"the teacher is for {kinds[0]} sensors, the student for {kinds[1]}")
    drawn = dataclasses.replace(config, seed=config.seed + _SEED)
    parts: list[list[torch.Tensor]] = [[] for _ in dataclasses.fields(Lessons)]
    for step in range(-(-count // config.batch)):
        noisy, target, shot, read, std = make_batch(photos, drawn, step)
        with convolutions(config, noisy.device):
            taught = teacher(noisy, shot, read).float()
        samples = (to_steps(part).cpu() for part in (noisy, target, taught))
        told = (shot.cpu(), read.cpu(), std.mean(dim=(1, 2, 3), keepdim=True).cpu())
        for kept, part in zip(parts, (*samples, *told), strict=True):
            kept.append(part)
    names = (field.name for field in dataclasses.fields(Lessons))
    return Lessons(**{name: torch.cat(part) for name, part in zip(names, parts, strict=True)})


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("config", type=Path, help="of a student")
    parser.add_argument("--teacher", type=Path, required=True, metavar="RUN")
    parser.add_argument("--photos", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--count", type=int, default=16_000, help="patches, some 100 kB each")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = torch.device(arguments.device)
    config = load_config(arguments.config)
    photos = load_photos(arguments.photos, device)
    lessons = make_lessons(
        config, load_denoiser(arguments.teacher, device), photos, arguments.count
    )
    path = arguments.runs / (f"{arguments.config.stem}.lessons")
    lessons.save(path)
    print(f"{path}: {len(lessons)} patches, {path.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
