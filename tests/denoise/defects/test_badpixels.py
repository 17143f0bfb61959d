"""Samples that are known to be bad: whatever they hold, what replaces them fits in."""

import numpy as np
import pytest

from fadn_cli.denoise.defects import badpixels
from fadn_cli.denoise.defects.badpixels import interpolate
from fadn_cli.mosaic.cfa import CfaPattern
from tests.making.defects import nearest
from tests.making.sensors import XTRANS_CELL

SIZE = 40, 56
XTRANS = CfaPattern(colors=XTRANS_CELL)
BAYER, MONO = CfaPattern(colors="RGGB"), CfaPattern(colors="Y")
SENSORS = {"Bayer": BAYER, "X-Trans": XTRANS, "mono": MONO}
PATTERNS = {
    "one": ((20, 20),),
    "a pair beside each other": ((20, 20), (20, 21)),
    "a cluster": tuple((row, col) for row in range(10, 14) for col in range(30, 35)),
    "a column": tuple((row, 17) for row in range(SIZE[0])),
    "two columns of one colour": tuple((row, col) for row in range(SIZE[0]) for col in (17, 19)),
    "a row": tuple((8, col) for col in range(SIZE[1])),
    "a rectangle": tuple((row, col) for row in range(12, 28) for col in range(20, 41)),
    "corners": ((0, 0), (0, 55), (39, 0), (39, 55)),
    "a corner's block": tuple((row, col) for row in range(5) for col in range(4)),
    "borders": tuple((row, col) for row in range(SIZE[0]) for col in (0, 1, 54, 55)),
}


def bad_at(sites, size=SIZE):
    bad = np.zeros(size, np.bool_)
    bad[tuple(np.transpose(sites))] = True
    return bad


every_sensor = pytest.mark.parametrize("cfa", SENSORS.values(), ids=SENSORS)
every_pattern = pytest.mark.parametrize("sites", PATTERNS.values(), ids=PATTERNS)


def repaired(x, bad, cfa):
    """What becomes of a mosaic whose bad samples hold nothing."""
    holed = np.where(bad, np.float32(np.nan), x).astype(np.float32)
    left = bad.copy()
    interpolate(holed, left, cfa)
    assert not left.any()
    assert np.float32 == holed.dtype
    return holed


def of_colors(cfa, colors=(0.2, 0.5, 0.4, 0.3), size=SIZE):
    """A mosaic of flat colours: those of a sensor's kinds of samples."""
    rows, cols = np.mgrid[: size[0], : size[1]]
    kinds = np.array([cfa.noise_index(*at) for at in np.ndindex(cfa.period, cfa.period)])
    kinds = kinds.reshape(cfa.period, cfa.period)
    return np.take(colors, kinds[rows % cfa.period, cols % cfa.period]).astype(np.float32)


def scene(cfa, size=SIZE):
    """Texture of every colour that samples of one colour can just tell."""
    rows, cols = np.mgrid[: size[0], : size[1]]
    light = (
        0.4 + 0.1 * np.sin(rows / 5) + 0.1 * np.cos(cols / 4) + 0.1 * np.sin((rows + cols) / 1.6)
    )
    gains = {"RGGB": (0.5, 1.0, 1.0, 0.625), "RGB": (0.5, 1.0, 0.625), "Y": (0.7,)}
    return (of_colors(cfa, gains[cfa.noise_colors], size) * light).astype(np.float32)


@every_sensor
@every_pattern
def test_a_flat_of_every_colour_comes_back_whatever_is_bad(sites, cfa):
    x = of_colors(cfa)

    np.testing.assert_allclose(repaired(x, bad_at(sites), cfa), x, rtol=1e-5)


