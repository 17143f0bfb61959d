"""All layouts."""

from tests.making.layouts import colors, cutting, foreign, levels, places, private


def all_layouts():
    """Every layout by its name."""
    return (
        foreign.basic()
        | cutting.codings()
        | cutting.pieces()
        | cutting.tables()
        | levels.black_levels()
        | levels.areas()
        | colors.layouts()
        | private.layouts()
        | places.layouts()
        | foreign.rewritten()
    )
