"""Tiles cover a picture whole, overlap, and carry the truth of their place."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.vision.datasets.samples import Surface
from twinloop.vision.datasets.tiles import OVERLAP, starts, tiles


@given(st.integers(1, 400), st.integers(4, 120))
def test_tiles_cover_every_pixel_and_overlap(length: int, side: int) -> None:
    begins = starts(length, side)
    covered = {place for begin in begins for place in range(begin, begin + side)}
    assert covered >= set(range(length))
    assert all(b - a <= side * (1 - OVERLAP) + 1 for a, b in itertools.pairwise(begins))
    assert begins[0] == 0
    assert begins[-1] == max(length - side, 0)


@pytest.mark.parametrize("shape", [(64, 200), (200, 64), (150, 150), (20, 200)])
def test_a_tile_is_what_lies_at_its_place(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    image, mask = rng.integers(0, 256, shape, np.uint8), rng.random(shape) < 0.01
    cut = list(tiles(Surface(image, mask), 64))
    places = [(top, left) for top in starts(max(shape[0], 64), 64) for left in starts(max(shape[1], 64), 64)]
    assert len(cut) == len(places)
    for tile, (top, left) in zip(cut, places, strict=True):
        assert tile.image.shape == (64, 64)
        assert tile.mask is not None
        inside = image[top : top + 64, left : left + 64]
        np.testing.assert_array_equal(tile.image[: inside.shape[0], : inside.shape[1]], inside)
        np.testing.assert_array_equal(
            tile.mask[: inside.shape[0], : inside.shape[1]], mask[top : top + 64, left : left + 64]
        )
        # What is mirrored beyond the edge is no second defect.
        assert not tile.mask[inside.shape[0] :].any()


def test_a_picture_no_larger_than_a_tile_stays_whole() -> None:
    surface = Surface(np.zeros((30, 40, 3), np.uint8), None)
    assert list(tiles(surface, 64)) == [surface]


def test_a_long_picture_no_longer_than_a_tile_is_mirrored_and_not_squashed() -> None:
    image, mask = np.random.default_rng(1).integers(0, 256, (16, 60), np.uint8), np.ones((16, 60), bool)
    (tile,) = tiles(Surface(image, mask), 64)
    assert tile.image.shape == (64, 64)
    np.testing.assert_array_equal(tile.image[:16, :60], image)
    (whole,) = tiles(Surface(image[:, :32], mask[:, :32]), 64)
    assert whole.image.shape == (16, 32)
