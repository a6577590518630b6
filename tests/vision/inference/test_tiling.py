import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.errors import InputError
from twinloop.vision.inference.tiling import Grid, Reduced, new_grid, stitch

SIDES = st.integers(1, 60)


def cut(grid: Grid, whole: np.ndarray) -> list[np.ndarray]:
    height, width = grid.tile
    return [
        np.stack([whole[row : row + height, column : column + width] for column in grid.columns]) for row in grid.rows
    ]


@given(SIDES, SIDES, st.integers(1, 16), st.integers(1, 16), st.floats(0, 0.9), st.integers(0, 9))
def test_tiles_that_agree_come_back_without_a_seam(
    height: int, width: int, tile_height: int, tile_width: int, overlap: float, seed: int
) -> None:
    grid = new_grid((height, width), (tile_height, tile_width), overlap=overlap)
    whole = np.random.default_rng(seed).random(grid.size, np.float32)
    bands = list(stitch(grid, cut(grid, whole)))
    assert np.concatenate(bands) == pytest.approx(whole, abs=1e-5)
    assert max(len(band) for band in bands) <= tile_height, "no more than a row of tiles is held"


@given(SIDES, st.integers(1, 16), st.floats(0, 0.9))
def test_tiles_cover_everything_and_share_what_is_asked_for(length: int, side: int, overlap: float) -> None:
    starts = new_grid((length, 1), (side, 1), overlap=overlap).rows
    assert starts[0] == 0
    assert starts[-1] + side == max(length, side)
    steps = np.diff(starts)
    assert (steps >= 1).all()
    assert (steps <= max(1, side * (1 - overlap))).all()


def test_neighbours_that_disagree_blend_smoothly() -> None:
    grid = new_grid((8, 32), (8, 20), overlap=0.4)
    assert grid.columns == (0, 12)
    (row,) = (band[0] for band in stitch(grid, [np.stack([np.zeros((8, 20)), np.ones((8, 20))])]))
    assert row[:12] == pytest.approx(0)
    assert row[20:] == pytest.approx(1)
    assert (np.diff(row) >= -1e-6).all()
    assert np.diff(row).max() < 0.25, "eight cells share the step"
    assert row[15] + row[16] == pytest.approx(1, abs=1e-5)


def test_a_reduced_map_keeps_the_hottest_of_every_block() -> None:
    whole = np.random.default_rng(0).random((10, 23), np.float32)
    for cuts in ([], [1], [3, 4, 9]):
        reduced = Reduced(whole.shape, limit=8)
        for band in np.split(whole, cuts):
            reduced.add(band)
        assert reduced.map.shape == (4, 8)
        for row in range(4):
            for column in range(8):
                block = whole[3 * row : 3 * row + 3, 3 * column : 3 * column + 3]
                assert reduced.map[row, column] == block.max()


def test_a_map_within_the_limit_is_kept_as_it_is() -> None:
    whole = np.random.default_rng(0).random((5, 8), np.float32)
    reduced = Reduced((5, 8), limit=8)
    reduced.add(whole)
    assert np.array_equal(reduced.map, whole)


@pytest.mark.parametrize("overlap", [-0.1, 1.0, float("nan")])
def test_an_overlap_that_cannot_be_is_refused(overlap: float) -> None:
    with pytest.raises(InputError, match=r"overlap = .*: expected a share of the tile's side from 0 to below 1"):
        new_grid((10, 10), (4, 4), overlap=overlap)
