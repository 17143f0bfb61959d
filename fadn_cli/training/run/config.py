"""What decides a run's weights: one TOML file per network, in configs/.

`train` and `export` read it. The one thing to know: a misspelt key is an error, never ignored.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fadn_cli.training.data.synthesis import Dirt, NoiseRange
from fadn_cli.training.network.config import StudentConfig, network_config


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
    """Packed pixels per side of a patch; a multiple of the network's alignment."""
    learning_rate: float = 2e-3
    """Peak of Adam's rate; warmed up linearly, then a half cosine to zero."""
    muon_rate: float = 3e-3
    """Peak of Muon's rate, for the convolutions' weights; in step with Adam's."""
    muon_decay: float = 0.0
    """Of those weights per step, times the rate. They grow without it, and steps count for less."""
    warmup: int = 500
    """Steps of the linear warm-up."""
    leak: float = 0.1
    """Slope of the ReLUs below zero at the start; zero by nine tenths of the steps, when
    rates are low. Without it, channels that a bad step pushes below zero everywhere never come
    back."""
    zero_blocks: bool = False
    """Whether blocks add nothing at first: their second convolutions start at zero. Otherwise wide
    networks, whose coarse scales only disturb at first, silence the ReLUs there for good."""
    average: float = 0.999
    """Share of the weights' moving average that a step leaves as it was; it is what is used of a
    run."""
    rewarm: int = 200
    """Steps of another warm-up, where a run goes on that was kept without its optimizers' state."""
    epsilon: float = 0.1
    """Where the pixel loss turns from quadratic to linear, in units of sigma."""
    seed: int = 1
    """Of initial weights and of every step's random numbers."""
    start_from: str = ""
    """Name of the run whose weights this one starts from; empty: from scratch."""
    left_out: tuple[str, ...] = ()
    """Blocks of that network that this one has not, such as "decode.0.3": the fourth on the way up
    at the finest scale."""
    teacher: str = ""
    """Name of the run whose network is the frozen feature extractor; empty: pixel loss alone."""
    lessons: str = ""
    """Name of the file of `lessons` that batches are drawn from; empty: from photographs."""
    taught: tuple[float, float] = (0.0, 0.0)
    """Share of the target that is the teacher's output there, at the start and, by a straight line,
    at the end; the rest is the clean patch."""
    feature_weights: tuple[float, ...] = ()
    """Of the feature matching loss beside the pixel loss, per scale of the teacher."""
    bfloat16: bool = True
    """Whether convolutions run in bfloat16 where the machine is faster with it (`precision`);
    weights, features and the residual sum stay float32."""

    def __post_init__(self) -> None:
        if self.patch % self.network.alignment:
            raise ValueError(
                f"patch must be a multiple of {self.network.alignment} packed pixels, got "
                f"{self.patch}"
            )
        if self.left_out and not self.start_from:
            raise ValueError("left_out names blocks of the run in start_from, which is missing")
        if any(self.taught) and not self.lessons:
            raise ValueError("taught is a share of what a teacher made: lessons are missing")


def load_config(path: Path) -> TrainConfig:
    """Read a TOML config; unknown keys are a TypeError."""
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    table.pop("specialist", None)  # what `export` makes of the run; not the training's
    network, noise, dirt = (table.pop(name, {}) for name in ("network", "noise", "dirt"))
    return TrainConfig(
        network=network_config(_tuples(network)),
        noise=NoiseRange(**noise),
        dirt=Dirt(**dirt),
        **_tuples(table),
    )


def _tuples(table: dict[str, Any]) -> dict[str, Any]:
    """Return a TOML table with its lists as tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
