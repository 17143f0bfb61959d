"""A run between two checkpoints: its weights, their average, its optimizers and its log.

`train` takes the steps; whoever needs a run's network calls `load_denoiser`. The one thing to know:
what is used of a run is the moving average of its weights, which is steadier than the weights that
are trained, and what a run resumes from are those.

References
----------
Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J. Control and
Optimization 30(4), 1992, doi:10.1137/0330046 (averages of weights).
"""

import copy
import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from fadn_cli.training.network.config import network_config
from fadn_cli.training.network.model import Denoiser, Student
from fadn_cli.training.network.quantize import set_leak
from fadn_cli.training.run.config import TrainConfig
from fadn_cli.training.run.lessons import Lessons
from fadn_cli.training.run.muon import Muon

LEAKY = 0.9
"""Share of the steps after which no ReLU leaks."""
LARGEST_GRADIENT = 1.0
"""Norm of all gradients together beyond which they are scaled down to it."""


def schedule(config: TrainConfig, step: int, restarted: int = 0) -> float:
    """Return the share of the peak rates at a step: linear warm-up, then a half cosine to zero.

    A run that went on without its optimizers' state at step `restarted` (0: none did) warms up
    there once more.
    """
    if step < config.warmup:
        share = (step + 1) / config.warmup
    else:
        progress = (step - config.warmup) / max(1, config.steps - config.warmup)
        share = 0.5 * (1 + math.cos(math.pi * progress))
    if restarted and config.rewarm:
        share *= min(1.0, (step - restarted + 1) / config.rewarm)
    return share


def leak_at(leak: float, steps: int, step: int) -> float:
    """Return the slope of the ReLUs below zero at a step, of that at the start and all steps."""
    return leak * max(0.0, 1 - step / (LEAKY * steps)) if steps else 0.0


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


@dataclass(slots=True, kw_only=True)
class Run:
    """A run in memory, between two checkpoints."""

    folder: Path
    """runs/<name>."""
    config: TrainConfig
    """What is trained."""
    model: Denoiser
    """On the training device."""
    optimizers: list[torch.optim.Optimizer]
    """Their state goes with the checkpoint."""
    average: Denoiser | None = None
    """The model with the moving average of its weights; `begin` makes it."""
    teacher: Denoiser | None = None
    """Frozen, for the feature matching loss."""
    lessons: Lessons | None = None
    """What batches are drawn from; None: photographs."""
    step: int = 0
    """Steps done."""
    seconds: float = 0.0
    """Time spent on them."""
    restarted: int = 0
    """The step from which it went on without its optimizers' state; 0 if it never did."""
    losses: list[torch.Tensor] = field(default_factory=list)
    """Of the steps since the last row of the log."""
    gradients: list[torch.Tensor] = field(default_factory=list)
    """Norm of all gradients together, of the same steps."""

    @property
    def checkpoint(self) -> Path:
        """Where the run is kept."""
        return self.folder / "checkpoint.pt"

    def begin(self) -> None:
        """Let the average start from the weights as they are."""
        self.average = copy.deepcopy(self.model).requires_grad_(False)

    def update(self, loss: torch.Tensor) -> None:
        """Take one step of both optimizers at the step's rates, and move the average."""
        self.model.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST_GRADIENT)
        self.losses.append(loss.detach())
        self.gradients.append(norm)
        share = schedule(self.config, self.step, self.restarted)
        peaks = (self.config.muon_rate, self.config.learning_rate)
        for optimizer, peak in zip(self.optimizers, peaks, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = share * peak
            optimizer.step()
        self.step += 1
        self._move_average()

    @torch.no_grad()
    def _move_average(self) -> None:
        """Move the average towards the weights; fast at first, when there is little to average."""
        assert self.average is not None
        decay = min(self.config.average, (1 + self.step) / (10 + self.step))
        means, weights = list(self.average.parameters()), list(self.model.parameters())
        torch._foreach_lerp_(means, weights, 1 - decay)

    def check(self) -> None:
        """Stop a run that is lost.

        Raises
        ------
        FloatingPointError
            A loss or a gradient since the last row of the log, or a weight, is not finite.
        """
        if not self.losses:
            return
        seen = torch.stack([torch.stack(self.losses).float(), torch.stack(self.gradients).float()])
        bad = (~seen.isfinite().all(0)).nonzero().flatten().tolist()
        if not bad and all(bool(weight.isfinite().all()) for weight in self.model.parameters()):
            return
        step = self.step - len(self.losses) + (bad[0] if bad else len(self.losses) - 1)
        raise FloatingPointError(
            f"{self.folder.name}: the loss, a gradient or a weight is not finite at step {step}; "
            "the last checkpoint is from before and was left as it is. Lower the rates."
        )

    def save(self) -> None:
        """Write the checkpoint if the run is sound; a kill never leaves half a file."""
        self.check()
        assert self.average is not None
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
            "seconds": self.seconds,
            "restarted": self.restarted,
            "config": dataclasses.asdict(self.config),
        }
        torch.save(state, self.checkpoint.with_suffix(".tmp"))
        self.checkpoint.with_suffix(".tmp").replace(self.checkpoint)

    def resume(self, state: dict) -> None:
        """Take over a checkpoint; where it was kept without the optimizers' state, that is new."""
        self.model.load_state_dict(state["model"])
        self.begin()
        assert self.average is not None
        self.average.load_state_dict(state.get("average", state["model"]))
        self.step, self.seconds = state["step"], state["seconds"]
        self.restarted = state.get("restarted", 0)
        if "optimizers" in state:
            for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(kept)
        else:
            self.restarted = self.step
            self.write({"step": self.step, "restarted": "without the optimizers' state"})

    def log(self, fires: dict[str, torch.Tensor]) -> None:
        """Tell the log of the steps since its last row, and where the network is least alive.

        Parameters
        ----------
        fires : dict of tensors
            Of `quantize.firing`.
        """
        self.check()
        rate = self.config.batch * self.step / max(self.seconds, 1e-9)
        alive = {name: (each > 0).float().mean().item() for name, each in fires.items()}
        means = {name: each.mean().item() for name, each in fires.items()}
        least, quietest = (min(each, key=lambda name: each[name]) for each in (alive, means))
        gradients = torch.stack(self.gradients)
        row = {
            "step": self.step,
            "loss": round(torch.stack(self.losses).mean().item(), 5),
            "seconds": round(self.seconds, 1),
            "patches_per_second": round(rate, 1),
            "gradient": round(gradients.mean().item(), 4),
            "gradient_most": round(gradients.max().item(), 4),
            "clipped": round((gradients > LARGEST_GRADIENT).float().mean().item(), 3),
            "alive": round(alive[least], 3),
            "least_alive": least,
            "firing": round(means[quietest], 4),
            "least_firing": quietest,
        }
        self.losses.clear()
        self.gradients.clear()
        self.write(row)

    def write(self, row: dict[str, float | str]) -> None:
        """Append a row to the log."""
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")


def load_denoiser(run: Path, device: torch.device) -> Denoiser:
    """Return a run's network as it was last saved: the average of its weights.

    Its ReLUs leak as far as they did then; those of a run that has ended do not.
    """
    state = torch.load(run / "checkpoint.pt", map_location=device, weights_only=True)
    config = state["config"]
    model = Denoiser(Student(network_config(config["network"])))
    model.load_state_dict(state.get("average", state["model"]))
    set_leak(model, leak_at(config["leak"], config["steps"], state["step"]))
    return model.to(device, memory_format=torch.channels_last).eval()
