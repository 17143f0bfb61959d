"""Is an output its source with a cleaner mosaic, and nothing else? `fadn verify` asks.

`fadn verify` calls it. The one thing to know: it trusts nothing that the writers say of themselves;
it reads both files from the disk and compares tags, bytes, levels and samples.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from fadn_cli.errors import UnsupportedRawError
from fadn_cli.findings import ByteChange, PixelComparison, TagChange, Verification
from fadn_cli.limits import MEGAPIXELS
from fadn_cli.mosaic.conversion import scaled
from fadn_cli.mosaic.defects import Defects, join_sites
from fadn_cli.mosaic.steps import MOST, factor_between, finest_factor
from fadn_cli.mosaic.values import RawImage
from fadn_cli.raw.check.built import camera_changes, metadata_changes, preview_violation
from fadn_cli.raw.check.byte_changes import compare_bytes
from fadn_cli.raw.check.comparison import compare_samples, differing_levels, without_bad
from fadn_cli.raw.check.tag_changes import compare_tags
from fadn_cli.raw.source.dng_checks import find_raw_ifd, is_dng
from fadn_cli.raw.source.metadata import read_blocks
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.ifd import TiffFile
from fadn_cli.system.snapshot import hold

LARGEST_SHIFT = 0.5 / 255
"""By how much the means of small areas may change on average; 1 is black to white."""
LARGEST_STEP_SHIFT = 0.5
"""The same for all areas, dark ones too, in steps of the source; and a share of what changed."""
_SHARE_OF_CHANGE = 0.1  # of what samples changed by: bands that are gone had a mean of their own
_WHITE = 0.03  # of the same: white noise that is gone had a mean of that size in each area
_MOST_NAMES = 5  # of tags in one sentence


def verify(source: Path, output: Path, *, max_megapixels: float = MEGAPIXELS) -> Verification:
    """Compare a denoised DNG with the raw file it was made from.

    Parameters
    ----------
    source : Path
        Any raw file that fadn reads.
    output : Path
        A DNG.

    Returns
    -------
    Verification
        Of two files that have nothing to do with each other too; it then says so.

    Raises
    ------
    RawReadError
        One of them cannot be read.
    UnsupportedRawError
        One of them is no mosaic that we know, or the output is no DNG.
    """
    with hold(source), hold(output):
        return _compare(source, output, max_megapixels)


def _compare(source: Path, output: Path, max_megapixels: float) -> Verification:
    """Do what `verify` is asked for, on files that are held."""
    tiff = parse(map_file(output), name=output.name, tolerant=True)
    if not is_dng(tiff):
        raise UnsupportedRawError(
            f"{output.name}: is not a DNG; only a DNG holds samples to compare with the source's",
            advice="Denoise to a DNG with --format dng, and verify that.",
        )
    before, after = (read_raw(path, max_megapixels=max_megapixels) for path in (source, output))
    factor = _factor(before, after)
    changes: list[ByteChange] = []
    preview = ""
    if before.metadata.is_dng:
        tags, changes = _compare_with_dng(before, after, tiff, factor)
    else:
        blocks = read_blocks(source).completed(before.metadata)
        tags = [*camera_changes(before, after), *metadata_changes(blocks, tiff, output)]
        preview = preview_violation(blocks.preview, tiff)
    pixels = None
    if before.mosaic.samples.shape == after.mosaic.samples.shape:
        pixels = compare_samples(
            before.mosaic, after.mosaic, factor=factor, bad=before.defects.sites
        )
        pixels = _with_marks(pixels, before.defects, after.defects)
    violations = (
        *_mosaic_violations(before, after, factor),
        *_pixel_violations(pixels),
        *_tag_violations(tags),
        *([preview] if preview else []),
        *_byte_violations(changes),
    )
    return Verification(
        source=source,
        output=output,
        holds=not violations,
        violations=violations,
        tags=tuple(tags),
        bytes=tuple(changes),
        pixels=pixels,
    )


def _factor(before: RawImage, after: RawImage) -> int:
    """Return how many times finer an output's steps are, if its levels say so at all."""
    factor = factor_between(before.mosaic.white_level, after.mosaic.white_level)
    highest = without_bad(before.mosaic, before.defects.sites).highest
    return factor if factor <= finest_factor(highest) else 1


