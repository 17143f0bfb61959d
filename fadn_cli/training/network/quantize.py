"""Convolutions that can be trained as the int8 kernels will run them.

`model` builds its layers from `Conv`. The one thing to know: what `Conv` computes while `rounds` is
on is what `onnx_graph` writes with the same scales and zero points, so a network is fine-tuned on
the very errors it will make.

References
----------
Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018, arXiv 1712.05877 (fake quantization, straight-through gradients).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn import functional

LEVELS = 255
"""Highest activation: unsigned 8 bits."""
WEIGHT_LEVELS = 63
"""Largest weight. Seven bits: processors without VNNI add pairs of products in 16 bits, which
8-bit weights would overflow."""
PERCENTILE = 0.9995
"""Share of the activations that 8 bits span; a few strong edges beyond are clipped."""
SAMPLED = 200_000
"""Activations looked at per tensor and batch."""


class Conv(nn.Conv2d):
    """A convolution, its ReLU if it has one, and the rounding of its input, weights and output."""

    input_range: torch.Tensor
    output_range: torch.Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int,
        *,
        stride: int = 1,
        relu: bool = False,
        after_conv: bool = False,
    ) -> None:
        padding = size // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, size, stride=stride, padding=padding)
        self.relu = relu
        self.leak = 0.0  # of the ReLU; training starts with one, so that no channel dies
        self.after_conv = after_conv  # the input is another one's output: rounded already
        self.rounds = False

    @property
    def is_silent(self) -> bool:
        """Whether nothing comes out of it: 8 bits that span nothing hold nothing."""
        return self.rounds and not bool(self.output_range.any())

    def make_rounding(self) -> None:
        """Add the ranges of input and output to the state; all zero until `calibrate`."""
        if not self.after_conv:
            self.register_buffer("input_range", torch.zeros(2))
        self.register_buffer("output_range", torch.zeros(2))
        self.rounds = True

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.rounds:
            return self._activated(super().forward(x))
        with torch.autocast(x.device.type, enabled=False):
            if not self.after_conv:
                x = rounded(x.float(), self.input_range)
            weight = rounded_weight(self.weight)
        y = functional.conv2d(x, weight, self.bias, self.stride, self.padding)
        y = self._activated(y)
        with torch.autocast(x.device.type, enabled=False):
            return rounded(y.float(), self.output_range)

    def _activated(self, y: torch.Tensor) -> torch.Tensor:
        """Return a convolution's result after its ReLU, if it has one."""
        if not self.relu:
            return y
        return functional.leaky_relu(y, self.leak) if self.leak else functional.relu(y)


