"""What is as dark as black stays dark, also where LibRaw takes zeros for bad pixels."""

from dataclasses import replace

import numpy as np
import pytest

from fadn_cli.raw.develop.render import develop
from fadn_cli.raw.source.reader import read_raw
from tests.making.camera_tiff import write_camera_tiff

LEVELS = {50714: (3, 128), 50728: (5, [(1, 1), (1, 1), (1, 1)])}


def darkness(path, **camera):
    """How bright a dark patch is in the developed picture."""
    samples = np.random.default_rng(0).normal(128, 6, (128, 192))
    samples[:, :60] += 500
    samples = np.clip(np.rint(samples), 1, 4095).astype(np.uint16)
    raw_image = read_raw(write_camera_tiff(path, samples, extra=LEVELS, **camera))
    mosaic = replace(raw_image.mosaic, white_level=4095.0)
    return develop(raw_image, mosaic)[:, 80:140].mean()


def test_the_dark_of_a_panasonic_is_as_dark_as_a_nikon_s(tmp_path):
    panasonic = darkness(tmp_path / "a.rw2", make="Panasonic", model="DMC-GH4")

    assert darkness(tmp_path / "b.nef") == pytest.approx(panasonic, rel=0.1)
