"""A list of bad pixels means what it says, or is an error that names the line."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadn_cli.errors import ConfigError
from fadn_cli.pipeline.defects.listing import check_list, fingerprint, format_list, read_list
from fadn_cli.pipeline.file import DenoiseOptions, denoise_file, inspect_file
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.tags import Tag
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.opcodes import fix_constant, in_raw

SIZE = 64, 96


@pytest.fixture
def listed(tmp_path):
    """A function that reads a list with a given content."""

    def read(text, size=SIZE):
        path = tmp_path / "bad.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_list(path, size=size, image="a.dng").tolist()

    return read


def test_x_is_the_column_and_y_the_row(listed):
    assert [2 * 96 + 5] == listed("5 2")


@pytest.mark.parametrize(
    "text",
    [
        "5 2\n7 0\n",
        "# mine\n\n  7\t0  # died in May\n5 2",
        "7 0\r\n5 2\r\n",
        b"\xef\xbb\xbf7 0\n5 2\n5 2\n",
        "0007 0\n5 02\n#7 x",
        b"7 0 # caf\xe9\n5 2",
    ],
)
def test_comments_blank_lines_and_order_do_not_matter(listed, text):
    assert [7, 2 * 96 + 5] == listed(text)


def test_an_empty_list_names_nothing(listed):
    assert [] == listed("# none yet\n")


@pytest.mark.parametrize(
    "line", ["5", "5 2 1", "5,2", "-1 2", "5 2.0", "x y", "5 ٢", "0x5 2", "5 2 1028350000", "5²  1"]
)
def test_a_line_that_is_no_point_is_named(listed, line):
    with pytest.raises(ConfigError) as caught:
        listed(f"# one\n1 1\n{line}\n")

    assert f"bad.txt, line 3: '{line}' is not the place of a pixel" in str(caught.value)
    assert caught.value.advice


@pytest.mark.parametrize("point", ["96 0", "0 64", "95 64", f"{10**30} 0"])
def test_a_point_outside_is_named_with_the_size(listed, point):
    with pytest.raises(ConfigError) as caught:
        listed(f"95 63\n{point}\n")

    shown = f"{point[:12]} 0" if len(point) > 12 else point
    assert f"bad.txt, line 2: {shown} lies outside a.dng, which is 96x64" in str(caught.value)


def test_a_list_that_is_not_there_or_no_list_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.txt: the list of bad pixels cannot be read"):
        check_list(tmp_path / "none.txt")
    with pytest.raises(ConfigError, match="cannot be read"):
        fingerprint(tmp_path)
    large = tmp_path / "large"
    large.touch()
    with large.open("r+b") as file:
        file.truncate(65 << 20)
    with pytest.raises(ConfigError, match=r"more than \d+ bytes"):
        check_list(large)


def test_a_raw_file_given_as_a_list_is_an_error_in_one_line(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples())

    with pytest.raises(ConfigError) as caught:
        check_list(path)

    assert 1 == len(str(caught.value).splitlines())
    assert len(str(caught.value)) < 600


@given(st.lists(st.integers(0, 64 * 96 - 1), unique=True, max_size=30))
def test_what_is_written_is_read_again(tmp_path_factory, sites):
    path = tmp_path_factory.mktemp("list") / "bad.txt"
    text = format_list(np.array(sorted(sites), np.intp), width=96, comments=["a\nb", "c"])
    path.write_text(text)

    assert sorted(sites) == read_list(path, size=SIZE, image="a.dng").tolist()


def test_what_a_user_lists_is_repaired_and_marks_stay_marks(tmp_path):
    rows, cols = np.mgrid[: SIZE[0], : SIZE[1]]
    samples = (3000 + 20 * rows + 10 * cols).astype(np.uint16)
    samples += np.random.default_rng(1).integers(0, 40, SIZE).astype(np.uint16)
    samples[30, 40:44] = 15000
    samples[10, 20] = samples[30, 41] = 0
    path = write_dng(tmp_path / "a.dng", samples, extra_raw=in_raw(fix_constant(0)))
    (tmp_path / "bad.txt").write_text("40 30\n41 30\n42 30\n43 30\n0 0\n")
    options = DenoiseOptions(
        bad_pixels=tmp_path / "bad.txt", strength=0.0, shot_noise=1e-4, read_noise=1e-6
    )

    report = denoise_file(path, tmp_path / "b.dng", options)

    after = read_raw(tmp_path / "b.dng").mosaic.samples
    expected = 3000 + 20 * 30 + 10 * np.arange(40, 44) + 20
    assert 6 == report.bad_pixels == inspect_file(path, options).bad_pixels
    assert [10 * 96 + 20, 30 * 96 + 41] == np.flatnonzero(after == 0).tolist()
    for index in (0, 2, 3):
        assert abs(int(after[30, 40 + index]) - expected[index]) < 60
    assert 4 == (after != samples).sum()  # what is listed, but for the mark
    assert verify(path, tmp_path / "b.dng").holds


def test_another_list_is_another_photograph(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples())
    identities = set()
    for number in range(3):
        (tmp_path / "bad.txt").write_text(f"{number} 30\n")
        options = DenoiseOptions(
            bad_pixels=tmp_path / "bad.txt", strength=0.0, shot_noise=1e-4, read_noise=1e-6
        )
        denoise_file(path, tmp_path / f"{number}.dng", options)
        tiff = parse(map_file(tmp_path / f"{number}.dng"), name="out", tolerant=True)
        identities.add(tiff.ifds[0].ints(Tag.RAW_DATA_UNIQUE_ID))

    assert 3 == len(identities)