def scale_and_zero(limits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the scale and the zero point of unsigned 8 bits that span a range and hold zero.

    Tensors, so that training never waits for a GPU to tell a number.
    """
    low, high = limits[0].clamp(max=0), limits[1].clamp(min=0)
    scale = ((high - low) / LEVELS).clamp(min=1e-8)
    return scale, torch.round(-low / scale).to(torch.int32)


def rounded(x: torch.Tensor, limits: torch.Tensor) -> torch.Tensor:
    """Round activations to 8 bits; the gradient passes where nothing was clipped."""
    scale, zero = scale_and_zero(limits)
    if x.device.type == "cpu":
        rounded_x: torch.Tensor = _Rounded.apply(x, scale.item(), zero.item())
        return rounded_x
    return torch.fake_quantize_per_tensor_affine(x, scale, zero, 0, LEVELS)


class _Rounded(torch.autograd.Function):
    """torch.fake_quantize_per_tensor_affine to the bit, in half the time: on a CPU that one, and
    the product of a gradient and a mask, go number by number."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx, x: torch.Tensor, scale: float, zero: int
    ) -> torch.Tensor:
        # By the inverse in float32, as torch does it, so that the bits are the same.
        steps = (x * (1 / torch.tensor(scale))).round_()
        ctx.save_for_backward(steps)
        ctx.clipped = (-zero - 0.5, LEVELS - zero + 0.5)
        return steps.clamp(-zero, LEVELS - zero).mul_(scale)

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, gradient: torch.Tensor
    ) -> tuple[torch.Tensor, None, None]:
        (steps,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(gradient, steps, *ctx.clipped), None, None


def weight_scales(weight: torch.Tensor) -> torch.Tensor:
    """Return one scale per output channel: (outputs,) float32."""
    return weight.detach().flatten(1).abs().amax(1).clamp(min=1e-8).float() / WEIGHT_LEVELS


def rounded_weight(weight: torch.Tensor) -> torch.Tensor:
    """Round weights to 7 bits per output channel; the gradient passes unchanged."""
    zeros = torch.zeros(weight.shape[0], dtype=torch.int32, device=weight.device)
    scales = weight_scales(weight)
    return torch.fake_quantize_per_channel_affine(
        weight.float(), scales, zeros, 0, -WEIGHT_LEVELS, WEIGHT_LEVELS
    )


def set_leak(model: nn.Module, leak: float) -> None:
    """Set the slope below zero of every ReLU that follows a convolution."""
    for layer in model.modules():
        if isinstance(layer, Conv):
            layer.leak = leak


@contextmanager
def watching(
    layers: Mapping[str, nn.Module], see: Callable[[str, torch.Tensor, torch.Tensor], None]
) -> Iterator[None]:
    """Call `see` with name, input and output of each of these layers whenever it runs."""

    def watch(name: str, layer: nn.Module) -> torch.utils.hooks.RemovableHandle:
        return layer.register_forward_hook(lambda _, inputs, output: see(name, inputs[0], output))

    hooks = [watch(name, layer) for name, layer in layers.items()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def alive(model: nn.Module, batch: tuple[torch.Tensor, ...]) -> dict[str, float]:
    """Return for every convolution with a ReLU the share of its channels that are ever above zero.

    Channels that died are the failure that a loss curve does not tell. Silent convolutions are
    left out: `start.retire` has made them so.

    Parameters
    ----------
    model : Module
        A denoiser.
    batch : tuple of tensors
        Of `batches.make_batch`: noisy, target, shot noise, read noise and what else there is.
    """
    return {name: (fires > 0).float().mean().item() for name, fires in firing(model, batch).items()}


@torch.no_grad()
def firing(model: nn.Module, batch: tuple[torch.Tensor, ...]) -> dict[str, torch.Tensor]:
    """Return for every such convolution how often each channel is above zero: (channels,), 0 to 1.

    What does so less and less is about to die.

    Parameters
    ----------
    model : Module
        A denoiser.
    batch : tuple of tensors
        Of `batches.make_batch`: noisy, target, shot noise, read noise and what else there is.
    """
    shares: dict[str, torch.Tensor] = {}

    def see(name: str, _: torch.Tensor, output: torch.Tensor) -> None:
        shares[name] = (output > 0).float().mean((0, 2, 3))

    layers = {
        name: layer
        for name, layer in model.named_modules()
        if isinstance(layer, Conv) and layer.relu and not layer.is_silent
    }
    noisy, _, shot, read = batch[:4]
    with watching(layers, see):
        model(noisy, shot, read)
    return shares


def convolutions(model: nn.Module) -> dict[str, Conv]:
    """Return the convolutions that round, by name."""
    return {
        name: layer
        for name, layer in model.named_modules()
        if isinstance(layer, Conv) and hasattr(layer, "output_range")
    }


def set_rounding(model: nn.Module, rounds: bool) -> None:
    """Switch the rounding of every convolution that has it on, or off for its float twin."""
    for layer in convolutions(model).values():
        layer.rounds = rounds


@torch.no_grad()
def calibrate(model: nn.Module, batches: Iterable[tuple[torch.Tensor, ...]]) -> None:
    """Set every range to the mean, over batches, of what PERCENTILE of the activations span.

    Parameters
    ----------
    model : Module
        Run in float on each batch.
    batches : iterable of tuples
        The model's arguments.
    """
    layers = convolutions(model)
    seen: dict[str, list[torch.Tensor]] = {name: [] for name in layers}

    def see(name: str, source: torch.Tensor, output: torch.Tensor) -> None:
        seen[name].append(torch.stack([_span(source), _span(output)]))

    set_rounding(model, False)
    with watching(layers, see):
        for batch in batches:
            model(*batch)
    for name, layer in layers.items():
        input_range, layer.output_range = torch.stack(seen[name]).mean(0)
        if not layer.after_conv:
            layer.input_range = input_range
    set_rounding(model, True)


def _span(values: torch.Tensor) -> torch.Tensor:
    """Return the lowest and the highest value that PERCENTILE of the values stay within."""
    flat = values.flatten().float()
    flat = flat[:: max(1, flat.numel() // SAMPLED)]
    rank = torch.tensor([1 - PERCENTILE, PERCENTILE], device=flat.device)
    return torch.quantile(flat, rank)
