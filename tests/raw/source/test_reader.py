"""Samples come out bit for bit, and every level lands on its own site."""

import os
import shutil

import numpy as np
import pytest

from fadn_cli.errors import RawReadError, UnsupportedRawError
from fadn_cli.mosaic.conversion import normalize
from fadn_cli.mosaic.values import Rect
from fadn_cli.raw.source.reader import read_levels, read_raw
from fadn_cli.system.snapshot import hold
from tests.making.camera_tiff import CAMERAS, write_camera_tiff
from tests.making.dng.fields import MATRIX
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.tiff import LONG, RATIONAL, SHORT

BAYER = ("RGGB", "BGGR", "GRBG", "GBRG")


@pytest.mark.parametrize("cfa", BAYER)
@pytest.mark.parametrize("shape", ((64, 96), (63, 97)))
@pytest.mark.parametrize("layout", ({}, {"tile": (16, 32)}, {"rows_per_strip": 7}))
def test_a_dng_is_read_bit_for_bit_in_every_phase_size_and_layout(tmp_path, cfa, shape, layout):
    samples = noisy_samples(*shape)
    path = write_dng(tmp_path / "a.dng", samples, cfa=cfa, **layout)

    mosaic = read_raw(path).mosaic

    assert np.uint16 == mosaic.samples.dtype
    assert np.array_equal(samples, mosaic.samples)
    assert cfa == mosaic.cfa.colors
    assert Rect(top=0, left=0, height=shape[0], width=shape[1]) == mosaic.active_area


@pytest.mark.parametrize("byteorder", ("<", ">"))
@pytest.mark.parametrize("in_subifd", (False, True))
def test_byte_order_and_place_of_the_raw_ifd_do_not_matter(tmp_path, byteorder, in_subifd):
    samples = noisy_samples()
    path = write_dng(tmp_path / "a.dng", samples, byteorder=byteorder, in_subifd=in_subifd)

    assert np.array_equal(samples, read_raw(path).mosaic.samples)


def test_what_the_tags_say_reaches_the_metadata(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), iso=1600, orientation=6)

    metadata = read_raw(path).metadata

    assert ("Fadn", "Synthetic", 1600, 6) == (
        metadata.make,
        metadata.model,
        metadata.iso,
        metadata.orientation,
    )
    assert 1 / 125 == pytest.approx(metadata.exposure_time)
    assert [2, 1, 1.6] == pytest.approx(metadata.wb_gains)
    assert MATRIX == pytest.approx(metadata.color_matrix.ravel())
    assert metadata.noise_profile is None
    assert metadata.is_dng


@pytest.mark.parametrize("iso", (0, None))
def test_an_iso_of_zero_is_none(tmp_path, iso):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), iso=iso, exposure_time=(0, 0))

    metadata = read_raw(path).metadata

    assert metadata.iso is None
    assert metadata.exposure_time is None


def test_a_linearization_table_has_been_applied(tmp_path):
    table = np.minimum(np.arange(16384) * 3, 65535)
    samples = noisy_samples()
    path = write_dng(tmp_path / "a.dng", samples, linearization=table, black=(1536,), white=45000)

    mosaic = read_raw(path).mosaic

    assert np.array_equal(table[samples], mosaic.samples)
    assert (1536, 45000) == (mosaic.black_level.item(), mosaic.white_level)


@pytest.mark.parametrize("margins", ((0, 0), (4, 6), (3, 6), (4, 5), (3, 5)))
def test_black_levels_and_colours_start_at_the_active_area(tmp_path, margins):
    """Samples made of each site's own black level are black everywhere, whatever the margins."""
    top, left = margins
    pattern = np.array([[500.25, 601.5], [702.75, 803.0]])
    rows, cols = np.indices((63, 97))
    black = pattern[(rows - top) % 2, (cols - left) % 2]
    samples = np.rint(black).astype(np.uint16)
    samples[0] += 1  # not constant, or it would be refused
    path = write_dng(
        tmp_path / "a.dng",
        samples,
        cfa="GBRG",
        black=pattern.ravel(),
        black_repeat=(2, 2),
        active_area=(top, left, 60, 90),
    )

    mosaic = read_raw(path).mosaic

    x = normalize(mosaic)[mosaic.active_area.slices][1:]
    assert np.abs(x * 15000).max() <= 0.6  # half a DN of rounding
    assert "GBRG" == mosaic.cfa.shifted(top, left).colors
    assert (60 - top, 90 - left) == (mosaic.active_area.height, mosaic.active_area.width)


