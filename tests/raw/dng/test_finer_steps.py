"""A DNG in finer steps is read as the same photograph, by LibRaw and by `fadn verify`."""

import struct
from dataclasses import replace

import numpy as np
import pytest
import rawpy

from fadn_cli.denoise.sensors.kinds import pack_active
from fadn_cli.mosaic.conversion import scaled
from fadn_cli.mosaic.saturation import saturated_areas
from fadn_cli.mosaic.steps import finest_factor
from fadn_cli.raw.check.dng import check_dng, check_file
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.develop.render import develop
from fadn_cli.raw.dng.edit import DngEdit, WriteChoices
from fadn_cli.raw.dng.write import write_dng
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.opcodes import Opcode, build_opcodes, read_opcodes
from fadn_cli.raw.tiff.tags import Tag
from tests.making.camera_tiff import CAMERAS, write_camera_tiff
from tests.making.codings import packed
from tests.making.dng.damage import parse_file, raw_entry
from tests.making.dng.write import write_dng as write_source
from tests.making.layouts.catalogue import all_layouts
from tests.making.layouts.layout import structured
from tests.making.mosaics import noisy_samples
from tests.making.tiff import LONG, RATIONAL, SHORT, SRATIONAL, UNDEFINED

FACTOR = 4
EVERY = all_layouts()
PLAIN = [(name, "none") for name in EVERY if name.startswith(("8", "10", "12", "14"))]
PATTERNS = ("RGGB", "BGGR", "GRBG", "GBRG")
EDIT = DngEdit(noise_profile=None, strength=1, unique_id=bytes(range(16)), description="test")
CONSTANT = Opcode(4, 0x01030000, 1, struct.pack(">2I", 3, 0))
UNKNOWN = Opcode(99, 0x01030000, 1, b"abcd")
LAYOUTS = {
    "plain": {},
    "MM": {"byteorder": ">"},
    "SubIFD": {"in_subifd": True, "rows_per_strip": 20},
    "tiles": {"tile": (32, 48)},
    "active area": {"active_area": (3, 5, 60, 90)},
    "black per site": {"black": (512, 513, 514, 515), "black_repeat": (2, 2)},
    "black of 3x2": {"black": (512, 3, 4, 515, 6, 7), "black_repeat": (3, 2)},
    "fractions": {
        "black": [(5125, 10), (1, 3), (514, 1), (12345678, 24113)],
        "black_repeat": (2, 2),
    },
    "large fractions": {"black": [(4_000_000_000, 8_000_000)]},
    "short black": {"extra_raw": {50714: (SHORT, (512,))}},
    "short white": {"extra_raw": {50717: (SHORT, (15000,))}},
    "deltas": {
        "active_area": (2, 4, 62, 84),
        "delta_h": np.linspace(-3, 4, 80).round(3),
        "delta_v": np.linspace(5, -2, 60).round(3),
    },
    "large deltas": {"extra_raw": {50715: (SRATIONAL, [(2_000_000_000, 1_900_000_000)] * 96)}},
    "linearization": {"linearization": range(16000), "white": 15000},
    "constant": {"extra_raw": {51008: (UNDEFINED, build_opcodes([CONSTANT]))}},
}


@pytest.fixture(params=LAYOUTS.values(), ids=LAYOUTS)
def source(request, tmp_path):
    return write_source(tmp_path / "in.dng", noisy_samples(), **request.param)


