"""The FADN student: a small encoder-decoder whose blocks are modulated by the noisy input itself.

`run.train` builds it, `export` writes it out. The one thing to know: the module maps *features* to
a residual in units of sigma; `Denoiser` around it turns a packed mosaic and its noise into features
and adds the residual back, exactly as `denoise.network.inference` does at run time.

References
----------
Young et al., "Feature-Align Network with Knowledge Distillation for Efficient Denoising",
WACV workshops 2022, arXiv 2103.01524.
"""

import torch
from torch import nn
from torch.nn import functional

from fadn_cli.denoise.noise import stabilize
from fadn_cli.training.network.config import StudentConfig
from fadn_cli.training.network.quantize import Conv, rounded, watching


class FeatureAlign(nn.Module):
    """Scale and shift features by what the noisy input says at the same place.

    out = features * gamma + beta, where gamma and beta are 1x1 convolutions of a shared 1x1
    convolution and ReLU of the input's features at that scale.
    """

    def __init__(self, inputs: int, channels: int, embedding: int) -> None:
        super().__init__()
        self.embed = Conv(inputs, embedding, 1, relu=True)
        self.gamma = Conv(embedding, channels, 1, after_conv=True)
        self.beta = Conv(embedding, channels, 1, after_conv=True)
        nn.init.normal_(self.gamma.weight, std=0.02)
        nn.init.ones_(self.gamma.bias)
        nn.init.normal_(self.beta.weight, std=0.02)
        nn.init.zeros_(self.beta.bias)

    def forward(self, features: torch.Tensor, view: torch.Tensor) -> torch.Tensor:
        embedded = self.embed(view)
        return features * self.gamma(embedded) + self.beta(embedded)


class Block(nn.Module):
    """Two 3x3 convolutions with a skip, aligned to the input where it has a Feature-Align layer.

    The skip is linear: with a ReLU after the sum whole scales died in training.
    """

    def __init__(self, channels: int, view: tuple[int, int] | None) -> None:
        super().__init__()
        self.first = Conv(channels, channels, 3, relu=True)
        self.second = Conv(channels, channels, 3, after_conv=True)
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        self.align = None if view is None else FeatureAlign(view[0], channels, view[1])

    @property
    def is_constant(self) -> bool:
        """Whether it adds the same to all pixels."""
        return self.align is None and self.first.is_silent

    def forward(self, features: torch.Tensor, view: torch.Tensor) -> torch.Tensor:
        change = self.second(self.first(features))
        if self.align is not None:
            change = self.align(change, view)
        return features + change


class Shift(nn.Module):
    """What is left of a block whose inner channels never fire: a constant per channel."""

    def __init__(self, bias: torch.Tensor) -> None:
        super().__init__()
        self.bias = nn.Parameter(bias)

    def forward(self, features: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        return features + self.bias[:, None, None]


def _blocks(channels: int, count: int, view: tuple[int, int] | None) -> nn.ModuleList:
    """Return blocks in a row, the last one aligned to the input where a view of it is given.

    A view is the channels of the input's features and of their embedding.
    """
    last = count - 1
    return nn.ModuleList(Block(channels, view if i == last else None) for i in range(count))


class Student(nn.Module):
    """Features (N, c, h/u, w/u) to residual (N, planes u^2, h/u, w/u) in units of sigma.

    u and c are the config's unshuffle and channels.
    """

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        view = config.channels, config.embedding
        aligned = [view if i in config.aligned else None for i in range(len(widths))]
        steps = list(zip(widths, widths[1:], strict=False))  # from each scale to the next
        self.enter = Conv(config.channels, widths[0], 3)
        self.encode = nn.ModuleList(
            _blocks(width, count, None) for width, count in zip(widths, config.encode, strict=False)
        )
        self.down = nn.ModuleList(Conv(fine, deep, 2, stride=2, relu=True) for fine, deep in steps)
        self.bottom = _blocks(widths[-1], config.bottom, aligned[-1])
        self.up = nn.ModuleList(Conv(deep, fine, 1) for fine, deep in steps)
        self.decode = nn.ModuleList(
            _blocks(width, count, view)
            for width, count, view in zip(widths, config.decode, aligned, strict=False)
        )
        self.leave = nn.Conv2d(widths[0], config.seen.samples, 1)
        for layer in (self.enter, *self.down, *self.up):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)
        if config.int8:
            for layer in self.modules():
                if isinstance(layer, Conv):
                    layer.make_rounding()

    @property
    def alignment(self) -> int:
        """Packed sides must be multiples of this."""
        return self.config.alignment

    @property
    def receptive_field(self) -> int:
        """Packed pixels per side that one output pixel depends on, features included."""
        config = self.config
        # A 3x3 convolution reaches one pixel of its own scale; a block has two, the entry is one.
        scales = [[*down, *up] for down, up in zip(self.encode, self.decode, strict=True)]
        counts = [
            2 * sum(isinstance(block, Block) for block in blocks)
            for blocks in (*scales, self.bottom)
        ]
        counts[0] += 1
        reach = sum(config.unshuffle * 2**i * count for i, count in enumerate(counts))
        # Brightness is of 2x2 packed pixels, even where the first scale is finer.
        reach += 2 - config.unshuffle + config.seen.reach
        # A pixel may lie anywhere in its cell of the deepest scale.
        return 2 * (reach + self.alignment - 1) + 1

    def views(self, features: torch.Tensor) -> list[torch.Tensor]:
        """Return the input's features at every scale, as the Feature-Align layers see them."""
        views = [features]
        while len(views) < len(self.config.widths):
            views.append(functional.avg_pool2d(views[-1], 2))
        return views

    def encoded(self, views: list[torch.Tensor], count: int | None = None) -> list[torch.Tensor]:
        """Return the scales' features on the way down, finest scale first: all, or so many."""
        x = self.enter(views[0])
        scales = []
        for view, blocks, down in zip(views, self.encode, self.down, strict=False):
            for block in blocks:
                x = block(x, view)
            scales.append(x)
            if len(scales) == count:
                return scales
            x = down(x)
        for block in self.bottom:
            x = block(x, views[-1])
        return [*scales, x]

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        views = self.views(features)
        *scales, x = self.encoded(views)
        for scale in reversed(range(len(scales))):
            x = scales[scale] + functional.interpolate(self.up[scale](x), scale_factor=2.0)
            for block in self.decode[scale]:
                x = block(x, views[scale])
        residual: torch.Tensor = self.leave(x)
        return residual


