"""Other people's programs develop a DNG in finer steps to the picture of the same DNG in the
source's steps: nothing becomes brighter, and what is white stays white."""

import numpy as np
import pytest

from fadn_cli.mosaic.conversion import scaled
from fadn_cli.mosaic.steps import finest_factor
from fadn_cli.raw.dng.edit import DngEdit
from fadn_cli.raw.dng.write import write_dng
from fadn_cli.raw.source.reader import read_raw
from tests.programs.developers import PROGRAMS, WHITE, develop

EDIT = DngEdit(noise_profile=None, strength=1, unique_id=bytes(range(16)), description="test")
RAWS = {
    "14 bits, a camera they know": "canon_kiss_x4_colorchart.dng",
    "14 bits, overexposed": "nikon_flower_bggr.dng",
    "10 bits": "bursts/imx296_static_1.dng",
    "10 bits, no DNG": "canon_s40_0119.crw",
}
LARGEST_SHIFT = 0.001
"""Of black to white. RawTherapee balances the colours before it demosaics, by blocks without
samples that lie within 8 of black or 25 of white, whatever the steps are; so single pixels come
out otherwise where there are edges. [RawTherapee, RawImage::get_colorsCoeff]"""
MOST_DIFFERENT = {"dcraw_emu": 0, "darktable-cli": 0.001}
"""Share of samples. darktable gave equal pictures on two cores, others on one larger machine."""


@pytest.mark.raw
@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", RAWS.values(), ids=RAWS)
def test_it_is_developed_to_the_same_picture(raws, tmp_path, program, name):
    raw_image = read_raw(raws / name)
    pictures = []
    for factor in (1, finest_factor(raw_image.mosaic.highest)):
        output = tmp_path / f"{factor}.dng"
        write_dng(output, raw_image, scaled(raw_image.mosaic, factor), edit=EDIT)
        pictures.append(develop(program, output).astype(np.int32))

    coarse, fine = pictures
    assert coarse.shape == fine.shape
    shift = (fine - coarse).mean(axis=(0, 1)) / WHITE
    assert np.abs(shift).max() < LARGEST_SHIFT
    if program != "rawtherapee-cli":
        assert np.mean(coarse != fine) <= MOST_DIFFERENT[program]
