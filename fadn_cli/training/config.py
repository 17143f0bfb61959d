"""What decides a run's weights: one TOML file per network, in configs/.

`train` and `export` read it. The one thing to know: a misspelt key is an error, never ignored.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fadn_cli.denoise import stabilize
from fadn_cli.training.synthesis import Dirt, NoiseRange


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentConfig:
    """The size of a network; teacher and students are one architecture."""

    inputs: str = "highpass-20"
    """The features that it sees, one of `stabilize.KINDS`. They decide whether its first scale has
    half the packed resolution or the packed resolution itself."""
    widths: tuple[int, ...] = (32, 64, 96)
    """Channels at each scale; each has half the resolution of the one before."""
    encode: tuple[int, ...] = (1, 1)
    """Blocks on the way down, at every scale but the deepest."""
    bottom: int = 1
    """Blocks at the deepest scale."""
    decode: tuple[int, ...] = (1, 1)
    """Blocks on the way up, finest scale first; the last one of each scale is aligned."""
    embedding: int = 16
    """Channels of a Feature-Align layer's view of the input."""
    aligned_from: int = 0
    """The finest scale that has Feature-Align layers."""
    aligned_scales: int = 9
    """How many scales have them: at most so many; 0 is the paper's ablation."""
    int8: bool = False
    """Whether convolutions round as int8 kernels do; the last one stays in float."""

    def __post_init__(self) -> None:
        if self.inputs not in stabilize.KINDS:
            known = ", ".join(stabilize.KINDS)
            raise ValueError(f"inputs must be one of {known}, got {self.inputs}")
        if not len(self.encode) == len(self.decode) == len(self.widths) - 1:
            raise ValueError(
                f"{len(self.widths)} widths need {len(self.widths) - 1} encode and decode counts, "
                f"got {self.encode} and {self.decode}"
            )

    @property
    def seen(self) -> stabilize.Inputs:
        """The features that it sees."""
        return stabilize.KINDS[self.inputs]

    @property
    def unshuffle(self) -> int:
        """Packed pixels per side of a pixel of the first scale."""
        return self.seen.unshuffle

    @property
    def channels(self) -> int:
        """How many channels the features have."""
        return self.seen.channels

    @property
    def aligned(self) -> range:
        """The scales with Feature-Align layers."""
        end = min(self.aligned_from + self.aligned_scales, len(self.widths))
        return range(self.aligned_from, end)


def network_config(table: dict[str, Any]) -> StudentConfig:
    """Read a network's size from a config's table or a checkpoint.

    Those from before there was more than one kind of inputs name the unshuffle that tells which.
    """
    names = {2: "highpass-20", 1: "highpass-8"}
    named = {"inputs": names[table["unshuffle"]]} if "unshuffle" in table else {}
    rest = {key: value for key, value in table.items() if key != "unshuffle"}
    return StudentConfig(**{**named, **rest})


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
    teacher: str = ""
    """Name of the run whose network is the frozen feature extractor; empty: pixel loss alone."""
    feature_weights: tuple[float, ...] = ()
    """Of the feature matching loss beside the pixel loss, per scale of the teacher."""
    bfloat16: bool = True
    """Whether convolutions run in bfloat16; weights, features and the residual sum stay float32."""


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
