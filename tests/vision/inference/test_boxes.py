import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from twinloop.vision.inference.boxes import Regions, find_boxes, suppress

HEAT = arrays(np.float32, (6, 7), elements=st.floats(0, 1, width=32))


@given(HEAT, st.integers(6, 200), st.integers(7, 200))
def test_boxes_lie_in_the_image_and_hold_every_hot_place(heat: np.ndarray, height: int, width: int) -> None:
    boxes = find_boxes(heat, threshold=0.5, size=(height, width))
    for x, y, across, down in boxes:
        assert 0 <= x < x + across <= width
        assert 0 <= y < y + down <= height
    for row, column in np.argwhere(heat >= 0.5):
        centre = ((column + 0.5) * width / 7, (row + 0.5) * height / 6)
        assert any(x <= centre[0] <= x + w and y <= centre[1] <= y + h for x, y, w, h in boxes)


def test_the_hottest_region_comes_first_and_corners_touch() -> None:
    heat = np.zeros((6, 6), np.float32)
    heat[0, 0] = heat[1, 1] = 0.6
    heat[4, 4] = 0.9
    assert find_boxes(heat, threshold=0.5, size=(6, 6)) == ((4, 4, 1, 1), (0, 0, 2, 2))


@given(
    arrays(np.float32, (12, 9), elements=st.sampled_from([0.0, 0.2, 0.6, 0.9])), st.sets(st.integers(1, 11)).map(sorted)
)
def test_regions_are_the_same_in_whatever_bands_the_map_arrives(heat: np.ndarray, cuts: list[int]) -> None:
    whole, banded = Regions(0.5), Regions(0.5)
    whole.add(heat)
    for band in np.split(heat, cuts):
        banded.add(band)
    for expected, found in zip(whole.merged(), banded.merged(), strict=True):
        assert len(expected) == len(found)
    known = sorted(zip(*(part.tolist() for part in whole.merged()), strict=True))
    assert sorted(zip(*(part.tolist() for part in banded.merged()), strict=True)) == known


def test_a_region_that_closes_below_a_seam_is_one_region() -> None:
    heat = np.array([[1, 0, 1], [1, 0, 1], [1, 1, 1]], np.float32)
    regions = Regions(0.5)
    for row in heat:
        regions.add(row[None])
    cells, peaks = regions.merged()
    assert cells.tolist() == [[0, 0, 3, 3]]
    assert peaks.tolist() == [1]


def test_non_maximum_suppression_keeps_the_hotter_of_two_that_overlap_enough() -> None:
    # The second shares 81 of 119 cells with the first (0.68), the third 25 of 175 (0.14), the fourth none.
    cells = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [5, 5, 15, 15], [30, 30, 40, 40]])
    assert suppress(cells, overlap=0.5).tolist() == cells[[0, 2, 3]].tolist()
    assert suppress(cells, overlap=0.7).tolist() == cells.tolist()
    assert suppress(cells, overlap=0.1).tolist() == cells[[0, 3]].tolist()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 9), st.integers(1, 9)), max_size=12))
def test_what_is_kept_overlaps_little_and_what_goes_overlaps_something_kept(
    corners: list[tuple[int, int, int, int]],
) -> None:
    cells = np.array([(top, left, top + h, left + w) for top, left, h, w in corners], np.int64).reshape(-1, 4)
    kept = suppress(cells, overlap=0.5)
    places = [tuple(box) for box in kept.tolist()]
    for place, box in enumerate(places):
        assert all(intersection_over_union(box, other) < 0.5 for other in places[:place])
    for box in map(tuple, cells.tolist()):
        assert box in places or any(intersection_over_union(box, other) >= 0.5 for other in places)


def intersection_over_union(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    first, second = (
        {(row, column) for row in range(box[0], box[2]) for column in range(box[1], box[3])} for box in (one, other)
    )
    return len(first & second) / len(first | second)


@pytest.mark.parametrize("threshold", [0.5, 1.1])
def test_a_map_without_a_hot_place_has_no_region(threshold: float) -> None:
    regions = Regions(threshold)
    regions.add(np.zeros((4, 4), np.float32))
    assert [len(part) for part in regions.merged()] == [0, 0]
