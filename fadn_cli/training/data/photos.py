"""Photographs in memory, and clean packed mosaics made from them on the training device.

`train` draws its batches here. The one thing to know: all photographs lie in one flat tensor of
bytes on the training device, and stay bytes until they are crops; cutting, tone curve, colour
matrix and gains are tensor operations on the whole batch, and none of them waits for the device.
"""

import functools
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.sensor import Sensor
from fadn_cli.training.data.mosaics import planes_of

SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"}

# XYZ (D65) -> camera of four cameras, as their DNG files state them (ColorMatrix2).
XYZ_TO_CAMERA = torch.tensor(
    [
        [[1.0234, -0.2969, -0.2266], [-0.5625, 1.6328, -0.0469], [-0.0703, 0.2188, 0.6406]],
        [[0.4913, -0.0541, -0.0202], [-0.6130, 1.3513, 0.2906], [-0.1564, 0.2151, 0.7183]],
        [[0.8380, -0.2630, -0.0639], [-0.2887, 1.0725, 0.2496], [-0.0627, 0.1427, 0.5438]],
        [[0.6596, -0.2079, -0.0562], [-0.4782, 1.3016, 0.1933], [-0.0970, 0.1581, 0.5181]],
    ]
)
RGB_TO_XYZ = torch.tensor(  # linear sRGB, D65 [IEC 61966-2-1]
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


class Photos:
    """Photographs on one device, a sequence of (3, H, W) uint8 tensors, sRGB.

    Parameters
    ----------
    pixels : (sum of 3 H W,) uint8
        One photograph after the other, each channels first.
    sizes : list of (H, W)
        Of each photograph, in the same order.
    """

    def __init__(self, pixels: torch.Tensor, sizes: list[tuple[int, int]]) -> None:
        self.pixels = pixels
        self.sizes = sizes
        self.heights, self.widths = torch.tensor(sizes, device=pixels.device).T
        ends = list(accumulate(3 * height * width for height, width in sizes))
        self.offsets = [0, *ends[:-1]]
        self.starts = torch.tensor(self.offsets, device=pixels.device)
        """(photographs,) int64: `offsets`, on the device."""

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, index: int) -> torch.Tensor:
        """Return a view of one photograph: (3, H, W) uint8."""
        height, width = self.sizes[index]
        flat = self.pixels.narrow(0, self.offsets[index], 3 * height * width)
        return flat.view(3, height, width)

    @property
    def device(self) -> torch.device:
        """Where the photographs lie."""
        return self.pixels.device


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Where square crops lie and how they are turned: four (N,) int64 tensors."""

    photo: torch.Tensor
    """Index of the photograph."""
    top: torch.Tensor
    """First row."""
    left: torch.Tensor
    """First column."""
    turn: torch.Tensor
    """0..7: bit 0 turns the rows round, then bit 1 the columns, then bit 2 transposes."""


def load_photos(folders: list[Path], device: torch.device) -> Photos:
    """Read every photograph of the folders, in file name order.

    Raises
    ------
    FileNotFoundError
        A folder holds no photograph.
    """
    paths: list[Path] = []
    for folder in folders:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
        if not found:
            raise FileNotFoundError(f"{folder}: no photographs ({', '.join(sorted(SUFFIXES))})")
        paths += found
    sizes = []
    for path in paths:
        with Image.open(path) as image:
            sizes.append((image.height, image.width))
    # The sizes first, so that no photograph is in memory twice.
    photos = Photos(torch.empty(sum(3 * h * w for h, w in sizes), dtype=torch.uint8), sizes)
    for index, path in enumerate(paths):
        with Image.open(path) as image:
            rgb = torch.from_numpy(np.array(image.convert("RGB")))  # (H, W, 3)
        photos[index].copy_(rgb.permute(2, 0, 1))
    return Photos(photos.pixels.to(device), sizes)


def draw_crops(photos: Photos, count: int, size: int, generator: torch.Generator) -> torch.Tensor:
    """Cut random square crops, flipped and transposed at random before any mosaic is made.

    Returns
    -------
    (count, 3, size, size) uint8, sRGB
        On the photographs' device.

    Raises
    ------
    ValueError
        No photograph is that large.
    """
    places = draw_places(photos, count, size, generator)
    # Slices are five times as fast on a CPU; on a GPU each would be a launch, and cost a wait.
    cut = cut_slices if photos.device.type == "cpu" else cut_gathered
    return cut(photos, places, size)


def draw_places(photos: Photos, count: int, size: int, generator: torch.Generator) -> Places:
    """Draw crops evenly from the pixels of all photographs that are large enough."""
    if not any(min(height, width) >= size for height, width in photos.sizes):
        raise ValueError(f"no photograph has {size} x {size} pixels")
    draws = torch.rand(4, count, generator=generator, device=generator.device).to(photos.device)
    large = torch.minimum(photos.heights, photos.widths) >= size
    areas = (photos.heights * photos.widths * large).cumsum(0)
    photo = torch.searchsorted(areas / areas[-1], draws[0], right=True)
    return Places(
        photo=photo,
        top=(draws[1] * (photos.heights[photo] - size + 1)).long(),
        left=(draws[2] * (photos.widths[photo] - size + 1)).long(),
        turn=(draws[3] * 8).long(),
    )


def cut_slices(photos: Photos, places: Places, size: int) -> torch.Tensor:
    """Cut crops one by one: (N, 3, size, size) uint8."""
    draws = (each.tolist() for each in (places.photo, places.top, places.left, places.turn))
    crops = []
    for photo, top, left, turn in zip(*draws, strict=True):
        crop = photos[photo][:, top : top + size, left : left + size]
        turned = [axis for axis in (1, 2) if turn & axis]
        crop = crop.flip(turned) if turned else crop
        crops.append(crop.transpose(1, 2) if turn & 4 else crop)
    return torch.stack(crops)


def cut_gathered(photos: Photos, places: Places, size: int) -> torch.Tensor:
    """Cut all crops in one indexing of the pixels: (N, 3, size, size) uint8."""
    width, turn = photos.widths[places.photo], places.turn
    up, back, across = ((turn & bit) > 0 for bit in (1, 2, 4))
    top = places.top + (size - 1) * up
    left = places.left + (size - 1) * back
    first = photos.starts[places.photo] + top * width + left
    row, column = torch.where(up, -width, width), torch.where(back, -1, 1)
    down, along = torch.where(across, column, row), torch.where(across, row, column)

    ramp = torch.arange(size, device=photos.device)
    index = first[:, None, None] + ramp[:, None] * down[:, None, None]
    index = index + ramp * along[:, None, None]  # (N, size, size)
    planes = torch.arange(3, device=photos.device) * (photos.heights[places.photo] * width)[:, None]
    return photos.pixels[index[:, None] + planes[:, :, None, None]]  # (N, 3, size, size)


def unprocess(
    crops: torch.Tensor, generator: torch.Generator, sensor: Sensor = BAYER
) -> torch.Tensor:
    """Turn developed crops into clean camera-linear mosaics of random cameras.

    Parameters
    ----------
    crops : (N, 3, H, W) uint8, sRGB
        H and W multiples of the sensor's cell.
    generator : torch.Generator
        Draws cameras and white balances; on the crops' device, or their draws are copied to it.
    sensor : Sensor
        Whose mosaics. One without colours sees a random mix of a camera's, none of them negative.

    Returns
    -------
    (N, planes, h, w) float32, normalized, 0..1
        Exposed as the photograph was.

    References
    ----------
    Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019, arXiv 1811.11127.
    """
    tone, cameras = _constants(crops.device)
    linear = tone.index_select(0, crops.flatten().int()).view(crops.shape)  # (N, 3, H, W)
    matrix, gains = _draw_cameras(crops.shape[0], cameras, generator)
    if not sensor.has_color:
        matrix = _draw_grey(matrix, generator)
        gains = gains[:, 1:2]  # there is no white to balance: as bright as green
    letters = "RGB" if sensor.has_color else sensor.noise_colors
    planes = []
    for site, letter in zip(planes_of(linear, sensor), sensor.colors, strict=True):
        colour = letters.index(letter)
        site = site.contiguous()  # (N, 3, h, w)
        camera = torch.einsum("nc,nchw->nhw", matrix[:, colour], site).clamp(0, 1)
        grey = site.mean(1)
        # Highlights fade to unit gain, or saturated whites would turn coloured.
        mask = ((grey - 0.9).clamp(min=0) / 0.1).square()
        gain = gains[:, colour, None, None]
        planes.append(camera * torch.maximum(mask + (1 - mask) * gain, gain))
    return torch.stack(planes, dim=1)  # (N, planes, h, w)


@functools.cache  # a constant made anew would be copied, and waited for, at every step
def _constants(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the inverse tone curve of bytes (256,) and the cameras' sRGB matrices (4, 3, 3)."""
    ramp = torch.arange(256, dtype=torch.float32) / 255
    tone = 0.5 - torch.sin(torch.asin(1 - 2 * ramp) / 3)  # inverse smoothstep
    return tone.clamp(1e-8, 1).pow(2.2).to(device), (XYZ_TO_CAMERA @ RGB_TO_XYZ).to(device)


