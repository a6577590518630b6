"""What a study asks of a detector: a short training on a seeded share of the parts, judged by validation AP."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from twinloop.learning.fit import fit
from twinloop.learning.rounds import Report
from twinloop.learning.settings import StudySettings
from twinloop.vision.index import ImageSet
from twinloop.vision.models.settings import ModelSettings, tuned
from twinloop.vision.training.module import MONITOR, DetectorTraining
from twinloop.vision.training.settings import TrainSettings

# What trials import, for the process that they fork from.
PRELOAD = ("twinloop.vision.training.objective",)


@dataclass(frozen=True, eq=False)
class DetectorObjective:
    """Called with searched values, trains that detector and returns the best epoch's AP on the validation images."""

    model: ModelSettings
    train: TrainSettings
    study: StudySettings
    images: ImageSet
    validation: ImageSet
    seed: int

    def __call__(self, values: Mapping[str, Any], report: Report) -> float:
        model, train = tuned(self.model, self.train, values=values)
        train = dataclasses.replace(train, epochs=self.study.epochs, patience=self.study.epochs)
        module = DetectorTraining(model, train, train=self.images, validation=self.validation, seed=self.seed)
        fitted = fit(
            module,
            train,
            monitor=MONITOR,
            seed=self.seed,
            on_epoch=lambda epoch, figures: report(epoch, figures["val_ap"]),
        )
        return max(figures["val_ap"] for figures in fitted.history)


def part_share(images: ImageSet, share: float, *, seed: int) -> ImageSet:
    """A seeded `share` (0…1] of the groups of `images`, whole groups, in their own order."""
    groups = sorted(set(images.groups))
    count = max(1, round(share * len(groups)))
    kept = {groups[place] for place in np.random.default_rng(seed).permutation(len(groups))[:count]}
    chosen = np.array([group in kept for group in images.groups])
    return ImageSet(
        images=images.images[chosen],
        masks=images.masks[chosen],
        masked=images.masked[chosen],
        labels=images.labels[chosen],
        classes=images.classes,
        groups=tuple(group for group, taken in zip(images.groups, chosen, strict=True) if taken),
        names=tuple(name for name, taken in zip(images.names, chosen, strict=True) if taken),
    )
