"""The training losses, each with its source."""

import torch

from fadn_cli.training.network.model import Denoiser


def pixel_loss(
    output: torch.Tensor, target: torch.Tensor, noise_std: torch.Tensor, epsilon: float
) -> torch.Tensor:
    """Return the mean Charbonnier distance in units of each patch's mean noise.

    Every noise level then counts alike, where an absolute distance would see high ISO only.

    Parameters
    ----------
    output, target : (N, planes, h, w) float32, normalized
    noise_std : (N, planes, h, w) float32
        sigma(x) of the clean patch.
    epsilon : float
        In units of sigma: errors below it weigh quadratically, which keeps the result unbiased
        where noise is skewed; those above it weigh linearly, so that edges do not drown the rest.

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
    return ((error.square() + epsilon**2).sqrt() - epsilon).mean()


def feature_loss(
    teacher: Denoiser,
    output: torch.Tensor,
    target: torch.Tensor,
    noise: tuple[torch.Tensor, torch.Tensor],
    weights: tuple[float, ...],
) -> torch.Tensor:
    """Return the weighted distance between what a frozen denoiser sees in output and target.

    The teacher is the perceptual extractor: both mosaics pass through its way down, seen in units
    of the same noise, and the mean absolute differences of its feature maps are added up.

    Parameters
    ----------
    teacher : Denoiser
        Frozen.
    output, target : (N, planes, h, w) float32, normalized
    noise : two (N, levels, 1, 1) float32
        Shot and read noise, variances.
    weights : tuple of float
        One per scale, finest first; scales beyond are left out, those of weight 0 too.

    Returns
    -------
    () float32

    References
    ----------
    Young et al., "Feature-Align Network with Knowledge Distillation for Efficient Denoising",
    arXiv 2103.01524, section 3.3 (Feature Matching Loss).
    """
    with torch.no_grad():
        expected = teacher.maps(target, *noise, len(weights))
    seen_of = teacher.maps(output, *noise, len(weights))
    total = output.new_zeros(())
    for weight, seen, wanted in zip(weights, seen_of, expected, strict=False):
        if weight:
            total = total + weight * (seen.float() - wanted.float()).abs().mean()
    return total
