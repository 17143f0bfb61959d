"""Marks of bad pixels come back where they were, and no good sample looks like one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.defects import Marks
from fadn_cli.mosaic.values import Mosaic, Rect
from fadn_cli.raw.dng.marks import mark

SITES = np.array([0, 17, 18, 200])


def mosaic_of(samples, white=15000.0):
    height, width = samples.shape
    return Mosaic(
        samples=samples,
        cfa=CfaPattern(colors="RGGB"),
        black_level=np.zeros((1, 1), np.float32),
        white_level=white,
        active_area=Rect(top=2, left=3, height=height - 2, width=width - 3),
    )


def active(mosaic):
    """Which samples are inside the active area."""
    inside = np.zeros(mosaic.samples.shape, np.bool_)
    inside[mosaic.active_area.slices] = True
    return inside


def samples_around(value, seed=0):
    """Samples of which a third has a value, and the others the two next to it."""
    rng = np.random.default_rng(seed)
    return np.clip(value + rng.integers(-1, 2, (32, 48)), 0, 65535).astype(np.uint16)


def test_without_marks_nothing_is_copied():
    mosaic = mosaic_of(samples_around(600))

    assert mosaic is mark(mosaic, ()).mosaic


@pytest.mark.parametrize("constant", [0, 1, 600, 14999, 15000, 16383, 65535])
def test_marks_are_where_they_were_and_nowhere_else_in_the_active_area(constant):
    before = samples_around(constant)
    mosaic = mosaic_of(before.copy())

    after = mark(mosaic, [Marks(constant=constant, sites=SITES)]).mosaic.samples

    assert (after.ravel()[SITES] == constant).all()
    good = np.ones(before.shape, np.bool_)
    good.ravel()[SITES] = False
    inside = active(mosaic)
    assert not (after == constant)[good & inside].any()
    assert np.array_equal(before[good & ~inside], after[good & ~inside])
    assert 1 == np.abs(after.astype(int) - before)[good & inside].max()
    assert np.array_equal(before, mosaic.samples)
    assert after[(before <= 15000) & good].max(initial=0) <= 15000


def test_half_go_up_and_half_down_in_every_plane():
    mosaic = mosaic_of(np.full((66, 99), 600, np.uint16))

    after = mark(mosaic, [Marks(constant=600, sites=SITES[:0])]).mosaic
    inside = after.samples[after.active_area.slices].astype(float)

    for row in (0, 1):
        for col in (0, 1):
            assert 0 == pytest.approx(inside[row::2, col::2].mean() - 600, abs=0.05)


def test_two_constants_side_by_side_do_not_take_each_other_s_place():
    mosaic = mosaic_of(samples_around(601))
    marks = [Marks(constant=600, sites=SITES[:2]), Marks(constant=601, sites=SITES[2:])]

    after = mark(mosaic, marks).mosaic.samples

    assert [600, 600, 601, 601] == after.ravel()[SITES].tolist()
    found = np.flatnonzero(np.isin(after, (600, 601)) & active(mosaic))
    assert set(found) <= set(SITES)


def test_a_constant_grows_with_the_samples():
    mosaic = mosaic_of(samples_around(2400), white=60000.0)

    marked = mark(mosaic, [Marks(constant=600, sites=SITES)], factor=4)

    assert {600: 2400} == marked.constants
    assert (marked.mosaic.samples.ravel()[SITES] == 2400).all()


def test_a_constant_that_would_not_fit_is_replaced_by_a_value_that_no_sample_has():
    mosaic = mosaic_of(samples_around(65534), white=65535.0)

    marked = mark(mosaic, [Marks(constant=16384, sites=SITES)], factor=4)

    assert {16384: 65532} == marked.constants
    assert SITES.tolist() == np.flatnonzero(marked.mosaic.samples == 65532).tolist()


@given(
    st.lists(st.integers(0, 65535), min_size=1, max_size=3, unique=True),
    st.sampled_from((1, 2, 16)),
    st.integers(0, 65535),
)
def test_whatever_the_constants_marks_can_be_told(constants, factor, value):
    mosaic = mosaic_of(samples_around(value), white=float(max(value, 1)))
    marks = [
        Marks(constant=constant, sites=SITES[index : index + 1])
        for index, constant in enumerate(constants, 1)
    ]

    marked = mark(mosaic, marks, factor=factor)

    good = active(mosaic)
    for each in marks:
        good.ravel()[each.sites] = False
        mine = marked.constants[each.constant]
        assert (marked.mosaic.samples.ravel()[each.sites] == mine).all()
    assert not np.isin(marked.mosaic.samples[good], list(marked.constants.values())).any()
