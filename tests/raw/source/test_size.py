"""More pixels than a photograph has are refused by what the file says, before it is decoded."""

import struct

import imagecodecs
import numpy as np
import pytest

from fadn_cli.errors import RawReadError
from fadn_cli.pipeline.darks import make_list
from fadn_cli.pipeline.file import denoise_file, inspect_file
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.raw.check.dng import check_file
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.codec import jpegxl
from fadn_cli.raw.codec.lossless import stream_fault
from fadn_cli.raw.previews.pictures import decode_jpeg
from fadn_cli.raw.source import reader
from fadn_cli.raw.source.reader import read_raw
from tests.making.codings import lossless
from tests.making.dng.write import write_dng
from tests.making.iiq import write_iiq
from tests.making.layouts.layout import structured
from tests.making.mosaics import noisy_samples
from tests.making.pictures import jpeg
from tests.making.raf import write_raf
from tests.making.sensor_files import write_grey_tiff
from tests.making.tiff import LONG

SIDE = 30_000
CLAIMS = f"claims {SIDE}x{SIDE} pixels, 900 megapixels, more than the 400 that are allowed"


class Undecoded:
    """Stands for rawpy's object: what is refused must not have been decoded."""

    def __init__(self, raw):
        self._raw = raw

    def __getattr__(self, name):
        return getattr(self._raw, name)

    def unpack(self):
        raise AssertionError("decoded")


@pytest.fixture
def undecoded(monkeypatch):
    """LibRaw opens files, and may decode none."""
    opened = reader.rawpy.imread
    monkeypatch.setattr(reader.rawpy, "imread", lambda file: Undecoded(opened(file)))


def write_large_dng(path):
    """One of 30,000 x 30,000 samples in no more bytes than others."""
    sides = {256: (LONG, SIDE), 257: (LONG, SIDE), 278: (LONG, SIDE)}
    return write_dng(path, noisy_samples(), extra_raw=sides)


def write_large_raf(path):
    """The same of a RAF, whose TIFF and records both say so."""
    write_raf(path, noisy_samples(480, 640))
    data = path.read_bytes()
    for tag, old in ((0xF001, 640), (0xF002, 480)):
        entry = struct.pack("<HHII", tag, LONG, 1, old)
        assert 1 == data.count(entry)
        data = data.replace(entry, struct.pack("<HHII", tag, LONG, 1, SIDE))
    record = struct.pack(">HHHH", 0x100, 4, 480, 640)
    path.write_bytes(data.replace(record, struct.pack(">HHHH", 0x100, 4, SIDE, SIDE)))
    return path


def write_large_iiq(path):
    write_iiq(path, noisy_samples(480, 640))
    data = path.read_bytes()
    for tag, old in ((0x0108, 640), (0x0109, 480), (0x010C, 640), (0x010D, 480)):
        entry = struct.pack("<IIII", tag, 4, 4, old)
        assert 1 == data.count(entry)
        data = data.replace(entry, struct.pack("<IIII", tag, 4, 4, SIDE))
    path.write_bytes(data)
    return path


def write_large_tiff(path):
    return write_grey_tiff(path, noisy_samples(), tags={256: (LONG, SIDE), 257: (LONG, SIDE)})


@pytest.mark.parametrize(
    "write", (write_large_dng, write_large_raf, write_large_iiq, write_large_tiff)
)
def test_a_file_that_claims_too_much_is_refused_undecoded(tmp_path, undecoded, write):
    path = write(tmp_path / "a.raw")

    with pytest.raises(RawReadError, match=f"^a.raw: {CLAIMS}$") as told:
        read_raw(path)

    assert "--max-megapixels" in told.value.advice


@pytest.mark.parametrize("name, entries", (("canon_s40_0119.crw", 2), ("kodak_dc120_3908.kdc", 0)))
def test_files_of_cameras_are_held_to_what_is_allowed(raws, undecoded, name, entries):
    with pytest.raises(RawReadError, match="megapixels, more than the 0.5 that are allowed"):
        read_raw(raws / name, max_megapixels=0.5)


def test_what_is_allowed_is_read(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples(100, 200))

    read_raw(path, max_megapixels=0.02)
    with pytest.raises(RawReadError, match="claims 200x100 pixels, 0 megapixels"):
        read_raw(path, max_megapixels=0.0199)


def test_a_tile_is_no_larger_than_a_photograph(tmp_path, undecoded):
    samples = noisy_samples(64, 96)
    claimed = {322: (LONG, SIDE), 323: (LONG, SIDE)}
    layout = structured(samples, tile=(64, 96), coding=lossless(), raw=claimed)
    layout.write(tmp_path / "a.dng")

    with pytest.raises(RawReadError, match=f"^a.dng: a strip or tile: {CLAIMS}$"):
        read_raw(tmp_path / "a.dng")
    [finding] = check_file(tmp_path / "a.dng").findings
    assert CLAIMS in finding.what


def test_everything_that_reads_raws_holds_to_what_is_allowed(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples(100, 200))
    options = DenoiseOptions(max_megapixels=0.01)
    output = tmp_path / "b.dng"

    for ask in (
        lambda: denoise_file(path, output, options),
        lambda: inspect_file(path, options),
        lambda: verify(path, path, max_megapixels=0.01),
        lambda: make_list([path], output, max_megapixels=0.01),
    ):
        with pytest.raises(RawReadError, match=r"more than the 0\.01 that are allowed"):
            ask()
    [finding] = check_file(path, max_megapixels=0.01).findings
    assert "more than the 0.01 that are allowed" in finding.what
    assert not output.exists()


def claiming(stream, height=0xFFFF, width=0xFFFF):
    """A JPEG whose frame says another size."""
    for marker in (b"\xff\xc3\0", b"\xff\xc0\0"):
        at = stream.find(marker)
        if at >= 0:
            return stream[: at + 5] + struct.pack(">HH", height, width) + stream[at + 9 :]
    raise AssertionError("no frame")


def test_a_jpeg_of_another_size_is_not_decoded(monkeypatch):
    samples = np.asarray(noisy_samples(64, 96)).reshape(64, 48, 2)
    stream = bytes(imagecodecs.jpeg8_encode(samples, lossless=True, predictor=1))
    assert "" == stream_fault(stream, 64 * 96)
    monkeypatch.setattr(imagecodecs, "jpeg8_decode", None)

    assert "holds 8589672450 samples, not 6144" == stream_fault(claiming(stream), 64 * 96)


@pytest.mark.parametrize("side", (0xFFFF, 10_000))
def test_a_preview_that_claims_too_much_is_not_looked_at(side):
    """Pillow warns of the smaller one, and raises what is neither OSError nor ValueError."""
    assert decode_jpeg(jpeg()) is not None
    assert decode_jpeg(claiming(jpeg(), side, side)) is None


@pytest.mark.parametrize("shape", ((64, 96), (65, 97), (1, 700), (256, 256), (300, 400), (90, 160)))
def test_the_size_of_jpeg_xl_is_known_before_it_is_decoded(shape):
    stream = bytes(imagecodecs.jpegxl_encode(np.zeros(shape, np.uint16), lossless=True))

    assert shape == jpegxl.stream_size(stream)
    assert jpegxl.decode_stream(stream, shape[0] * shape[1]).shape == shape
    with pytest.raises(ValueError, match=f"JPEG XL claims {shape[1]}x{shape[0]} samples"):
        jpegxl.decode_stream(stream, shape[0] * shape[1] - 1)