@pytest.mark.parametrize(
    "name", ["one", "a cluster", "a column", "two columns of one colour", "a row"]
)
@every_sensor
def test_a_ramp_comes_back_inside_the_frame(name, cfa):
    rows, cols = np.mgrid[: SIZE[0], : SIZE[1]]
    x = (of_colors(cfa) + 0.003 * rows + 0.005 * cols).astype(np.float32)

    found = repaired(x, bad_at(PATTERNS[name]), cfa)

    near = 2e-3 if cfa.kind != "xtrans" else 1e-2  # planes tilt a little less than the ramp
    np.testing.assert_allclose(found[4:-4, 4:-4], x[4:-4, 4:-4], rtol=near)


@every_sensor
def test_single_samples_on_a_ramp_come_back_wherever_they_are(cfa):
    rows, cols = np.mgrid[: SIZE[0], : SIZE[1]]
    x = (of_colors(cfa) + 0.003 * rows + 0.005 * cols).astype(np.float32)
    bad = np.zeros(SIZE, np.bool_)
    bad[8:-8:6, 8:-8:7] = True

    np.testing.assert_allclose(repaired(x, bad, cfa), x, rtol=1e-3)


@pytest.mark.parametrize("color", ["R", "B"])
def test_a_bright_dot_that_green_shows_comes_back_in_red_and_blue(color):
    """Without a look at green, three fifths of the peak would be left."""
    rows, cols = np.mgrid[: SIZE[0], : SIZE[1]]
    for row, col in [at for at in np.ndindex(SIZE) if min(at) > 15 and max(at) < 28]:
        if XTRANS.at(row, col) == color:
            light = 1 + np.exp(-((rows - row) ** 2 + (cols - col) ** 2) / (2 * 1.4**2))
            x = (of_colors(XTRANS) * light).astype(np.float32)

            found = repaired(x, bad_at(((row, col),)), XTRANS)[row, col]

            assert found > 0.75 * x[row, col]


@every_sensor
@every_pattern
def test_good_samples_stay_and_bad_ones_are_not_looked_at(sites, cfa):
    x, bad = scene(cfa), bad_at(sites)

    found = repaired(x, bad, cfa)

    assert np.array_equal(x[~bad], found[~bad])
    assert np.isfinite(found).all()


@every_sensor
def test_how_many_were_repaired_is_said(cfa):
    x, bad = scene(cfa), bad_at(PATTERNS["a cluster"])

    assert 20 == interpolate(x, bad, cfa)


@every_sensor
def test_a_colour_without_a_good_sample_is_left_and_said_to_be_bad(cfa):
    kinds = of_colors(cfa, range(4)).astype(int)
    x, bad = of_colors(cfa), kinds == kinds[0, 1]
    one_more = {"bayer": 1, "xtrans": 1, "mono": 0}[cfa.kind]
    bad[1, 1] = True

    assert one_more == interpolate(x, bad, cfa)
    assert np.array_equal(kinds == kinds[0, 1], bad)


def test_a_pattern_that_no_sensor_has_is_refused():
    x = np.zeros((8, 8), np.float32)

    with pytest.raises(ValueError, match="CYMG"):
        interpolate(x, x > 1, CfaPattern(colors="CYMG"))


@pytest.mark.parametrize("cfa", [BAYER, MONO], ids=["Bayer", "mono"])
@every_pattern
def test_rows_and_columns_are_treated_alike(sites, cfa):
    x, bad = scene(cfa), bad_at(sites)
    turned = CfaPattern(colors="".join(cfa.at(c, r) for r, c in np.ndindex((cfa.period,) * 2)))

    across = repaired(np.ascontiguousarray(x.T), np.ascontiguousarray(bad.T), turned).T

    np.testing.assert_allclose(across, repaired(x, bad, cfa), rtol=1e-4)


@pytest.mark.parametrize(
    ("top", "left"), [(0, 1), (1, 0), (1, 1), (2, 5), (3, 0), (3, 3), (4, 2), (5, 4)]
)
@every_sensor
def test_the_phase_does_not_matter(cfa, top, left):
    x, bad = scene(cfa), bad_at(PATTERNS["a cluster"])

    found = repaired(x[top:, left:], bad[top:, left:], cfa.shifted(top, left))

    np.testing.assert_allclose(found, repaired(x, bad, cfa)[top:, left:], rtol=1e-5)


