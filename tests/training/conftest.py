"""Fixtures of the training tests; all of them need torch."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from PIL import Image  # noqa: E402

from fadn_cli.training.data.photos import load_photos  # noqa: E402

torch.set_num_threads(1)  # the networks here are so small that threads only wait for each other


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """Two drawn photographs: a smooth one and one of edges."""
    rows, cols = np.mgrid[:160, :192].astype(np.float32)
    smooth = np.stack([rows * 1.2, cols, 255 - rows], axis=0)
    edges = 127 + 100 * np.sign(np.sin(rows / 5) * np.sin(cols / 7))
    edges = np.stack([edges, edges * 0.8, 255 - edges], axis=0)
    folder = tmp_path_factory.mktemp("photos")
    for name, picture in (("a", smooth), ("b", edges)):
        pixels = picture.clip(0, 255).astype(np.uint8).transpose(1, 2, 0)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return load_photos([folder], torch.device("cpu"))


@pytest.fixture
def ruler(tmp_path):
    """A folder of one photograph."""
    folder = tmp_path / "val"
    folder.mkdir()
    pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "noise.png")
    return folder
