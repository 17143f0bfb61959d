"""Defects planted into mosaics, and stars drawn: what repairs must find, and what spare."""

import math
from pathlib import Path

import numpy as np

from fadn_cli.demo.run import expose
from fadn_cli.denoise.noise.choice import choose_noise
from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.kinds import SENSORS, pack_active, pack_mosaic
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.noise import noise_model
from fadn_cli.raw.source.reader import read_raw

VISIBLE = 10
"""Sigma of the noise at a place: a defect closer to what it hides is no trouble to anyone."""
COLORS = ((0.55, 1, 0.6), (0.45, 1, 0.8), (0.8, 1, 0.4), (1, 0.8, 0.3), (0.3, 0.6, 1))
"""Stars as a sensor without white balance sees them: white, bluish, yellow, red and blue."""
RGGB = CfaPattern(colors="RGGB")


def level_noise(shot, cfa=RGGB):
    """The typical noise of a sensor with this shot noise [Brooks et al., CVPR 2019]."""
    read = np.exp(2.18 * np.log(shot) + 1.20)
    return noise_model(shot, read, source="given", colors=cfa.noise_colors)


def see(scene):
    """The camera of the demonstration sees a drawn (H, W, 3) scene, all colours at every place."""
    red, green, _, blue = BAYER.pack(expose(scene.repeat(2, 0).repeat(2, 1)))
    return np.stack([red, green, blue], axis=-1)


def through(light, cfa):
    """A sensor's (H, W) mosaic of (H, W, 3) camera colours; without filters it sees their mean."""
    height, width, _ = light.shape
    side = range(cfa.period)
    sites = np.array([["RGBY".index(cfa.at(row, col)) for col in side] for row in side])
    colors = np.tile(sites, (height // cfa.period + 1, width // cfa.period + 1))[:height, :width]
    seen = np.concatenate([light, light.mean(axis=-1, keepdims=True)], axis=-1)
    return np.take_along_axis(seen, colors[..., None], axis=-1)[..., 0].astype(np.float32)


def nearest(cfa, row, col, count=8):
    """The nearest samples of the colour of a site, as offsets."""
    side = range(-5, 6)
    offsets = [(down, right) for down in side for right in side if down or right]
    offsets.sort(key=lambda at: at[0] ** 2 + at[1] ** 2)
    color = cfa.at(row, col)
    return [at for at in offsets if cfa.at(row + at[0], col + at[1]) == color][:count]


def of_planes(noise):
    """Shot and read noise of each plane of the sensor that a model is for."""
    sensor = next(each for each in SENSORS.values() if each.noise_colors == noise.colors)
    return sensor.noise_of_planes(noise)


def plant(x, noise, *, rng, density, value=None, light=None, sigma=None, within=None):
    """Spread defects over a packed frame.

    Parameters
    ----------
    x : (planes, h, w) float32, normalized
        With noise; not modified.
    noise : NoiseModel
        Of `x`.
    density : float
        Share of the samples.
    value : float, optional
        What a defect shows, whatever falls on it: 1 stuck at white, 0 dead.
    light : float, optional
        What a defect adds instead, up to white.
    sigma : float, optional
        The same in units of the noise at its place.
    within : (planes, h, w) bool, optional
        Where they may be.

    Returns
    -------
    x : (planes, h, w) float32
    planted : (planes, h, w) bool
        Those that differ visibly from what they replace.
    """
    chosen = rng.random(x.shape) < density
    if within is not None:
        chosen &= within
    shot, read = of_planes(noise)
    std = np.sqrt(shot * np.maximum(x, 0) + read)
    shown = np.full_like(x, value or 0)
    if value is None:
        shown = np.minimum(x + (sigma * std if light is None else light), np.maximum(x, 1))
    chosen &= np.abs(shown - x) > VISIBLE * std
    return np.where(chosen, shown, x).astype(np.float32), chosen


def mask_of(defects, shape):
    """Where defects were found: a (planes, h, w) mask."""
    mask = np.zeros(shape, bool)
    mask[tuple(defects.sites)] = True
    return mask


def blur(scene):
    """Look at a drawn (H, W, 3) scene through a sharp lens: a blur of 0.5 pixels."""
    for axis in (0, 1):
        shifted = (np.roll(scene, shift, axis) for shift in (-1, 1))
        scene = np.float32(0.75) * scene + np.float32(0.125) * sum(shifted)
    return scene


def add_noise(clean, noise, *, rng):
    """Count photons and add the electronics' noise to a packed frame; white clips."""
    shot, read = of_planes(noise)
    photons = rng.poisson(np.maximum(clean, 0) / shot) * shot
    noisy = photons + np.sqrt(read) * rng.standard_normal(clean.shape)
    return np.minimum(noisy, 1).astype(np.float32)


def draw_stars(height, width, *, count, psf_std, peaks, rng, sky=0.01, cfa=RGGB):
    """Draw a night sky through lens, pixels and the sensor's filters; no noise yet.

    Parameters
    ----------
    height, width : int
        Of the mosaic; whole cells.
    count : int
        Of stars, anywhere between the pixels.
    psf_std : float
        Of the Gaussian blur of the lens, in pixels; the pixels' own area comes to it.
    peaks : sequence of float
        Brightest samples of stars that sit on a pixel's centre, normalized; drawn from.

    Returns
    -------
    packed : (planes, height/cell, width/cell) float32, normalized
        May exceed white.
    places : (count, 2) float
        Row and column of each star in the mosaic, 0 being the centre of the first pixel.
    chosen : (count,) int
        Index of each star's peak.
    """
    reach = math.ceil(4 * psf_std) + 1
    places = rng.uniform(reach, (height - 1 - reach, width - 1 - reach), (count, 2))
    chosen = rng.integers(len(peaks), size=count)
    edges = np.arange(-reach - 0.5, reach + 1)
    light = np.zeros((height, width, 3), np.float32)
    brightest = math.erf(0.5 / (psf_std * math.sqrt(2))) ** 2
    for place, peak, color in zip(
        places, np.take(peaks, chosen), rng.choice(COLORS, count), strict=True
    ):
        nearest = np.rint(place).astype(int)
        cumulated = [
            [math.erf(edge / (psf_std * math.sqrt(2))) / 2 for edge in edges - offset]
            for offset in place - nearest
        ]
        down, across = np.diff(cumulated)
        rows, cols = (slice(at - reach, at + reach + 1) for at in nearest)
        light[rows, cols] += np.outer(down, across)[..., None] * (peak / brightest * color)
    light += np.float32(sky)
    packed, _ = pack_mosaic(through(light, cfa), cfa)
    return packed, places, chosen


def read(path: Path):
    """A raw's packed samples, their shift, and the noise it would be denoised by."""
    raw = read_raw(path)
    packed, shift = pack_active(raw.mosaic)
    step = 1 / (raw.mosaic.white_level - float(raw.mosaic.black_level.mean()))
    noise = choose_noise(
        packed,
        name=path.name,
        given=None,
        profile=raw.metadata.noise_profile,
        iso=raw.metadata.iso,
        step=step,
    )
    return packed, shift, noise.used
