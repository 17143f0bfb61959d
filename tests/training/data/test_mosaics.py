"""Planes in tensors are the planes that `denoise.sensors` makes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fadn_cli.denoise.sensors.kinds import SENSORS  # noqa: E402
from fadn_cli.training.data.mosaics import of_planes, packed  # noqa: E402


@pytest.mark.parametrize("kind", SENSORS)
def test_planes_are_those_of_the_sensor(kind):
    sensor = SENSORS[kind]
    mosaics = np.random.default_rng(1).random((3, 12, 18)).astype(np.float32)

    seen = packed(torch.from_numpy(mosaics), sensor).numpy()

    assert np.array_equal(np.stack([sensor.pack(mosaic) for mosaic in mosaics]), seen)


@pytest.mark.parametrize("kind", SENSORS)
def test_every_plane_has_its_colours_value(kind):
    sensor = SENSORS[kind]
    levels = torch.arange(len(sensor.noise_colors)).float()[None, :, None, None]

    values = of_planes(levels, sensor).flatten()

    assert list(sensor.noise_index) == values.tolist()
