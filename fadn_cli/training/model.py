"""The FADN student: a small encoder-decoder whose blocks are modulated by the noisy input itself.

`train` builds it, `export` writes it out. The one thing to know: the module maps *features* to a
residual in units of sigma; `Denoiser` around it turns a packed mosaic and its noise into features
and adds the residual back, exactly as `denoise.network` does at run time.

References
----------
Young et al., "Feature-Align Network with Knowledge Distillation for Efficient Denoising",
WACV workshops 2022, arXiv 2103.01524.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from fadn_cli.denoise import stabilize


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentConfig:
    """The size of a student."""

    width: int = 32
    """Channels at the first scale (half the packed resolution)."""
    width_middle: int = 64
    """Channels at the second scale."""
    width_deep: int = 96
    """Channels at the third scale."""
    embedding: int = 16
    """Channels of a Feature-Align layer's view of the input."""
    feature_align: bool = True
    """Whether the Feature-Align layers are there; False is the paper's ablation."""


class FeatureAlign(nn.Module):
    """Scale and shift features by what the noisy input says at the same place.

    out = features * gamma + beta, where gamma and beta are 1x1 convolutions of a shared 1x1
    convolution and ReLU of the input's features at that scale.
    """

    def __init__(self, channels: int, embedding: int) -> None:
        super().__init__()
        self.embed = nn.Conv2d(stabilize.FEATURE_CHANNELS, embedding, 1)
        self.gamma = nn.Conv2d(embedding, channels, 1)
        self.beta = nn.Conv2d(embedding, channels, 1)
        nn.init.normal_(self.gamma.weight, std=0.02)
        nn.init.ones_(self.gamma.bias)
        nn.init.normal_(self.beta.weight, std=0.02)
        nn.init.zeros_(self.beta.bias)

    def forward(self, features: torch.Tensor, view: torch.Tensor) -> torch.Tensor:
        embedded = functional.relu(self.embed(view))
        return features * self.gamma(embedded) + self.beta(embedded)


class Block(nn.Module):
    """Two 3x3 convolutions with a skip, aligned to the input where it has a Feature-Align layer."""

    def __init__(self, channels: int, embedding: int | None) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.align = None if embedding is None else FeatureAlign(channels, embedding)

    def forward(self, features: torch.Tensor, view: torch.Tensor) -> torch.Tensor:
        change = self.second(functional.relu(self.first(features)))
        if self.align is not None:
            change = self.align(change, view)
        return functional.relu(features + change)


class Student(nn.Module):
    """Features (N, 20, h/2, w/2) to residual (N, 16, h/2, w/2) in units of sigma."""

    alignment = 8
    """Packed sides must be multiples of this: one unshuffle and two halvings."""

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.config = config
        wide, middle, deep = config.width, config.width_middle, config.width_deep
        embedding = config.embedding if config.feature_align else None
        self.enter = nn.Conv2d(stabilize.FEATURE_CHANNELS, wide, 3, padding=1)
        self.encode1 = Block(wide, None)
        self.down1 = nn.Conv2d(wide, middle, 2, stride=2)
        self.encode2 = Block(middle, None)
        self.down2 = nn.Conv2d(middle, deep, 2, stride=2)
        self.bottom = Block(deep, embedding)
        self.up2 = nn.Conv2d(deep, middle, 1)
        self.decode2 = Block(middle, embedding)
        self.up1 = nn.Conv2d(middle, wide, 1)
        self.decode1 = Block(wide, embedding)
        self.leave = nn.Conv2d(wide, stabilize.OUTPUT_CHANNELS, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    @property
    def receptive_field(self) -> int:
        """Packed pixels per side that one output pixel depends on, features included."""
        # One 3x3 convolution reaches one pixel of its own scale: 2, 4 or 8 packed pixels.
        convolutions = {2: 1 + 2 + 2, 4: 2 + 2, 8: 2}
        reach = sum(step * count for step, count in convolutions.items())
        # A pixel may lie anywhere in its 8x8 cell of the deepest scale.
        return 2 * (reach + stabilize.LOW_PASS_RADIUS + self.alignment - 1) + 1

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        view1 = features
        view2 = functional.avg_pool2d(view1, 2)
        view3 = functional.avg_pool2d(view2, 2)
        scale1 = self.encode1(functional.relu(self.enter(features)), view1)  # (N, wide, h/2, w/2)
        scale2 = self.encode2(functional.relu(self.down1(scale1)), view2)  # (N, middle, h/4, w/4)
        scale3 = self.bottom(functional.relu(self.down2(scale2)), view3)  # (N, deep, h/8, w/8)
        scale2 = scale2 + functional.interpolate(self.up2(scale3), scale_factor=2.0)
        scale2 = self.decode2(scale2, view2)
        scale1 = scale1 + functional.interpolate(self.up1(scale2), scale_factor=2.0)
        scale1 = self.decode1(scale1, view1)
        return self.leave(scale1)  # (N, 16, h/2, w/2)


class Denoiser(nn.Module):
    """Packed mosaic in, packed mosaic out: the student between its features and its residual."""

    def __init__(self, student: nn.Module) -> None:
        super().__init__()
        self.student = student

    def forward(
        self, x: torch.Tensor, shot_noise: torch.Tensor, read_noise: torch.Tensor
    ) -> torch.Tensor:
        """Denoise (N, 4, h, w) normalized samples; noise is (N, 4, 1, 1) variances."""
        radius = stabilize.LOW_PASS_RADIUS
        level = stabilize.low_pass(functional.pad(x, (radius,) * 4, mode="reflect"))
        std = stabilize.noise_std(level, shot_noise, read_noise)
        detail, brightness = stabilize.features(x, level, std, shot_noise, read_noise)
        unshuffled = functional.pixel_unshuffle(detail, stabilize.UNSHUFFLE)
        residual = self.student(torch.cat([unshuffled, brightness], dim=1))
        return x + std * functional.pixel_shuffle(residual, stabilize.UNSHUFFLE)


def macs_per_packed_pixel(student: Student, size: int = 64) -> float:
    """Count the multiply-accumulates of a student per packed pixel, by running it once."""
    total = 0.0

    def count(layer: nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal total
        assert isinstance(layer, nn.Conv2d)
        total += layer.weight[0].numel() * output.numel()

    hooks = [
        layer.register_forward_hook(count)
        for layer in student.modules()
        if isinstance(layer, nn.Conv2d)
    ]
    grid = size // stabilize.UNSHUFFLE
    with torch.no_grad():
        student(torch.zeros(1, stabilize.FEATURE_CHANNELS, grid, grid))
    for hook in hooks:
        hook.remove()
    return total / size**2
