from collections import Counter
from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from tests.vision.spots import spots
from twinloop.vision.index import ImageSet
from twinloop.vision.training.loading import (
    Batch,
    EpochOrder,
    Key,
    balanced,
    judged_batch,
    subset,
    training_batches,
    validation_batches,
)
from twinloop.vision.training.pasting import Paster
from twinloop.vision.training.settings import AugmentationSettings, TrainSettings
from twinloop.vision.training.transforms import Augmenter

STILL = AugmentationSettings(symmetries="none", exposure_share=0, lamp_share=0, noise_share=0, blur_share=0)
Balance = Literal["none", "classes", "halves"]


def _order(size: int, *, seed: int | None, epoch: int = 0, **settings: Any) -> list[Key]:
    order = EpochOrder(size, seed=seed, **settings)
    order.set_epoch(epoch)
    return list(order)


def _loader(
    images: ImageSet,
    augmentation: AugmentationSettings = STILL,
    *,
    paster: Paster | None = None,
    rank: int = 0,
    world: int = 1,
    **train: Any,
) -> DataLoader[Batch]:
    return training_batches(
        images,
        TrainSettings(**{"batch_size": 16} | train),
        augment=Augmenter(augmentation, seed=0),
        paster=paster,
        seed=0,
        rank=rank,
        world=world,
    )


@given(st.integers(1, 200), st.integers(0, 2**31), st.integers(0, 100))
def test_an_epoch_shows_every_image_once(size: int, seed: int, epoch: int) -> None:
    keys = _order(size, seed=seed, epoch=epoch)
    assert {key.image for key in keys} == set(range(size))
    assert len(keys) == size
    assert {(key.epoch, key.turn) for key in keys} == {(epoch, 0)}


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    assert _order(50, seed=1, epoch=3) == _order(50, seed=1, epoch=3)
    assert _order(50, seed=1, epoch=3) != _order(50, seed=1, epoch=4)
    assert _order(50, seed=1, epoch=3) != _order(50, seed=2, epoch=3)
    assert [key.image for key in _order(50, seed=None)] == list(range(50))


LABELS = np.array([0] * 40 + [1] * 10 + [2] * 5 + [4] * 1)


@given(st.integers(1, 100), st.integers(1, 8), st.integers(1, 3), st.sampled_from(["none", "classes", "halves"]))
@settings(deadline=None)
def test_processes_share_an_epoch_evenly_without_overlap(size: int, world: int, repeats: int, balance: str) -> None:
    groups = balanced(np.resize(LABELS, size), balance)
    shares = [_order(size, seed=0, repeats=repeats, groups=groups, rank=rank, world=world) for rank in range(world)]
    assert len({len(share) for share in shares}) == 1
    together = [key for share in shares for key in share]
    assert len(set(together)) == len(together) == size * repeats // world * world


@pytest.mark.parametrize(
    ("balance", "expected"),
    [
        ("none", {0: 40, 1: 10, 2: 5, 4: 1}),
        ("classes", {0: 14, 1: 14, 2: 14, 4: 14}),
        ("halves", {0: 28, 1: 9, 2: 10, 4: 9}),
    ],
)
def test_balance_decides_how_often_classes_are_shown(balance: Balance, expected: dict[int, int]) -> None:
    keys = _order(56, seed=3, groups=balanced(LABELS, balance))
    assert Counter(LABELS[[key.image for key in keys]].tolist()) == expected
    # Nothing is shown again before all of its class were.
    for label, places in enumerate(map(np.flatnonzero, (label == LABELS for label in range(5)))):
        shown = Counter(key.image for key in keys if key.image in places)
        assert not shown or max(shown.values()) - min(shown[place] for place in places.tolist()) <= 1, label


def test_every_repetition_is_a_showing_of_its_own() -> None:
    keys = _order(10, seed=1, repeats=3)
    assert sorted({(key.image, key.turn) for key in keys}) == [
        (image, turn) for image in range(10) for turn in range(3)
    ]
    loader = _loader(spots(16), AugmentationSettings(), repeats=2, batch_size=32)
    images = next(iter(loader)).images
    assert len({image.numpy().tobytes() for image in images}) == 32


