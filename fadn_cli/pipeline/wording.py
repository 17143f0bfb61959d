"""How figures of a photograph are spelled, wherever they are shown: terminal, page, contact sheet.

`console`, `progress` and `compare` call it. The one thing to know: plain text in, plain text out.
"""

from fractions import Fraction

from fadn_cli.mosaic.cfa import MONO, CfaPattern
from fadn_cli.pipeline.report import NoiseSummary


def name_camera(make: str, model: str) -> str:
    """Name the camera without saying the maker twice.

    Examples
    --------
    >>> name_camera("Canon", "Canon EOS 550D")
    'Canon EOS 550D'
    """
    first_word = make.split()[0].casefold() if make.split() else ""
    repeated = model.casefold().startswith(first_word)
    return (model if repeated else f"{make} {model}").strip() or "unknown camera"


def spell_cfa(name: str) -> str:
    """Name a pattern of colours without writing out all 36 of an X-Trans sensor.

    Examples
    --------
    >>> spell_cfa("GBGGRGRGRBGBGBGGRGGRGGBGBGBRGRGRGGBG"), spell_cfa("RGGB"), spell_cfa("MONO")
    ('X-Trans', 'RGGB', 'none: monochrome')
    """
    if CfaPattern.parse(name).kind == "xtrans":
        return "X-Trans"
    return "none: monochrome" if name == MONO else name


def spell_noise(noise: NoiseSummary | None) -> str:
    """Say how noisy mid grey is, as a share of the full scale, and who says so."""
    return "none" if noise is None else f"{spell_share(noise.grey_std)} ({noise.source})"


def spell_share(share: float) -> str:
    """Two digits, as 0.87 %."""
    return f"{share * 100:.2g} %"


def spell_banding(rows: float | None, columns: float | None) -> str:
    """Say how strong bands are beside the grain at black.

    Examples
    --------
    >>> spell_banding(0.486, None)
    'rows 0.49, columns unknown, of the grain at black'
    """
    both = (("rows", rows), ("columns", columns))
    shares = (f"{name} {'unknown' if x is None else f'{x:.2f}'}" for name, x in both)
    return f"{', '.join(shares)}, of the grain at black"


def spell_number(value: object) -> str:
    """Spell a number that the file may not state."""
    return "unknown" if value is None else str(value)


def spell_exposure(seconds: float | None) -> str:
    """Spell an exposure time as photographers do.

    Examples
    --------
    >>> spell_exposure(0.008)
    '1/125 s'
    """
    if seconds is None or not 0 < seconds < 0.4:
        return "unknown" if seconds is None else f"{seconds:g} s"
    return f"{Fraction(1, round(1 / seconds))} s"


def spell_stops(count: int) -> str:
    """Spell a number of stops: 1 stop, 2 stops."""
    return f"{count} stop{'' if count == 1 else 's'}"


def spell_bytes(count: float) -> str:
    """Spell the size of a file.

    Examples
    --------
    >>> spell_bytes(24_015_148)
    '24.0 MB'
    """
    if count < 1e6:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e6:.1f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"
