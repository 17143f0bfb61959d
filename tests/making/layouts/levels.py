"""Black levels, active areas and crops."""

import numpy as np

from tests.making.layouts.layout import structured
from tests.making.mosaics import smooth_samples
from tests.making.tiff import (
    BYTE,
    LONG,
    RATIONAL,
    SHORT,
    SRATIONAL,
)


def black_levels():
    """Black per site, per row and per column."""
    four = (500.25, 510.5, 520.75, 530.125)
    samples = smooth_samples(black=np.reshape(four, (2, 2)))
    area = {50829: (LONG, (3, 5, 94, 126))}
    rows, cols = np.arange(91) % 7 - 3.0, np.arange(121) % 5 / 4
    per_row, per_col = {50716: (SRATIONAL, rows)}, {50715: (SRATIONAL, cols)}
    site = {50713: (SHORT, (2, 2)), 50714: (RATIONAL, four)}
    longer = {50713: (SHORT, (4, 2)), 50714: (SHORT, range(500, 508))}
    return {
        "black per site": structured(samples, raw=site),
        "black per site, odd area": structured(samples, raw=site | area),
        "black per column": structured(
            smooth_samples(), raw={50713: (SHORT, (1, 2)), 50714: (SHORT, (500, 520))}
        ),
        "black per row": structured(
            smooth_samples(), raw={50713: (SHORT, (2, 1)), 50714: (SHORT, (500, 520))}
        ),
        "black repeats in 4 rows": structured(smooth_samples(), raw=longer),
        "BlackLevelDeltaH": structured(samples, raw=site | area | per_col),
        "BlackLevelDeltaV": structured(samples, raw=site | area | per_row),
        "BlackLevelDeltaH and V": structured(smooth_samples(), raw=area | per_row | per_col),
    }


def areas():
    """Active areas of every phase, masked areas, crops."""
    found = {}
    origins = ((3, 5), (2, 5), (3, 4), (2, 4))
    for shift, colors in enumerate(("RGGB", "GRBG", "GBRG", "BGGR")):
        cfa = {33422: (BYTE, bytes("RGB".index(color) for color in colors))}
        found[colors] = structured(smooth_samples(97, 131, seed=shift), raw=cfa)
        for top, left in (origins[0], origins[1 + shift % 3]):
            area = {50829: (LONG, (top, left, 94 - shift, 126 - shift))}
            name = f"{colors} from {top} {left}"
            found[name] = structured(
                smooth_samples(97, 131, seed=shift), raw=cfa | area, tile=(32, 48)
            )
    masked = {
        50829: (LONG, (4, 16, 96, 128)),
        50830: (LONG, (0, 0, 4, 128, 4, 0, 96, 12)),
    }
    samples = smooth_samples()
    samples[:4] = samples[:, :16] = 510
    crop = {50829: (LONG, (3, 5, 94, 126)), 50719: (SHORT, (7, 3)), 50720: (SHORT, (101, 83))}
    fractions = {
        50718: (RATIONAL, [(1, 1), (3, 2)]),
        50719: (RATIONAL, [(15, 2), (7, 2)]),
        50720: (RATIONAL, [(201, 2), (161, 2)]),
        50780: (RATIONAL, [(3, 2)]),
    }
    users = {51125: (RATIONAL, [(1, 10), (0, 1), (9, 10), (1, 1)])}
    return found | {
        "MaskedAreas": structured(samples, raw=masked),
        "DefaultCrop": structured(smooth_samples(), raw=crop),
        "DefaultCrop of fractions": structured(smooth_samples(), raw=fractions, shared=users),
        "upright": structured(smooth_samples(), shared={274: (SHORT, 6)}, in_subifd=True),
        "upside down": structured(smooth_samples(97, 131), shared={274: (SHORT, 3)}),
    }
