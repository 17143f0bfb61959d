"""What is known of a photograph before and after, in words: what `pair` hands to page and sheet."""

from pathlib import Path

from fadn_cli.compare.curves import NoisePoint, noise_left
from fadn_cli.denoise.noise.choice import FoundNoise
from fadn_cli.mosaic.values import RawImage
from fadn_cli.noise import NoiseModel
from fadn_cli.pipeline.report import NoiseSummary
from fadn_cli.pipeline.wording import (
    name_camera,
    spell_bytes,
    spell_exposure,
    spell_noise,
    spell_share,
)
from fadn_cli.raw.dng.marker import read_process

Facts = tuple[tuple[str, str], ...]
"""Labels and values, in the order in which they are shown."""


def describe(
    source: RawImage,
    after: Path,
    found: FoundNoise,
    noise_after: NoiseModel | None,
    points: tuple[NoisePoint, ...],
) -> Facts:
    """Say what is known.

    Parameters
    ----------
    source : RawImage
        The photograph before denoising.
    after : Path
        The output, which says itself how it was made.
    found : FoundNoise
        Of the source.
    noise_after : NoiseModel or None
        What the output states.
    points : tuple of NoisePoint
        Measured noise; empty where nothing could be compared.
    """
    metadata = source.metadata
    area = source.mosaic.active_area
    left = noise_left(points)
    facts = [
        ("Before", _file(source.path)),
        ("After", _file(after)),
        ("Camera", name_camera(metadata.make, metadata.model)),
    ]
    if metadata.iso is not None:
        facts.append(("ISO", str(metadata.iso)))
    if metadata.exposure_time is not None:
        facts.append(("Exposure", spell_exposure(metadata.exposure_time)))
    facts += [
        ("Size", f"{area.width} x {area.height}, {area.width * area.height / 1e6:.1f} megapixels"),
        ("Noise at mid grey", spell_noise(NoiseSummary.from_model(found.used))),
    ]
    if noise_after is not None:
        facts.append(("After, as the file states", spell_share(noise_after.grey_std)))
    if left is not None:
        facts.append(("Left in flat places", f"{left:.0%} of it, measured".replace("%", " %")))
    facts.append(("Denoised by", read_process(after) or "unknown: no output of fadn"))
    facts += [("Note", warning) for warning in found.warnings]
    return tuple(facts)


def _file(path: Path) -> str:
    """Name a file and say how large it is."""
    return f"{path.name}, {spell_bytes(path.stat().st_size)}"
