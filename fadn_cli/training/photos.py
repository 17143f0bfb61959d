"""Photographs in memory, and clean packed mosaics made from them on the training device.

`train` draws its batches here. The one thing to know: a photograph stays uint8 until it is a crop;
everything after that (tone curve, colour matrix, gains) is a tensor operation on the whole batch.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

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


def load_photos(folders: list[Path], device: torch.device) -> list[torch.Tensor]:
    """Read every photograph of the folders.

    Returns
    -------
    list of (3, H, W) uint8 tensors on `device`, sRGB, in file name order

    Raises
    ------
    FileNotFoundError
        A folder holds no photograph.
    """
    photos = []
    for folder in folders:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
        if not paths:
            raise FileNotFoundError(f"{folder}: no photographs ({', '.join(sorted(SUFFIXES))})")
        for path in paths:
            with Image.open(path) as image:
                pixels = np.array(image.convert("RGB"))
            photos.append(torch.from_numpy(pixels).permute(2, 0, 1).contiguous().to(device))
    return photos


def draw_crops(
    photos: list[torch.Tensor], count: int, size: int, generator: torch.Generator
) -> torch.Tensor:
    """Cut random square crops, flipped and transposed at random before any mosaic is made.

    Returns
    -------
    (count, 3, size, size) uint8, sRGB
    """
    usable = [photo for photo in photos if min(photo.shape[1:]) >= size]
    areas = torch.tensor([photo.shape[1] * photo.shape[2] for photo in usable], dtype=torch.float)
    picks = torch.multinomial(areas, count, replacement=True, generator=generator).tolist()
    draws = torch.rand(count, 2, generator=generator).tolist()
    turns = torch.randint(0, 8, (count,), generator=generator).tolist()
    crops = []
    for pick, (vertical, horizontal), turn in zip(picks, draws, turns, strict=True):
        photo = usable[pick]
        top = int(vertical * (photo.shape[1] - size + 1))
        left = int(horizontal * (photo.shape[2] - size + 1))
        crop = photo[:, top : top + size, left : left + size]
        if turn & 1:
            crop = crop.flip(1)
        if turn & 2:
            crop = crop.flip(2)
        if turn & 4:
            crop = crop.transpose(1, 2)
        crops.append(crop)
    return torch.stack(crops)


def unprocess(crops: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Turn developed crops into clean camera-linear mosaics of random cameras.

    Parameters
    ----------
    crops : (N, 3, 2h, 2w) uint8, sRGB
    generator : torch.Generator
        On the CPU; draws cameras and white balances.

    Returns
    -------
    (N, 4, h, w) float32, normalized, 0..1
        Planes R, Gr, Gb, B, exposed as the photograph was.

    References
    ----------
    Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019, arXiv 1811.11127.
    """
    count, device = crops.shape[0], crops.device
    ramp = torch.arange(256, dtype=torch.float32) / 255
    tone = 0.5 - torch.sin(torch.asin(1 - 2 * ramp) / 3)  # inverse smoothstep tone curve
    linear = tone.clamp(1e-8, 1).pow(2.2).to(device)[crops.int()]  # (N, 3, 2h, 2w)

    # A random convex mix of cameras; exponentials normalized to one are a flat Dirichlet draw.
    mix = torch.empty(count, len(XYZ_TO_CAMERA)).exponential_(generator=generator)
    mix /= mix.sum(1, keepdim=True)
    matrix = torch.einsum("nk,kij->nij", mix, XYZ_TO_CAMERA) @ RGB_TO_XYZ
    matrix = (matrix / matrix.sum(2, keepdim=True)).to(device)  # white stays white

    draws = torch.rand(count, 2, generator=generator)
    brightness = 1 / (0.8 + 0.1 * torch.randn(count, generator=generator)).clamp(0.5, 1.1)
    gains = torch.stack(
        [1 / (1.9 + 0.5 * draws[:, 0]), torch.ones(count), 1 / (1.5 + 0.4 * draws[:, 1])], dim=1
    )
    gains = (gains / brightness[:, None]).to(device)  # (N, 3)

    planes = []
    for row, col, colour in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        site = linear[:, :, row::2, col::2]  # (N, 3, h, w)
        camera = torch.einsum("nc,nchw->nhw", matrix[:, colour], site).clamp(0, 1)
        grey = site.mean(1)
        # Highlights fade to unit gain, or saturated whites would turn coloured.
        mask = ((grey - 0.9).clamp(min=0) / 0.1).square()
        gain = gains[:, colour, None, None]
        planes.append(camera * torch.maximum(mask + (1 - mask) * gain, gain))
    return torch.stack(planes, dim=1)  # (N, 4, h, w)