def _draw_cameras(
    count: int, cameras: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw matrices from sRGB (N, 3, 3), and gains of white balance and brightness (N, 3)."""
    device = generator.device
    mix = _draw_mix(count, len(cameras), generator).to(cameras.device)
    matrix = torch.einsum("nk,kij->nij", mix, cameras)
    matrix = matrix / matrix.sum(2, keepdim=True)  # white stays white

    draws = torch.rand(count, 2, generator=generator, device=device)
    normal = torch.randn(count, generator=generator, device=device)
    brightness = 1 / (0.8 + 0.1 * normal).clamp(0.5, 1.1)
    red, blue = 1 / (1.9 + 0.5 * draws[:, 0]), 1 / (1.5 + 0.4 * draws[:, 1])
    gains = torch.stack([red, torch.ones_like(red), blue], dim=1) / brightness[:, None]
    return matrix, gains.to(cameras.device)


def _draw_grey(matrix: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw what sensors without colours see: one row (N, 1, 3) of the colours' (N, 3, 3)."""
    count, parts, _ = matrix.shape
    mix = _draw_mix(count, parts, generator).to(matrix.device)
    return torch.einsum("nk,nkc->nc", mix, matrix)[:, None]


def _draw_mix(count: int, parts: int, generator: torch.Generator) -> torch.Tensor:
    """Draw random convex mixes (N, parts)."""
    # Exponentials normalized to one are a flat Dirichlet draw.
    mix = -torch.log1p(-torch.rand(count, parts, generator=generator, device=generator.device))
    return mix / mix.sum(1, keepdim=True)
