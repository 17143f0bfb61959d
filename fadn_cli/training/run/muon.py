"""The optimizer: Muon for the convolutions' weights, Adam for everything else.

`train` builds it. The one thing to know: a convolution's momentum is made orthogonal before it is
applied, so that every direction of the weight moves at the same speed; on this task it reaches
Adam's quality in half the steps (see weights/README.md).

References
----------
Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024,
https://kellerjordan.github.io/posts/muon. The scale that lets Muon's rate be read like Adam's:
Liu et al., "Muon is scalable for LLM training", arXiv 2502.16982.
"""

from collections.abc import Iterable

import torch
from torch import nn

from fadn_cli.training.run.precision import faster_dtype

MOMENTUM = 0.95
ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic Newton-Schulz iteration: steep at zero, so that five of them are enough."""
ADAM_SCALE = 0.2
"""Root mean square of a step relative to the rate, as Adam's is in practice."""


MOST_ROWS = 64
"""Of matrices that are iterated on together: calls cost more than the work on such small ones."""


def orthogonalized(matrices: torch.Tensor) -> torch.Tensor:
    """Return matrices with their singular values brought near one.

    Parameters
    ----------
    matrices : (..., rows, columns) float32

    Returns
    -------
    (..., rows, columns) float32
        Singular values between about 0.7 and 1.2.
    """
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    # The iteration corrects the rounding of bfloat16, which costs less than half where it is fast.
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    x = x.to(faster_dtype(x.device.type)).contiguous()
    add_product = torch.addmm if x.ndim == 2 else torch.baddbmm
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = add_product(x, add_product(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).to(matrices.dtype)


def all_orthogonalized(matrices: list[torch.Tensor]) -> list[torch.Tensor]:
    """Return many matrices orthogonalized, small ones of one shape together."""
    results: dict[int, torch.Tensor] = {}
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, matrix in enumerate(matrices):
        if min(matrix.shape) <= MOST_ROWS:
            groups.setdefault(tuple(matrix.shape), []).append(index)
        else:
            results[index] = orthogonalized(matrix)
    for indices in groups.values():
        together = orthogonalized(torch.stack([matrices[index] for index in indices]))
        results |= zip(indices, together.unbind(), strict=True)
    return [results[index] for index in range(len(matrices))]


class Muon(torch.optim.Optimizer):
    """Momentum, made orthogonal; for weights of two dimensions or more (the first: outputs)."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, decay: float = 0.0) -> None:
        super().__init__(parameters, {"lr": lr, "decay": decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Update every weight by its gradient."""
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            ahead = [self._ahead(weight, weight.grad) for weight in weights]
            decay = group.get("decay", 0.0) * group["lr"]  # runs from before have none
            for weight, update in zip(weights, all_orthogonalized(ahead), strict=True):
                scale = ADAM_SCALE * max(update.shape) ** 0.5
                weight.mul_(1 - decay)
                weight.add_(update.reshape(weight.shape), alpha=-scale * group["lr"])

    def _ahead(self, weight: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """Take a gradient into the momentum; return Nesterov's look ahead: (outputs, inputs)."""
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        state["momentum"].lerp_(gradient, 1 - MOMENTUM)
        return gradient.lerp(state["momentum"], MOMENTUM).flatten(1)
