import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vision.spots import spots
from twinloop.errors import InputError
from twinloop.vision.index import ImageSet
from twinloop.vision.training.pasting import KINDS, Paster, Patch, cut_out, paste, render, varied, with_pasted

SPOTS = spots(24)


def _square(label: int = 1, side: int = 4) -> Patch:
    """A square of `side` pixels twice as bright as its surroundings, without a rim."""
    ones = np.ones((side, side), np.float32)
    return Patch(ones[..., None], np.zeros_like(ones), ones, label)


def test_a_patch_takes_on_the_light_of_its_place() -> None:
    for level in (40, 100):
        image, mask = np.full((16, 16, 1), level, np.uint8), np.zeros((16, 16), np.uint8)
        assert paste(image, mask, _square(), np.random.default_rng(0))
        assert np.array_equal(image[..., 0] == 2 * level, mask == 1)
        assert (image[mask == 0] == level).all()
        assert mask.sum() == 16


def test_what_shows_through_is_the_surface_itself() -> None:
    image = np.random.default_rng(0).integers(80, 120, (16, 16, 3), np.uint8)
    untouched, mask = image.copy(), np.zeros((16, 16), np.uint8)
    nothing = np.zeros((4, 4, 1), np.float32)
    assert paste(
        image,
        mask,
        Patch(nothing, np.ones((4, 4), np.float32), np.ones((4, 4), np.float32), 1),
        np.random.default_rng(0),
    )
    assert np.abs(image.astype(int) - untouched).max() <= 1


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_a_patch_of_any_size_falls_on_the_image(height: int, width: int, seed: int) -> None:
    ones = np.ones((height, width), np.float32)
    image, mask = np.full((16, 16, 1), 50, np.uint8), np.zeros((16, 16), np.uint8)
    assert paste(image, mask, Patch(ones[..., None], 0 * ones, ones, 1), np.random.default_rng(seed))
    assert mask.sum() == min(height, 16) * min(width, 16)
    assert np.array_equal(image[..., 0] == 100, mask == 1)


def test_a_patch_that_shows_no_defect_changes_nothing() -> None:
    image, mask = np.full((16, 16, 1), 50, np.uint8), np.zeros((16, 16), np.uint8)
    empty = dataclasses.replace(_square(), mask=np.zeros((4, 4), np.float32))
    assert not paste(image, mask, empty, np.random.default_rng(0))
    assert (image == 50).all()


@given(st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_a_varied_patch_keeps_its_kind_of_size_and_its_class(seed: int) -> None:
    found = varied(_square(label=2, side=12), np.random.default_rng(seed))
    assert found.label == 2
    assert found.change.shape[:2] == found.keep.shape == found.mask.shape
    assert 0.7**2 * 0.8 < (found.mask >= 0.5).sum() / 12**2 < 1.3**2 * 1.2
    assert found.keep.min() >= 0
    assert found.keep.max() <= 1


def test_cut_out_defects_have_their_class_and_leave_the_surface_behind() -> None:
    patches = cut_out(SPOTS)
    assert len(patches) == int((SPOTS.labels > 0).sum())
    assert [patch.label for patch in patches] == SPOTS.labels[SPOTS.labels > 0].tolist()
    for patch in patches:
        inside = patch.mask > 0
        assert inside.sum() == 64
        assert (patch.keep[inside] == 0).all()
        # Bright spots are 80 above and dark ones 80 below a surface of 120.
        assert patch.change[inside].mean() == pytest.approx(2 / 3 if patch.label == 1 else -2 / 3, abs=0.05)


def test_a_broken_crack_is_one_defect_and_distant_ones_are_two() -> None:
    masks = np.zeros((2, 32, 32), np.uint8)
    masks[0, 5, 2:10] = masks[0, 5, 13:20] = 1
    masks[1, 5:8, 2:10] = masks[1, 25:28, 2:10] = 1
    two = _take(spots(2), masks)
    assert [int(patch.mask.sum()) for patch in cut_out(two)] == [15, 24, 24]


def test_specks_are_cut_out_only_where_there_is_nothing_else() -> None:
    masks = np.zeros((2, 32, 32), np.uint8)
    masks[0, 5, 5] = masks[1, 5, 5] = 1
    masks[1, 20:24, 20:24] = 1
    assert [int(patch.mask.sum()) for patch in cut_out(_take(spots(2), masks))] == [1, 16]


def _take(images: ImageSet, masks: np.ndarray) -> ImageSet:
    return dataclasses.replace(images, masks=masks, labels=np.ones(len(masks), np.int64))


def test_a_defect_that_fills_its_image_cannot_be_cut_out() -> None:
    whole = _take(spots(1), np.ones((1, 32, 32), np.uint8))
    with pytest.raises(InputError, match="no training image shows a defect with a mask"):
        Paster(whole, share=1.0, source="real")


@pytest.mark.parametrize("source", ["real", "both"])
def test_real_defects_need_masks_and_synthetic_ones_do_not(source: str) -> None:
    bare = dataclasses.replace(SPOTS, masks=np.zeros_like(SPOTS.masks))
    with pytest.raises(InputError, match="paste_source=synthetic"):
        Paster(bare, share=0.5, source=source)
    assert Paster(bare, share=1.0, source="synthetic")(*_blank(), np.random.default_rng(0)) == -1


def _blank() -> tuple[np.ndarray, np.ndarray]:
    return np.full((32, 32, 1), 100, np.uint8), np.zeros((32, 32), np.uint8)


@pytest.mark.parametrize(("source", "labels"), [("real", {1, 2}), ("synthetic", {-1}), ("both", {-1, 1, 2})])
def test_the_source_decides_the_classes_and_the_share_how_often(source: str, labels: set[int]) -> None:
    paster = Paster(SPOTS, share=0.5, source=source)
    found = [paster(*_blank(), np.random.default_rng(number)) for number in range(200)]
    assert set(found) == labels | {None}
    assert 70 < sum(label is not None for label in found) < 130


def test_a_draw_is_a_function_of_its_generator() -> None:
    first, again = Paster(SPOTS, share=1.0, source="both"), Paster(SPOTS, share=1.0, source="both")
    again(*_blank(), np.random.default_rng(99))
    for number in range(20):
        one, other = _blank(), _blank()
        assert first(*one, np.random.default_rng(number)) == again(*other, np.random.default_rng(number))
        assert all(np.array_equal(mine, theirs) for mine, theirs in zip(one, other, strict=True))


@pytest.mark.parametrize("size", [32, 96])
def test_rendered_defects_are_of_all_kinds_and_follow_the_image(size: int) -> None:
    patches = [render(size, np.random.default_rng(number)) for number in range(4 * len(KINDS))]
    assert all(patch.mask.any() and max(patch.mask.shape) <= size for patch in patches)
    assert all(np.abs(patch.change).max() > 0.02 for patch in patches)


def test_a_validation_gets_a_defect_on_every_second_good_image() -> None:
    images = spots(24)
    good = dataclasses.replace(images, labels=np.zeros(24, np.int64), masks=np.zeros_like(images.masks))
    paster = Paster(good, share=1.0, source="synthetic")
    found, again = (with_pasted(good, paster, seed=5, classes=("good", "defect")) for _ in range(2))
    assert found.labels.tolist() == [1, 0] * 12
    assert np.array_equal(found.masks.any(axis=(1, 2)), found.labels > 0)
    assert np.array_equal(found.images, again.images)
    assert found.classes == ("good", "defect")
    assert not good.masks.any()
