"""The colour filter array: which colour each sample of a mosaic saw.

`Mosaic` holds one, `raw` reads it from files and writes it back, `denoise.sensors` has a module for
each kind. The one thing to know: any periodic pattern can be told here; those that no network knows
have no `kind`, and are refused by their `name`.
"""

from dataclasses import dataclass

MONO = "MONO"
"""How people write the pattern of a sensor without colour filters."""
QUAD_BAYER = "Quad Bayer"
"""The name of a mosaic of four samples side by side of each colour."""
_XTRANS = ("GBGGRG", "RGRBGB", "GBGGRG", "GRGGBG", "BGBRGR", "GRGGBG")
_BAYER = ("RGGB", "BGGR", "GRBG", "GBRG")
_SIDES = {1: 1, 4: 2, 16: 4, 36: 6, 64: 8}
_OTHERS = {"CGMY": "CYGM", "BEGR": "RGBE", "BGRW": "RGBW"}
"""Names of mosaics by the letters that occur in them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CfaPattern:
    """The colours of a mosaic, which repeat over a cell of `period` samples a side.

    Examples
    --------
    >>> CfaPattern(colors="GBRG").kind, CfaPattern(colors="Y").name, CfaPattern(colors="CYMG").name
    ('bayer', 'MONO', 'CYGM')
    """

    colors: str
    """Row by row from the mosaic's (0, 0), a letter for each sample of a square cell: "RGGB", the
    36 of an X-Trans sensor, "Y" where there are no colours."""

    def __post_init__(self) -> None:
        if len(self.colors) not in _SIDES or not (self.colors.isascii() and self.colors.isupper()):
            raise ValueError(
                f"not a pattern of colours: {self.colors!r}; use RGGB, BGGR, GRBG or GBRG, the 36 "
                f"letters of an X-Trans cell row by row, or {MONO}"
            )

    @classmethod
    def parse(cls, text: str) -> "CfaPattern":
        """Read what people write: the letters, or "MONO".

        Raises
        ------
        ValueError
            It is no pattern.
        """
        return cls(colors="Y" if text == MONO else text)

    @property
    def period(self) -> int:
        """Samples per side of the cell."""
        return _SIDES[len(self.colors)]

    @property
    def kind(self) -> str | None:
        """ "bayer", "xtrans" or "mono"; None for all others, which no network knows."""
        if self.colors == "Y":
            return "mono"
        if self.colors in _BAYER:
            return "bayer"
        return "xtrans" if self._xtrans_origin is not None else None

    @property
    def name(self) -> str:
        """What people call it: the letters of a pattern that is known, else the sensor's name."""
        if self.kind is not None:
            return MONO if self.colors == "Y" else self.colors
        letters = "".join(sorted(set(self.colors)))
        if letters in _OTHERS:
            return _OTHERS[letters]
        if letters == "BGR" and self.period == 4 and self._is_made_of_blocks:
            return QUAD_BAYER
        return f"{self.period}x{self.period} of {', '.join(letters)}"

    @property
    def noise_colors(self) -> str:
        """The kinds of samples whose noise is told apart, in the order of a `NoiseModel`: the four
        sites of a Bayer cell, else each colour once."""
        return {"mono": "Y", "xtrans": "RGB"}.get(self.kind or "", "RGGB")

    @property
    def noise_names(self) -> tuple[str, ...]:
        """What people call these kinds of samples."""
        return {"Y": ("grey",), "RGB": ("R", "G", "B")}.get(
            self.noise_colors, ("R", "Gr", "Gb", "B")
        )

    @property
    def red_origin(self) -> tuple[int, int]:
        """(row, column) of the red sample in a Bayer cell.

        Examples
        --------
        >>> CfaPattern(colors="GBRG").red_origin
        (1, 0)
        """
        return divmod(self.colors.index("R"), 2)

    @property
    def xtrans_origin(self) -> tuple[int, int]:
        """(row 0-5, column 0-2) of the first canonical X-Trans cell: GBGGRG in its first row.

        Raises
        ------
        ValueError
            It is no X-Trans pattern.
        """
        origin = self._xtrans_origin
        if origin is None:
            raise ValueError(f"not an X-Trans pattern: {self.colors!r}")
        return origin

    def shifted(self, top: int, left: int) -> "CfaPattern":
        """Return the pattern as seen from sample (top, left).

        Examples
        --------
        >>> CfaPattern(colors="RGGB").shifted(0, 1).colors
        'GRBG'
        """
        side = range(self.period)
        return CfaPattern(colors="".join(self.at(top + r, left + c) for r in side for c in side))

    def at(self, row: int, col: int) -> str:
        """Return the colour of sample (row, col)."""
        return self.colors[row % self.period * self.period + col % self.period]

    def noise_index(self, row: int, col: int) -> int:
        """Return which of `noise_colors` sample (row, col) is; Bayer: 0 R, 1 Gr, 2 Gb, 3 B."""
        if self.kind == "bayer":
            red_row, red_col = self.red_origin
            return (row - red_row) % 2 * 2 + (col - red_col) % 2
        return self.noise_colors.index(self.at(row, col))

    @property
    def _xtrans_origin(self) -> tuple[int, int] | None:
        """Where the canonical cell begins; None if nowhere."""
        if self.period != 6:
            return None
        for row in range(6):
            for col in range(3):
                seen = ("".join(self.at(row + r, col + c) for c in range(6)) for r in range(6))
                if tuple(seen) == _XTRANS:
                    return row, col
        return None

    @property
    def _is_made_of_blocks(self) -> bool:
        """Whether 2x2 samples share a colour, wherever the blocks begin."""
        return any(
            all(
                len({self.at(top + row + r, left + col + c) for r in (0, 1) for c in (0, 1)}) == 1
                for row in (0, 2)
                for col in (0, 2)
            )
            for top in (0, 1)
            for left in (0, 1)
        )


CANONICAL = {
    str(pattern.kind): pattern
    for pattern in (
        CfaPattern(colors="RGGB"),
        CfaPattern(colors="".join(_XTRANS)),
        CfaPattern(colors="Y"),
    )
}
"""Of each kind, the phase that networks see."""
