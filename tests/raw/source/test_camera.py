"""A raw of another kind than we know is refused by its name, with what it would take."""

import numpy as np
import pytest
import rawpy

from fadn_cli.errors import RawReadError, UnsupportedRawError
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.raw.source.reader import read_raw
from tests.making.camera_tiff import write_camera_tiff
from tests.making.codings import Coding
from tests.making.dng.write import write_dng
from tests.making.iiq import write_iiq
from tests.making.mosaics import noisy_samples
from tests.making.parts import point_to, write_mosaic
from tests.making.raf import write_raf
from tests.making.sensors import XTRANS_CELL
from tests.making.tiff import ASCII, BYTE, LONG, SHORT


def camera(make, model):
    return lambda path: write_camera_tiff(path, noisy_samples(), make=make, model=model)


def dng(**changes):
    return lambda path: write_dng(path, noisy_samples(), **changes)


def write_small_nef(path):
    """Nikon's small raw: 12 bits of luma per pixel and the chroma of every second, not a mosaic."""
    coding = Coding(lambda piece, order: piece.tobytes() + bytes(piece.size), 12, 34713)
    nikon = {271: (ASCII, "NIKON CORPORATION"), 272: (ASCII, "NIKON D810")}
    parts = {"raw": {}, "ifd0": nikon | {254: (LONG, 1), 330: point_to("raw")}}
    samples = noisy_samples(64, 96, low=0, high=2**16)
    return write_mosaic(path, samples, parts, ("data", "raw"), coding=coding)


REFUSED = {
    "X-Trans of another pattern": (
        lambda path: write_raf(path, pattern="GBGGRG" * 6),
        "a filter array 6x6 of B, G, R",
        "this filter array",
    ),
    "cyan, magenta, yellow": (
        camera("Kodak", "DCS620X"),
        "a filter array 2x2 of C, M, Y",
        "this filter array",
    ),
    "4 colours": (
        camera("Canon", "Canon PowerShot G1"),
        "a filter array CYGM",
        "this filter array",
    ),
    "4 colours in a DNG": (
        dng(extra_raw={33422: (BYTE, (0, 1, 6, 2))}),
        "CFA is RGBW",
        "this filter array",
    ),
    "diagonal": (
        lambda path: write_raf(path, model="FinePix S5Pro", x_trans=False, diagonal=True),
        "the sensor is a tilted grid",
        "this filter array",
    ),
    "two frames": (
        lambda path: write_raf(path, x_trans=False, frames=2),
        "holds two frames",
        "Merge the frames",
    ),
    "sRAW": (write_small_nef, "an sRAW", "full-size RAW"),
    "linear": (
        dng(extra_raw={262: (SHORT, 34892), 277: (SHORT, 3)}),
        "a linear DNG, already demosaiced",
        "original raw",
    ),
    "floating-point": (dng(extra_raw={339: (SHORT, 3)}), "floating-point samples", "integers"),
    "Phase One": (
        lambda path: write_iiq(path, noisy_samples(480, 640)),
        r"a Phase One raw \(IIQ\)",
        "calibration",
    ),
    "Foveon": (lambda path: path.write_bytes(b"FOVb" + bytes(99)), "Foveon", "every pixel"),
}


@pytest.mark.parametrize(("write", "name", "needed"), REFUSED.values(), ids=REFUSED)
def test_another_kind_is_refused_by_its_name_with_what_it_needs(tmp_path, write, name, needed):
    path = tmp_path / "a.raw"
    write(path)

    with pytest.raises(UnsupportedRawError, match=f"a.raw: .*{name}.*") as caught:
        read_raw(path)

    assert needed in caught.value.advice
    assert caught.value.advice.startswith(("That ", "Merge "))


@pytest.mark.parametrize(
    ("make", "model"),
    [("Kodak", "DCS760M"), ("RICOH IMAGING COMPANY, LTD.", "PENTAX K-3 Mark III Monochrome")],
)
def test_a_monochrome_camera_is_known_by_libraw_or_by_its_name(tmp_path, make, model):
    samples = noisy_samples()

    raw = read_raw(write_camera_tiff(tmp_path / "a.raw", samples, make=make, model=model))

    assert "mono" == raw.mosaic.cfa.kind
    assert (1, 1) == raw.mosaic.black_level.shape
    assert raw.metadata.wb_gains is None
    assert raw.metadata.color_matrix is None
    assert np.array_equal(samples, raw.mosaic.samples)


def test_libraw_does_not_say_what_it_subtracts_from_an_iiq(tmp_path):
    """Why an IIQ is refused: its DNG would be brighter by the black level."""
    path = write_iiq(tmp_path / "a.iiq", noisy_samples(480, 640), black=1024)
    raw_colors = {
        "output_color": rawpy.ColorSpace.raw,
        "user_wb": [1, 1, 1, 1],
        "gamma": (1, 1),
        "output_bps": 16,
        "no_auto_bright": True,
        "adjust_maximum_thr": 0,
        "half_size": True,
    }

    with rawpy.imread(str(path)) as raw:
        stated = raw.black_level_per_channel
        developed = raw.postprocess(**raw_colors)
        decoded = raw.raw_image_visible.mean()

    assert [0, 0, 0, 0] == stated
    assert 1024 == pytest.approx(decoded - developed[..., 1].mean(), abs=50)


def test_a_bayer_raf_is_read_bit_for_bit(tmp_path):
    samples = noisy_samples()

    raw = read_raw(write_raf(tmp_path / "a.raf", samples, model="X-A10", x_trans=False))

    assert np.array_equal(samples, raw.mosaic.samples)
    assert ("FUJIFILM", "X-A10", 200) == (raw.metadata.make, raw.metadata.model, raw.metadata.iso)
    assert (raw.mosaic.black_level == 1024).all()


@pytest.mark.parametrize("origin", [(0, 0), (5, 7), (6, 12)])
@pytest.mark.parametrize("shift", [(0, 0), (1, 0), (2, 4), (5, 5)])
def test_an_x_trans_raf_is_read_in_any_phase_and_with_any_margins(tmp_path, origin, shift):
    """Where the visible part does not begin with a cell, LibRaw's begins with the next one."""
    cfa = CfaPattern(colors=XTRANS_CELL).shifted(*shift)
    samples = noisy_samples(67, 101)
    path = write_raf(tmp_path / "a.raf", samples, pattern=cfa.colors, origin=origin)

    mosaic = read_raw(path).mosaic

    assert cfa == mosaic.cfa
    assert np.array_equal(samples, mosaic.samples)
    area = mosaic.active_area
    assert (-(-origin[0] // 6) * 6, -(-origin[1] // 6) * 6) == (area.top, area.left)


def test_a_raf_states_a_black_level_for_each_site(tmp_path):
    """LibRaw tells the least of them alone."""
    levels = np.arange(1000, 1036)

    mosaic = read_raw(write_raf(tmp_path / "a.raf", black=levels)).mosaic

    assert np.array_equal(levels.reshape(6, 6), mosaic.black_level)


@pytest.mark.parametrize("spoil", [(100, bytes(4)), (100, b"\xff" * 4)])
def test_a_raf_without_samples_is_a_read_error(tmp_path, spoil):
    path = write_raf(tmp_path / "a.raf")
    data = bytearray(path.read_bytes())
    data[spoil[0] : spoil[0] + len(spoil[1])] = spoil[1]
    path.write_bytes(data)

    with pytest.raises(RawReadError, match=r"a.raf: a RAF without samples"):
        read_raw(path)
