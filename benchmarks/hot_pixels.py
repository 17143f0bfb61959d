"""How many planted defects are found, what is taken for one wrongly, and whether stars survive.

``python benchmarks/hot_pixels.py [RAW ...]``, for example ../shared/raws/*.dng. Defects are planted
at 0.01 % of the samples, in the raws and in the drawn scene of `fadn demo`, as every kind of sensor
sees it, at three noise levels; one counts as planted if it is at least 10 sigma of the noise from
what it hides. What is found before anything is planted is wrong in a drawn scene; in a real raw,
most of it is right. Stars of five colours are drawn anywhere between the pixels; one is lost if any
sample of it is replaced. The last table is of known bad samples: how far off what replaces them is.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fadn_cli.demo.scene import draw_scene  # noqa: E402
from fadn_cli.denoise.defects.badpixels import interpolate  # noqa: E402
from fadn_cli.denoise.defects.hotpixels import find_defects  # noqa: E402
from fadn_cli.denoise.sensors.kinds import pack_mosaic, sensor_of  # noqa: E402
from fadn_cli.denoise.sensors.sensor import Packing  # noqa: E402
from fadn_cli.mosaic.cfa import CfaPattern  # noqa: E402
from tests.making.defects import (  # noqa: E402
    add_noise,
    blur,
    draw_stars,
    level_noise,
    mask_of,
    nearest,
    plant,
    read,
    see,
    through,
)
from tests.making.sensors import XTRANS_CELL  # noqa: E402

DENSITY = 1e-4
PLANTED = 2000  # defects of each kind, at least, spread over as many copies as that needs
KINDS = {
    "+0.1": {"light": 0.1},
    "+0.3": {"light": 0.3},
    "at white": {"value": 1.0},
    "dead": {"value": 0.0},
}
LEVELS = (("low", 1e-4), ("high", 1.6e-3), ("extreme", 2.56e-2))
PSF_STDS = (0.5, 0.7, 1.0, 1.5)
SIGMAS = (10, 12, 15, 20, 30)
PEAKS = (10, 20, 50, 200)  # sigma of the noise of the sky
STARS = 4000
SENSORS = {"Bayer": "RGGB", "X-Trans": XTRANS_CELL, "mono": "Y"}


def sensors():
    """Yield the name, the pattern and the packing of every kind, in the phase without padding."""
    for name, colors in SENSORS.items():
        cfa = CfaPattern(colors=colors)
        yield name, cfa, Packing(sensor=sensor_of(cfa), cfa=cfa)


def frames(paths):
    """Yield (name, packed frame, packing, noise) of the raws and of the drawn scene."""
    for path in paths:
        yield path.stem, *read(path)
    light = see(blur(draw_scene(1200, 1800)))
    for sensor, cfa, packing in sensors():
        clean, _ = pack_mosaic(through(light, cfa), cfa)
        rng = np.random.default_rng(1)
        for name, shot in LEVELS:
            noise = level_noise(shot, cfa)
            yield f"{sensor}, {name} noise", add_noise(clean, noise, rng=rng), packing, noise


def found_share(packed, packing, noise, kind):
    """Return how many defects of a kind were planted, and the share that was found."""
    rng = np.random.default_rng(2)
    planted = found = 0
    judged = np.zeros(packed.shape, bool)
    for plane in packing.sensor.own_samples(judged, packing):
        plane[...] = True
    for _ in range(max(1, round(PLANTED / (packed.size * DENSITY)))):
        x, mask = plant(packed, noise, rng=rng, density=DENSITY, within=judged, **kind)
        planted += mask.sum()
        found += (mask & mask_of(find_defects(x, packing, noise), x.shape)).sum()
    return planted, found / max(planted, 1)


def show_defects(paths):
    """Print what is found in every frame."""
    print(f"| mosaic | found unplanted | {' | '.join(KINDS)} | s per 24 MP |")
    print(f"|---|---|{'---|' * (len(KINDS) + 1)}")
    for name, packed, packing, noise in frames(paths):
        start = time.process_time()
        count = len(find_defects(packed, packing, noise).values)
        seconds = (time.process_time() - start) / packed.size * 24e6
        shares = (found_share(packed, packing, noise, kind) for kind in KINDS.values())
        cells = " | ".join(f"{share:.1%} of {planted}" for planted, share in shares)
        print(f"| {name} | {count}, {count / packed.size:.5%} | {cells} | {seconds:.2f} |")


def show_noise_limit():
    """Print the share found on a flat grey, by how far a defect is from it."""
    print(f"\n| on flat grey | {' | '.join(f'{sigma} sigma' for sigma in SIGMAS)} |")
    print(f"|---|{'---|' * len(SIGMAS)}")
    for sensor, cfa, packing in sensors():
        grey, _ = pack_mosaic(np.full((1398, 1398), 0.1, np.float32), cfa)
        rng = np.random.default_rng(4)
        for name, shot in LEVELS:
            noise = level_noise(shot, cfa)
            packed = add_noise(grey, noise, rng=rng)
            shares = (found_share(packed, packing, noise, {"sigma": sigma}) for sigma in SIGMAS)
            cells = " | ".join(f"{share:.0%}" for _, share in shares)
            print(f"| {sensor}, {name} noise | {cells} |")


def show_stars():
    """Print which share of the stars loses a sample."""
    print(f"\n| stars of | {' | '.join(f'{peak} sigma' for peak in PEAKS)} |")
    print(f"|---|{'---|' * len(PEAKS)}")
    for sensor, cfa, packing in sensors():
        rng = np.random.default_rng(3)
        for psf_std in PSF_STDS:
            lost, drawn = np.zeros(len(PEAKS)), np.zeros(len(PEAKS))
            for _, shot in LEVELS:
                noise = level_noise(shot, cfa)
                std = float(np.sqrt(noise.variance(0.01)[noise.colors.find("G")]))
                peaks = [std * peak for peak in PEAKS]
                clean, places, chosen = draw_stars(
                    1500, 1500, count=STARS, psf_std=psf_std, peaks=peaks, rng=rng, cfa=cfa
                )
                defects = find_defects(add_noise(clean, noise, rng=rng), packing, noise)
                found = packing.unpack(mask_of(defects, clean.shape).astype(np.float32))
                hit = np.zeros(STARS, bool)
                for site in np.argwhere(found):
                    hit |= np.abs(places - site).max(axis=1) < max(2 * psf_std, 1)
                lost += np.bincount(chosen[hit], minlength=len(PEAKS))
                drawn += np.bincount(chosen, minlength=len(PEAKS))
            cells = " | ".join(f"{share:.2%}" for share in lost / drawn)
            print(f"| {sensor}, {psf_std} px | {cells} |")


def show_interpolation():
    """Print by how much known bad samples are off, and by how much the median around them is."""
    light = see(blur(draw_scene(1200, 1800)))
    print("\n| rms error of the scale | interpolated | median of the eight nearest |")
    print("|---|---|---|")
    for sensor, cfa, packing in sensors():
        clean = through(light, cfa)
        rng = np.random.default_rng(5)
        for name, shot in LEVELS:
            packed, _ = pack_mosaic(clean, cfa)
            x = packing.unpack(add_noise(packed, level_noise(shot, cfa), rng=rng))
            bad = np.zeros(x.shape, bool)
            bad[8:-8:13, 8:-8:11] = True
            sites = np.argwhere(bad)
            medians = [
                np.median([x[row + down, col + right] for down, right in nearest(cfa, row, col)])
                for row, col in sites
            ]
            repaired, left = np.where(bad, np.float32(np.nan), x), bad.copy()
            interpolate(repaired, left, cfa)
            errors = [
                np.sqrt(np.mean((each - clean[bad]) ** 2)) for each in (repaired[bad], medians)
            ]
            print(f"| {sensor}, {name} noise | {errors[0]:.4f} | {errors[1]:.4f} |")


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raws", type=Path, nargs="*", metavar="RAW")
    show_defects(parser.parse_args().raws)
    show_noise_limit()
    show_stars()
    show_interpolation()


if __name__ == "__main__":
    main()
