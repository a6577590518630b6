"""k-fold cross-validation by part: how well a recipe does on parts it never saw, with an honest interval.

Folds share training images, so their figures are correlated and a plain t interval is too narrow. The variance is
corrected by the ratio of test to training images (Nadeau and Bengio, 2003): 1/k + n_test/n_train in place of 1/k.
"""

import math
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import stdtrit
from torch import Tensor

from twinloop.errors import InputError
from twinloop.files import fingerprint
from twinloop.learning.fit import STATE_FORMAT, discard
from twinloop.numbers import Interval
from twinloop.vision.datasets.splits import kfold
from twinloop.vision.index import ImageSet
from twinloop.vision.models.base import anomaly_score
from twinloop.vision.models.settings import ModelSettings
from twinloop.vision.ranking import auroc, average_precision
from twinloop.vision.training.fitting import frozen_features, train_detector
from twinloop.vision.training.frozen import Features
from twinloop.vision.training.loading import subset
from twinloop.vision.training.metrics import image_metrics, pixel_metrics
from twinloop.vision.training.module import class_list, detect
from twinloop.vision.training.pictures import by_picture
from twinloop.vision.training.settings import AugmentationSettings, TrainSettings

CONFIDENCE = 0.95
FIGURES = ("auroc", "ap", "iou")
# Of a part's mean score over its exposures, and of single images that share their part's weight.
PART_FIGURES = ("part_auroc", "part_ap", "weighted_auroc", "weighted_ap")

Recipe = tuple[ModelSettings, TrainSettings, AugmentationSettings]


@dataclass(frozen=True)
class Fold:
    """One fold, from 0: its figures on the parts held out, which may lack what these parts cannot give."""

    number: int
    figures: dict[str, float]
    best_epoch: int
    train_images: int
    test_images: int
    test_parts: int


@dataclass(frozen=True)
class CrossValidation:
    """All folds, and the mean of every figure that at least one of them has with its 95 % interval."""

    folds: tuple[Fold, ...]
    means: dict[str, Interval]

    def counted(self, name: str) -> int:
        """How many folds have the figure `name`."""
        return sum(name in fold.figures for fold in self.folds)


def cross_validate(
    model: ModelSettings,
    train: TrainSettings,
    augmentation: AugmentationSettings,
    *,
    images: ImageSet,
    folds: int,
    val_share: float,
    seed: int,
    average_exposures: bool = False,
    workers: int = 1,
    state: Path | None = None,
    on_fold: Callable[[Fold], None] | None = None,
) -> CrossValidation:
    """Train and test `folds` detectors, each tested on parts that neither it nor the choice of its epoch saw.

    val_share: of the parts, to choose the epoch by. average_exposures: also figures of a part's mean score over all
    its images. state: folder in which a run that was killed goes on. on_fold: told each fold, in order.
    `workers` changes no figure. Raises InputError for fewer parts than folds or a fold that cannot be trained on.
    """
    names = [images.classes[label] for label in images.labels]
    splits = kfold(names, images.groups, folds=folds, val_share=val_share, seed=seed)
    tested = _tested(
        (model, train, augmentation),
        images=images,
        splits=splits,
        seed=seed,
        average_exposures=average_exposures,
        workers=workers,
        state=state,
    )
    finished: list[Fold] = []
    for fold, _ in tested:
        finished.append(fold)
        if on_fold is not None:
            on_fold(fold)
    return CrossValidation(tuple(finished), means(finished))


def out_of_fold(
    model: ModelSettings,
    train: TrainSettings,
    augmentation: AugmentationSettings,
    *,
    images: ImageSet,
    splits: Sequence[Sequence[str]],
    seed: int,
    workers: int = 1,
    state: Path | None = None,
) -> NDArray[np.float32]:
    """Class logits [N, K] of every image, each by a detector that learnt from other parts: one per fold of `splits`.

    state, workers: as for `cross_validate`. Raises InputError where a fold cannot be trained on.
    """
    recipe = model, train, augmentation
    tested = _tested(
        recipe, images=images, splits=splits, seed=seed, average_exposures=False, workers=workers, state=state
    )
    logits = np.full((len(images), len(class_list(images))), np.nan, np.float32)
    for fold, judged in tested:
        logits[np.array(splits[fold.number]) == "test"] = judged
    return logits


