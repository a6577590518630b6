"""Batches of an ImageSet for torch. Order, crops, pasted defects and augmentation follow from (seed, epoch, index).

Images stay uint8 until they are on the device. A whole batch is fetched in one call, which spares the per-sample
collation that would cost more than the decoder at 96 pixels.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.random import SeedSequence, default_rng
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from twinloop.vision.index import ImageSet
from twinloop.vision.training.crops import window
from twinloop.vision.training.pasting import Paster
from twinloop.vision.training.settings import TrainSettings
from twinloop.vision.training.transforms import Augmenter

# Of the streams of one showing of one image, beside that of its augmentation.
CROP, PASTE = 1, 2
# Images that are judged at a time; on the CPU no more pixels than those of as many images of 96 px: the memory of more
# is asked of the system anew for every layer, which takes longer than the convolutions.
JUDGED_IMAGES = 64
JUDGED_PIXELS = JUDGED_IMAGES * 96**2


class Key(NamedTuple):
    """One showing of an image; `turn` counts the earlier ones in this epoch."""

    epoch: int
    image: int
    turn: int


class Group(NamedTuple):
    """Places of images, and the share of an epoch that they make up."""

    places: NDArray[np.int64]
    share: float


class Batch(NamedTuple):
    """images uint8 [B, C, H, W], masks uint8 [B, H, W], masked bool [B] (pixel truth is known), labels int64 [B].

    A label of −1 stands for a defect of unknown class.
    """

    images: Tensor
    masks: Tensor
    masked: Tensor
    labels: Tensor


def subset(images: ImageSet, chosen: NDArray[np.bool_]) -> ImageSet:
    """The images where `chosen` [N] is true, in their own order."""
    return dataclasses.replace(
        images,
        images=images.images[chosen],
        masks=images.masks[chosen],
        masked=images.masked[chosen],
        labels=images.labels[chosen],
        groups=tuple(group for group, taken in zip(images.groups, chosen, strict=True) if taken),
        names=tuple(name for name, taken in zip(images.names, chosen, strict=True) if taken),
        pictures=tuple(np.array(images.pictures)[chosen].tolist()) if images.pictures else (),
    )


class Images(Dataset[Batch]):
    """An ImageSet as it is, addressed by keys."""

    def __init__(self, images: ImageSet) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images.labels)

    def __getitems__(self, keys: Sequence[Key]) -> Batch:
        chosen = np.fromiter((key.image for key in keys), np.int64, len(keys))
        images, masks, labels = self.pixels(keys, chosen)
        return Batch(
            torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))),
            torch.from_numpy(masks),
            torch.from_numpy(self.images.masked[chosen]),
            torch.from_numpy(labels),
        )

    def pixels(
        self, keys: Sequence[Key], chosen: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int64]]:
        """New arrays of the images at the places `chosen`, their masks and labels."""
        return self.images.images[chosen], self.images.masks[chosen], self.images.labels[chosen]


class TrainingImages(Images):
    """The same, cut to crops, with pasted defects and augmented, as the settings say."""

    def __init__(
        self, images: ImageSet, settings: TrainSettings, *, augment: Augmenter, paster: Paster | None, seed: int
    ) -> None:
        super().__init__(images)
        self.settings, self.augment, self.paster, self.seed = settings, augment, paster, seed

    def pixels(
        self, keys: Sequence[Key], chosen: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int64]]:
        images, masks, labels = self._cropped(keys) if self.settings.crop_px else super().pixels(keys, chosen)
        if self.paster is not None:
            for place in np.flatnonzero(labels == 0).tolist():
                pasted = self.paster(images[place], masks[place], self._stream(keys[place], PASTE))
                if pasted is not None:
                    labels[place] = pasted
        for place, (epoch, index, turn) in enumerate(keys):
            images[place], masks[place] = self.augment(images[place], masks[place], epoch=epoch, index=index, turn=turn)
        return images, masks, labels

    def _cropped(self, keys: Sequence[Key]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int64]]:
        whole, side = self.images, self.settings.crop_px
        images = np.empty((len(keys), side, side, whole.images.shape[3]), np.uint8)
        masks = np.empty((len(keys), side, side), np.uint8)
        for place, key in enumerate(keys):
            mask = whole.masks[key.image]
            piece = window(mask, side, self._stream(key, CROP), defect_share=self.settings.defect_crops)
            images[place], masks[place] = whole.images[key.image][piece], mask[piece]
        labels = np.array([whole.labels[key.image] for key in keys], np.int64)
        labels[~masks.any(axis=(1, 2))] = 0
        return images, masks, labels

    def _stream(self, key: Key, purpose: int) -> np.random.Generator:
        return default_rng(SeedSequence((self.seed, *key), spawn_key=(purpose,)))


class EpochOrder(Sampler[Key]):
    """What an epoch shows: `repeats` times all of the images, shuffled by (seed, epoch), or in order without a seed.

    groups: which images make up which share of an epoch (see `balanced`); its length stays. With `world` processes
    each gets every world-th key, all the same number of them.
    """

    def __init__(
        self,
        size: int,
        *,
        seed: int | None,
        repeats: int = 1,
        groups: Sequence[Group] = (),
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.size, self.seed, self.rank, self.world, self.epoch = size * repeats, seed, rank, world, 0
        self.groups = tuple(groups) or (Group(np.arange(size), 1.0),)

    def set_epoch(self, epoch: int) -> None:
        """Called by whoever drives the epochs (Lightning does) before the first batch of each."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.size // self.world

    def __iter__(self) -> Iterator[Key]:
        indices, turns = np.arange(self.size), np.zeros(self.size, np.int64)
        if self.seed is not None:
            indices, turns = self._shuffled(np.random.default_rng((self.seed, self.epoch)))
        mine = slice(self.rank, None, self.world)
        for index, turn in zip(indices[mine][: len(self)].tolist(), turns[mine][: len(self)].tolist(), strict=True):
            yield Key(self.epoch, index, turn)

    def _shuffled(self, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        if len(self.groups) == 1 and len(self.groups[0].places) == self.size:
            return rng.permutation(self.groups[0].places), np.zeros(self.size, np.int64)
        indices, turns = [], []
        ends = np.round(self.size * np.cumsum([group.share for group in self.groups])).astype(int)
        for group, count in zip(self.groups, np.diff(ends, prepend=0), strict=True):
            rounds = -(-count // len(group.places))
            shown = [rng.permutation(group.places) for _ in range(rounds)]
            indices.append(np.concatenate([*shown, np.empty(0, np.int64)])[:count])
            turns.append(np.repeat(np.arange(rounds), len(group.places))[:count])
        order = rng.permutation(self.size)
        return np.concatenate(indices)[order], np.concatenate(turns)[order]


def balanced(labels: NDArray[np.int64], balance: str) -> tuple[Group, ...]:
    """The groups for `balance`: none (no groups), classes (equal shares) or halves; labels [N], good is 0.

    halves: one half good, the other divided evenly between the classes of defects.
    """
    if balance == "none":
        return ()
    groups = [(np.flatnonzero(labels == label), int(label)) for label in np.unique(labels)]
    if balance == "classes" or len(groups) == 1:
        return tuple(Group(places, 1 / len(groups)) for places, _ in groups)
    return tuple(Group(places, 0.5 / (len(groups) - 1) if label else 0.5) for places, label in groups)


def training_batches(
    images: ImageSet,
    settings: TrainSettings,
    *,
    augment: Augmenter,
    paster: Paster | None = None,
    seed: int,
    rank: int = 0,
    world: int = 1,
) -> DataLoader[Batch]:
    """Shuffled batches as the settings say; a short last batch is left out unless it is the only one."""
    order = EpochOrder(
        len(images),
        seed=seed,
        repeats=settings.repeats,
        groups=balanced(images.labels, settings.balance),
        rank=rank,
        world=world,
    )
    size = settings.batch_size
    shown = TrainingImages(images, settings, augment=augment, paster=paster, seed=seed)
    return _loader(shown, order, batch_size=size, drop_last=len(order) >= size)


def judged_batch(images: ImageSet) -> int:
    """How many of `images` are best judged at a time on the CPU: fewer of large ones, at least one."""
    height, width = map(int, images.images.shape[1:3])
    return max(1, min(JUDGED_IMAGES, JUDGED_PIXELS // (height * width)))


def validation_batches(images: ImageSet, *, batch_size: int, rank: int = 0, world: int = 1) -> DataLoader[Batch]:
    """Batches in the set's own order, whole and unchanged."""
    order = EpochOrder(len(images), seed=None, rank=rank, world=world)
    return _loader(Images(images), order, batch_size=batch_size, drop_last=False)


class ReadAhead(DataLoader[Batch]):
    """Batches, each fetched by a thread while the one before is worked on: pictures may come from a disk."""

    def __iter__(self) -> Any:
        return _ahead(super().__iter__())


def _ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


def _loader(images: Images, order: EpochOrder, *, batch_size: int, drop_last: bool) -> DataLoader[Batch]:
    return ReadAhead(images, batch_size=batch_size, sampler=order, drop_last=drop_last, collate_fn=_whole)


def _whole(batch: Any) -> Batch:
    # What __getitems__ made of the keys is a batch already, although torch takes it for a list of samples.
    whole: Batch = batch
    return whole
