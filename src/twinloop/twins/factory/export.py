"""Export the trained detector as ONNX (FP32, FP16, INT8), checked against torch on real validation images.

What is exported, how it is compared and which graph is deployed: see `learning.deployment`. Here stand the images, what
a detector's graphs say of themselves, and what of a detector fewer bits may change. Measured time goes to latency.json.
"""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop import __version__
from twinloop.files import sha256, write_json
from twinloop.learning.deployment import Exportable, deploy
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.stage import Stage
from twinloop.vision.datasets.needs import Input
from twinloop.vision.evaluation.fidelity import ScoreGate
from twinloop.vision.evaluation.settings import DetectorExportSettings
from twinloop.vision.graph import INPUT, OUTPUTS, STEM, image_input
from twinloop.vision.index import ImageSet, load_images, read_index
from twinloop.vision.inference.backends import Learnt
from twinloop.vision.inference.predict import DeployedDetector, to_input
from twinloop.vision.models.saving import WEIGHTS_FILE, load_detector
from twinloop.vision.models.unlike import LEAST_IMAGES, WatchedDetector
from twinloop.vision.scores import score_limit

EXAMPLE = "python -m twinloop factory export"
# Training images at most that the unlike score is learnt from.
LEARNT_FROM = 4096


def run(stage: Stage[FactoryConfig]) -> str:
    """Write graphs, spec.json, latency.json and the stage's metrics; returns the summary line."""
    settings, folder = stage.config.factory.export, stage.root / paths.ONNX
    detector = load_detector(stage.root / paths.DETECTOR)
    shape = {"size": detector.size, "channels": detector.channels}
    training = load_images(stage.root / paths.DATASET, "train", **shape, cache=stage.cache)
    validation = load_images(stage.root / paths.DATASET, "val", **shape, cache=stage.cache)
    random = np.random.default_rng(np.random.SeedSequence(stage.config.seed))
    calibrating, _ = _some(training, settings.calibration_samples, random)
    pixels, labels = _some(validation, settings.parity_samples, random)
    watched = WatchedDetector(detector)
    watched.learn(_some(training, LEARNT_FROM, random)[0])
    learnt = _learnt(watched, validation, _shapes(stage.root / paths.DATASET), settings)
    model = Exportable(
        module=watched,
        inputs=(image_input(**shape),),
        outputs=OUTPUTS,
        stem=STEM,
        about={
            "classes": list(detector.classes),
            **shape,
            "names_defects": detector.names_defects,
            "tile_px": Input.load(stage.root / paths.DATASET).tile_px,
            "unlike": asdict(learnt),
            "weights_sha256": sha256(stage.root / paths.DETECTOR / WEIGHTS_FILE),
            "twinloop": __version__,
        },
        calibration={INPUT: to_input(calibrating)},
        samples={INPUT: to_input(pixels)},
    )

    def opened(graph_format: str) -> Callable[[], object]:
        used = DeployedDetector(folder, graph_format=graph_format, threads=settings.threads)
        return partial(used.predict, pixels[0])

    deployment = deploy(model, folder, settings, gate=ScoreGate(labels > 0, settings, learnt.limit), opened=opened)
    watched.save(folder)
    write_json(stage.root / paths.metrics("export"), deployment.metrics())
    write_json(stage.root / paths.LATENCY, dict(deployment.times))
    return deployment.line


def _learnt(
    watched: WatchedDetector, validation: ImageSet, shapes: tuple[float, float], settings: DetectorExportSettings
) -> Learnt:
    """The limit of the unlike score, from the good validation images; from all of them where hardly one is good."""
    good = validation.labels == 0
    held_out = validation.images[good] if good.sum() >= LEAST_IMAGES else validation.images
    rate = settings.unlike_false_alarms
    return Learnt(score_limit(watched.scores(held_out), false_alarms=rate), rate, len(held_out), shapes)


def _shapes(dataset: Path) -> tuple[float, float]:
    """Least and largest width : height of the training images' files."""
    files = read_index(dataset).filter(pl.col("split") == "train")
    ratios = files["width"] / files["height"]
    return float(ratios.min()), float(ratios.max())  # type: ignore[arg-type]


def _some(images: ImageSet, wanted: int, random: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    places = np.sort(random.permutation(len(images))[:wanted])
    return images.images[places], images.labels[places]
