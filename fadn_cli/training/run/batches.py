"""What a step learns from: noisy patches and clean ones, made of photographs.

`train` asks for one batch per step, `lessons` for many at once. The one thing to know: a batch
follows from the config's seed and the step's number alone.
"""

import torch

from fadn_cli.training.data.photos import Photos, draw_crops, unprocess
from fadn_cli.training.data.synthesis import add_noise, draw_sensors
from fadn_cli.training.run.config import TrainConfig

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
"""Noisy patches, targets, the shot and the read noise that are told, sigma: see `make_batch`."""


def make_batch(photos: Photos, config: TrainConfig, step: int) -> Batch:
    """Synthesise the batch of one step, the same whenever it is asked for.

    Returns
    -------
    noisy, target : (N, planes, h, w) float32, normalized
        Of the sensor that the network sees.
    told_shot, told_read : (N, levels, 1, 1) float32, variances
    std : (N, planes, h, w) float32
        True sigma of each clean sample.
    """
    sensor = config.network.seen.sensor
    generator = torch.Generator(photos.device).manual_seed(config.seed * 1_000_003 + step)
    crops = draw_crops(photos, config.batch, sensor.cell * config.patch, generator)
    clean = unprocess(crops, generator, sensor)
    shot, read, exposure = draw_sensors(config.batch, config.noise, generator)
    clean = clean * exposure
    seen = add_noise(clean, shot, read, config.dirt, generator, sensor)
    noisy, target, told_shot, told_read = seen
    return noisy, target, told_shot, told_read, (shot * clean + read).sqrt()
