"""The synthetic sensor has the noise it says, and each defect can be switched off."""

import hashlib
from dataclasses import fields, replace

import pytest

torch = pytest.importorskip("torch")

from fadn_cli.denoise.sensors.bayer import BAYER  # noqa: E402
from fadn_cli.denoise.sensors.kinds import SENSORS  # noqa: E402
from fadn_cli.denoise.sensors.mono import MONO  # noqa: E402
from fadn_cli.denoise.sensors.xtrans import XTRANS  # noqa: E402
from fadn_cli.training.data.photos import Photos, draw_crops, unprocess  # noqa: E402
from fadn_cli.training.data.synthesis import (  # noqa: E402
    CAMERA_OFFSET,
    CAMERA_SD,
    CAMERA_SLOPE,
    SPOTLESS,
    Dirt,
    NoiseRange,
    add_noise,
    draw_sensors,
)


def only(name):
    """One defect in every patch."""
    return replace(SPOTLESS, **{name: 1.0})


def expose(level, shot, read, dirt=SPOTLESS, size=128, count=2, sensor=BAYER):
    """Expose a flat patch."""
    clean = torch.full((count, sensor.planes, size, size), level)
    ones = torch.ones(count, 1, 1, 1)
    generator = torch.Generator().manual_seed(4)
    return clean, *add_noise(clean, shot * ones, read * ones, dirt, generator, sensor)


@pytest.mark.parametrize("shot", (1e-4, 1e-2))
@pytest.mark.parametrize("level", (0.002, 0.3))
def test_variance_is_shot_times_signal_plus_read(level, shot):
    clean, noisy, _, _, _ = expose(level, shot, 1e-5)

    variance = (noisy - clean).var().item()
    assert variance == pytest.approx(shot * level + 1e-5, rel=0.03)
    assert noisy.mean().item() == pytest.approx(level, abs=4 * (variance / noisy.numel()) ** 0.5)


def test_nothing_is_clipped_at_black_unless_asked():
    _, noisy, target, _, _ = expose(0.0, 1e-3, 1e-4)

    assert noisy.min() < 0
    assert (target == 0).all()


def test_clipping_at_black_keeps_the_mean_of_the_clipped_noise():
    _, noisy, target, _, _ = expose(0.003, 1e-3, 1e-4, only("black_clipping"))

    assert noisy.min() == 0
    assert target.mean().item() == pytest.approx(noisy.mean().item(), rel=0.02)


def test_samples_and_target_are_clipped_at_white_unless_that_is_switched_off():
    _, noisy, target, _, _ = expose(1.05, 1e-3, 1e-4)
    _, clipped, clipped_target, _, _ = expose(1.05, 1e-3, 1e-4, only("white_clipping"))

    assert (target == 1.05).all() and noisy.max() > 1.1
    assert torch.equal(noisy.clamp(max=1), clipped)
    assert (clipped_target == 1).all()
    assert Dirt().white_clipping == 1


@pytest.mark.parametrize("read", (1e-10, 1e-7, 1e-5))
def test_rounded_patches_have_the_noise_that_is_told(read):
    generator, ones = torch.Generator().manual_seed(4), torch.ones(16, 1, 1, 1)
    clean = torch.rand(16, 4, 64, 64, generator=generator) * 2**-6
    noise = (1e-10 * ones, read * ones)

    noisy, _, _, told_read = add_noise(clean, *noise, only("quantization"), generator)

    variance = (noisy - clean).var((1, 2, 3))
    assert torch.allclose(variance, told_read.mean((1, 2, 3)), rtol=0.05)
    assert (told_read > read).all()
    for patch in noisy:
        bits = next(bits for bits in range(10, 15) if (patch * 2**bits % 1 == 0).all())
        assert 2.0**-bits <= 4 * read**0.5 or bits == 14


def test_a_wrong_black_level_moves_samples_and_target_by_at_most_one_step():
    clean, noisy, target, _, _ = expose(0.1, 1e-5, 1e-5, only("black_error"), count=64, size=16)

    moved = (target - clean).mean((2, 3))
    assert torch.allclose(moved, (noisy - clean).mean((2, 3)), atol=1e-3)
    assert 4e-4 < moved.abs().max() < 2**-10
    assert moved.std(1).min() > 0  # each plane by its own error


def test_row_noise_is_one_value_per_row_of_the_sensor():
    dirty = expose(0.1, 1e-3, 1e-4, only("row_noise"))[1]

    rows = dirty - expose(0.1, 1e-3, 1e-4)[1]

    assert rows.std() < 0.15 * 1e-2
    assert torch.allclose(rows, rows[..., :1].expand_as(rows), atol=1e-6)
    assert torch.allclose(rows[:, 0], rows[:, 1], atol=1e-6)
    assert not torch.allclose(rows[:, 1], rows[:, 2], atol=1e-4)


@pytest.mark.parametrize("sensor", (XTRANS, MONO))
def test_rows_of_the_sensor_are_rows_of_other_mosaics_too(sensor):
    """An X-Trans sensor's pairs lie in one row in one cell, in two in the next."""
    dirty = expose(0.1, 1e-3, 1e-4, only("row_noise"), sensor=sensor)[1]

    rows = (dirty - expose(0.1, 1e-3, 1e-4, sensor=sensor)[1]).numpy()

    for mosaic in (sensor.unpack(planes) for planes in rows):
        assert mosaic == pytest.approx(mosaic[:, :1].repeat(mosaic.shape[1], axis=1), abs=1e-6)
        assert mosaic.std() > 1e-5


