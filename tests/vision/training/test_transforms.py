from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.vision.training.settings import Augmentation
from twinloop.vision.training.transforms import Augmenter

IMAGE = np.random.default_rng(0).integers(0, 255, (24, 24, 1), np.uint8)
MASK = (np.arange(24 * 24).reshape(24, 24) % 7 == 0).astype(np.uint8)
POLICIES = get_args(Augmentation)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("channels", [1, 3])
def test_shape_and_type_are_kept(policy: Augmentation, channels: int) -> None:
    image = np.repeat(IMAGE, channels, axis=2)
    for index in range(20):
        changed, mask = Augmenter(policy, seed=0)(image, MASK, epoch=1, index=index)
        assert (changed.shape, changed.dtype, mask.shape, mask.dtype) == (image.shape, np.uint8, MASK.shape, np.uint8)
        assert set(np.unique(mask)) <= {0, 1}


def test_none_changes_nothing() -> None:
    image, mask = Augmenter("none", seed=0)(IMAGE, MASK, epoch=0, index=0)
    assert np.array_equal(image, IMAGE)
    assert np.array_equal(mask, MASK)


@given(st.integers(0, 2**31), st.integers(0, 10**6), st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_a_draw_depends_on_seed_epoch_and_index_alone(seed: int, epoch: int, index: int) -> None:
    fresh = Augmenter("industrial", seed=seed)
    used = Augmenter("industrial", seed=seed)
    used(IMAGE, MASK, epoch=epoch + 1, index=index)
    for one, other in zip(
        fresh(IMAGE, MASK, epoch=epoch, index=index), used(IMAGE, MASK, epoch=epoch, index=index), strict=True
    ):
        assert np.array_equal(one, other)


def test_epochs_indices_and_seeds_differ() -> None:
    draws = {
        Augmenter("light", seed=seed)(IMAGE, MASK, epoch=epoch, index=index)[0].tobytes()
        for seed in range(3)
        for epoch in range(3)
        for index in range(3)
    }
    assert len(draws) > 12


def test_the_mask_moves_with_its_image() -> None:
    image = (MASK * 200)[..., None]
    for index in range(30):
        changed, mask = Augmenter("light", seed=5)(image, MASK, epoch=0, index=index)
        assert np.array_equal(changed[..., 0] > 100, mask > 0)


def test_transforms_draw_independently_of_each_other() -> None:
    # With equal draws in all transforms, blur (20 %) would only ever come with noise (30 %).
    augment = Augmenter("industrial", seed=0)
    assert augment._compose is not None
    flat = np.full((24, 24, 1), 128, np.uint8)
    flat[8:16, 8:16] = 60
    levels = [len(np.unique(augment(flat, MASK, epoch=0, index=index)[0])) for index in range(300)]
    untouched, softened = sum(count <= 2 for count in levels), sum(2 < count <= 8 for count in levels)
    assert untouched > 60
    assert softened > 10


def test_no_other_module_imports_albumentations(repository: Path) -> None:
    users = [
        path.name
        for path in (repository / "src").rglob("*.py")
        if "import albumentations" in path.read_text() or "from albumentations" in path.read_text()
    ]
    assert users == ["transforms.py"]
