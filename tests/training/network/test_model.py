"""The student's promises: size, alignment, receptive field, and what its layers do."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fadn_cli.denoise.network.inference import make_features  # noqa: E402
from fadn_cli.noise import noise_model  # noqa: E402
from fadn_cli.training.network.config import StudentConfig  # noqa: E402
from fadn_cli.training.network.model import (  # noqa: E402
    Denoiser,
    FeatureAlign,
    Student,
    macs_per_packed_pixel,
)
from fadn_cli.training.network.quantize import LEVELS, rounded, scale_and_zero  # noqa: E402

TINY = StudentConfig(widths=(8, 8, 8), embedding=4)


DEEPER = StudentConfig(
    widths=(8, 8, 8, 8), encode=(1, 0, 2), bottom=2, decode=(2, 1, 0), embedding=4
)


FULL = StudentConfig(
    inputs="highpass-8",
    widths=(4, 8, 8),
    encode=(0, 1),
    decode=(2, 1),
    aligned_from=1,
    aligned_scales=1,
    embedding=4,
)
BANDS = [
    dataclasses.replace(TINY, inputs="bands-24"),
    dataclasses.replace(DEEPER, inputs="bands-28"),
    dataclasses.replace(FULL, inputs="bands-12"),
    dataclasses.replace(FULL, inputs="bands-16"),
]
CONFIGS = pytest.mark.parametrize(
    "config",
    [TINY, DEEPER, FULL, *BANDS],
    ids=["three scales", "four scales", "full resolution", *(each.inputs for each in BANDS)],
)


def shaken(config=TINY):
    """A student whose last layer is not zero, so that its output says something."""
    torch.manual_seed(2)
    student = Student(config).eval()
    torch.nn.init.normal_(student.leave.weight)
    return student


def test_the_fast_student_stays_within_its_budget():
    assert macs_per_packed_pixel(Student(StudentConfig())) <= 25_000


@CONFIGS
def test_an_untrained_denoiser_returns_its_input(config):
    x = torch.randn(1, 4, 32, 48)
    ones = torch.ones(1, 4, 1, 1)

    assert torch.equal(x, Denoiser(Student(config))(x, 1e-3 * ones, 1e-5 * ones))


def test_feature_align_starts_near_the_identity_and_can_be_left_out():
    features = torch.randn(1, 8, 4, 4)

    aligned = FeatureAlign(20, 8, 4)(features, torch.randn(1, 20, 4, 4))

    assert torch.allclose(features, aligned, atol=0.8)
    without = Student(StudentConfig(aligned_scales=0))
    assert not any("align" in name for name, _ in without.named_modules())


def test_feature_align_sees_the_input_at_every_scale():
    layers = [name for name, _ in Student(TINY).named_modules() if name.endswith("align")]

    assert ["bottom.0.align", "decode.0.0.align", "decode.1.0.align"] == layers


def test_feature_align_layers_stay_within_the_scales_that_they_are_given():
    layers = [name for name, _ in Student(FULL).named_modules() if name.endswith("align")]

    assert layers == ["decode.1.0.align"]


@CONFIGS
def test_a_change_reaches_as_far_as_the_receptive_field_says_and_no_farther(config):
    student = shaken(config)
    reach = student.receptive_field // 2
    x = torch.randn(1, 4, 320, 320, generator=torch.Generator().manual_seed(1))
    shot, read = (torch.full((1, 4, 1, 1), value) for value in (1e-2, 1e-2))
    denoiser = Denoiser(student)
    changed = x.clone()
    changed[..., 160, 160] += 3

    with torch.no_grad():
        difference = (denoiser(changed, shot, read) - denoiser(x, shot, read)).abs().amax((0, 1))

    rows = torch.nonzero(difference.amax(1)).flatten()
    farthest = max(160 - rows.min().item(), rows.max().item() - 160)
    assert reach - student.alignment <= farthest <= reach


@CONFIGS
def test_only_multiples_of_the_alignment_keep_their_size(config):
    student = shaken(config)
    grid = student.alignment // config.unshuffle
    inputs, outputs = config.channels, student.leave.out_channels
    features = torch.zeros(1, inputs, 3 * grid, 2 * grid)

    with torch.no_grad():
        assert (1, outputs, 3 * grid, 2 * grid) == student(features).shape
        with pytest.raises(RuntimeError):
            student(torch.zeros(1, inputs, 3 * grid + 1, 2 * grid))


@CONFIGS
def test_training_and_inference_make_the_same_features(config):
    rng = np.random.default_rng(5)
    packed = rng.normal(0.05, 0.05, (4, 96, 48)).astype(np.float32)
    noise = noise_model([1e-3, 2e-3, 2e-3, 3e-3], 1e-4, source="test")
    seen = []
    student = Student(config)
    student.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))

    shot, read = (
        torch.from_numpy(v)[None, :, None, None] for v in (noise.shot_noise, noise.read_noise)
    )
    with torch.no_grad():
        Denoiser(student)(torch.from_numpy(packed)[None], shot, read)

    features, _ = make_features(packed, noise, config.seen)
    np.testing.assert_allclose(features, seen[0].numpy(), atol=2e-5)


def test_only_known_inputs_can_be_asked_for():
    with pytest.raises(ValueError, match="highpass-8.*bands-24.*, got highpass-80"):
        StudentConfig(inputs="highpass-80")


def test_blocks_are_given_for_every_scale():
    with pytest.raises(ValueError, match="4 widths need 3"):
        StudentConfig(widths=(8, 8, 8, 8))


@pytest.mark.parametrize("limits", [(-1.3, 0.7), (0.0, 2.1), (0.0, 0.0), (-0.01, 5.0)])
def test_rounding_is_torchs_own_to_the_bit_and_so_is_its_gradient(limits):
    generator = torch.Generator().manual_seed(1)
    x, gradient = torch.randn(2, 2, 4, 8, 8, generator=generator)
    ours, torchs = (x.clone().requires_grad_(True) for _ in range(2))

    y = rounded(ours, torch.tensor(limits))
    expected = torch.fake_quantize_per_tensor_affine(
        torchs, *scale_and_zero(torch.tensor(limits)), 0, LEVELS
    )
    y.backward(gradient)
    expected.backward(gradient)

    assert torch.equal(y, expected)
    assert torch.equal(ours.grad, torchs.grad)