@pytest.mark.parametrize("suffix", CAMERAS)
@pytest.mark.parametrize("byteorder", ("<", ">"))
def test_camera_raws_are_read_bit_for_bit(tmp_path, suffix, byteorder):
    make, model = CAMERAS[suffix]
    samples = noisy_samples()
    path = write_camera_tiff(
        tmp_path / f"a.{suffix}",
        samples,
        make=make,
        model=model,
        byteorder=byteorder,
        orientation=8,
        extra={50713: (SHORT, (2, 2)), 50714: (SHORT, (510, 511, 512, 513))},
    )

    raw = read_raw(path)

    assert np.array_equal(samples, raw.mosaic.samples)
    assert "RGGB" == raw.mosaic.cfa.colors
    assert [[510, 511], [512, 513]] == raw.mosaic.black_level.tolist()
    assert (make, model, 800, 8) == (
        raw.metadata.make,
        raw.metadata.model,
        raw.metadata.iso,
        raw.metadata.orientation,
    )
    assert raw.metadata.color_matrix.any()
    assert raw.metadata.wb_gains is None
    assert not raw.metadata.is_dng


def test_masked_columns_of_a_camera_raw_lie_outside_the_active_area(tmp_path):
    path = write_camera_tiff(tmp_path / "a.nef", noisy_samples())

    assert Rect(top=0, left=0, height=64, width=50) == read_raw(path).mosaic.active_area


def test_the_white_balance_of_a_camera_raw_is_relative_to_green(tmp_path):
    neutral = {50728: (RATIONAL, (0.5, 1, 0.625))}
    path = write_camera_tiff(tmp_path / "a.nef", noisy_samples(), extra=neutral)

    assert [2, 1, 1.6] == pytest.approx(read_raw(path).metadata.wb_gains)


def test_the_samples_outlive_the_file(tmp_path):
    samples = noisy_samples()
    path = write_dng(tmp_path / "a.dng", samples)

    raw = read_raw(path)
    path.write_bytes(b"")

    assert np.array_equal(samples, raw.mosaic.samples)


@pytest.mark.parametrize("options", ({}, {"byteorder": ">"}, {"tile": (32, 32)}))
def test_samples_that_lie_in_the_file_as_they_are_need_no_decoding(tmp_path, options):
    samples = noisy_samples()
    path = write_dng(tmp_path / "a.dng", samples, **options)

    with hold(path) as held:
        raw = read_raw(path)
        lies = np.frombuffer(held.data, np.uint8)

    assert np.array_equal(samples, raw.mosaic.samples)
    assert np.shares_memory(lies, raw.mosaic.samples) == (not options)


def test_the_levels_of_a_dng_are_read_without_its_samples(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), active_area=(2, 4, 60, 90))

    levels, mosaic = read_levels(path), read_raw(path).mosaic

    assert (mosaic.samples.shape, 0) == (levels.samples.shape, levels.samples.max())
    assert (mosaic.white_level, mosaic.active_area) == (levels.white_level, levels.active_area)
    assert mosaic.cfa == levels.cfa


