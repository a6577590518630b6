"""PatchCore (Roth et al., 2022): distance of every patch to its nearest neighbour in a bank of good patches.

The bank is a greedy coreset, which covers the good patches evenly with few of them. Neighbours are found by matrix
products, which every runtime has; the distance to the one found is then taken directly, free of the cancellation in
|x|² − 2xb + |b|². Candidates for the bank are drawn in one pass, so that memory does not grow with the images.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from twinloop.vision.models.one_class import OneClassDetector
from twinloop.vision.models.settings import ModelSettings

NEIGHBOURHOOD = 3
# Bank patches compared at a time: bounds the table of distances whatever the bank.
CHUNK = 1024


class PatchCore(OneClassDetector):
    """Judges an image by its strangest patch, and each place by the distance of its patch to the bank.

    The image's distance is weighted as in the paper: less where the nearest bank patch is itself far from others.
    """

    def __init__(self, settings: ModelSettings, *, classes: Sequence[str], size: int, channels: int) -> None:
        super().__init__(settings, classes=classes, size=size, channels=channels)
        self.bank: Tensor
        self.neighbours: Tensor
        self.register_buffer("bank", torch.zeros(settings.bank_patches, self.features))
        self.register_buffer("neighbours", torch.zeros(settings.bank_patches, settings.bank_neighbours).long())

    def gather(self, level: Tensor) -> Tensor:
        """A patch is seen with its neighbourhood: the mean over 3 × 3 places, those outside the image being 0.

        The mean over fewer places varies more: of every image the border would be the strangest.
        """
        return functional.avg_pool2d(level, NEIGHBOURHOOD, stride=1, padding=1)

    def learn(self, features: Iterable[Tensor], *, seed: int) -> None:
        random = torch.Generator().manual_seed(seed)
        patches = _draw(features, self.settings.bank_candidates, random=random)
        self.bank = patches[coreset(patches, self.settings.bank_patches, random=random)]
        self.neighbours = _neighbours(self.bank, self.settings.bank_neighbours)

    def adopt(self, weights: Mapping[str, Tensor]) -> None:
        # A bank of few images is smaller than the settings allow: its length is what was saved.
        bank, neighbours = weights.get("bank", self.bank), weights.get("neighbours", self.neighbours)
        if bank.shape[1:] == self.bank.shape[1:] and len(bank) == len(neighbours):
            self.bank, self.neighbours = torch.zeros_like(bank), torch.zeros_like(neighbours)
        super().adopt(weights)

    def distances(self, features: Tensor) -> tuple[Tensor, Tensor]:
        patches = features.flatten(2).transpose(1, 2)
        nearest = self._nearest(patches)
        places = torch.linalg.vector_norm(patches - self.bank[nearest], dim=2)
        score, strangest = places.max(dim=1, keepdim=True)
        if self.neighbours.shape[1] > 1:
            patch = patches.gather(1, strangest[:, :, None].expand(-1, -1, self.features))
            around = self.bank[self.neighbours[nearest.gather(1, strangest)[:, 0]]]
            # The first of them is the nearest neighbour itself.
            score = score * (1 - torch.linalg.vector_norm(patch - around, dim=2).softmax(dim=1)[:, :1])
        return score[:, 0], places.unflatten(1, self.grid)

    def _nearest(self, patches: Tensor) -> Tensor:
        """Places in the bank [N, P] of the nearest neighbours of patches [N, P, D]."""
        nearest: Tensor | None = None
        least: Tensor | None = None
        for start in range(0, len(self.bank), CHUNK):
            bank = self.bank[start : start + CHUNK]
            # |x|² is the same for all of the bank.
            closeness, place = (bank.square().sum(dim=1) - 2 * (patches @ bank.T)).min(dim=2)
            if nearest is None or least is None:
                least, nearest = closeness, place
            else:
                nearest = torch.where(closeness < least, place + start, nearest)
                least = torch.minimum(closeness, least)
        assert nearest is not None
        return nearest


def coreset(patches: Tensor, count: int, *, random: torch.Generator) -> Tensor:
    """Places of `count` of the patches [P, D], each the farthest from those before it; all of them where P ≤ count."""
    if len(patches) <= count:
        return torch.arange(len(patches))
    squares = patches.square().sum(dim=1)
    latest = int(torch.randint(len(patches), (1,), generator=random))
    chosen, distance = [latest], torch.full((len(patches),), torch.inf)
    while len(chosen) < count:
        distance = torch.minimum(distance, squares - 2 * (patches @ patches[latest]) + squares[latest])
        distance[latest] = -torch.inf
        latest = int(distance.argmax())
        chosen.append(latest)
    return torch.tensor(chosen)


def _draw(features: Iterable[Tensor], count: int, *, random: torch.Generator) -> Tensor:
    """At most `count` patches [·, D] of features [N, D, h, w], each with the same chance: the smallest random keys."""
    pool, keys = torch.empty(0), torch.empty(0)
    for batch in features:
        patches = batch.movedim(1, -1).flatten(0, 2)
        drawn = torch.rand(len(patches), generator=random)
        kept = drawn < (keys.max() if len(keys) >= count else torch.inf)
        keys = torch.cat([keys, drawn[kept]])
        pool = torch.cat([pool.reshape(-1, patches.shape[1]), patches[kept]])
        if len(keys) > count:
            smallest = keys.topk(count, largest=False, sorted=False).indices.sort().values
            pool, keys = pool[smallest], keys[smallest]
    return pool


def _neighbours(bank: Tensor, count: int) -> Tensor:
    """Places [M, count] of the patches nearest to each of the bank [M, D], itself first."""
    count = min(count, len(bank))
    rows = []
    for start in range(0, len(bank), CHUNK):
        distance = torch.cdist(bank[start : start + CHUNK], bank)
        own = torch.arange(len(distance))
        distance[own, own + start] = -1
        rows.append(distance.topk(count, largest=False).indices)
    return torch.cat(rows) if rows else torch.empty(0, count, dtype=torch.long)