def _compare_with_dng(
    before: RawImage, after: RawImage, output: TiffFile, factor: int
) -> tuple[list[TagChange], list[ByteChange]]:
    """Compare tags and bytes of a DNG with those of the DNG it was made from."""
    source = parse(map_file(before.path), name=before.path.name, tolerant=True)
    raw_ifd = find_raw_ifd(source)
    white_level = before.mosaic.white_level
    # A constant that does not fit in finer steps is another one; that it marks the same is checked.
    both = zip(before.defects.marks, after.defects.marks, strict=False)
    constants = {old.constant: new.constant for old, new in both if old.constant * factor > MOST}
    tags = list(
        compare_tags(
            source,
            output,
            raw_ifd=raw_ifd,
            white_level=white_level,
            factor=factor,
            constants=constants,
        )
    )
    return tags, compare_bytes(source, output, raw_ifd=raw_ifd)


def _with_marks(pixels: PixelComparison, before: Defects, after: Defects) -> PixelComparison:
    """Count the marks of bad pixels that went, and those that came."""
    old, new = (join_sites(*(each.sites for each in defects.marks)) for defects in (before, after))
    return replace(
        pixels,
        marks=len(old),
        marks_lost=len(np.setdiff1d(old, new, assume_unique=True)),
        marks_added=len(np.setdiff1d(new, old, assume_unique=True)),
    )


def _mosaic_violations(before: RawImage, after: RawImage, factor: int) -> Iterator[str]:
    """Say in which levels the mosaics differ."""
    height, width = before.mosaic.samples.shape
    other_height, other_width = after.mosaic.samples.shape
    if (height, width) == (other_height, other_width):
        good = without_bad(before.mosaic, before.defects.sites)
        for difference in differing_levels(after.mosaic, scaled(good, factor)):
            yield f"The mosaic has {difference}."
    else:
        size = f"{other_width}x{other_height}, the source's {width}x{height}"
        yield f"The mosaic is {size}: these files are not of one photograph."


def _pixel_violations(pixels: PixelComparison | None) -> Iterator[str]:
    """Say which samples differ that must not."""
    if pixels is None:
        return
    if pixels.saturated_changed:
        yield f"{pixels.saturated_changed} of {pixels.saturated} saturated samples differ."
    if pixels.outside_changed:
        total = pixels.outside
        yield f"{pixels.outside_changed} of {total} samples outside the active area differ."
    if pixels.marks_lost:
        yield f"{pixels.marks_lost} of {pixels.marks} bad pixels are not marked as bad any more."
    if pixels.marks_added:
        yield f"{pixels.marks_added} samples are marked as bad pixels, and are none."
    largest = LARGEST_SHIFT + _WHITE * pixels.sample_change
    for plane, shift in zip(pixels.planes, pixels.block_shift, strict=False):
        if shift > largest:
            yield f"Small areas of {plane} became brighter or darker by {shift:.2%} on average."
    most = LARGEST_STEP_SHIFT + _SHARE_OF_CHANGE * pixels.step_change
    for plane, shift, area in zip(
        pixels.planes, pixels.step_shift, _block_shifts(pixels), strict=False
    ):
        if abs(shift) > most and area <= largest:
            way = "brighter" if shift > 0 else "darker"
            yield f"{plane} became {way} by {abs(shift):.2g} steps of the source on average."


def _block_shifts(pixels: PixelComparison) -> tuple[float, ...]:
    """Return how much small areas changed; 0 where none could be compared."""
    return pixels.block_shift or (0.0,) * len(pixels.planes)


def _tag_violations(tags: Sequence[TagChange]) -> Iterator[str]:
    """Say which tags differ that must not."""
    names = [f"{tag.ifd} {tag.tag}" for tag in tags if not tag.allowed]
    if names:
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        yield f"Tags differ that must not: {', '.join(names[:_MOST_NAMES])}{more}."


def _byte_violations(changes: Sequence[ByteChange]) -> Iterator[str]:
    """Say which bytes differ that must not."""
    if changes:
        places = "1 place" if len(changes) == 1 else f"{len(changes)} places"
        first = changes[0].offset
        yield f"Bytes that are not replaced differ in {places}, the first at byte {first}."
