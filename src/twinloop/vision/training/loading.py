"""Batches of an ImageSet for torch. Order and augmentation are functions of (seed, epoch, index) alone.

Images stay uint8 until they are on the device. A whole batch is fetched in one call, which spares the per-sample
collation that would cost more than the decoder at 96 pixels.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from twinloop.vision.index import ImageSet
from twinloop.vision.training.transforms import Augmenter

Key = tuple[int, int]


class Batch(NamedTuple):
    """images uint8 [B, C, H, W], masks uint8 [B, H, W], masked bool [B] (pixel truth is known), labels int64 [B]."""

    images: Tensor
    masks: Tensor
    masked: Tensor
    labels: Tensor


class Images(Dataset[Batch]):
    """An ImageSet addressed by (epoch, index) pairs, augmented where an Augmenter is given."""

    def __init__(self, images: ImageSet, augment: Augmenter | None = None) -> None:
        self.images, self.augment = images, augment

    def __len__(self) -> int:
        return len(self.images.labels)

    def __getitems__(self, keys: Sequence[Key]) -> Batch:
        chosen = np.fromiter((index for _, index in keys), np.int64, len(keys))
        images, masks = self.images.images[chosen], self.images.masks[chosen]
        if self.augment is not None:
            for place, (epoch, index) in enumerate(keys):
                images[place], masks[place] = self.augment(images[place], masks[place], epoch=epoch, index=index)
        return Batch(
            torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))),
            torch.from_numpy(masks),
            torch.from_numpy(self.images.masked[chosen]),
            torch.from_numpy(self.images.labels[chosen]),
        )


class EpochOrder(Sampler[Key]):
    """All (epoch, index) pairs of one epoch: shuffled by (seed, epoch), or in order without a seed.

    With `world` processes each gets every world-th pair, all the same number of them.
    """

    def __init__(self, size: int, *, seed: int | None, rank: int = 0, world: int = 1) -> None:
        self.size, self.seed, self.rank, self.world, self.epoch = size, seed, rank, world, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by whoever drives the epochs (Lightning does) before the first batch of each."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.size // self.world

    def __iter__(self) -> Iterator[Key]:
        order = np.arange(self.size)
        if self.seed is not None:
            order = np.random.default_rng((self.seed, self.epoch)).permutation(self.size)
        for index in order[self.rank :: self.world][: len(self)]:
            yield self.epoch, int(index)


def training_batches(
    images: ImageSet, augment: Augmenter, *, batch_size: int, seed: int, rank: int = 0, world: int = 1
) -> DataLoader[Batch]:
    """Shuffled, augmented batches; a short last batch is left out unless it is the only one."""
    order = EpochOrder(len(images.labels), seed=seed, rank=rank, world=world)
    return _loader(Images(images, augment), order, batch_size=batch_size, drop_last=len(order) >= batch_size)


def validation_batches(images: ImageSet, *, batch_size: int, rank: int = 0, world: int = 1) -> DataLoader[Batch]:
    """Batches in the set's own order, without augmentation."""
    order = EpochOrder(len(images.labels), seed=None, rank=rank, world=world)
    return _loader(Images(images), order, batch_size=batch_size, drop_last=False)


def _loader(images: Images, order: EpochOrder, *, batch_size: int, drop_last: bool) -> DataLoader[Batch]:
    return DataLoader(images, batch_size=batch_size, sampler=order, drop_last=drop_last, collate_fn=_whole)


def _whole(batch: Any) -> Batch:
    # What __getitems__ made of the keys is a batch already, although torch takes it for a list of samples.
    whole: Batch = batch
    return whole