def _tested(
    recipe: Recipe,
    *,
    images: ImageSet,
    splits: Sequence[Sequence[str]],
    seed: int,
    average_exposures: bool,
    workers: int,
    state: Path | None,
) -> Iterator[tuple[Fold, NDArray[np.float32]]]:
    """Each fold in order, with the logits of the images that it tests."""
    model, train, augmentation = recipe
    folds = len(splits)
    described = [STATE_FORMAT, asdict(model), asdict(train), asdict(augmentation), splits, seed]
    kept = state / f"kfold-{fingerprint(described)[:16]}" if state is not None else None

    features: Features | None = None

    def one(number: int) -> tuple[Fold, NDArray[np.float32]]:
        return _fold(
            model,
            train,
            augmentation,
            images=images,
            splits=splits[number],
            number=number,
            seed=seed,
            average_exposures=average_exposures,
            state=kept / f"fold-{number}" if kept is not None else None,
            features=features,
        )

    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="twinloop-features-") as folder:
        if model.frozen and model.kind == "supervised":
            features = frozen_features(model, images, Path(folder), seed=seed, threads=train.threads)
        # A worker that has loaded torch has grown, which joblib takes for a leak: it starts another, and says so.
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")
        yield from joblib.Parallel(n_jobs=min(workers, folds), return_as="generator")(
            joblib.delayed(one)(number) for number in range(folds)
        )
    if kept is not None:
        discard(kept)


def _fold(
    model: ModelSettings,
    train: TrainSettings,
    augmentation: AugmentationSettings,
    *,
    images: ImageSet,
    splits: Sequence[str],
    number: int,
    seed: int,
    average_exposures: bool,
    state: Path | None,
    features: Features | None,
) -> tuple[Fold, NDArray[np.float32]]:
    placed = np.array(splits)
    learnt, validation, test = (subset(images, placed == name) for name in ("train", "val", "test"))
    try:
        trained = train_detector(
            model,
            train,
            augmentation,
            images=learnt,
            validation=validation,
            seed=seed,
            state=state,
            features=features.subset(placed == "train") if features is not None else None,
        )
    except InputError as error:
        raise InputError(f"fold {number + 1}: {error}; take fewer folds or more data") from error
    logits, probabilities = detect(trained.detector, test)
    judged, heat, pictures = by_picture(logits, probabilities, test)
    scores, labels = anomaly_score(judged), torch.from_numpy(pictures.labels)
    measured = image_metrics(scores, labels) | pixel_metrics(
        heat, torch.from_numpy(pictures.masks), torch.from_numpy(pictures.masked)
    )
    figures = {name: measured[name] for name in FIGURES if name in measured}
    if average_exposures:
        figures |= part_metrics(scores, labels, pictures.groups)
    fold = Fold(number, figures, trained.best_epoch, len(learnt), len(test), len(set(test.groups)))
    return fold, logits.numpy()


def part_metrics(scores: Tensor, labels: Tensor, groups: Sequence[str]) -> dict[str, float]:
    """part_auroc and part_ap of the mean score over a group's images; a part is defective if any of them is.

    weighted_auroc and weighted_ap are of single images, each with the weight 1 / images of its part: a part that was
    photographed fifteen times counts as one. Empty where all parts are alike.
    """
    values, defective = scores.double().numpy(force=True), labels.numpy(force=True) > 0
    _, of, counts = np.unique(np.array(groups), return_inverse=True, return_counts=True)
    whole = np.bincount(of, defective) > 0
    if whole.all() or not defective.any():
        return {}
    if not np.isfinite(values).all():
        return dict.fromkeys(PART_FIGURES, math.nan)
    means_of, weights = np.bincount(of, values) / counts, 1 / counts[of]
    return {
        "part_auroc": auroc(means_of, whole),
        "part_ap": average_precision(means_of, whole),
        "weighted_auroc": auroc(values, defective, weights),
        "weighted_ap": average_precision(values, defective, weights),
    }


def means(folds: Sequence[Fold]) -> dict[str, Interval]:
    """Mean and corrected interval of every figure over the folds that have it."""
    ratio = float(np.mean([fold.test_images / fold.train_images for fold in folds]))
    return {
        name: corrected_mean([fold.figures[name] for fold in folds if name in fold.figures], ratio=ratio)
        for name in (*FIGURES, *PART_FIGURES)
        if any(name in fold.figures for fold in folds)
    }


def corrected_mean(values: Sequence[float], *, ratio: float) -> Interval:
    """The mean of `values`, one per fold, with its 95 % interval, NaN for fewer than two; ratio: n_test / n_train."""
    count, mean = len(values), float(np.mean(values))
    if count < 2:
        return Interval(mean, math.nan, math.nan)
    quantile = float(stdtrit(count - 1, (1 + CONFIDENCE) / 2))
    half_width = quantile * math.sqrt((1 / count + ratio) * np.var(values, ddof=1))
    return Interval(mean, mean - half_width, mean + half_width)


def joined(sets: Iterable[ImageSet]) -> ImageSet:
    """Several splits of one dataset as one set of images, in the order given."""
    parts = list(sets)

    def together(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])

    tiled = any(part.pictures for part in parts)
    return replace(
        parts[0],
        images=together("images"),
        masks=together("masks"),
        masked=together("masked"),
        labels=together("labels"),
        groups=tuple(group for part in parts for group in part.groups),
        names=tuple(name for part in parts for name in part.names),
        # In a split without tiles every image is a picture of its own.
        pictures=tuple(picture for part in parts for picture in part.pictures or part.names) if tiled else (),
    )
