"""What a DNG holds beside its mosaic at full size is refused or told; smaller things never are."""

import pytest

from fadn_cli.errors import UnsupportedRawError
from fadn_cli.pipeline.file import denoise_file, inspect_file
from fadn_cli.raw.source.reader import read_raw
from tests.making.mosaics import noisy_samples
from tests.making.tiff import BYTE, LONG, RATIONAL, SHORT, SRATIONAL, TiffBuilder

SHARED = {
    271: (2, "Fadn"),
    272: (2, "Synthetic"),
    50706: (BYTE, (1, 4, 0, 0)),
    50708: (2, "Fadn Synthetic"),
    50721: (SRATIONAL, (1, 0, 0, 0, 1, 0, 0, 0, 1)),
    50728: (RATIONAL, (0.5, 1.0, 0.625)),
    50778: (SHORT, 21),
}


def image(tiff, samples, *, tile=None, kind=0, photometric=32803, planes=1):
    """The fields of an uncompressed image, its samples appended."""
    height, width = samples.shape
    data = samples.repeat(planes, axis=1).astype(tiff.byteorder + "u2").tobytes()
    fields = {
        254: (LONG, kind),
        256: (LONG, width),
        257: (LONG, height),
        258: (SHORT, (16,) * planes),
        259: (SHORT, 1),
        262: (SHORT, photometric),
        277: (SHORT, planes),
    }
    where = {273: (LONG, tiff.add(data)), 278: (LONG, height), 279: (LONG, len(data))}
    if tile:
        where = {322: (LONG, width), 323: (LONG, height)}
        where |= {324: (LONG, tiff.add(data)), 325: (LONG, len(data))}
    colours = {33421: (SHORT, (2, 2)), 33422: (BYTE, (0, 1, 1, 2)), 50714: (RATIONAL, (512,))}
    colours[50717] = (LONG, 15000)
    return fields | where | (colours if photometric == 32803 else {})


def finish(tiff, path, ifd0):
    """Write the file."""
    path.write_bytes(tiff.close(ifd0))
    return path


def write(path, others, *, byteorder="<", place="subs", first=(64, 96), tile=False):
    """Write a DNG with a mosaic and others beside it, each (size, changes of its fields)."""
    tiff = TiffBuilder(byteorder)
    mosaic = image(tiff, noisy_samples(*first), tile=tile)
    images = [
        image(tiff, noisy_samples(*size, seed=seed), tile=tile, **options)
        for seed, (size, options) in enumerate(others, start=1)
    ]
    if place == "subs":
        ifds = [tiff.add_ifd(fields) for fields in (mosaic, *images)]
        thumbnail = image(tiff, noisy_samples(8, 8), kind=1, photometric=2, planes=3)
        return finish(tiff, path, tiff.add_ifd(thumbnail | SHARED | {330: (LONG, ifds)}))
    if place == "ifd0":
        ifds = [tiff.add_ifd(fields) for fields in images]
        return finish(tiff, path, tiff.add_ifd(mosaic | SHARED | {330: (LONG, ifds)}))
    following = 0
    for fields in reversed(images):
        following = tiff.add_ifd(fields, following)
    return finish(tiff, path, tiff.add_ifd(mosaic | SHARED, following))


FULL = ((64, 96), {})


@pytest.mark.parametrize("place", ("subs", "ifd0", "chain"))
@pytest.mark.parametrize("byteorder", ("<", ">"))
@pytest.mark.parametrize("tile", (False, True))
@pytest.mark.parametrize("count", (2, 4))
def test_several_mosaics_are_refused_and_counted(tmp_path, place, byteorder, tile, count):
    others = [FULL] * (count - 1)
    path = write(tmp_path / "a.dng", others, byteorder=byteorder, place=place, tile=tile)

    with pytest.raises(UnsupportedRawError, match=f"a.dng: holds {count} mosaics") as caught:
        denoise_file(path, tmp_path / "b.dng")

    assert "Merge the frames" in caught.value.advice
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize("place", ("subs", "ifd0", "chain"))
@pytest.mark.parametrize(
    "other",
    (
        ((32, 48), {}),
        ((64, 96), {"kind": 1}),
        ((64, 96), {"kind": 1, "photometric": 34892, "planes": 3}),
        ((64, 96), {"kind": 0x10001, "photometric": 2, "planes": 3}),
        ((64, 96), {"kind": 4, "photometric": 4}),
        ((64, 96), {"kind": 8, "photometric": 51177}),
        ((32, 48), {"photometric": 34892, "planes": 3}),
    ),
)
def test_smaller_mosaics_previews_and_masks_are_left_alone(tmp_path, place, other):
    path = write(tmp_path / "a.dng", [other], place=place)

    assert () == read_raw(path).warnings


def test_two_ifds_of_the_same_samples_are_one_mosaic(tmp_path):
    tiff = TiffBuilder()
    mosaic = image(tiff, noisy_samples())
    path = finish(
        tiff,
        tmp_path / "a.dng",
        tiff.add_ifd(mosaic | SHARED | {330: (LONG, tiff.add_ifd(mosaic))}),
    )

    assert (64, 96) == read_raw(path).mosaic.samples.shape


@pytest.mark.parametrize("place", ("subs", "ifd0", "chain"))
@pytest.mark.parametrize(
    ("kind", "size", "word"),
    ((16, (64, 96), "enhanced"), (16, (128, 192), "enhanced"), (0, (60, 92), "linear")),
)
def test_a_developed_image_beside_the_mosaic_is_told_once(tmp_path, place, kind, size, word):
    other = (size, {"kind": kind, "photometric": 34892, "planes": 3})
    path = write(tmp_path / "a.dng", [other], place=place, byteorder=">")

    (warning,) = inspect_file(path).warnings

    assert f"{word} image of full size, which stays as it was" in warning
