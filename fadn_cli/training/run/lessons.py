"""Noisy patches with what a teacher made of them, for a student's batches.

`teach` makes them, `train` draws from them where a config names a file. The one thing to know: a
clean target holds what no network could know of the noisy patch, and the gradient is mostly that;
a good teacher's output holds what can be known.

References
----------
Hinton et al., "Distilling the Knowledge in a Neural Network", arXiv 1503.02531.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import torch

from fadn_cli.training.run.batches import Batch

_LOW, _STEPS = -0.5, 32_000.0  # of stored samples, per unit: 3.1e-5, from -0.5 to 1.54


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lessons:
    """N patches."""

    noisy: torch.Tensor
    """(N, planes, h, w) int16, see `to_steps`."""
    clean: torch.Tensor
    """The same of the target."""
    taught: torch.Tensor
    """The same of the teacher's output."""
    shot: torch.Tensor
    """(N, levels, 1, 1) float32: what the network is told."""
    read: torch.Tensor
    """(N, levels, 1, 1) float32."""
    std: torch.Tensor
    """(N, 1, 1, 1) float32: mean sigma of the clean patch."""

    def __len__(self) -> int:
        return len(self.noisy)

    def batch(self, size: int, seed: int, share: float) -> Batch:
        """Draw a batch whose target is the teacher's output to a share, else the clean patch.

        Parameters
        ----------
        size : int
            Patches.
        seed : int
            Of the draw.
        share : float
            0 to 1.
        """
        generator = torch.Generator().manual_seed(seed)
        index = torch.randint(len(self), (size,), generator=generator)
        noisy, clean, taught = (
            from_steps(part[index]) for part in (self.noisy, self.clean, self.taught)
        )
        target = clean.lerp(taught, share)
        return noisy, target, self.shot[index], self.read[index], self.std[index].expand_as(noisy)

    def save(self, path: Path) -> None:
        """Write them for `load_lessons`."""
        parts = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        torch.save(parts, path)


def to_steps(x: torch.Tensor) -> torch.Tensor:
    """Return normalized samples as int16, in steps of 3.1e-5; lightest and darkest are held."""
    steps = ((x - _LOW) * _STEPS).round().clamp(0, 65535)
    return (steps - 32768).to(torch.int16)


def from_steps(stored: torch.Tensor) -> torch.Tensor:
    """Return normalized float32 samples of int16 ones."""
    return (stored.float() + 32768) / _STEPS + _LOW


def load_lessons(path: Path) -> Lessons:
    """Read what `save` wrote, as far as it is needed."""
    return Lessons(**torch.load(path, map_location="cpu", weights_only=True, mmap=True))
