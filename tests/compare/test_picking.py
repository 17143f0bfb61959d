"""Details are found where they are: flat shadow, texture, edges, highlights."""

import numpy as np
import pytest

from fadn_cli.compare.picking import EDGES, HIGHLIGHTS, SHADOW, TEXTURE, pick_details
from fadn_cli.noise import noise_model

NOISE = noise_model(1e-4, 1e-6, source="given")


def with_noise(clean, *, seed=5):
    """Add the noise of NOISE to a (h, w) scene; four grey planes."""
    packed = np.stack([clean] * 4).astype(np.float32)
    variance = 1e-4 * np.maximum(packed, 0) + 1e-6
    rng = np.random.default_rng(seed)
    return (packed + rng.normal(size=packed.shape) * np.sqrt(variance)).astype(np.float32)


@pytest.fixture(scope="module")
def quarters():
    """A scene of four quarters: dark and flat, textured, straight edges, bright and flat."""
    height, width = 400, 640
    rng = np.random.default_rng(6)
    scene = np.full((height, width), 0.01)
    scene[:200, 320:] = 0.1 + rng.normal(size=(200, 320)) * 0.008
    across = np.arange(320) // 40 % 2
    scene[200:, :320] = 0.05 + 0.1 * across
    scene[200:, 320:] = 0.6
    return with_noise(scene)


def test_each_kind_is_found_in_its_quarter(quarters):
    places = pick_details(quarters, NOISE)

    corners = {SHADOW: (0, 0), TEXTURE: (0, 640), EDGES: (400, 0), HIGHLIGHTS: (400, 640)}
    assert tuple(corners) == tuple(place.kind for place in places)
    for place in places:
        top, left = corners[place.kind]
        assert top <= place.area.top + place.area.height // 2 < top + 400
        assert left <= place.area.left + place.area.width // 2 < left + 640


def test_the_same_structure_below_the_noise_is_no_texture(quarters):
    flat = with_noise(np.full((400, 640), 0.1))

    assert {SHADOW, HIGHLIGHTS} == {place.kind for place in pick_details(flat, NOISE)}


def test_details_lie_inside_and_hardly_overlap(quarters):
    places = pick_details(quarters, NOISE)

    seen = np.zeros((800, 1280))
    for place in places:
        area = place.area
        assert 0 <= area.top <= 800 - area.height
        assert 0 <= area.left <= 1280 - area.width
        assert seen[area.slices].mean() <= 0.25
        seen[area.slices] = 1


def test_levels_are_those_of_the_place(quarters):
    levels = {place.kind: place.level for place in pick_details(quarters, NOISE)}

    assert 0.01 == pytest.approx(levels[SHADOW], rel=0.02)
    assert 0.6 == pytest.approx(levels[HIGHLIGHTS], rel=0.1)


def test_blown_highlights_are_passed_over_for_those_with_something_in_them():
    scene = np.full((400, 1600), 0.02)
    scene[:, :500] = 1.0
    scene[:, 1000:] = 0.7

    (place,) = (p for p in pick_details(with_noise(scene), NOISE) if p.kind == HIGHLIGHTS)

    assert 2000 <= place.area.left
    assert 0.7 == pytest.approx(place.level, rel=0.01)


@pytest.mark.parametrize("size", [(8, 8), (15, 40), (16, 16), (31, 17), (50, 90)])
def test_small_frames_have_few_details_or_none(size):
    rng = np.random.default_rng(7)
    packed = rng.normal(0.1, 0.01, (4, *size)).astype(np.float32)

    for place in pick_details(packed, NOISE):
        assert place.area.top + place.area.height <= 2 * size[0]
        assert place.area.left + place.area.width <= 2 * size[1]


def test_black_frames_and_frames_without_noise_break_nothing():
    for level in (0.0, -0.01, 1.0):
        constant = np.full((4, 64, 64), level, np.float32)

        pick_details(constant, noise_model(1e-9, 0.0, source="given"))


def test_the_mosaic_is_not_modified(quarters):
    before = quarters.copy()

    pick_details(quarters, NOISE)

    assert np.array_equal(before, quarters)
