"""The synthetic sensor has the noise it says, and each defect can be switched off."""

from dataclasses import fields

import pytest

torch = pytest.importorskip("torch")

from fadn_cli.training.synthesis import (  # noqa: E402
    Dirt,
    NoiseRange,
    add_noise,
    draw_sensors,
)

SPOTLESS = Dirt(**{field.name: 0.0 for field in fields(Dirt)})


def expose(level, shot, read, dirt=SPOTLESS, size=128, count=2):
    """Expose a flat patch."""
    clean = torch.full((count, 4, size, size), level)
    ones = torch.ones(count, 1, 1, 1)
    generator = torch.Generator().manual_seed(4)
    return clean, *add_noise(clean, shot * ones, read * ones, dirt, generator)


@pytest.mark.parametrize("shot", (1e-4, 1e-2))
@pytest.mark.parametrize("level", (0.002, 0.3))
def test_variance_is_shot_times_signal_plus_read(level, shot):
    clean, noisy, _, _, _ = expose(level, shot, 1e-5)

    variance = (noisy - clean).var().item()
    assert variance == pytest.approx(shot * level + 1e-5, rel=0.03)
    assert noisy.mean().item() == pytest.approx(level, abs=4 * (variance / noisy.numel()) ** 0.5)


def test_nothing_is_clipped_at_black_unless_asked():
    _, noisy, target, _, _ = expose(0.0, 1e-3, 1e-4)

    assert noisy.min() < 0
    assert (target == 0).all()


def test_clipping_at_black_keeps_the_mean_of_the_clipped_noise():
    _, noisy, target, _, _ = expose(0.003, 1e-3, 1e-4, Dirt(**{**ZEROS, "black_clipping": 1.0}))

    assert noisy.min() == 0
    assert target.mean().item() == pytest.approx(noisy.mean().item(), rel=0.02)


ZEROS = {field.name: 0.0 for field in fields(Dirt)}


@pytest.mark.parametrize("name", sorted(set(ZEROS) - {"parameter_error"}))
def test_each_defect_changes_the_patch_and_can_be_switched_off(name):
    dirty = Dirt(**{**ZEROS, name: 1.0})

    changed = expose(0.01, 1e-3, 1e-3, dirty)[1]
    clean = expose(0.01, 1e-3, 1e-3, dirty.without(name))[1]

    assert torch.equal(clean, expose(0.01, 1e-3, 1e-3)[1])
    assert not torch.equal(changed, clean)


def test_the_network_is_told_parameters_within_fifteen_percent():
    *_, told_shot, told_read = expose(0.1, 1e-3, 1e-5, Dirt(), count=64, size=16)

    for told, true in ((told_shot, 1e-3), (told_read, 1e-5)):
        assert 0.84 * true < told.min() < 0.95 * true
        assert 1.05 * true < told.max() < 1.16 * true


def test_sensors_cover_the_range_and_no_more():
    shot, read, exposure = draw_sensors(4000, NoiseRange(), torch.Generator().manual_seed(1))

    assert 1e-5 <= shot.min() < 1.2e-5
    assert 3.5e-2 < shot.max() <= 4e-2
    assert 2**-8 <= exposure.min() < 2**-7.5
    assert (read > 0).all()
