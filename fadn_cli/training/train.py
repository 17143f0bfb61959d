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
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from fadn_cli.training.losses import pixel_loss
from fadn_cli.training.model import Denoiser, Student, StudentConfig
from fadn_cli.training.photos import draw_crops, load_photos, unprocess
from fadn_cli.training.synthesis import Dirt, NoiseRange, add_noise, draw_sensors


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """Everything that decides a run's weights, but for the photographs."""

    network: StudentConfig = field(default_factory=StudentConfig)
    """Table [network]."""
    noise: NoiseRange = field(default_factory=NoiseRange)
    """Table [noise]."""
    dirt: Dirt = field(default_factory=Dirt)
    """Table [dirt]."""
    steps: int = 45_000
    """Optimizer steps."""
    batch: int = 16
    """Patches per step."""
    patch: int = 64
    """Packed pixels per side of a patch."""
    learning_rate: float = 2e-3
    """Peak of Adam's rate; warmed up linearly, then a half cosine to zero."""
    warmup: int = 500
    """Steps of the linear warm-up."""
    seed: int = 1
    """Of initial weights and of every step's random numbers."""
    start_from: str = ""
    """Name of the run whose weights this one starts from; empty: from scratch."""
    bfloat16: bool = True
    """Whether convolutions run in bfloat16; weights, features and the residual sum stay float32."""


def load_config(path: Path) -> TrainConfig:
    """Read a TOML config; unknown keys are a TypeError."""
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    table.pop("specialist", None)  # what `export` makes of the run; not the training's
    return TrainConfig(
        network=StudentConfig(**table.pop("network", {})),
        noise=NoiseRange(**table.pop("noise", {})),
        dirt=Dirt(**table.pop("dirt", {})),
        **table,
    )


def learning_rate(config: TrainConfig, step: int) -> float:
    """Return Adam's rate at a step: linear warm-up, then a half cosine to zero."""
    if step < config.warmup:
        return config.learning_rate * (step + 1) / config.warmup
    progress = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def make_batch(
    photos: list[torch.Tensor], config: TrainConfig, step: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Synthesise the batch of one step, the same whenever it is asked for.

    Returns
    -------
    noisy, target : (N, 4, h, w) float32, normalized
    told_shot, told_read : (N, 4, 1, 1) float32, variances
    std : (N, 4, h, w) float32
        True sigma of each clean sample.
    """
    device = photos[0].device
    seed = config.seed * 1_000_003 + step
    generator = torch.Generator().manual_seed(seed)
    on_device = generator if device.type == "cpu" else torch.Generator(device).manual_seed(seed)
    clean = unprocess(draw_crops(photos, config.batch, 2 * config.patch, generator), generator)
    shot, read, exposure = (
        values.to(device) for values in draw_sensors(config.batch, config.noise, generator)
    )
    clean = clean * exposure
    noisy, target, told_shot, told_read = add_noise(clean, shot, read, config.dirt, on_device)
    return noisy, target, told_shot, told_read, (shot * clean + read).sqrt()


def train(config: TrainConfig, photos: list[torch.Tensor], run: Path, *, minutes: float) -> Path:
    """Train until the steps are done or the minutes are over; return the checkpoint's path.

    Parameters
    ----------
    photos : list of (3, H, W) uint8 tensors, all on the device to train on
    run : Path
        The run's folder; resumed if it holds a checkpoint.
    minutes : float
        Stop after this time with a checkpoint, to be resumed.
    """
    device = photos[0].device
    checkpoint = run / "checkpoint.pt"
    torch.manual_seed(config.seed)
    model = Denoiser(Student(config.network)).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters())
    first, trained = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first, trained = state["step"], state["seconds"]
    elif config.start_from:
        other = torch.load(run.parent / config.start_from / "checkpoint.pt", weights_only=True)
        model.load_state_dict(other["model"])

    def save(step: int) -> None:
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "step": step,
            "seconds": trained + time.monotonic() - started,
            "config": dataclasses.asdict(config),
        }
        torch.save(state, checkpoint.with_suffix(".tmp"))
        checkpoint.with_suffix(".tmp").replace(checkpoint)  # a kill never leaves half a file

    started = saved = time.monotonic()
    losses: list[torch.Tensor] = []
    step = first
    for step in range(first, config.steps):
        noisy, target, told_shot, told_read, std = make_batch(photos, config, step)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config, step)
        with torch.autocast(device.type, torch.bfloat16, enabled=config.bfloat16):
            output = model(noisy, told_shot, told_read)
        loss = pixel_loss(output.float(), target, std)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.detach())
        if len(losses) == 200 or step + 1 == config.steps:
            row = {
                "step": step + 1,
                "loss": round(torch.stack(losses).mean().item(), 5),
                "seconds": round(trained + time.monotonic() - started, 1),
            }
            with (run / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(row) + "\n")
            losses.clear()
        now = time.monotonic()
        if now - saved > 120:
            save(step + 1)
            saved = now
        if now - started > 60 * minutes:
            break
    save(step + 1 if first < config.steps else first)
    return checkpoint


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
