"""Write a picture of what was removed: ``python benchmarks/residuals.py RAW OUTPUT.png``.

One detail of a real raw at 200 %: before, after, and what was removed, sample by sample of the
mosaic in units of the noise that it was taken for, grey at zero, black and white at 4 sigma. The
one thing to know: any line of the photograph that shows in the third part was taken from it.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.before_after import brighten, options, side_by_side  # noqa: E402
from fadn_cli.denoise.noise.stabilize import noise_std
from fadn_cli.denoise.sensors.kinds import pack_active
from fadn_cli.mosaic.values import Mosaic  # noqa: E402
from fadn_cli.pipeline.file import DenoiseOptions, denoise_file
from fadn_cli.pipeline.report import NoiseSummary
from fadn_cli.raw.develop.render import develop
from fadn_cli.raw.source.reader import read_raw

SIGMAS = 4.0


def removed(before: Mosaic, after: Mosaic, noise: NoiseSummary) -> np.ndarray:
    """Return (h, w): what the active area lost, in units of the noise that it was taken for."""
    (source, packing), (result, _) = map(pack_active, (before, after))
    shot, read = (np.reshape(each, (4, 1, 1)) for each in (noise.shot_noise, noise.read_noise))
    sigma = noise_std(result, shot, read)
    return packing.unpack(((source - result) / sigma).astype(np.float32))


def main() -> None:
    """Run the command line."""
    parser = options(__doc__)
    parser.add_argument("--quality")
    arguments = parser.parse_args()
    top, left, height, width = arguments.crop
    where = slice(top, top + height), slice(left, left + width)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.dng"
        report = denoise_file(arguments.raw, output, DenoiseOptions(quality=arguments.quality))
        raws = [read_raw(path) for path in (arguments.raw, output)]
        parts = [brighten(develop(raw, raw.mosaic)[where], arguments.stops) for raw in raws]
    residual = removed(*(raw.mosaic for raw in raws), report.noise_used)
    grey = np.clip(127.5 + 127.5 / SIGMAS * residual, 0, 255).round().astype(np.uint8)
    parts.append(np.repeat(grey[where][..., None], 3, axis=2))
    side_by_side(parts).save(arguments.output)


if __name__ == "__main__":
    main()
