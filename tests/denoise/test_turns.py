"""Every way up is a mosaic of the same sensor, and their mean is where it was."""

import numpy as np
import pytest

from fadn_cli.denoise.sensors.kinds import SENSORS, pack_mosaic
from fadn_cli.denoise.turns import COUNTS, denoise_turned, turns
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.noise import noise_model
from tests.making.sensors import COLORS

NOISE = {
    sensor.kind: noise_model(1e-3, 1e-5, source="test", colors=sensor.noise_colors)
    for sensor in SENSORS.values()
}

every_sensor = pytest.mark.parametrize("kind", SENSORS)
every_size = pytest.mark.parametrize("size", [(24, 36), (25, 37), (31, 26)])


def colours(cfa, shape):
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    return np.vectorize(cfa.noise_index)(rows, cols).astype(np.float32)


@every_size
@every_sensor
@pytest.mark.parametrize("turn", turns(8), ids=str)
def test_a_turned_mosaic_has_the_pattern_that_is_told(kind, size, turn):
    for origin in ((0, 0), (1, 0), (4, 1)):
        cfa = CfaPattern(colors=COLORS[kind]).shifted(*origin)
        rows, cols = np.mgrid[: size[0], : size[1]]
        letters = np.vectorize(cfa.at)(rows, cols)

        turned = turn.apply_to_cfa(cfa, size)

        assert turned.kind == kind
        seen = turn.apply(letters)
        rows, cols = np.mgrid[: seen.shape[0], : seen.shape[1]]
        assert np.array_equal(seen, np.vectorize(turned.at)(rows, cols))
        assert np.array_equal(letters, turn.undo(seen))


@every_sensor
@every_size
@pytest.mark.parametrize("count", COUNTS)
def test_the_mean_of_what_changes_nothing_is_the_source(kind, size, count):
    cfa = CfaPattern(colors=COLORS[kind]).shifted(1, 1)
    packed, packing = pack_mosaic(np.random.default_rng(1).random(size, np.float32), cfa)
    seen = []

    def nothing(turned, noise, number):
        seen.append((number, turned.shape[0], noise))
        return turned

    result = denoise_turned(packed, packing, NOISE[kind], nothing, count)

    np.testing.assert_allclose(packed, result, atol=1e-6)
    assert [number for number, *_ in seen] == list(range(count))


@every_sensor
def test_what_leans_one_way_leans_none_in_the_mean(kind):
    """A filter that moves the picture by a cell moves it in every direction, and back."""
    cfa = CfaPattern(colors=COLORS[kind])
    x = np.zeros((60, 60), np.float32)
    x[30, 30] = 1
    packed, packing = pack_mosaic(x, cfa)

    def moved(turned, *_):
        return np.roll(turned, (2, 4), axis=(1, 2))

    whole = packing.unpack(denoise_turned(packed, packing, NOISE[kind], moved, 8))

    rows, cols = np.mgrid[:60, :60]
    assert (whole * rows).sum() == pytest.approx(30, abs=1e-4)
    assert (whole * cols).sum() == pytest.approx(30, abs=1e-4)
    assert np.count_nonzero(whole) == 8


def test_on_its_side_each_green_has_the_other_s_noise():
    noise = noise_model([1e-3, 2e-3, 3e-3, 4e-3], [1e-6, 2e-6, 3e-6, 4e-6], source="test")

    on_side = turns(8)[4].apply_to_noise(noise)

    np.testing.assert_allclose(on_side.shot_noise, [1e-3, 3e-3, 2e-3, 4e-3])
    assert turns(8)[3].apply_to_noise(noise) is noise


@pytest.mark.parametrize("count", [0, 3, 16])
def test_other_counts_are_refused(count):
    with pytest.raises(ValueError, match="ensemble"):
        turns(count)
