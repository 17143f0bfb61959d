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

MOMENTUM = 0.95
ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic Newton-Schulz iteration: steep at zero, so that five of them are enough."""
ADAM_SCALE = 0.2
"""Root mean square of a step relative to the rate, as Adam's is in practice."""


def orthogonalized(matrix: torch.Tensor) -> torch.Tensor:
    """Return the matrix with its singular values brought near one.

    Parameters
    ----------
    matrix : (rows, columns) float32

    Returns
    -------
    (rows, columns) float32
        Singular values between about 0.7 and 1.2.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    # bfloat16: the iteration corrects its own rounding, and costs less than half.
    x = (x / (x.norm() + 1e-7)).to(torch.bfloat16).contiguous()
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.T if tall else x).to(matrix.dtype)


class Muon(torch.optim.Optimizer):
    """Momentum, made orthogonal; for weights of two dimensions or more (the first: outputs)."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, decay: float = 0.0) -> None:
        super().__init__(parameters, {"lr": lr, "decay": decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Update every weight by its gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                state["momentum"].lerp_(weight.grad, 1 - MOMENTUM)
                ahead = weight.grad.lerp(state["momentum"], MOMENTUM).flatten(1)  # Nesterov's
                scale = ADAM_SCALE * max(ahead.shape) ** 0.5
                update = orthogonalized(ahead).reshape(weight.shape)
                weight.mul_(1 - group.get("decay", 0.0) * group["lr"])  # runs from before have none
                weight.add_(update, alpha=-scale * group["lr"])
