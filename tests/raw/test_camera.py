"""A raw of another kind than a Bayer mosaic is refused by its name, with what it would take."""

import numpy as np
import pytest
import rawpy

from fadn_cli.errors import UnsupportedRawError
from fadn_cli.raw.reader import read_raw
from tests.raw.builders import BYTE, SHORT, noisy_samples, write_camera_tiff, write_dng
from tests.raw.raf import write_raf


def camera(make, model):
    return lambda path: write_camera_tiff(path, noisy_samples(), make=make, model=model)


def dng(**changes):
    return lambda path: write_dng(path, noisy_samples(), **changes)


REFUSED = {
    "X-Trans": (write_raf, "X-Trans", "6x6 X-Trans pattern"),
    "X-Trans DNG": (
        dng(cfa_dim=(6, 6), cfa="GBGGRGRGRBGBGBGGRGGRGGBGBGBRGRGRGGBG"),
        "X-Trans",
        "6x6 X-Trans pattern",
    ),
    "monochrome": (camera("Kodak", "DCS760M"), "monochrome", "without colours"),
    "monochrome by its name": (
        camera("RICOH IMAGING COMPANY, LTD.", "PENTAX K-3 Mark III Monochrome"),
        "monochrome",
        "without colours",
    ),
    "monochrome DNG": (dng(extra_raw={262: (SHORT, 34892)}), "a monochrome DNG", "without colours"),
    "cyan, magenta, yellow": (
        camera("Kodak", "DCS620X"),
        r"a 3-colour filter array \(MYCY\)",
        "this filter array",
    ),
    "4 colours": (
        dng(extra_raw={33422: (BYTE, (0, 1, 6, 2))}),
        r"CFA has 4 colours \(RGWB\)",
        "this filter array",
    ),
    "linear": (
        dng(extra_raw={262: (SHORT, 34892), 277: (SHORT, 3)}),
        "a linear DNG, already demosaiced",
        "original raw",
    ),
    "floating-point": (dng(extra_raw={339: (SHORT, 3)}), "floating-point samples", "integers"),
    "Foveon": (lambda path: path.write_bytes(b"FOVb" + bytes(99)), "Foveon", "every pixel"),
}


@pytest.mark.parametrize(("write", "name", "needed"), REFUSED.values(), ids=REFUSED)
def test_another_kind_is_refused_by_its_name_with_what_it_needs(tmp_path, write, name, needed):
    path = tmp_path / "a.raw"
    write(path)

    with pytest.raises(UnsupportedRawError, match=f"a.raw: .*{name}.*") as caught:
        read_raw(path)

    assert needed in caught.value.advice
    assert "That " in caught.value.advice


class FullColorRaw:
    """What rawpy returns for an sRAW, which no builder here can write."""

    raw_type = rawpy.RawType.Stack

    def unpack(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *args):
        pass


def test_an_sraw_is_refused_by_its_name(tmp_path, monkeypatch):
    path = write_camera_tiff(tmp_path / "a.cr2", noisy_samples())
    monkeypatch.setattr(rawpy, "imread", lambda path: FullColorRaw())

    with pytest.raises(UnsupportedRawError, match=r"a.cr2: is an sRAW") as caught:
        read_raw(path)

    assert "full-size RAW" in caught.value.advice


def test_a_bayer_raf_is_read_bit_for_bit(tmp_path):
    samples = noisy_samples()

    raw = read_raw(write_raf(tmp_path / "a.raf", samples, model="X-A10", x_trans=False))

    assert np.array_equal(samples, raw.mosaic.samples)
    assert ("FUJIFILM", "X-A10", 200) == (raw.metadata.make, raw.metadata.model, raw.metadata.iso)
    assert (raw.mosaic.black_level == 1024).all()
