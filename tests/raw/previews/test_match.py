"""A new preview has the camera's look, and nothing of the old one's noise."""

import numpy as np
import pytest
from PIL import Image

from fadn_cli.raw.previews.match import PLAIN, find_look, settle

ENCODING = np.arange(1 << 16, dtype=np.uint16)


@pytest.fixture
def scene():
    """A colourful picture with detail."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(20, 230, (12, 18, 3), dtype=np.uint8))
    return np.asarray(coarse.resize((576, 384), Image.Resampling.BICUBIC))


def cameras(picture, noise=0.0, vignetting=0.0):
    """The same in a camera's colours: contrast, saturation, warmth; darker corners; noise."""
    x = picture / 255
    grey = x.mean(axis=2, keepdims=True)
    x = np.clip(grey + 1.3 * (x - grey), 0, 1) ** 0.8
    x = (0.4 * x + 0.6 * x * x * (3 - 2 * x)) * (1, 0.98, 0.92)
    y, across = np.mgrid[-1 : 1 : x.shape[0] * 1j, -1 : 1 : x.shape[1] * 1j]
    x = x * (1 - vignetting * (y**2 + across**2))[..., None]
    x = x + np.random.default_rng(1).normal(0, noise or 1e-9, x.shape)
    return np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8)


def blocks(picture, side=64):
    """The mean colours of its blocks."""
    height, width, _ = picture.shape
    whole = picture[: height // side * side, : width // side * side].astype(float)
    return whole.reshape(height // side, side, width // side, side, 3).mean(axis=(1, 3))


def looking_like(picture, old):
    """A picture with an old one's look."""
    look = find_look(old, picture)
    tables = look.tables(ENCODING)
    levels = picture.astype(np.uint16) * 257
    curved = np.stack([tables[c][levels[..., c]] for c in range(3)], axis=2)
    return settle(look.mixed(curved), old)


@pytest.mark.parametrize("vignetting", (0.0, 0.15))
@pytest.mark.parametrize("noise", (0.0, 0.08))
def test_brightness_contrast_and_colour_are_the_cameras_in_every_area(scene, noise, vignetting):
    old = cameras(scene, noise, vignetting)

    new = looking_like(scene, old)

    difference = np.abs(blocks(new) - blocks(old))
    assert difference.mean() < 2
    assert np.abs(blocks(scene) - blocks(old)).mean() > 8


def test_no_noise_comes_along(scene):
    clean = cameras(scene)

    new = looking_like(scene, cameras(scene, noise=0.08))

    assert np.abs(new.astype(int) - clean).mean() < 4  # the noise: 16


def test_a_grey_picture_stays_grey(scene):
    grey = np.repeat(scene.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)

    new = looking_like(scene, cameras(grey)[..., :1].repeat(3, axis=2))

    assert np.ptp(new.astype(int), axis=2).mean() < 4


def test_another_scene_is_no_guide(scene):
    other = np.random.default_rng(3).integers(0, 256, scene.shape, dtype=np.uint8)

    assert find_look(other, scene) is PLAIN
    assert settle(scene, other) is scene


def test_a_flat_picture_becomes_as_bright(scene):
    flat, old = (np.full((96, 144, 3), level, np.uint8) for level in (90, 130))

    assert np.abs(looking_like(flat, old).astype(int) - old).max() <= 1


def test_edges_that_lie_elsewhere_leave_no_ghosts():
    """A lens that the camera corrects: what is flat on either side of the edge stays flat."""
    picture = np.full((256, 384, 3), 60, np.uint8)
    picture[:, 192:] = 200
    old = np.roll(picture, 12, axis=1)
    old[:, :12] = 60

    new = settle(picture, old).astype(int)

    assert np.abs(new[:, :128] - 60).max() <= 12
    assert np.abs(new[:, 256:] - 200).max() <= 12


def test_a_wall_of_one_colour_gets_no_stains():
    """Areas within a few tones, lit otherwise in the old picture: grain must not become colours."""
    rng = np.random.default_rng(4)
    rows, cols = np.mgrid[:384, :576]
    wall = 200 + 2 * np.sin(rows / 60) + 2 * np.cos(cols / 90)
    grain = rng.normal(0, 1, (384, 576, 3))
    dark = (rows < 90)[..., None]
    picture = np.where(dark, 40, wall[..., None] + grain).round().astype(np.uint8)
    lit = [wall + 9 * np.sin(cols / (50 + 30 * c) + c) for c in range(3)]
    old = np.where(dark, 30, np.stack(lit, axis=2)).round().astype(np.uint8)

    new = looking_like(picture, old)

    def stains(x):
        x = x[120:].astype(float)
        return (x[:, 1:] - x[:, :-1]).std(axis=(0, 1)).max()

    assert stains(new) < 2 * stains(picture)
