"""Dark frames of every sensor make a list of its defects."""

from dataclasses import replace

import numpy as np
import pytest

from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.pipeline import darks
from fadn_cli.raw.source.reader import read_raw
from tests.making.dng.write import write_dng
from tests.making.sensors import XTRANS_CELL

HOT = [(10, 20), (11, 20), (80, 100), (158, 222), (0, 0), (159, 223)]


@pytest.mark.parametrize("colors", ["RGGB", "Y", XTRANS_CELL], ids=["Bayer", "mono", "X-Trans"])
def test_a_list_names_what_stands_out_from_its_own_site_of_the_pattern(
    tmp_path, colors, monkeypatch
):
    cfa = CfaPattern(colors=colors)
    levels = 512 + 4 * np.arange(cfa.period**2).reshape(cfa.period, cfa.period)  # of readout

    def read(path, **rest):
        """Stand in for files of other sensors, whose levels are one number."""
        raw_image = read_raw(path, **rest)
        return replace(raw_image, mosaic=replace(raw_image.mosaic, cfa=cfa))

    paths = [tmp_path / f"{number}.dng" for number in range(2)]
    for seed, path in enumerate(paths):
        noise = np.random.default_rng(seed).normal(0, 4, (160, 224))
        samples = np.tile(levels, (160, 224))[:160, :224] + noise
        samples[tuple(np.transpose(HOT))] += 60
        write_dng(path, np.rint(samples).astype(np.uint16), white=16383)
    monkeypatch.setattr(darks, "read_raw", read)

    count = darks.make_list(paths, tmp_path / "list.txt")

    lines = (tmp_path / "list.txt").read_text().splitlines()
    points = sorted(tuple(map(int, line.split()))[::-1] for line in lines if line[0] != "#")
    assert len(HOT) == count
    assert sorted(HOT) == points
