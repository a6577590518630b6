"""A bright-spot detector judged on small images whose truth is known, for tests of what follows from it."""

import numpy as np

from tests.vision.synthetic_graph import CLASSES
from twinloop.vision.evaluation.judgement import Judgement, judge
from twinloop.vision.evaluation.settings import EvaluateSettings
from twinloop.vision.index import ImageSet
from twinloop.vision.inference.predict import DeployedDetector

SIZE = 32


def images(good: int, spot: int, smear: int, *, seed: int, exposures: int = 2) -> ImageSet:
    """Dark parts, some with a spot or a smear whose brightness belongs to the part; exposures differ a little."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.repeat([0, 1, 2], [good, spot, smear]), exposures)
    parts = np.repeat(np.arange(good + spot + smear), exposures)
    brightness = random.normal([90, 150, 110], 25, (len(parts), 3))[parts, labels] + random.normal(0, 10, len(labels))
    pixels = np.zeros((len(labels), SIZE, SIZE, 1), np.uint8)
    masks = np.zeros((len(labels), SIZE, SIZE), np.uint8)
    for place, (label, value) in enumerate(zip(labels, brightness, strict=True)):
        row, column = 4 * random.integers(0, 6, 2)
        pixels[place, row : row + 8, column : column + 8] = np.clip(value, 0, 255)
        masks[place, row : row + 8, column : column + 8] = label > 0
    return ImageSet(
        images=pixels,
        masks=masks,
        masked=labels < 2,  # smears have no pixel truth
        labels=labels.astype(np.int64),
        classes=CLASSES,
        groups=tuple(f"part {part}" for part in parts),
        names=tuple(f"{place}.png" for place in range(len(labels))),
    )


def judged(detector: DeployedDetector, **changes: object) -> Judgement:
    """A detector judged on 200 validation and 260 test images of 100 and 130 parts."""
    return judge(
        detector,
        images(60, 20, 20, seed=1),
        images(80, 30, 20, seed=2),
        settings=EvaluateSettings(**{"draws": 50, **changes}),  # type: ignore[arg-type]
        seed=7,
    )
