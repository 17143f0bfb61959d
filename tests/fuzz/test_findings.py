"""What fuzzing has found, each as the smallest file that did it."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats

from fadn_cli.errors import RawReadError, WriteError
from fadn_cli.pipeline.file import denoise_file
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.raw.check.dng import check_dng, check_file
from fadn_cli.raw.dng.levels import rational
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.xmp.merge import Edits
from tests.making.dng.damage import overwrite, parse_file
from tests.making.dng.write import write_dng
from tests.making.layouts import cutting, levels
from tests.making.mosaics import noisy_samples
from tests.making.opcodes import fix_list, in_raw
from tests.making.tiff import BYTE, LONG
from tests.making.xmp import xmp

OPTIONS = DenoiseOptions(quality="fast", threads=1)


def test_a_list_of_bad_areas_in_an_image_without_end_takes_no_memory(tmp_path):
    """Was: MemoryError in `check`, which looked at the list before the size was refused."""
    raw = in_raw(fix_list((), [(0, 0, 5, 5)])) | {257: (LONG, 4294901824)}
    path = write_dng(tmp_path / "a.dng", noisy_samples(64, 96), extra_raw=raw)

    found = check_file(path)

    assert not found.ok
    assert any("pixels" in finding.what or "piece" in finding.what for finding in found.findings)


def test_a_packet_whose_namespace_is_damaged_is_told(tmp_path):
    """Was: IndexError where a sidecar was to be merged into it."""
    packet = xmp().replace(b"1999/02/22", b"1999?02/22")
    path = write_dng(tmp_path / "a.dng", noisy_samples(64, 96), extra={700: (BYTE, packet)})
    edits = Edits(names=("a.xmp",), packets=(xmp('xmp:Rating="3"'),))

    report = denoise_file(path, tmp_path / "b.dng", OPTIONS, sidecars=edits)

    assert any("its XMP has no rdf:RDF" in note for note in report.notes)


def test_a_tag_beyond_the_end_is_the_file_s_fault_and_not_ours(tmp_path):
    """Was: "a bug in fadn", since the file grew until there was something else."""
    path = tmp_path / "a.dng"
    cutting.tables()["LinearizationTable, 8 bits"].write(path)
    entry = parse_file(path).ifds[0].get(50708)
    overwrite(path, entry.location + 8, struct.pack("<I", path.stat().st_size))
    assert entry.count > 4

    with pytest.raises(WriteError, match="^a.dng: UniqueCameraModel lies beyond the file's end"):
        denoise_file(path, tmp_path / "b.dng", OPTIONS)

    assert [path] == list(tmp_path.iterdir())


def test_a_pointer_to_no_ifd_is_the_file_s_fault_and_not_ours(tmp_path):
    """Was: "a bug in fadn", where it led LibRaw beyond the end of a file of another size."""
    path = tmp_path / "a.dng"
    levels.areas()["RGGB from 3 5"].write(path)
    entry = parse_file(path).ifds[0].get(34665)
    overwrite(path, entry.location + 8, struct.pack("<I", 3))

    with pytest.raises(WriteError, match="^a.dng: .*ExifIFD leads to something that is no IFD"):
        denoise_file(path, tmp_path / "b.dng", OPTIONS)

    assert [path] == list(tmp_path.iterdir())


def test_a_pointer_that_meets_new_samples_is_the_file_s_fault_and_not_ours(tmp_path):
    """Was: "a bug in fadn", where the file grew until something stood there."""
    path = tmp_path / "a.dng"
    levels.black_levels()["BlackLevelDeltaH and V"].write(path)
    ifd = parse_file(path).ifds[0]
    astray = ifd.get(50708).value_offset
    overwrite(path, astray, struct.pack("<H", path.stat().st_size // 12))  # tags, more than fit
    overwrite(path, ifd.get(34853).location + 8, struct.pack("<I", astray))

    grown = tmp_path / "b.dng"
    grown.write_bytes(path.read_bytes() + bytes(10_000))

    with pytest.raises(WriteError, match="^a.dng: .*GPSIFD leads to something that is no IFD"):
        check_dng(grown, read_raw(path).mosaic, source=path)


def test_two_sizes_are_the_file_s_fault_and_not_ours(tmp_path):
    """Was: ValueError where it was developed for its preview, since LibRaw goes by the last one."""
    path = write_dng(tmp_path / "a.dng", noisy_samples(64, 96))
    entry = parse_file(path).ifds[0].get(274)
    overwrite(path, entry.location, struct.pack("<HHII", 256, 4, 1, 72))

    with pytest.raises(RawReadError, match="^a.dng: its tags say 96x64 samples, and can also be"):
        denoise_file(path, tmp_path / "b.dng", OPTIONS)

    assert [path] == list(tmp_path.iterdir())


@given(value=floats(0.0009765625, 65535, width=32))
def test_a_black_level_that_is_no_decimal_is_written_as_it_is(value):
    """Was: "a bug in fadn", for 0.129279122 in a grey TIFF."""
    numerator, denominator = rational(value)

    assert np.float32(value) == np.float32(numerator / denominator)
    assert abs(numerator) < 1 << 31
    assert 0 < denominator < 1 << 31
