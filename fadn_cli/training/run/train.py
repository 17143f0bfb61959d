"""Train one network: ``python -m fadn_cli.training.run.train CONFIG.toml --photos DIR [DIR ...]``.

A run is a folder, runs/<name>/: config.toml (a copy), checkpoint.pt and log.jsonl. Start the same
command again and it resumes; on one CPU and the same number of threads the weights are
bit-identical to an undisturbed run's, because every step seeds its own random numbers.
"""

import argparse
import math
import shutil
import time
from pathlib import Path

import torch

from fadn_cli.training.data.photos import Photos, load_photos
from fadn_cli.training.network.model import Denoiser, Student
from fadn_cli.training.network.quantize import calibrate, firing, set_leak
from fadn_cli.training.run.batches import Batch, make_batch
from fadn_cli.training.run.config import TrainConfig, load_config
from fadn_cli.training.run.lessons import load_lessons
from fadn_cli.training.run.losses import feature_loss, pixel_loss
from fadn_cli.training.run.precision import convolutions
from fadn_cli.training.run.start import leave_out, load_start, retire, revive, silence_blocks
from fadn_cli.training.run.state import Run, leak_at, load_denoiser, make_optimizers

LOG_STEPS = 200
CHECKPOINT_SECONDS = 120
CALIBRATION_BATCHES = 20


def start_or_resume(config: TrainConfig, photos: Photos, folder: Path) -> Run:
    """Load a run's checkpoint, or the weights it starts from, or draw new ones."""
    device = photos.device
    torch.manual_seed(config.seed)
    model = Denoiser(Student(config.network)).to(device, memory_format=torch.channels_last)
    run = Run(
        folder=folder,
        config=config,
        model=model,
        optimizers=make_optimizers(model, config),
    )
    if config.zero_blocks:
        silence_blocks(model)
    if config.lessons:
        run.lessons = load_lessons(folder.parent / config.lessons)
    if config.teacher:
        run.teacher = load_denoiser(folder.parent / config.teacher, device).requires_grad_(False)
    if run.checkpoint.exists():
        run.resume(torch.load(run.checkpoint, map_location=device, weights_only=True))
        return run
    if config.start_from:
        start_from(run, load_denoiser(folder.parent / config.start_from, device), photos)
    run.begin()
    return run


def start_from(run: Run, other: Denoiser, photos: Photos) -> None:
    """Load the weights of another run's network; measure the ranges of int8 where they are new."""
    model, config = run.model, run.config
    missing = load_start(model, leave_out(other.state_dict(), config.left_out))
    # The only weights that a float network has not are the ranges of int8.
    if not all(name.endswith("_range") for name in missing):
        name = run.folder.name
        raise ValueError(f"{name} cannot start from {config.start_from}: other network")
    batches = [make_batch(photos, config, -1 - i) for i in range(CALIBRATION_BATCHES)]
    if config.network.int8:
        if missing:
            calibrate(model, ((noisy, shot, read) for noisy, _, shot, read, _ in batches))
        retire(model, batches)
    else:
        revive(model, batches)


def next_batch(run: Run, photos: Photos) -> Batch:
    """Return the batch of a run's next step: of photographs, or of its lessons."""
    config = run.config
    if run.lessons is None:
        return make_batch(photos, config, run.step)
    start, end = config.taught
    share = start + (end - start) * run.step / config.steps
    seed = config.seed * 1_000_003 + run.step
    return run.lessons.batch(config.batch, seed, share)


def step_loss(run: Run, batch: Batch) -> torch.Tensor:
    """Return the loss of one batch: the pixels', and the features' where there is a teacher."""
    noisy, target, told_shot, told_read, std = batch
    config = run.config
    set_leak(run.model, leak_at(config.leak, config.steps, run.step))
    with convolutions(config, noisy.device):
        output = run.model(noisy, told_shot, told_read).float()
        loss = pixel_loss(output, target, std, config.epsilon)
        if run.teacher is not None:
            noise = (told_shot, told_read)
            loss = loss + feature_loss(run.teacher, output, target, noise, config.feature_weights)
    return loss


def train(config: TrainConfig, photos: Photos, folder: Path, *, minutes: float) -> Path:
    """Train until the steps are done or the minutes are over; return the checkpoint's path.

    Parameters
    ----------
    config : TrainConfig
        What to train.
    photos : Photos
        On the device to train on.
    folder : Path
        The run's; resumed if it holds a checkpoint.
    minutes : float
        Stop after this time with a checkpoint, to be resumed.

    Raises
    ------
    FloatingPointError
        The run is lost: a loss, a gradient or a weight is not finite. Its last checkpoint is from
        before.
    """
    run = start_or_resume(config, photos, folder)
    before, started = run.seconds, time.monotonic()
    saved = started
    while run.step < config.steps:
        run.update(step_loss(run, next_batch(run, photos)))
        now = time.monotonic()
        run.seconds = before + now - started
        if len(run.losses) == LOG_STEPS or run.step == config.steps:
            run.log(firing(run.model, make_batch(photos, config, run.step)))
        if now - saved > CHECKPOINT_SECONDS:
            run.save()
            saved = now
        if now - started > 60 * minutes:
            break
    run.save()
    return run.checkpoint


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("config", type=Path, help="one of training/configs/*.toml")
    parser.add_argument("--photos", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop (to resume) after")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    run = arguments.runs / arguments.config.stem
    run.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(arguments.config, run / "config.toml")
    photos = load_photos(arguments.photos, torch.device(arguments.device))
    try:
        train(load_config(arguments.config), photos, run, minutes=arguments.minutes)
    except FloatingPointError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
