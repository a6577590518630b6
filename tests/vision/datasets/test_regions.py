"""Boxes and polygons are filled to the pixel, and the largest area names the image."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.datasets.images import put, texture
from twinloop.vision.datasets.regions import Region, leading_class, marked_sample, several_classes
from twinloop.vision.datasets.samples import Refused
from twinloop.vision.datasets.settings import DatasetSettings


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put(tmp_path_factory.mktemp("regions") / "a.png", texture(1))


def mask_of(image: Path, *regions: Region) -> np.ndarray:
    mask = marked_sample(image, regions, DatasetSettings(), name="a.png", group="a").read().mask
    assert mask is not None
    return mask


@given(left=st.integers(0, 30), top=st.integers(0, 22), width=st.integers(1, 32), height=st.integers(1, 24))
def test_a_box_of_whole_pixels_covers_its_area_also_as_a_polygon(
    image: Path, left: int, top: int, width: int, height: int
) -> None:
    right, bottom = min(left + width, 32), min(top + height, 24)
    box = (float(left), float(top), float(right), float(bottom))
    region = Region("dent", box)
    mask = mask_of(image, region)
    assert mask.sum() == region.area == (right - left) * (bottom - top)
    assert mask[top:bottom, left:right].all()
    outline = (box[0], box[1], box[2], box[1], box[2], box[3], box[0], box[3])
    drawn = mask_of(image, Region("dent", box, (outline,)))
    # Pillow paints the border of a polygon: at most a pixel around it.
    assert drawn[top:bottom, left:right].all()
    assert drawn.sum() <= (right - left + 2) * (bottom - top + 2)


def test_fractions_count_as_touched_pixels(image: Path) -> None:
    assert mask_of(image, Region("dent", (3.2, 4.7, 5.1, 6.0))).sum() == 3 * 2


def test_the_largest_area_gives_the_class_and_the_alphabet_decides_between_equals() -> None:
    small, large = Region("a", (0, 0, 2, 2)), Region("b", (0, 0, 3, 2))
    triangle = Region("c", (0, 0, 9, 9), ((0, 0, 4, 0, 0, 4),))
    assert triangle.area == 8
    assert leading_class([small, large]) == "b"
    assert leading_class([small, large, small]) == "a"
    assert leading_class([small, triangle]) == "c"
    assert leading_class([Region("d", small.box), small]) == "a"
    assert leading_class([]) == "good"


def test_images_of_several_classes_are_counted() -> None:
    mixed = [Region("a", (0, 0, 1, 1)), Region("b", (0, 0, 1, 1))]
    assert several_classes([mixed, mixed[:1], []]) == (
        "1 images hold several classes; each takes the class of its largest marked area.",
    )
    assert several_classes([mixed[:1]]) == ()


def test_a_region_that_covers_no_pixel_is_refused(image: Path) -> None:
    with pytest.raises(Refused, match="cover no pixel"):
        mask_of(image, Region("dent", (-1.5, 3, 0, 5)))