def test_a_wrong_phase_would_be_seen():
    x = of_colors(XTRANS)
    bad = bad_at([at for at in np.ndindex(SIZE) if sum(at) % 7 == 0 and XTRANS.at(*at) == "R"])

    wrong = repaired(x, bad, XTRANS.shifted(1, 0))

    assert np.abs(wrong - x)[bad].max() > 0.05


@every_sensor
@every_pattern
def test_the_result_does_not_depend_on_how_the_work_is_cut(sites, cfa, monkeypatch):
    x, bad = scene(cfa), bad_at(sites)
    expected = repaired(x, bad, cfa)

    monkeypatch.setattr(badpixels, "_SITES_PER_BLOCK", 3)

    np.testing.assert_array_equal(expected, repaired(x, bad, cfa))


@every_sensor
def test_light_twice_as_bright_is_repaired_twice_as_bright(cfa):
    x, bad = scene(cfa), bad_at(PATTERNS["a cluster"])

    np.testing.assert_allclose(repaired(2 * x, bad, cfa), 2 * repaired(x, bad, cfa), rtol=1e-3)


@every_sensor
def test_among_saturated_neighbours_a_sample_is_saturated_to_the_last_bit(cfa):
    for row in range(20, 26):
        x, bad = scene(cfa), bad_at(((row, 22),))
        x[row - 6 : row + 7, 16:29] = 1

        assert 1 == repaired(x, bad, cfa)[row, 22]


@every_sensor
def test_an_edge_is_continued_along_itself(cfa):
    rows, cols = np.mgrid[: SIZE[0], : SIZE[1]]
    for edge in (cols < 28, rows < 20, rows + 3 < cols, rows + cols < 48):
        x = (of_colors(cfa) * np.where(edge, 0.2, 1.0)).astype(np.float32)
        bad = np.zeros(SIZE, np.bool_)
        bad[8:-8:6, 8:-8:7] = True
        error = np.abs(repaired(x, bad, cfa) - x)[bad] / x[bad]
        assert np.median(error) < 0.01
        assert (error > 0.1).mean() < (0.1 if cfa is XTRANS else 0.08)


@every_sensor
def test_texture_is_guessed_better_than_by_the_median_of_the_neighbours(cfa):
    x, bad = scene(cfa, (96, 128)), np.zeros((96, 128), np.bool_)
    bad[6:-6:5, 6:-6:7] = True
    medians = [
        np.median([x[row + down, col + right] for down, right in nearest(cfa, row, col)])
        for row, col in np.argwhere(bad)
    ]

    ours = np.sqrt(np.mean((repaired(x, bad, cfa) - x)[bad] ** 2))

    share = {"bayer": 0.3, "xtrans": 0.5, "mono": 0.3}[cfa.kind]
    assert ours < share * np.sqrt(np.mean((medians - x[bad]) ** 2))


@every_sensor
@every_pattern
def test_noise_is_not_made_worse(sites, cfa):
    x = of_colors(cfa)
    noisy = (x + np.random.default_rng(3).normal(0, 0.02, SIZE)).astype(np.float32)
    bad = bad_at(sites)

    assert np.abs(repaired(noisy, bad, cfa) - x)[bad].max() < 4 * 0.02


@pytest.mark.parametrize("cfa", [BAYER, XTRANS], ids=["Bayer", "X-Trans"])
def test_a_spike_of_another_colour_does_not_reach_over(cfa):
    row, col = next(at for at in np.ndindex(20, 20) if min(at) > 12 and cfa.at(*at) == "R")
    x, bad = of_colors(cfa), bad_at(((row, col),))
    for at in ((row, col - 1), (row, col + 1), (row - 1, col), (row + 1, col)):
        x[at] = 1

    assert 0.2 == pytest.approx(repaired(x, bad, cfa)[row, col])
