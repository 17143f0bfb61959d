"""What is slow in bands is told from the scene by colours, and from scenes that change theirs."""

import numpy as np
import pytest

from fadn_cli.denoise.roughness import far_roughness, smooth

ROWS, SEGMENTS, REACH, STD = 240, 12, 22, 1e-3
BAYER = np.array([[0.5, 1.0], [1.0, 0.625]])[..., None, None]
XTRANS = np.array([[1.0, 0.6]] * 3)[..., None, None]
GREENS = {2: (1, 0), 3: (0, 0, 0)}
PLACES = np.arange(ROWS)[:, None] / ROWS
DARK = np.ones(SEGMENTS, bool)


def light(seed=0):
    """A smooth scene in each segment, (rows, segments)."""
    phases = np.random.default_rng(seed).uniform(0, 6, SEGMENTS)
    return 0.02 + 0.008 * np.sin(5 * PLACES + phases)


def added(gains, seed, strength=STD, dark=DARK, std=STD, change=0):
    """What is slow in common bands, and what is added of it: (rows,) each.

    `change` is of the colour of light: the share that is added to all but the greens.
    """
    rng = np.random.default_rng(seed)
    lines, greens = len(gains), GREENS[len(gains)]
    bands = rng.normal(size=ROWS) * strength / np.sqrt(lines)
    others = np.ones((lines, 2), bool)
    others[range(lines), greens] = False
    level = gains * light() * (1 + change * others[..., None, None]) + bands[:, None]
    variance = np.full(level.shape, 2.5e-5 / 32, np.float32)
    level = (level + rng.normal(size=level.shape) * np.sqrt(variance)).astype(np.float32)

    rough = far_roughness(level, variance, std, REACH, greens, dark)

    slow = smooth(bands.astype(np.float32)[None, None, :, None], REACH).ravel()
    return slow, (rough - level + smooth(level, REACH)).mean(axis=(0, 1, 3))


def rms(x):
    return float(np.sqrt(np.mean(np.square(x))))


@pytest.mark.parametrize("gains", (BAYER, XTRANS), ids=("bayer", "xtrans"))
def test_colors_tell_what_is_slow_in_bands_from_light(gains):
    pairs = [added(gains, seed) for seed in range(8)]

    left = rms([slow - slow.mean() - told for slow, told in pairs])
    assert left < 0.75 * rms([slow - slow.mean() for slow, _ in pairs])


def test_one_color_tells_nothing():
    _, told = added(np.ones((2, 2, 1, 1)), 1)

    assert rms(told) < 0.02 * STD


def test_bright_segments_tell_nothing():
    _, told = added(BAYER, 1, dark=~DARK)

    assert rms(told) < 1e-7


CHANGES = {
    "steadily": PLACES - 0.5,
    "from one half to the other": np.where(PLACES < 0.5, -0.3, 0.3),
    "in waves": 0.3 * np.sin(20 * PLACES),
    "in each segment otherwise": 0.3 * np.sin(10 * PLACES + np.arange(SEGMENTS)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_light_that_changes_its_color_is_taken_for_no_more_than_bands(name):
    told = [added(BAYER, seed, strength=0, change=CHANGES[name])[1] for seed in range(4)]

    slow = STD * np.sqrt(2.25 / (2 * REACH + 1) / 2)
    assert rms(told) < slow


def test_colors_that_change_do_not_hide_bands_further():
    def change(seed):
        return 0.1 * np.sin(8 * PLACES + np.random.default_rng(seed).uniform(0, 6, SEGMENTS))

    pairs = [added(BAYER, seed, change=change(seed + 50)) for seed in range(12)]

    left = [rms(slow - slow.mean() - told) for slow, told in pairs]
    assert np.mean(left) < np.mean([rms(slow - slow.mean()) for slow, _ in pairs])


def test_levels_stay():
    _, told = added(BAYER, 1)

    assert told.mean() == pytest.approx(0, abs=1e-7)
