"""How many planted defects are found, what is taken for one wrongly, and whether stars survive.

``python benchmarks/hot_pixels.py [RAW ...]``, for example ../shared/raws/*.dng. Defects are planted
at 0.01 % of the samples, in the raws and in the drawn scene of `fadn demo` at three noise levels;
one counts as planted if it is at least 10 sigma of the noise from what it hides. What is found
before anything is planted is wrong in a drawn scene; in a real raw, most of it is right. Stars of
five colours are drawn anywhere between the pixels; one is lost if any sample of it is replaced.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fadn_cli.demo.run import expose
from fadn_cli.demo.scene import draw_scene
from fadn_cli.denoise.defects.hotpixels import find_defects  # noqa: E402
from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.sensor import Packing
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.noise import noise_model  # noqa: E402
from tests.making.defects import add_noise, blur, draw_stars, mask_of, plant, read  # noqa: E402

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
UNSHIFTED = Packing(sensor=BAYER, cfa=CfaPattern(colors="RGGB"))


def level_noise(shot):
    """Return the typical noise of a sensor with this shot noise [Brooks et al., CVPR 2019]."""
    return noise_model(shot, np.exp(2.18 * np.log(shot) + 1.20), source="given")


def frames(paths):
    """Yield (name, packed frame, packing, noise) of the raws and of the drawn scene."""
    for path in paths:
        yield path.stem, *read(path)
    clean = BAYER.pack(expose(blur(draw_scene(1200, 1800))))
    rng = np.random.default_rng(1)
    for name, shot in LEVELS:
        noise = level_noise(shot)
        yield f"drawn, {name} noise", add_noise(clean, noise, rng=rng), UNSHIFTED, noise


def found_share(packed, packing, noise, kind):
    """Return how many defects of a kind were planted, and the share that was found."""
    rng = np.random.default_rng(2)
    planted = found = 0
    judged = np.zeros(packed.shape, bool)
    for plane in BAYER.own_samples(judged, packing):
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
    rng = np.random.default_rng(4)
    for name, shot in LEVELS:
        noise = level_noise(shot)
        packed = add_noise(np.full((4, 700, 700), 0.1), noise, rng=rng)
        shares = (found_share(packed, UNSHIFTED, noise, {"sigma": sigma}) for sigma in SIGMAS)
        print(f"| {name} noise | {' | '.join(f'{share:.0%}' for _, share in shares)} |")


def show_stars():
    """Print which share of the stars loses a sample."""
    print(f"\n| stars of | {' | '.join(f'{peak} sigma' for peak in PEAKS)} |")
    print(f"|---|{'---|' * len(PEAKS)}")
    rng = np.random.default_rng(3)
    for psf_std in PSF_STDS:
        lost, drawn = np.zeros(len(PEAKS)), np.zeros(len(PEAKS))
        for _, shot in LEVELS:
            noise = level_noise(shot)
            std = float(np.sqrt(noise.variance(0.01)[1]))
            clean, places, chosen = draw_stars(
                1500, 1500, count=STARS, psf_std=psf_std, peaks=[std * p for p in PEAKS], rng=rng
            )
            plane, row, col = find_defects(add_noise(clean, noise, rng=rng), UNSHIFTED, noise).sites
            sites = np.stack([2 * row + plane // 2, 2 * col + plane % 2], axis=-1)
            hit = np.zeros(STARS, bool)
            for site in sites:
                hit |= np.abs(places - site).max(axis=1) < max(2 * psf_std, 1)
            lost += np.bincount(chosen[hit], minlength=len(PEAKS))
            drawn += np.bincount(chosen, minlength=len(PEAKS))
        print(f"| {psf_std} px | {' | '.join(f'{share:.2%}' for share in lost / drawn)} |")


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raws", type=Path, nargs="*", metavar="RAW")
    show_defects(parser.parse_args().raws)
    show_noise_limit()
    show_stars()


if __name__ == "__main__":
    main()
