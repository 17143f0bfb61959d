"""Frames cut into more tiles than they would be."""

from dataclasses import replace

from fadn_cli.denoise import frame
from fadn_cli.denoise.network import specialists
from fadn_cli.denoise.tiles import RAMP


def cut_small(monkeypatch, side, *, exact=False):
    """Lay tiles of at most that side (or what the overlap needs), until the test ends.

    With `exact`, they overlap so far that tiled equals untiled.
    """
    lay = frame.grid_of

    def laid(specialist, shape):
        overlap = 2 * specialist.reach + RAMP if exact else specialist.overlap
        return lay(replace(specialist, tile=side, overlap=overlap), shape)

    monkeypatch.setattr(frame, "grid_of", laid)


def choose_small(monkeypatch, side):
    """Have the specialists chosen by their noise say that their tiles are that small."""
    choose = specialists.choose
    monkeypatch.setattr(
        specialists, "choose", lambda *given: replace(choose(*given), tile=side, overlap=8)
    )
