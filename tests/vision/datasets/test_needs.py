"""The input that the data need: how large, grey or colour, whole or in tiles."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.vision.datasets.needs import LEAST_PX, MOST_PX, Input, narrow_side, proposed, seen

SIDE = 200


def disc(diameter: int, side: int = 100) -> np.ndarray:
    y, x = np.mgrid[:side, :side] - side / 2 + 0.5
    mask: np.ndarray = np.hypot(x, y) <= diameter / 2
    return mask


def pictures(count: int, *, width: int, height: int, across: int, colour: bool = False, seed: int = 0) -> list:
    """Half good, half with a bright (or as bright, but red) square of `across` pixels."""
    rng, found = np.random.default_rng(seed), []
    for number in range(count):
        image = rng.normal(128, 4, (height, width))
        mask = np.zeros((height, width), bool)
        if number % 2:
            top, left = rng.integers(0, height - across + 1), rng.integers(0, width - across + 1)
            mask[top : top + across, left : left + across] = True
        shades = np.repeat(image[..., None], 3, axis=2)
        if colour:
            # Red goes up as far as green goes down: equally bright.
            shades[mask] += np.array([60.0, -60.0 * 0.299 / 0.587, 0.0])
        else:
            shades[mask] += 60
        pixels = shades.clip(0, 255).astype(np.uint8)
        found.append(seen(pixels, mask if number % 2 else None))
    return found


def told(found: list, **how: int) -> Input:
    return proposed(found, [not number % 2 for number in range(len(found))], [str(n) for n in range(len(found))], **how)


def test_the_narrow_side_of_a_crack_is_its_width_not_its_length() -> None:
    mask = np.zeros((50, 300), bool)
    mask[20:23, 10:290] = True
    assert narrow_side(mask) == pytest.approx(3, abs=0.5)


@given(st.integers(3, 60))
def test_the_narrow_side_of_a_disc_is_its_diameter(diameter: int) -> None:
    assert narrow_side(disc(diameter)) == pytest.approx(diameter, abs=2.5)


def test_an_empty_mask_has_none() -> None:
    assert math.isnan(narrow_side(np.zeros((9, 9), bool)))


def test_small_defects_need_a_larger_input() -> None:
    small, large = (told(pictures(20, width=SIDE, height=SIDE, across=across)) for across in (4, 30))
    assert small.size_px > large.size_px
    for needed in (small, large):
        assert needed.tile_px == 0
        shown = needed.shown_at(needed.size_px)
        assert shown is not None
        assert shown >= LEAST_PX - 0.5


def test_what_an_input_of_a_size_loses_is_told_with_the_way_out() -> None:
    needed = told(pictures(20, width=SIDE, height=SIDE, across=4))
    assert needed.too_small(needed.size_px) == ""
    assert f"ModelSettings.size_px={needed.size_px}" in needed.too_small(48)


def test_large_boards_and_long_strips_are_cut_into_tiles() -> None:
    boards = told(pictures(20, width=640, height=640, across=6))
    assert boards.tile_px
    assert boards.size_px <= MOST_PX
    shown = boards.shown_at(boards.size_px)
    assert shown is not None
    assert shown >= LEAST_PX
    strips = told(pictures(20, width=4000, height=100, across=8))
    assert 32 <= strips.tile_px <= 100
    assert "40.0:1 long" in strips.reasons[0]


@pytest.mark.parametrize(
    ("width", "height", "tile_px", "size_px"), [(4000, 100, 128, 128), (1280, 32, 32, 32), (3000, 1000, 1024, 256)]
)
def test_long_pictures_without_masks_are_cut_too_in_tiles_as_large_as_may_be(
    width: int, height: int, tile_px: int, size_px: int
) -> None:
    found = [one._replace(narrow=math.nan) for one in pictures(20, width=width, height=height, across=8)]
    needed = told(found)
    assert (needed.tile_px, needed.size_px) == (tile_px, size_px)
    assert "no mask says which tile shows a defect" in needed.reasons[0]
    assert not any("squashed" in reason for reason in needed.reasons)


def test_good_pictures_alone_are_cut_where_they_are_long() -> None:
    found = [one._replace(narrow=math.nan) for one in pictures(20, width=4000, height=100, across=8)]
    assert proposed(found, [True] * 20, [str(number) for number in range(20)]).tile_px == 128


def test_square_pictures_without_masks_stay_whole_beside_a_long_one() -> None:
    found = [one._replace(narrow=math.nan) for one in pictures(20, width=200, height=200, across=8)]
    long = found[0]._replace(width=700)
    needed = proposed([long, *found], [True, *[not number % 2 for number in range(20)]], [str(n) for n in range(21)])
    assert 200 <= needed.tile_px < 700


def test_a_single_long_picture_no_longer_than_the_tiles_is_not_squashed() -> None:
    found = [one._replace(narrow=math.nan) for one in pictures(20, width=200, height=200, across=8)]
    needed = proposed([found[0]._replace(height=50), *found], [True] * 21, [str(n) for n in range(21)])
    assert needed.tile_px >= 200
    assert not any("squashed" in reason for reason in needed.reasons)


def test_tiles_that_are_asked_for_are_taken() -> None:
    needed = told(pictures(20, width=640, height=640, across=6), tile_px=320)
    assert (needed.tile_px, needed.size_px) == (320, 320)
    assert told(pictures(20, width=640, height=640, across=6), tile_px=0).tile_px == 0


def test_colour_is_proposed_where_brightness_does_not_tell_the_defects() -> None:
    red, bright = (told(pictures(40, width=80, height=80, across=12, colour=colour)) for colour in (True, False))
    assert red.channels == 3
    assert any(reason.startswith("colour tells defects apart: grey 0.") for reason in red.reasons)
    assert bright.channels == 1


def test_it_is_kept_beside_the_index(tmp_path: Path) -> None:
    needed = told(pictures(20, width=SIDE, height=SIDE, across=4))
    needed.save(tmp_path)
    assert Input.load(tmp_path) == needed