@pytest.mark.parametrize(
    ("content", "reason"),
    (
        (b"", "empty"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "is a JPEG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "is a PNG"),
        (b"Dear diary, today I photographed a heron. " * 9, "not a raw file"),
        (b"II*\0" + bytes(100), "damaged TIFF"),
        (bytes(5000), "not a raw file"),
    ),
)
def test_what_is_no_raw_file_is_named(tmp_path, content, reason):
    path = tmp_path / "a.nef"
    path.write_bytes(content)

    with pytest.raises(RawReadError, match=f"a.nef: .*{reason}") as caught:
        read_raw(path)

    assert caught.value.advice
    assert "\n" not in str(caught.value)


def test_foveon_is_named(tmp_path):
    path = tmp_path / "a.x3f"
    path.write_bytes(b"FOVb" + bytes(100))

    with pytest.raises(UnsupportedRawError, match="Foveon"):
        read_raw(path)


def test_paths_that_cannot_be_opened_are_read_errors(tmp_path):
    for path in (tmp_path, tmp_path / "none.dng"):
        with pytest.raises(RawReadError, match=path.name):
            read_raw(path)


@pytest.mark.parametrize("in_subifd", (False, True))
def test_a_dng_cut_off_anywhere_is_a_read_error(tmp_path, in_subifd):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), in_subifd=in_subifd)
    whole = path.read_bytes()

    for length in (9, 100, 1000, len(whole) // 2, len(whole) - 200):
        path.write_bytes(whole[:length])
        with pytest.raises(RawReadError, match="a.dng"):
            read_raw(path)


@pytest.mark.parametrize("write", (write_dng, write_camera_tiff))
@pytest.mark.parametrize(
    "extra", ({257: (LONG, 640)}, {273: (LONG, 10**6)}), ids=("taller", "elsewhere")
)
def test_pixels_past_the_end_are_a_read_error_without_noise_on_stderr(
    tmp_path, capfd, write, extra
):
    path = write(tmp_path / "a.nef", noisy_samples(), extra=extra)

    with pytest.raises(RawReadError, match="a.nef"):
        read_raw(path)

    assert "" == capfd.readouterr().err


@pytest.mark.parametrize(
    ("samples", "reason"),
    (
        (np.zeros((64, 96), np.uint16), "all samples are 0"),
        (np.full((64, 96), 700, np.uint16), "all samples are 700"),
        (np.pad(noisy_samples(1, 10), ((0, 63), (0, 86))), "of the samples are 0"),
    ),
)
@pytest.mark.parametrize("write", (write_dng, write_camera_tiff))
def test_a_file_without_a_picture_is_a_read_error(tmp_path, write, samples, reason):
    path = write(tmp_path / "a.nef", samples)

    with pytest.raises(RawReadError, match=reason):
        read_raw(path)


@pytest.mark.parametrize("shape", ((2, 2), (15, 96), (96, 14)))
def test_tiny_mosaics_are_refused_with_their_size(tmp_path, shape):
    path = write_dng(tmp_path / "a.dng", noisy_samples(*shape))

    with pytest.raises(UnsupportedRawError, match=f"{shape[1]}x{shape[0]}"):
        read_raw(path)


@pytest.mark.raw
def test_the_real_dngs_are_read(raws):
    canon = read_raw(raws / "canon_kiss_x4_colorchart.dng")
    gopro = read_raw(raws / "gopro_hero6_iso100.dng")

    assert (1182, 1888) == canon.mosaic.samples.shape
    assert Rect(top=26, left=152, height=1156, width=1734) == canon.mosaic.active_area
    assert (2056, 15000) == (canon.mosaic.black_level.item(), canon.mosaic.white_level)
    assert canon.metadata.iso is None
    assert [2.477, 1, 1.6943] == pytest.approx(canon.metadata.wb_gains, abs=1e-4)
    assert (3000, 4000) == gopro.mosaic.samples.shape
    assert ("GoPro", 100, 2) == (
        gopro.metadata.make,
        gopro.metadata.iso,
        gopro.metadata.orientation,
    )
    assert [1.5620e-4] * 4 == pytest.approx(gopro.metadata.noise_profile.shot_noise, abs=1e-8)
    assert 1.0344 == pytest.approx(gopro.metadata.color_matrix[0, 0])  # D65, not illuminant A


@pytest.mark.raw
@pytest.mark.parametrize("cfa", BAYER)
def test_one_scene_in_four_phases_is_the_same_scene(raws, cfa):
    whole = read_raw(raws / "nikon_flower_rggb.dng").mosaic
    mosaic = read_raw(raws / f"nikon_flower_{cfa.lower()}.dng").mosaic

    top, left = mosaic.cfa.red_origin
    height, width = mosaic.samples.shape
    assert cfa == mosaic.cfa.colors
    assert np.array_equal(whole.samples[top : top + height, left : left + width], mosaic.samples)


@pytest.mark.raw
def test_every_awkward_file_is_refused_in_one_line_that_names_it(raws, capfd):
    unsupported = {"gopro_fusion_vc5.gpr", "linear_16bit.dng", "stub_Sigma.x3f", "stub_test.dng"}
    unsupported |= {"stub_FujiFilm.raf"}  # two frames
    files = sorted((raws / "awkward").iterdir())

    for path in files:
        expected = UnsupportedRawError if path.name in unsupported else RawReadError
        with pytest.raises(expected) as caught:
            read_raw(path)
        assert str(caught.value).startswith(f"{path.name}: ")
        assert "\n" not in str(caught.value)

    assert len(files) >= 16
    assert "" == capfd.readouterr().err


@pytest.mark.raw
def test_a_real_dng_cut_in_half_is_truncated(raws, tmp_path):
    path = tmp_path / "half.dng"
    shutil.copyfile(raws / "nikon_flower_rggb.dng", path)
    with path.open("r+b") as file:
        file.truncate(400_000)

    with pytest.raises(RawReadError, match="truncated: image data up to byte 786944"):
        read_raw(path)


NOWHERE = 0x7FFFFFFF


@pytest.mark.parametrize("pointer", (NOWHERE, 64))
def test_a_chain_that_leads_nowhere_costs_what_was_there_and_no_more(tmp_path, pointer):
    samples = noisy_samples()
    path = write_dng(tmp_path / "a.dng", samples, extra={"next": lambda at: pointer})

    raw_image = read_raw(path)

    assert np.array_equal(samples, raw_image.mosaic.samples)
    [warning] = raw_image.warnings
    assert warning.startswith("the chain of IFDs leads nowhere, and what should be there is lost (")


def test_gps_that_cannot_be_found_is_lost_and_said_to_be(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), extra={34853: (LONG, NOWHERE)})

    [warning] = read_raw(path).warnings

    assert "GPSIFD points nowhere" in warning