def test_bayer_batches_draw_the_numbers_they_always_drew():
    """Otherwise a run that is resumed would not go on where it was."""
    generator = torch.Generator().manual_seed(4)
    shot, read, exposure = draw_sensors(4, NoiseRange(cameras=0.5), generator)

    noisy = add_noise(torch.full((4, 4, 8, 8), 0.5) * exposure, shot, read, Dirt(), generator)[0]

    state = hashlib.sha256(generator.get_state().numpy().tobytes()).hexdigest()
    assert state.startswith("0911f878472881e6")
    assert noisy.double().mean().item() == pytest.approx(0.4191794, abs=1e-6)


@pytest.mark.parametrize("sensor", (XTRANS, MONO))
def test_samples_of_a_colour_share_gain_and_black_level(sensor):
    clean, noisy, target, _, _ = expose(0.1, 1e-3, 1e-5, only("black_error"), sensor=sensor)

    moved = (target - clean)[0, :, 0, 0]

    for index in range(len(sensor.noise_colors)):
        own = [each for plane, each in enumerate(moved) if sensor.noise_index[plane] == index]
        assert len({each.item() for each in own}) == 1
    assert len({each.item() for each in moved}) == len(sensor.noise_colors)


def test_hot_pixels_are_few_and_bright():
    hot = expose(0.1, 1e-3, 1e-4, only("hot_pixels"))[1] - expose(0.1, 1e-3, 1e-4)[1]

    assert 0 <= hot.min() and 0.3 < hot.max() <= 1
    assert 0 < (hot > 0).float().mean() < 2.5e-4


NAMES = sorted({field.name for field in fields(Dirt)} - {"parameter_error", "white_clipping"})


@pytest.mark.parametrize("name", NAMES)
def test_each_defect_changes_the_patch_and_can_be_switched_off(name):
    dirty = only(name)

    changed = expose(0.01, 1e-3, 1e-3, dirty)[1]
    clean = expose(0.01, 1e-3, 1e-3, dirty.without(name))[1]

    assert torch.equal(clean, expose(0.01, 1e-3, 1e-3)[1])
    assert not torch.equal(changed, clean)


def test_the_network_is_told_parameters_within_fifteen_percent():
    dirty = only("parameter_error")

    *_, told_shot, told_read = expose(0.1, 1e-3, 1e-5, dirty, count=64, size=16)

    for told, true in ((told_shot, 1e-3), (told_read, 1e-5)):
        assert 0.84 * true < told.min() < 0.95 * true
        assert 1.05 * true < told.max() < 1.16 * true


def test_sensors_cover_the_range_and_no_more():
    shot, read, exposure = draw_sensors(4000, NoiseRange(), torch.Generator().manual_seed(1))

    assert 1e-5 <= shot.min() < 1.2e-5
    assert 3.5e-2 < shot.max() <= 4e-2
    assert 2**-8 <= exposure.min() < 2**-7.5
    assert read.sqrt().min() >= 2**-16  # a quarter of the finest converter's step


@pytest.mark.parametrize("share", (0.5, 1.0))
def test_a_share_of_the_sensors_reads_as_calibrated_cameras_do(share):
    generator = torch.Generator().manual_seed(1)

    shot, read, _ = draw_sensors(4000, NoiseRange(cameras=share, shot_high=1e-3), generator)

    above = read.log() - (CAMERA_SLOPE * shot.log() + CAMERA_OFFSET)
    fits = above.abs() < 3.01 * CAMERA_SD
    assert share <= fits.float().mean() < share + 0.25  # some phones do too
    if share == 1:
        assert above.mean() == pytest.approx(0, abs=0.06)
        assert above.std() == pytest.approx(CAMERA_SD, rel=0.05)


class MetaGenerator(torch.Generator):
    """Claims to draw on the meta device, which refuses other devices' tensors and shows no value.

    What works on it works on a GPU without a wait and without a tensor left on the CPU.
    """

    device = torch.device("meta")


@pytest.mark.parametrize("kind", SENSORS)
def test_a_batch_is_made_on_the_generators_device_without_looking_at_a_value(kind):
    sensor = SENSORS[kind]
    photos = Photos(torch.empty(3 * 50 * 60, dtype=torch.uint8, device="meta"), [(50, 60)])
    generator = MetaGenerator()

    crops = draw_crops(photos, 8, 16 * sensor.cell, generator)
    clean = unprocess(crops, generator, sensor)
    shot, read, exposure = draw_sensors(8, NoiseRange(cameras=0.5), generator)
    batch = add_noise(clean * exposure, shot, read, Dirt(), generator, sensor)

    assert all(values.is_meta for values in batch)
    planes, levels = (8, sensor.planes, 16, 16), (8, len(sensor.noise_colors), 1, 1)
    assert [planes] * 2 + [levels] * 2 == [values.shape for values in batch]
