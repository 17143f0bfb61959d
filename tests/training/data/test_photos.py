"""Clean mosaics: drawn the same for the same seed, in range, neutral where the photograph is."""

import hashlib

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from fadn_cli.denoise.sensors.bayer import BAYER  # noqa: E402
from fadn_cli.denoise.sensors.mono import MONO  # noqa: E402
from fadn_cli.denoise.sensors.xtrans import XTRANS  # noqa: E402
from fadn_cli.training.data.photos import (  # noqa: E402
    Photos,
    cut_gathered,
    cut_slices,
    draw_crops,
    draw_places,
    load_photos,
    unprocess,
)


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def test_photographs_are_read_as_channels_first_bytes(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (30, 40, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "b.png")
    (tmp_path / "notes.txt").write_text("not a photograph")

    (photo,) = load_photos([tmp_path], torch.device("cpu"))

    assert np.array_equal(pixels, photo.permute(1, 2, 0).numpy())


def test_a_folder_without_photographs_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="no photographs"):
        load_photos([tmp_path], torch.device("cpu"))


def test_photographs_of_all_sizes_are_kept_apart(tmp_path):
    rng = np.random.default_rng(1)
    drawn = [rng.integers(0, 256, (rows, cols, 3)) for rows, cols in ((5, 7), (9, 4), (6, 6))]
    for index, pixels in enumerate(drawn):
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{index}.png")

    photos = load_photos([tmp_path], torch.device("cpu"))

    assert 3 == len(photos)
    for pixels, photo in zip(drawn, photos, strict=True):
        assert np.array_equal(pixels, photo.permute(1, 2, 0).numpy())


def cut_slowly(photos, places, size):
    """Crops by NumPy, turned by its own functions."""
    for index, top, left, turn in zip(
        places.photo.tolist(),
        places.top.tolist(),
        places.left.tolist(),
        places.turn.tolist(),
        strict=True,
    ):
        crop = photos[index].numpy()[:, top : top + size, left : left + size]
        assert (3, size, size) == crop.shape
        crop = crop[:, ::-1] if turn & 1 else crop
        crop = crop[:, :, ::-1] if turn & 2 else crop
        yield crop.swapaxes(1, 2) if turn & 4 else crop


@pytest.mark.parametrize("cut", [cut_slices, cut_gathered])
def test_crops_are_those_of_plain_slicing(cut):
    sizes = [(20, 31), (18, 18), (44, 19)]
    pixels = torch.randint(0, 256, (sum(3 * h * w for h, w in sizes),), generator=generator())
    photos = Photos(pixels.byte(), sizes)
    places = draw_places(photos, 64, 18, generator())

    crops = cut(photos, places, 18)

    assert torch.equal(torch.arange(8), places.turn.unique())
    assert torch.equal(torch.arange(3), places.photo.unique())
    assert torch.uint8 == crops.dtype
    assert np.array_equal(np.stack(list(cut_slowly(photos, places, 18))), crops.numpy())


def test_crops_come_evenly_from_every_pixel_of_the_photographs_that_are_large_enough():
    sizes = [(10, 30), (12, 15), (9, 90), (40, 18)]
    photos = Photos(torch.zeros(sum(3 * h * w for h, w in sizes), dtype=torch.uint8), sizes)

    places = draw_places(photos, 20_000, 10, generator())

    shares = torch.bincount(places.photo, minlength=4) / 20_000
    assert shares.tolist() == pytest.approx([0.25, 0.15, 0, 0.6], abs=0.015)
    last = places.photo == 3
    assert (0, 30) == (places.top[last].min(), places.top[last].max())
    assert (0, 8) == (places.left[last].min(), places.left[last].max())


def test_photographs_smaller_than_the_crop_are_an_error(photos):
    with pytest.raises(ValueError, match="no photograph has 161 x 161 pixels"):
        draw_crops(photos, 1, 161, generator())


def test_the_same_seed_draws_the_same_crops(photos):
    first = draw_crops(photos, 4, 64, generator())

    assert torch.equal(first, draw_crops(photos, 4, 64, generator()))
    assert not torch.equal(first, draw_crops(photos, 4, 64, generator(2)))


def test_clean_mosaics_lie_between_black_and_white(photos):
    packed = unprocess(draw_crops(photos, 8, 64, generator()), generator())

    assert (8, 4, 32, 32) == tuple(packed.shape)
    assert 0 <= packed.min() <= packed.max() <= 1


def test_bayer_batches_draw_the_numbers_they_always_drew(photos):
    """Otherwise a run that is resumed would not go on where it was."""
    drawn = generator()
    unprocess(draw_crops(photos, 8, 64, drawn), drawn)

    state = hashlib.sha256(drawn.get_state().numpy().tobytes()).hexdigest()
    assert state.startswith("c1e862d4576e10e5")


def test_an_x_trans_mosaic_sees_the_colours_that_a_bayer_mosaic_sees():
    grey = torch.full((3, 3, 24, 24), 128, dtype=torch.uint8)

    red, green, _, blue = unprocess(grey, generator(), BAYER).unbind(1)
    planes = unprocess(grey, generator(), XTRANS)

    assert (3, 9, 8, 8) == tuple(planes.shape)
    for plane, letter in zip(planes.unbind(1), XTRANS.colors, strict=True):
        expected = {"R": red, "G": green, "B": blue}[letter]
        assert torch.allclose(expected[:, :1, :1].expand(-1, 8, 8), plane)


def test_a_mosaic_without_colours_is_one_grey_picture():
    grey = torch.full((3, 3, 32, 32), 128, dtype=torch.uint8)
    coloured = torch.tensor([200, 40, 40], dtype=torch.uint8)[None, :, None, None]

    planes = unprocess(grey, generator(), MONO)
    mixes = unprocess(coloured.expand(16, 3, 32, 32), generator(), MONO)

    assert torch.allclose(unprocess(grey, generator(), BAYER)[:, 1:2], planes, rtol=1e-5)
    assert (mixes == mixes[:, :1, :1, :1]).all()
    assert len(set(mixes[:, 0, 0, 0].tolist())) == 16  # each of another sensor
    assert (mixes > 0).all()


def test_both_greens_of_a_grey_photograph_agree():
    grey = torch.full((3, 3, 32, 32), 128, dtype=torch.uint8)

    packed = unprocess(grey, generator())

    assert torch.allclose(packed[:, 1], packed[:, 2])
    assert (packed[:, 0] < packed[:, 1]).all()  # daylight gains: red is recorded darker than green
