"""The training losses, each with its source."""

import torch

CHARBONNIER_EPSILON = 0.1
"""In units of sigma: errors below it weigh quadratically, which keeps the result unbiased where
noise is skewed; those above it weigh linearly, so that edges do not drown everything else."""


def pixel_loss(output: torch.Tensor, target: torch.Tensor, noise_std: torch.Tensor) -> torch.Tensor:
    """Return the mean Charbonnier distance in units of each patch's mean noise.

    Every noise level then counts alike, where an absolute distance would see high ISO only.

    Parameters
    ----------
    output, target : (N, 4, h, w) float32, normalized
    noise_std : (N, 4, h, w) float32
        sigma(x) of the clean patch.

    Returns
    -------
    () float32

    References
    ----------
    Charbonnier et al., "Two deterministic half-quadratic regularization algorithms for computed
    imaging", ICIP 1994; Lai et al., CVPR 2017, arXiv 1704.03915.
    """
    scale = noise_std.mean(dim=(1, 2, 3), keepdim=True)
    error = (output - target) / scale
    return ((error.square() + CHARBONNIER_EPSILON**2).sqrt() - CHARBONNIER_EPSILON).mean()
