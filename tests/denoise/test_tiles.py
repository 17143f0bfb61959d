"""Tiled equals untiled, whatever the size, the tile, and the order in which tiles arrive."""

import numpy as np
import pytest

from fadn_cli.denoise.sensors.kinds import ArrayFrame
from fadn_cli.denoise.tiles import TileGrid

SIZES = ((1, 1), (1, 90), (3, 5), (31, 33), (64, 64), (65, 64), (97, 130), (150, 201), (200, 41))
ALIGNMENTS = (1, 2, 16)


def frame(height, width, planes=4):
    return np.random.default_rng(2).normal(0.1, 1, (planes, height, width)).astype(np.float32)


def cover(height, width, *, alignment=2, reach=5, tile=48, overlap=None):
    return TileGrid.cover(
        height, width, reach=reach, alignment=alignment, tile=tile, overlap=overlap
    )


def split(grid, packed):
    return grid.split(ArrayFrame(packed))


def blend(grid, results):
    """All rows that come back, which must follow one another."""
    strips = list(grid.blend(results))
    starts = np.cumsum([0, *(rows.shape[1] for _, rows in strips)])
    assert [start for start, _ in strips] == starts[:-1].tolist()
    return np.concatenate([rows for _, rows in strips], axis=1)


def box_means(packed, times=4):
    """A conv net's stand-in: 3x3 means with zeros outside; depends on 2 * times + 1 px."""
    for _ in range(times):
        padded = np.pad(packed, ((0, 0), (1, 1), (1, 1)))
        rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
        packed = (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) / np.float32(9)
    return packed


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("size", SIZES)
def test_what_is_split_is_blended_back_bit_for_bit(size, alignment):
    packed = frame(*size)
    grid = cover(*size, alignment=alignment)

    blended = blend(grid, split(grid, packed))

    assert np.float32 == blended.dtype
    assert np.array_equal(packed, blended)


@pytest.mark.parametrize("size", SIZES)
def test_ones_in_are_ones_out(size):
    grid = cover(*size)
    ones = np.ones((2, *size), np.float32)

    assert np.array_equal(ones, blend(grid, split(grid, ones)))


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("size", SIZES)
def test_all_tiles_are_aligned_and_of_one_shape_and_cover_the_frame(size, alignment):
    grid = cover(*size, alignment=alignment)
    covered = np.zeros((size[0] + alignment, size[1] + alignment), bool)

    for tile in grid.tiles:
        covered[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width] = True

    assert len(grid) == len(grid.tiles)
    assert 1 == len({(tile.height, tile.width) for tile in grid.tiles})
    assert not any(
        side % alignment
        for tile in grid.tiles
        for side in (tile.top, tile.left, tile.height, tile.width)
    )
    assert covered[: size[0], : size[1]].all()


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("size", SIZES[4:])
def test_a_local_operator_gives_the_same_tiled_and_untiled(size, alignment):
    packed = frame(*size)
    grid = cover(*size, alignment=alignment, tile=32)
    pad = [(0, 0), *((0, -side % alignment) for side in size)]

    untiled = box_means(np.pad(packed, pad, mode="reflect"))[:, : size[0], : size[1]]
    tiled = blend(grid, ((tile, box_means(samples)) for tile, samples in split(grid, packed)))

    assert len(grid) > 1
    assert np.abs(untiled - tiled).max() < 1e-5


def test_operators_beyond_the_receptive_field_do_show():
    packed = frame(150, 201)
    grid = cover(150, 201, reach=1, tile=32)

    tiled = blend(grid, ((tile, box_means(samples, 12)) for tile, samples in split(grid, packed)))

    assert np.abs(box_means(packed, 12) - tiled).max() > 1e-3


def test_the_order_of_arrival_does_not_change_a_byte():
    grid = cover(150, 201)
    rng = np.random.default_rng(4)
    results = []
    for tile, part in split(grid, frame(150, 201)):
        results.append((tile, rng.normal(size=part.shape).astype(np.float32)))
    expected = blend(grid, results)

    for _ in range(5):
        rng.shuffle(results)

        assert np.array_equal(expected, blend(grid, results))


