"""One trial of a study of detectors: a short training on a seeded share of the parts, judged by validation AP.

Where latency counts too, the trained detector is exported and one image is timed in ONNX Runtime. The least of many
calls counts: trials run side by side, and whatever made the others slower was not the detector.
"""

import dataclasses
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twinloop.errors import InputError
from twinloop.learning.export import to_onnx
from twinloop.learning.inference import open_graph
from twinloop.learning.latency import measure
from twinloop.learning.rounds import Report
from twinloop.vision.graph import INPUT, JUDGED, image_input
from twinloop.vision.index import ImageSet
from twinloop.vision.models.base import SurfaceDetector
from twinloop.vision.models.settings import ModelSettings
from twinloop.vision.training.fitting import train_detector
from twinloop.vision.training.loading import subset
from twinloop.vision.training.settings import AugmentationSettings, DetectorStudySettings, TrainSettings
from twinloop.vision.training.tuning import tuned

# What trials import, for the process that they fork from.
PRELOAD = ("twinloop.vision.training.trial",)
WARMUP = 10


@dataclass(frozen=True, eq=False)
class DetectorTrial:
    """Called with searched values, trains that detector and returns the best epoch's AP on the validation images.

    With latency among the study's objectives it returns (AP, milliseconds of one image through the FP32 graph).
    A single member stands for an ensemble, whose members run one after another. Raises InputError where the validation
    has no defects to rank by.
    """

    model: ModelSettings
    train: TrainSettings
    augmentation: AugmentationSettings
    study: DetectorStudySettings
    images: ImageSet
    validation: ImageSet
    seed: int

    def __call__(self, values: Mapping[str, Any], report: Report) -> float | tuple[float, float]:
        def reported(epoch: int, figures: Mapping[str, float]) -> None:
            if "val_ap" in figures:
                report(epoch, figures["val_ap"])

        model, train = tuned(self.model, self.train, values=values)
        trained = train_detector(
            dataclasses.replace(model, members=1),
            dataclasses.replace(train, epochs=self.study.epochs, patience=self.study.epochs),
            self.augmentation,
            images=self.images,
            validation=self.validation,
            seed=self.seed,
            on_epoch=reported,
        )
        precisions = [figures["val_ap"] for figures in trained.history if "val_ap" in figures]
        if not precisions:
            raise InputError(
                "validation split: without defective images nothing ranks the trials; set StudySettings.trials=0"
            )
        if "latency" not in self.study.objectives:
            return max(precisions)
        return max(precisions), model.members * latency_ms(trained.detector, runs=self.study.latency_runs)


def latency_ms(detector: SurfaceDetector, *, runs: int) -> float:
    """Milliseconds that ONNX Runtime takes for one image on one thread: of the least disturbed of `runs` calls."""
    given = image_input(size=detector.size, channels=detector.channels)
    image = {INPUT: np.zeros(given.shape(batch=1), np.float32)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "detector.onnx"
        to_onnx(detector, (given,), path=path, outputs=JUDGED, metadata={})
        graph = open_graph(path)
        return measure(lambda: graph(image), runs=runs, warmup=WARMUP, threads=1).least_ms


def part_share(images: ImageSet, share: float, *, seed: int) -> ImageSet:
    """A seeded `share` (0…1] of the groups of `images`, whole groups, in their own order."""
    groups = sorted(set(images.groups))
    count = max(1, round(share * len(groups)))
    kept = {groups[place] for place in np.random.default_rng(seed).permutation(len(groups))[:count]}
    chosen = np.array([group in kept for group in images.groups])
    return subset(images, chosen)