def test_a_batch_holds_the_images_that_were_asked_for() -> None:
    images = spots(40)
    batch = next(iter(validation_batches(images, batch_size=16)))
    assert batch.images.shape == (16, 1, 32, 32)
    assert batch.images.dtype == torch.uint8
    assert np.array_equal(batch.images.numpy()[:, 0], images.images[:16, :, :, 0])
    assert np.array_equal(batch.masks.numpy(), images.masks[:16])
    assert batch.labels.tolist() == images.labels[:16].tolist()
    assert batch.masked.all()


def test_augmentation_leaves_the_images_in_memory_alone() -> None:
    images = spots(16)
    before = images.images.copy()
    paster = Paster(images, share=1.0, source="both")
    batches = list(_loader(images, AugmentationSettings(), paster=paster, batch_size=4))
    assert np.array_equal(images.images, before)
    assert len(batches) == 4


def test_the_next_epoch_sees_other_images_and_a_repeated_one_the_same() -> None:
    images = spots(16, size=48)
    paster = Paster(images, share=0.5, source="both")
    loader: Any = _loader(images, AugmentationSettings(), paster=paster, crop_px=32)
    seen = []
    for epoch in (0, 1, 0):
        loader.sampler.set_epoch(epoch)
        seen.append(next(iter(loader)).images)
    assert torch.equal(seen[0], seen[2])
    assert not torch.equal(seen[0], seen[1])


@pytest.mark.parametrize(("count", "batches"), [(40, 2), (32, 2), (8, 1)])
def test_a_short_last_batch_is_left_out_unless_it_is_the_only_one(count: int, batches: int) -> None:
    loader = _loader(spots(count))
    assert len(loader) == len(list(loader)) == batches


def test_a_crop_is_a_piece_of_its_image_and_is_good_where_it_shows_no_defect() -> None:
    images = spots(64, size=48)
    seen: Counter[tuple[bool, bool]] = Counter()
    for batch in _loader(images, crop_px=32, defect_crops=0.5, batch_size=64):
        assert batch.images.shape == (64, 1, 32, 32)
        for mask, label in zip(batch.masks, batch.labels, strict=True):
            assert bool(mask.any()) == bool(label > 0)
            seen[bool(mask.any()), bool(label > 0)] += 1
    order = [key.image for key in _order(64, seed=0)]
    for place, image in enumerate(order[:8]):
        piece = batch.images[place, 0].numpy()
        whole = images.images[image, ..., 0]
        windows = np.lib.stride_tricks.sliding_window_view(whole, (32, 32)).reshape(-1, 32, 32)
        assert (windows == piece).all(axis=(1, 2)).any()
    assert seen[True, True] > 20


def test_processes_see_what_one_process_would() -> None:
    images = spots(32, size=48)
    paster = Paster(images, share=0.5, source="real")
    settings_: dict[str, Any] = {"crop_px": 32, "balance": "halves", "paster": paster}
    (whole,) = _loader(images, AugmentationSettings(), batch_size=32, **settings_)
    for rank in range(2):
        (half,) = _loader(images, AugmentationSettings(), batch_size=16, rank=rank, world=2, **settings_)
        for mine, theirs in zip(half, whole, strict=True):
            assert torch.equal(mine, theirs[rank::2])


def test_pasted_defects_change_labels_of_good_images_alone() -> None:
    images = spots(64)
    paster = Paster(images, share=1.0, source="real")
    (batch,) = _loader(images, paster=paster, batch_size=64)
    order = np.array([key.image for key in _order(64, seed=0)])
    assert batch.masks.any(dim=(1, 2)).all()
    assert (batch.labels > 0).all()
    was_defective = images.labels[order] > 0
    assert np.array_equal(batch.images.numpy()[was_defective, 0], images.images[order][was_defective, ..., 0])


def test_a_subset_keeps_everything_together() -> None:
    images = spots(20)
    good = subset(images, images.labels == 0)
    assert len(good) == 10
    assert good.names == tuple(name for name, label in zip(images.names, images.labels, strict=True) if label == 0)
    assert np.array_equal(good.images, images.images[images.labels == 0])
    assert not good.masks.any()


@pytest.mark.parametrize(("size", "expected"), [(32, 64), (96, 64), (320, 5), (1024, 1)])
def test_as_many_pixels_are_judged_at_a_time_whatever_the_size(size: int, expected: int) -> None:
    assert judged_batch(spots(1, size=size)) == expected
