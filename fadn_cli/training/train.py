"""Train one network: ``python -m fadn_cli.training.train CONFIG.toml --photos DIR [DIR ...]``.

A run is a folder, runs/<name>/: config.toml (a copy), checkpoint.pt and log.jsonl. Start the same
command again and it resumes; on one CPU and the same number of threads the weights are
bit-identical to an undisturbed run's, because every step seeds its own random numbers.
"""

import argparse
import dataclasses
import json
import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from fadn_cli.training.config import TrainConfig, load_config
from fadn_cli.training.losses import feature_loss, pixel_loss
from fadn_cli.training.model import Denoiser, Student, network_config
from fadn_cli.training.muon import Muon
from fadn_cli.training.photos import Photos, draw_crops, load_photos, unprocess
from fadn_cli.training.quantize import alive, calibrate, set_leak
from fadn_cli.training.start import load_start, retire, revive
from fadn_cli.training.synthesis import add_noise, draw_sensors

LOG_STEPS = 200
CHECKPOINT_SECONDS = 120
CALIBRATION_BATCHES = 20
LEAKY = 0.9
"""Share of the steps after which no ReLU leaks."""


def schedule(config: TrainConfig, step: int) -> float:
    """Return the share of the peak rates at a step: linear warm-up, then a half cosine to zero."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    progress = (step - config.warmup) / max(1, config.steps - config.warmup)
    return 0.5 * (1 + math.cos(math.pi * progress))


def make_optimizers(model: Denoiser, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """Return Muon for the hidden convolutions' weights, and Adam for all other parameters.

    The Feature-Align layers and the output are no hidden layers: their scale matters.
    """
    hidden: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, weight in model.named_parameters():
        is_hidden = weight.ndim == 4 and ".align." not in name and ".leave." not in name
        (hidden if is_hidden else others).append(weight)
    return [
        Muon(hidden, lr=config.muon_rate, decay=config.muon_decay),
        torch.optim.Adam(others, lr=config.learning_rate),
    ]


def make_batch(
    photos: Photos, config: TrainConfig, step: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Synthesise the batch of one step, the same whenever it is asked for.

    Returns
    -------
    noisy, target : (N, 4, h, w) float32, normalized
    told_shot, told_read : (N, 4, 1, 1) float32, variances
    std : (N, 4, h, w) float32
        True sigma of each clean sample.
    """
    generator = torch.Generator(photos.device).manual_seed(config.seed * 1_000_003 + step)
    clean = unprocess(draw_crops(photos, config.batch, 2 * config.patch, generator), generator)
    shot, read, exposure = draw_sensors(config.batch, config.noise, generator)
    clean = clean * exposure
    noisy, target, told_shot, told_read = add_noise(clean, shot, read, config.dirt, generator)
    return noisy, target, told_shot, told_read, (shot * clean + read).sqrt()


@dataclass(slots=True, kw_only=True)
class _Run:
    """A run in memory, between two checkpoints."""

    folder: Path
    """runs/<name>."""
    config: TrainConfig
    """What is trained."""
    model: Denoiser
    """On the training device."""
    optimizers: list[torch.optim.Optimizer]
    """Their state goes with the checkpoint."""
    teacher: Denoiser | None = None
    """Frozen, for the feature matching loss."""
    step: int = 0
    """Steps done."""
    seconds: float = 0.0
    """Time spent on them."""

    @property
    def checkpoint(self) -> Path:
        """Where the run is kept."""
        return self.folder / "checkpoint.pt"

    def update(self, loss: torch.Tensor) -> None:
        """Take one step of both optimizers at the step's rates."""
        self.model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        share = schedule(self.config, self.step)
        peaks = (self.config.muon_rate, self.config.learning_rate)
        for optimizer, peak in zip(self.optimizers, peaks, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = share * peak
            optimizer.step()

    def save(self) -> None:
        """Write the checkpoint; a kill never leaves half a file."""
        state = {
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
            "seconds": self.seconds,
            "config": dataclasses.asdict(self.config),
        }
        torch.save(state, self.checkpoint.with_suffix(".tmp"))
        self.checkpoint.with_suffix(".tmp").replace(self.checkpoint)

    def log(self, losses: list[torch.Tensor], shares: dict[str, float]) -> None:
        """Append the mean of the last losses to the log, and where the network is least alive."""
        loss = round(torch.stack(losses).mean().item(), 5)
        rate = self.config.batch * self.step / max(self.seconds, 1e-9)
        least = min(shares, key=lambda name: shares[name])
        row = {
            "step": self.step,
            "loss": loss,
            "seconds": round(self.seconds, 1),
            "patches_per_second": round(rate, 1),
            "alive": round(shares[least], 3),
            "least_alive": least,
        }
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")


def load_denoiser(run: Path, device: torch.device) -> Denoiser:
    """Return a run's network as it was last saved."""
    state = torch.load(run / "checkpoint.pt", map_location=device, weights_only=True)
    model = Denoiser(Student(network_config(state["config"]["network"])))
    model.load_state_dict(state["model"])
    return model.to(device, memory_format=torch.channels_last).eval()


def start_or_resume(config: TrainConfig, photos: Photos, folder: Path) -> _Run:
    """Load a run's checkpoint, or the weights it starts from, or draw new ones."""
    device = photos.device
    torch.manual_seed(config.seed)
    model = Denoiser(Student(config.network)).to(device, memory_format=torch.channels_last)
    run = _Run(
        folder=folder,
        config=config,
        model=model,
        optimizers=make_optimizers(model, config),
    )
    if config.teacher:
        run.teacher = load_denoiser(folder.parent / config.teacher, device).requires_grad_(False)
    if run.checkpoint.exists():
        state = torch.load(run.checkpoint, map_location=device, weights_only=True)
        if "optimizers" not in state:
            raise ValueError(f"{folder.name}: was kept without its optimizer, cannot be resumed")
        model.load_state_dict(state["model"])
        for optimizer, kept in zip(run.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        run.step, run.seconds = state["step"], state["seconds"]
    elif config.start_from:
        start = load_denoiser(folder.parent / config.start_from, device).state_dict()
        missing = load_start(model, start)
        # The only weights that a float network has not are the ranges of int8.
        if not all(name.endswith("_range") for name in missing):
            raise ValueError(f"{folder.name} cannot start from {config.start_from}: other network")
        batches = [make_batch(photos, config, -1 - i) for i in range(CALIBRATION_BATCHES)]
        if config.network.int8:
            if missing:
                calibrate(model, ((noisy, shot, read) for noisy, _, shot, read, _ in batches))
            retire(model, batches)
        else:
            revive(model, batches)
    return run


def step_loss(run: _Run, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Return the loss of one batch: the pixels', and the features' where there is a teacher."""
    noisy, target, told_shot, told_read, std = batch
    config = run.config
    set_leak(run.model, config.leak * max(0.0, 1 - run.step / (LEAKY * config.steps)))
    with torch.autocast(noisy.device.type, torch.bfloat16, enabled=config.bfloat16):
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
    """
    run = start_or_resume(config, photos, folder)
    before, started = run.seconds, time.monotonic()
    saved, losses = started, []
    while run.step < config.steps:
        loss = step_loss(run, make_batch(photos, config, run.step))
        run.update(loss)
        losses.append(loss.detach())

        now = time.monotonic()
        run.step, run.seconds = run.step + 1, before + now - started
        if len(losses) == LOG_STEPS or run.step == config.steps:
            run.log(losses, alive(run.model, make_batch(photos, config, run.step)))
            losses.clear()
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
    train(load_config(arguments.config), photos, run, minutes=arguments.minutes)


if __name__ == "__main__":
    main()
