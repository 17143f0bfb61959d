"""The table of legal types and counts allows what we write."""

import pytest

from fadn_cli.raw.check.image_rules import check_images
from fadn_cli.raw.check.structure import check_tiff
from fadn_cli.raw.check.tag_rules import RULES
from fadn_cli.raw.tiff.tags import Tag
from tests.making.dng.damage import parse_file
from tests.making.dng.write import write_dng as write_source
from tests.making.mosaics import noisy_samples


@pytest.mark.parametrize("number", sorted(RULES))
def test_the_type_we_write_is_legal(number):
    assert Tag(number).type in RULES[number].types


def test_unknown_tags_may_be_anything(tmp_path):
    extra = {60001: (12, (0.5,)), 60002: (7, b"abc"), 60003: (11, (1.0, 2.0))}
    path = write_source(tmp_path / "a.dng", noisy_samples(), extra=extra)

    tiff = parse_file(path)
    assert [] == [*check_tiff(tiff), *check_images(tiff)]