class Denoiser(nn.Module):
    """Packed mosaic in, packed mosaic out: the student between its features and its residual."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student = student

    def forward(
        self, x: torch.Tensor, shot_noise: torch.Tensor, read_noise: torch.Tensor
    ) -> torch.Tensor:
        """Denoise (N, planes, h, w) normalized samples; noise is (N, levels, 1, 1) variances."""
        features, std = self.features(x, shot_noise, read_noise)
        residual = self.student(features)
        return x + std * functional.pixel_shuffle(residual, self.student.config.unshuffle)

    def maps(
        self, x: torch.Tensor, shot_noise: torch.Tensor, read_noise: torch.Tensor, count: int
    ) -> list[torch.Tensor]:
        """Return the student's features of a mosaic on its way down: so many scales, finest first,
        or all that there are."""
        features, _ = self.features(x, shot_noise, read_noise)
        return self.student.encoded(self.student.views(features), count)

    def features(
        self, x: torch.Tensor, shot_noise: torch.Tensor, read_noise: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what the student sees of a mosaic, and its sigma (N, planes, h, w)."""
        inputs = self.student.config.seen
        level = inputs.low_pass(_reflect(x, inputs.low_pass_radius))
        std = inputs.of_planes(stabilize.noise_std(level, shot_noise, read_noise))
        detail = stabilize.detail(x, inputs.of_planes(level), std)
        parts = [functional.pixel_unshuffle(detail, inputs.unshuffle)]
        if inputs.has_chessboard:
            board = torch.from_numpy(stabilize.chessboard(*x.shape[-2:])).to(x.device, x.dtype)
            parts.append(board.expand(x.shape[0], 1, -1, -1))
        coarse = stabilize.block_means(level)
        noise = shot_noise, read_noise
        smooth = stabilize.middle_bands(coarse, *noise, inputs.bands, _reflect)
        smooth.append(stabilize.brightness(coarse, *noise))
        if inputs.unshuffle == 1:
            smooth = [functional.interpolate(part, scale_factor=2.0) for part in smooth]
        return torch.cat([*parts, *smooth], dim=1), std


def _reflect(planes: torch.Tensor, radius: int) -> torch.Tensor:
    """Pad planes by reflection on every side."""
    return functional.pad(planes, (radius,) * 4, mode="reflect")


def prune(student: Student) -> int:
    """Put a `Shift` in place of every int8 block whose inner channels never fire; return how many.

    The range of what its first convolution gives is empty then, so that nothing else comes out of
    the block, in training as in the file: the student's output stays as it was.
    """
    count = 0
    for blocks in (*student.encode, student.bottom, *student.decode):
        for number, block in enumerate(blocks):
            if isinstance(block, Block) and block.is_constant:
                bias = rounded(block.second.bias.detach().float(), block.second.output_range)
                blocks[number] = Shift(bias)
                count += 1
    return count


def macs_per_packed_pixel(student: Student, size: int = 64) -> float:
    """Count the multiply-accumulates of a student per packed pixel, by running it once."""
    layers = {n: layer for n, layer in student.named_modules() if isinstance(layer, nn.Conv2d)}
    total = 0.0

    def count(name: str, _: torch.Tensor, output: torch.Tensor) -> None:
        nonlocal total
        layer = layers[name]
        total += layer.weight[0].numel() * output.numel()

    grid = size // student.config.unshuffle
    with torch.no_grad(), watching(layers, count):
        student(torch.zeros(1, student.config.channels, grid, grid))
    return total / size**2