def test_the_transition_between_different_tiles_is_gradual():
    grid = cover(40, 400)

    blended = blend(
        grid,
        (
            (tile, np.full(part.shape, tile.index, np.float32))
            for tile, part in split(grid, frame(40, 400))
        ),
    )

    steps = np.diff(blended[0, 20])
    assert (steps >= 0).all()
    assert steps.max() < 0.2
    assert len(grid) - 1 == pytest.approx(steps.sum())


def test_neighbours_of_corners_share_them_by_weights_that_sum_to_one():
    grid = cover(100, 100, tile=60)
    values = [[0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0]]

    sums = sum(
        blend(
            grid,
            (
                (tile, np.full(part.shape, value[tile.index], np.float32))
                for tile, part in split(grid, frame(100, 100))
            ),
        )
        for value in values
    )

    assert 4 == len(grid)
    assert np.abs(sums - 1).max() < 1e-6


def test_a_frame_smaller_than_a_tile_is_one_tile_of_the_padded_frame():
    grid = cover(30, 45, alignment=16, tile=64)

    [(tile, samples)] = split(grid, frame(30, 45))

    assert (4, 32, 48) == samples.shape
    assert (0, 0, 32, 48) == (tile.top, tile.left, tile.height, tile.width)
    assert np.array_equal(np.pad(frame(30, 45), ((0, 0), (0, 2), (0, 3)), "reflect"), samples)


def test_tiles_come_lazily_and_whole_ones_are_not_copied():
    packed = frame(150, 200)

    _, first = next(split(cover(150, 200), packed))

    assert np.shares_memory(packed, first)


def test_source_is_not_modified():
    packed = frame(97, 130)
    before = packed.copy()
    grid = cover(97, 130)

    blend(grid, ((tile, samples + 1) for tile, samples in split(grid, packed)))

    assert np.array_equal(before, packed)


def test_a_tile_too_small_for_the_overlap_is_raised():
    grid = cover(500, 500, reach=51, alignment=16, tile=64)

    assert grid.tile > grid.overlap >= 101


def test_missing_repeated_and_misshapen_results_are_refused():
    grid = cover(97, 130)
    results = list(split(grid, frame(97, 130)))

    with pytest.raises(ValueError, match="of .* tiles"):
        blend(grid, results[:-1])
    with pytest.raises(ValueError, match="came twice"):
        blend(grid, [*results[1:], results[2]])
    with pytest.raises(ValueError, match="does not fit"):
        blend(grid, [(results[0][0], results[0][1][:, 1:])])


def test_a_frame_of_another_size_is_refused():
    with pytest.raises(ValueError, match="97x130"):
        next(split(cover(97, 130), frame(97, 131)))


def test_rows_come_back_before_the_tiles_below_are_asked_for():
    grid, packed, asked = cover(300, 200), frame(300, 200), []

    def results():
        for tile, samples in split(grid, packed):
            asked.append(tile.row)
            yield tile, samples

    start, rows = next(grid.blend(results()))

    assert (0, 0) == (start, max(asked))
    assert np.array_equal(packed[:, : rows.shape[1]], rows)


def test_tiles_that_overlap_by_less_than_the_reach_fade_over_all_that_is_not_exact():
    assert 8 == cover(500, 500, reach=20, tile=200, overlap=48).ramp
    assert 16 == cover(500, 500, reach=20, tile=200, overlap=24).ramp
    assert 20 == cover(500, 500, reach=40, tile=200, overlap=20).ramp


@pytest.mark.parametrize("overlap", (16, 20, 24, 40))
def test_whatever_the_overlap_what_is_split_is_blended_back(overlap):
    packed = frame(150, 201)
    grid = cover(150, 201, reach=30, overlap=overlap)

    assert len(grid) > 4
    assert np.array_equal(packed, blend(grid, split(grid, packed)))
