import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.spots import spots
from twinloop.vision.training.loading import EpochOrder, training_batches, validation_batches
from twinloop.vision.training.transforms import Augmenter


def _order(size: int, *, seed: int | None, epoch: int = 0, rank: int = 0, world: int = 1) -> list[tuple[int, int]]:
    order = EpochOrder(size, seed=seed, rank=rank, world=world)
    order.set_epoch(epoch)
    return list(order)


@given(st.integers(1, 200), st.integers(0, 2**31), st.integers(0, 100))
def test_an_epoch_shows_every_image_once(size: int, seed: int, epoch: int) -> None:
    keys = _order(size, seed=seed, epoch=epoch)
    assert {index for _, index in keys} == set(range(size))
    assert len(keys) == size
    assert {shown for shown, _ in keys} == {epoch}


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    assert _order(50, seed=1, epoch=3) == _order(50, seed=1, epoch=3)
    assert _order(50, seed=1, epoch=3) != _order(50, seed=1, epoch=4)
    assert _order(50, seed=1, epoch=3) != _order(50, seed=2, epoch=3)
    assert [index for _, index in _order(50, seed=None)] == list(range(50))


@given(st.integers(1, 100), st.integers(1, 8))
def test_processes_share_an_epoch_evenly_without_overlap(size: int, world: int) -> None:
    shares = [_order(size, seed=0, rank=rank, world=world) for rank in range(world)]
    assert len({len(share) for share in shares}) == 1
    together = [key for share in shares for key in share]
    assert len(set(together)) == len(together) == size // world * world


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
    batches = list(training_batches(images, Augmenter("industrial", seed=0), batch_size=4, seed=0))
    assert np.array_equal(images.images, before)
    assert len(batches) == 4


def test_the_next_epoch_sees_other_images_and_a_repeated_one_the_same() -> None:
    loader = training_batches(spots(16), Augmenter("light", seed=0), batch_size=16, seed=0)
    seen = []
    for epoch in (0, 1, 0):
        loader.sampler.set_epoch(epoch)
        seen.append(next(iter(loader)).images)
    assert torch.equal(seen[0], seen[2])
    assert not torch.equal(seen[0], seen[1])


@pytest.mark.parametrize(("count", "batches"), [(40, 2), (32, 2), (8, 1)])
def test_a_short_last_batch_is_left_out_unless_it_is_the_only_one(count: int, batches: int) -> None:
    loader = training_batches(spots(count), Augmenter("none", seed=0), batch_size=16, seed=0)
    assert len(loader) == len(list(loader)) == batches
