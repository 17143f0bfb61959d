"""Clean mosaics: drawn the same for the same seed, in range, neutral where the photograph is."""

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from fadn_cli.training.photos import draw_crops, load_photos, unprocess  # noqa: E402


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


def test_the_same_seed_draws_the_same_crops(photos):
    first = draw_crops(photos, 4, 64, generator())

    assert torch.equal(first, draw_crops(photos, 4, 64, generator()))
    assert not torch.equal(first, draw_crops(photos, 4, 64, generator(2)))


def test_clean_mosaics_lie_between_black_and_white(photos):
    packed = unprocess(draw_crops(photos, 8, 64, generator()), generator())

    assert (8, 4, 32, 32) == tuple(packed.shape)
    assert 0 <= packed.min() <= packed.max() <= 1


def test_both_greens_of_a_grey_photograph_agree():
    grey = torch.full((3, 3, 32, 32), 128, dtype=torch.uint8)

    packed = unprocess(grey, generator())

    assert torch.allclose(packed[:, 1], packed[:, 2])
    assert (packed[:, 0] < packed[:, 1]).all()  # daylight gains: red is recorded darker than green
