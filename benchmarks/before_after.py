"""Write the README's picture: ``python benchmarks/before_after.py RAW OUTPUT.png``.

Denoises the raw, develops source and output with the same settings, brightens both alike, and puts
one detail of each side by side at 200 %.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fadn_cli.pipeline.file import denoise_file
from fadn_cli.raw.develop.render import develop
from fadn_cli.raw.source.reader import read_raw

GAP = 12


def brighten(rgb: np.ndarray, stops: float) -> np.ndarray:
    """Brighten sRGB-encoded 16-bit samples by linear exposure; return 8 bits."""
    encoded = rgb.astype(np.float32) / 65535
    low = encoded <= 0.04045
    linear = np.where(low, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear * 2**stops, 0, 1)
    back = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (back * 255).round().astype(np.uint8)


def options(description: str) -> argparse.ArgumentParser:
    """Return the options of a picture of one detail."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("raw", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--crop", type=int, nargs=4, default=(620, 850, 260, 230), metavar="N")
    parser.add_argument("--stops", type=float, default=1.0)
    return parser


def side_by_side(parts: list[np.ndarray]) -> Image.Image:
    """Return details (h, w, 3) of 8 bits at 200 %, white gaps between them."""
    doubled = [part.repeat(2, axis=0).repeat(2, axis=1) for part in parts]
    gap = np.full((len(doubled[0]), GAP, 3), 255, np.uint8)
    joined = [piece for part in doubled for piece in (gap, part)][1:]
    return Image.fromarray(np.concatenate(joined, axis=1))


def main() -> None:
    """Run the command line."""
    arguments = options(__doc__).parse_args()
    top, left, height, width = arguments.crop
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.dng"
        denoise_file(arguments.raw, output)
        parts = []
        for path in (arguments.raw, output):
            raw_image = read_raw(path)
            rgb = develop(raw_image, raw_image.mosaic)[top : top + height, left : left + width]
            parts.append(brighten(rgb, arguments.stops))
    side_by_side(parts).save(arguments.output)


if __name__ == "__main__":
    main()
