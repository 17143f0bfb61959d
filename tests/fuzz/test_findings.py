"""What fuzzing has found, each as the smallest file that did it."""

import struct

import pytest

from fadn_cli.errors import WriteError
from fadn_cli.pipeline.file import denoise_file
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.raw.check.dng import check_file
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
