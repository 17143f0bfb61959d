"""What the product is to say of a denoised DNG, and the copy that it then writes."""

from dataclasses import replace

import numpy as np

from fadn_cli.noise import noise_model
from fadn_cli.raw.check.dng import check_dng
from fadn_cli.raw.dng.write import DngEdit, WriteChoices, write_dng
from fadn_cli.raw.source.reader import read_raw
from tests.making.dng.previewed import BLACK, WHITE
from tests.making.pictures import light

EDIT = DngEdit(
    noise_profile=noise_model((1e-4, 2e-4, 4e-4, 1e-4), (1e-6, 1e-6, 3e-6, 5e-6), source="test"),
    strength=0.75,
    unique_id=bytes(range(16)),
    description="fadn 0.1.0 strength=0.75 model=test",
)


def drawn_mosaic(raw_image):
    """The mosaic of the drawn light, without noise."""
    samples = light(*raw_image.mosaic.samples.shape) * (WHITE - BLACK) + BLACK
    return replace(raw_image.mosaic, samples=np.rint(samples).astype(np.uint16))


def write_copy(source, preview="render", compression="lj92", **options):
    """The denoised copy of a source, checked as every output is; and what is said of its size."""
    raw_image, output = read_raw(source), source.with_name(f"{preview}_{compression}.dng")
    choices = WriteChoices(preview=preview, compression=compression)
    mosaic = drawn_mosaic(raw_image)
    notes = write_dng(output, raw_image, mosaic, edit=EDIT, choices=choices, **options)
    check_dng(output, mosaic, source=source)
    return output, notes