def finer(path, *, factor=FACTOR, change=None, choices=None):
    """Write a source in finer steps beside it, every other pair of rows a step brighter."""
    raw_image = read_raw(path)
    mosaic = scaled(raw_image.mosaic, factor)
    rows, cols = mosaic.active_area.slices
    saturated = saturated_areas(raw_image.mosaic)
    free = True if saturated is None else ~saturated[rows, cols]
    every_other = (np.arange(rows.start, rows.stop) // 2 % 2 == 0)[:, None]
    mosaic.samples[rows, cols] += np.uint16(factor > 1) * (every_other & free)
    if change is not None:
        mosaic = change(mosaic)
    output = path.with_name("out.dng")
    write_dng(output, raw_image, mosaic, edit=EDIT, choices=choices or WriteChoices())
    return output, mosaic


def test_it_holds_what_was_meant(source):
    output, mosaic = finer(source)

    check_dng(output, mosaic, source=source)
    assert check_file(output).ok == check_file(source).ok


def test_verify_accepts_it(source):
    output, _ = finer(source)

    assert () == verify(source, output).violations


@pytest.mark.parametrize("size", ((64, 96), (63, 95), (37, 41)))
@pytest.mark.parametrize("cfa", PATTERNS)
def test_every_phase_and_size_comes_back(tmp_path, cfa, size):
    path = write_source(
        tmp_path / "in.dng",
        noisy_samples(*size),
        cfa=cfa,
        black=(500, 501, 502, 503),
        black_repeat=(2, 2),
        active_area=(1, 3, size[0] - 2, size[1] - 1),
    )
    output, _ = finer(path)

    before, after = (pack_active(read_raw(each).mosaic)[0] for each in (path, output))
    np.testing.assert_allclose(before, after, atol=0.3 / 14500)
    assert 0.12 == pytest.approx((after - before).mean() * 14500, abs=0.02)
    assert verify(path, output).holds


@pytest.mark.parametrize("compression", ("lj92", "none"))
@pytest.mark.parametrize("suffix", CAMERAS)
def test_a_dng_built_from_another_raw_holds_it_too(tmp_path, suffix, compression):
    path = write_camera_tiff(tmp_path / f"in.{suffix}", noisy_samples(256, 384) // 2)
    output, mosaic = finer(path, choices=WriteChoices(compression=compression))

    check_dng(output, mosaic)
    assert check_file(output).ok
    assert mosaic.white_level == FACTOR * read_raw(path).mosaic.white_level
    assert verify(path, output).holds


@pytest.mark.parametrize(("name", "compression"), [*((n, "lj92") for n in EVERY), *PLAIN])
def test_every_layout_holds_it(tmp_path, name, compression):
    path = tmp_path / "in.dng"
    EVERY[name].write(path)
    room = finest_factor(read_raw(path).mosaic.highest)

    output, mosaic = finer(path, factor=min(2, room), choices=WriteChoices(compression=compression))

    check_dng(output, mosaic, source=path)
    assert () == verify(path, output).violations
    if room > 1:
        bits = raw_entry(output, Tag.BITS_PER_SAMPLE).ints[0]
        assert (mosaic.white_level,) == raw_entry(output, Tag.WHITE_LEVEL).floats
        assert bits >= int(mosaic.white_level).bit_length()
        assert compression == "lj92" or bits == 16


@pytest.mark.parametrize("compression", ("lj92", "none"))
def test_bits_follow_the_factor_and_white_is_stated(tmp_path, compression):
    """However dark the picture is."""
    samples = noisy_samples(96, 128, low=70, high=130)
    raw = {50714: (SHORT, 64), 50717: (LONG, None)}
    path = tmp_path / "in.dng"
    structured(samples, coding=packed(10), raw=raw).write(path)
    output, mosaic = finer(path, choices=WriteChoices(compression=compression))

    assert (12 if compression == "lj92" else 16,) == raw_entry(output, Tag.BITS_PER_SAMPLE).ints
    assert (1023 * FACTOR,) == raw_entry(output, Tag.WHITE_LEVEL).ints
    check_dng(output, mosaic, source=path)
    assert verify(path, output).holds


@pytest.mark.parametrize("name", ("in.dng", "in.nef"))
def test_it_is_developed_to_the_same_picture(tmp_path, name):
    """By LibRaw on its own, with all its guesses, and as we call it; to the last bit but one."""
    samples = noisy_samples(128, 160, high=4000)
    if name.endswith("dng"):
        path = write_source(tmp_path / name, samples)
    else:
        path = write_camera_tiff(tmp_path / name, samples)
    raw_image = read_raw(path)
    pictures, ours = [], []
    for factor in (1, FACTOR):
        mosaic = scaled(raw_image.mosaic, factor)
        output = path.with_name(f"{factor}.dng")
        write_dng(output, raw_image, mosaic, edit=EDIT)
        with rawpy.imread(str(output)) as raw:
            pictures.append(raw.postprocess(use_camera_wb=True, output_bps=8).astype(int))
        ours.append(develop(raw_image, mosaic).astype(int))

    assert np.abs(pictures[1] - pictures[0]).max() <= 1
    assert np.array_equal(ours[0], ours[1])


TAMPERED = {
    "white alone": lambda mosaic: replace(mosaic, white_level=mosaic.white_level * 2),
    "three times": lambda mosaic: replace(mosaic, white_level=mosaic.white_level / 4 * 3),
    "a sample outside": lambda mosaic: _changed(mosaic, (0, 0)),
    "samples left as they were": lambda mosaic: replace(mosaic, samples=mosaic.samples // FACTOR),
}


def _changed(mosaic, at):
    mosaic.samples[at] += 1
    return mosaic


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED)
def test_verify_rejects_a_factor_that_does_not_hold(tmp_path, change):
    path = write_source(
        tmp_path / "in.dng",
        noisy_samples(160, 200, high=3000),
        white=4000,
        active_area=(6, 9, 158, 195),
    )
    output, _ = finer(path, change=change)

    assert not verify(path, output).holds


@pytest.mark.parametrize(
    "tag", (Tag.BLACK_LEVEL, Tag.BLACK_LEVEL_DELTA_H, Tag.WHITE_LEVEL, Tag.OPCODE_LIST_1)
)
def test_verify_rejects_levels_that_are_not_what_the_factor_makes_of_them(tmp_path, tag):
    path = write_source(
        tmp_path / "in.dng",
        noisy_samples(),
        delta_h=np.full(96, 0.5),
        extra_raw={51008: (UNDEFINED, build_opcodes([CONSTANT]))},
    )
    output, _ = finer(path)
    content = bytearray(output.read_bytes())
    entry = raw_entry(output, tag)
    content[entry.value_offset + (23 if tag == Tag.OPCODE_LIST_1 else 0)] ^= 1
    output.write_bytes(content)

    assert not verify(path, output).holds


def test_verify_rejects_opcodes_that_were_left_in_the_sources_steps(tmp_path):
    data = build_opcodes([CONSTANT])
    path = write_source(tmp_path / "in.dng", noisy_samples(), extra_raw={51008: (UNDEFINED, data)})
    output, _ = finer(path)
    content = bytearray(output.read_bytes())
    entry = raw_entry(output, Tag.OPCODE_LIST_1)
    content[entry.value_offset : entry.value_offset + len(data)] = data
    output.write_bytes(content)

    [words] = verify(path, output).violations
    assert "OpcodeList1" in words


def test_the_constant_of_bad_pixels_goes_with_the_samples(tmp_path):
    path = write_source(
        tmp_path / "in.dng",
        noisy_samples(),
        extra_raw={51008: (UNDEFINED, build_opcodes([CONSTANT]))},
    )
    output, _ = finer(path)

    [found] = read_opcodes(bytes(raw_entry(output, Tag.OPCODE_LIST_1).data))
    assert (3 * FACTOR, 0) == struct.unpack(">2I", found.payload)


def test_other_opcode_lists_and_relative_tags_stay(tmp_path):
    extra = {
        51009: (UNDEFINED, build_opcodes([CONSTANT])),
        51022: (UNDEFINED, build_opcodes([UNKNOWN])),
        50734: (RATIONAL, [(9, 10)]),
    }
    path = write_source(tmp_path / "in.dng", noisy_samples(), extra_raw=extra)
    output, _ = finer(path)

    for tag in extra:
        before, after = (
            next(ifd.get(tag) for ifd in parse_file(each).walk() if ifd.get(tag))
            for each in (path, output)
        )
        assert bytes(before.data) == bytes(after.data)


@pytest.mark.parametrize(("shift", "holds"), ((0, True), (1, True), (3, False)))
def test_verify_sees_a_shift_of_most_of_a_step(tmp_path, shift, holds):
    """A quarter of the source's step passes, three quarters of it do not, in the dark too."""
    samples = np.random.default_rng(1).integers(512, 516, (160, 200)).astype(np.uint16)
    samples[0] = 15000  # no clip, and no constant
    path = write_source(tmp_path / "in.dng", samples)

    def brighter(mosaic):
        mosaic.samples[...] = scaled(read_raw(path).mosaic, FACTOR).samples
        mosaic.samples[1:] += np.uint16(shift)
        return mosaic

    output, _ = finer(path, change=brighter)

    assert holds == verify(path, output).holds
