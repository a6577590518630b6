"""Trains a detector whose pretrained encoder is frozen: features once, then the small network that judges them.

Of every image some places are kept, all of a defect and a draw of the rest, and every image's defect weighs the same
however large it is: a blowhole of ten places counts as much as a fray of a thousand. The head learns from whole images
afterwards. Both see their inputs at mean 0 and deviation 1, which is then worked into the weights. Where an image will
be judged in several views, each teaches in one of them, drawn at random: what a view alone changes is no defect.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from twinloop.errors import InputError
from twinloop.vision.index import ImageSet
from twinloop.vision.models.detector import Detector, PlaceDecoder, bias, hottest
from twinloop.vision.models.encoders import FINEST_STRIDE
from twinloop.vision.models.ensemble import View, seen
from twinloop.vision.training.module import learning_rate_factor, scaled

# Small: the memory of more is asked of the system anew for every layer, which takes longer than the convolutions.
BATCH = 4
GOOD_PLACES, DEFECTIVE_PLACES = 100, 200
# Share of a place that must be defect for it to be shown as such.
COVERED = 0.25
# Without masks: how often the suspected places are drawn anew, and which share of an image they are.
ROUNDS, SUSPECTED = 3, 0.03
STEPS, PLACES_PER_STEP = 300, 4096
HEAD_STEPS = 300
LEARNING_RATE, WEIGHT_DECAY, WARMUP = 0.003, 0.01, 0.1
HEAD_LEARNING_RATE, HEAD_WEIGHT_DECAY = 0.01, 0.1
LEAST_DEVIATION = 1e-6


@dataclass(frozen=True, eq=False)
class Features:
    """An encoder's maps of a set of images, in half precision, one file per map in `folder`; `rows`: which of them.

    shown: the view in which each of these was shown.
    """

    folder: Path
    rows: NDArray[np.int64]
    shown: Sequence[View]

    @classmethod
    def of(cls, detector: Detector, images: ImageSet, folder: Path, *, views: Sequence[View], seed: int) -> "Features":
        """Compute and keep the maps of `images`, each in one of the `views`."""
        folder.mkdir(parents=True, exist_ok=True)
        count = len(images)
        shown = [views[number] for number in np.random.default_rng(seed).integers(len(views), size=count)]
        files: list[NDArray[np.float16]] = []
        with torch.inference_mode():
            for start in range(0, count, BATCH):
                pixels = np.ascontiguousarray(images.images[start : start + BATCH].transpose(0, 3, 1, 2))
                inputs = zip(detector.normalised(scaled(torch.from_numpy(pixels))), shown[start:], strict=False)
                maps = detector.encoder(torch.stack([seen(image, view) for image, view in inputs]))
                if not files:
                    files = [
                        np.lib.format.open_memmap(folder / f"{place}.npy", "w+", np.float16, (count, *level.shape[1:]))
                        for place, level in enumerate(maps)
                    ]
                for file, level in zip(files, maps, strict=True):
                    file[start : start + BATCH] = level.half().numpy()
        return cls(folder, np.arange(count), shown)

    def subset(self, chosen: NDArray[np.bool_]) -> "Features":
        """Those where `chosen` is true."""
        return Features(self.folder, self.rows[chosen], list(itertools.compress(self.shown, chosen)))

    def batches(self) -> Iterator[list[Tensor]]:
        """The maps [n, C_i, h_i, w_i] of the images in order, batch by batch."""
        files = [np.load(path, mmap_mode="r") for path in sorted(self.folder.glob("*.npy"))]
        for start in range(0, len(self.rows), BATCH):
            rows = self.rows[start : start + BATCH]
            yield [torch.from_numpy(file[rows]).float() for file in files]


class Places(NamedTuple):
    """features [P, D], whether each place is defective [P], and how much it weighs [P]."""

    features: Tensor
    defective: Tensor
    weight: Tensor


def fit_frozen(detector: Detector, images: ImageSet, features: Features, *, seed: int) -> None:
    """Teach `detector` from the `features` of `images`; labels below 0 stand for a defect of unknown class.

    Where no defect's pixels are known, every place of a defective image is taken for the defect at first, and then, a
    few times over, those that were found hottest: what good images show as well cools down (multiple instances, as
    Dietterich et al., 1997). What remains is the class-activation map of the image's label.
    """
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        _fit_places(detector, draw_places(images, features, random=random), random=random)
        if not _shown(images).any():
            for _ in range(ROUNDS):
                places = draw_places(images, features, random=random, judge=detector)
                _fit_places(detector, places, random=random)
        _fit_head(detector, images, features)
    detector.eval()


def draw_places(
    images: ImageSet, features: Features, *, random: torch.Generator, judge: Detector | None = None
) -> Places:
    """The places that teach; every image with a defect weighs the same, all defects as much as all the rest.

    Where no defect's pixels are known, those of a defective image are drawn from all of it, or from what `judge` finds
    hottest. Raises InputError where no image is good.
    """
    shown = _shown(images)
    kept, defective, weight = [], [], []
    start = 0
    for maps in features.batches():
        vectors = _enlarged(maps).flatten(2).transpose(1, 2)
        heats = _heat(judge, maps) if judge is not None else None
        for place, row in enumerate(vectors, start):
            clean = bad = torch.empty(0, dtype=torch.long)
            if images.masked[place]:
                covered = _covered(seen(torch.from_numpy(images.masks[place]), features.shown[place]))
                bad = torch.nonzero(covered > min(COVERED, float(covered.max()) / 2))[:, 0]
                clean = torch.nonzero(covered == 0)[:, 0]
            elif not shown.any():
                suspects = max(1, round(SUSPECTED * len(row)))
                bad = torch.arange(len(row)) if heats is None else heats[place - start].topk(suspects).indices
            bad, clean = _some(bad, DEFECTIVE_PLACES, random), _some(clean, GOOD_PLACES, random)
            kept.append(row[torch.cat([bad, clean])].half())
            defective += [torch.ones(len(bad)), torch.zeros(len(clean))]
            weight += [torch.full((len(bad),), 1 / max(len(bad), 1)), torch.ones(len(clean))]
        start += len(vectors)
    truth, weights = torch.cat(defective), torch.cat(weight)
    if not 0 < int(truth.sum()) < len(truth):
        raise InputError("train split: expected places that are good and places that are not, found one sort only")
    weights[truth > 0] *= float((truth == 0).sum()) / float(weights[truth > 0].sum())
    return Places(torch.cat(kept), truth, weights)


def _shown(images: ImageSet) -> NDArray[np.bool_]:
    """Which images [N] have a defect whose pixels are known."""
    shown: NDArray[np.bool_] = images.masked & images.masks.any(axis=(1, 2))
    return shown


def _heat(judge: Detector, maps: Sequence[Tensor]) -> Tensor:
    with torch.inference_mode():
        return judge.pool(maps)[1].flatten(1).clone()


def _fit_places(detector: Detector, places: Places, *, random: torch.Generator) -> None:
    mean, std = _moments(places.features.float())
    hidden = nn.Linear(places.features.shape[1], detector.settings.decoder_width)
    output = nn.Linear(detector.settings.decoder_width, 1)
    network = nn.Sequential(hidden, nn.ReLU(), nn.Dropout(detector.settings.dropout), output)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    order = torch.empty(0, dtype=torch.long)
    for step in range(STEPS):
        if len(order) < min(PLACES_PER_STEP, len(places.weight)):
            order = torch.randperm(len(places.weight), generator=random)
        chosen, order = order[:PLACES_PER_STEP], order[PLACES_PER_STEP:]
        _set_rate(optimizer, LEARNING_RATE * learning_rate_factor(step, steps=STEPS, warmup=WARMUP))
        logits = network((places.features[chosen].float() - mean) / std)[:, 0]
        losses = functional.binary_cross_entropy_with_logits(logits, places.defective[chosen], reduction="none")
        loss = (losses * places.weight[chosen]).sum() / places.weight[chosen].sum()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    assert isinstance(detector.decoder, PlaceDecoder)
    with torch.no_grad():
        scaled_weight = hidden.weight / std
        parts = torch.split(scaled_weight, list(detector.encoder.channels), dim=1)
        laterals = cast(Sequence[nn.Conv2d], detector.decoder.laterals)
        for lateral, part in zip(laterals, parts, strict=True):
            lateral.weight.copy_(part[:, :, None, None])
        bias(laterals[0]).copy_(hidden.bias - scaled_weight @ mean)
        detector.heat.weight.copy_(output.weight[:, :, None, None])
        bias(detector.heat).copy_(output.bias)


def _fit_head(detector: Detector, images: ImageSet, features: Features) -> None:
    """Teach the head whether there is a defect, by the whole image alone, and which, by the places as well.

    The decoder's features know the training images by heart, so that the first question must not see them. Its logits
    are brought to the spread of the hottest places': of two judges with one vote each, none shouts the other down.
    """
    with torch.inference_mode():
        judged = [detector.pool(maps) for maps in features.batches()]
    pooled = torch.cat([seen for seen, _ in judged]).clone()
    hot = torch.cat([hottest(heat) for _, heat in judged]).clone()
    labels = torch.from_numpy(images.labels)
    width, dropout = detector.settings.decoder_width, detector.settings.dropout
    head = detector.head[-1]
    assert isinstance(head, nn.Linear)
    any_defect = _linear(pooled[:, width:], (labels != 0).long(), classes=2, dropout=dropout)
    spread = hot.std() / any_defect(pooled[:, width:]).std().clamp_min(LEAST_DEVIATION)
    with torch.no_grad():
        head.weight[0].zero_()
        head.weight[0, width:] = any_defect.weight[0] * spread
        head.bias[0] = any_defect.bias[0] * spread
    known = labels > 0
    if head.out_features > 1 and known.any():
        named = _linear(pooled[known], labels[known] - 1, classes=head.out_features - 1, dropout=dropout)
        with torch.no_grad():
            # Of two classes, one logit: it speaks for the second.
            head.weight[1:] = 0
            head.weight[-len(named.weight) :] = named.weight
            head.bias[-len(named.weight) :] = named.bias


def _linear(inputs: Tensor, labels: Tensor, *, classes: int, dropout: float) -> nn.Linear:
    """Tells `labels` [N] of `classes` from inputs [N, D], of two by a single logit; all classes weigh the same."""
    binary = classes == 2
    mean, std = _moments(inputs)
    network = nn.Linear(inputs.shape[1], 1 if binary else classes)
    weight = (1 / torch.bincount(labels).clamp_min(1))[labels]
    optimizer = torch.optim.AdamW(network.parameters(), lr=HEAD_LEARNING_RATE, weight_decay=HEAD_WEIGHT_DECAY)
    for step in range(HEAD_STEPS):
        _set_rate(optimizer, HEAD_LEARNING_RATE * learning_rate_factor(step, steps=HEAD_STEPS, warmup=WARMUP))
        logits = network(functional.dropout((inputs - mean) / std, dropout))
        losses = (
            functional.binary_cross_entropy_with_logits(logits[:, 0], labels.float(), reduction="none")
            if binary
            else functional.cross_entropy(logits, labels, reduction="none")
        )
        optimizer.zero_grad()
        torch.autograd.backward((losses * weight).sum() / weight.sum())
        optimizer.step()
    with torch.no_grad():
        network.weight.copy_(network.weight / std)
        network.bias.copy_(network.bias - network.weight @ mean)
    return network


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def _enlarged(maps: Sequence[Tensor]) -> Tensor:
    """The maps as one [n, D, h, w], the coarser ones enlarged as `PlaceDecoder` does."""
    side = maps[0].shape[-2:]
    coarser = [functional.interpolate(level, size=side, mode="bilinear", align_corners=False) for level in maps[1:]]
    return torch.cat([maps[0], *coarser], dim=1)


def _covered(mask: Tensor) -> Tensor:
    """The share of each place's pixels that are defect, of a mask [H, W]."""
    return functional.avg_pool2d(mask[None, None].float(), FINEST_STRIDE).flatten()


def _some(places: Tensor, count: int, random: torch.Generator) -> Tensor:
    return places[torch.randperm(len(places), generator=random)[:count]]


def _moments(values: Tensor) -> tuple[Tensor, Tensor]:
    return values.mean(dim=0), values.std(dim=0).clamp_min(LEAST_DEVIATION)