def test_a_subifd_that_cannot_be_found_may_be_the_mosaic(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), extra={330: (LONG, NOWHERE)})

    with pytest.raises(RawReadError, match="a.dng: damaged TIFF structure"):
        read_raw(path)


def test_the_source_is_not_modified(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples())
    before = path.read_bytes()
    path.chmod(0o444)

    read_raw(path)

    assert before == path.read_bytes()


def test_what_makes_libraw_ask_for_too_much_is_named(tmp_path):
    """Whatever the machine has: it is the file that asks."""
    path = write_dng(tmp_path / "a.dng", noisy_samples(), extra_raw={323: (SHORT, 32)})

    with pytest.raises(MemoryError, match="a.dng; a damaged file"):
        read_raw(path)


def test_more_samples_than_libraw_takes_are_told_as_that(tmp_path):
    """A sparse file: it takes no room on the disk."""
    side = 33000
    changes = {
        256: (LONG, side),
        257: (LONG, side),
        278: (LONG, side),
        279: (LONG, 2 * side**2),
    }
    path = write_dng(tmp_path / "a.dng", noisy_samples(), extra_raw=changes)
    os.truncate(path, path.stat().st_size + 2 * side**2)

    with pytest.raises(RawReadError, match="a.dng: asks for more memory than LibRaw takes"):
        read_raw(path, max_megapixels=2000)
