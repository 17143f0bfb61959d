"""How large a network is, and what it sees: the table [network] of a config.

`model` builds it, `run.config` reads it. The one thing to know: teacher and students are one
architecture, so that nothing else tells them apart.
"""

from dataclasses import dataclass
from typing import Any

from fadn_cli.denoise.noise import stabilize


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
    def alignment(self) -> int:
        """Packed sides must be multiples of this: the unshuffle, and a halving per deeper scale.

        Brightness is of 2x2 packed pixels.
        """
        return max(2, self.unshuffle * 2 ** (len(self.widths) - 1))

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
