"""Rendered defects that stand in for real ones in a split that has none, so that a detector can be judged at all.

Good images alone, or a single defect, leave validation or test without defects: no share of the parts helps. Every
second good image then gets a rendered defect pasted on. What is measured so is the detector on rendered defects, and is
called that wherever it is shown; thresholds are not chosen by it, but by how many good images they reject.
"""

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.vision.evaluation.settings import EvaluateSettings
from twinloop.vision.index import GOOD, ImageSet
from twinloop.vision.training.pasting import Paster, with_pasted

SOME_DEFECT = "defect"
LEAST_GOOD = 4


def has_defects(images: ImageSet) -> bool:
    """Whether a split shows a real defect."""
    return bool((images.labels > 0).any())


def with_stand_ins(images: ImageSet, *, seed: int) -> ImageSet:
    """The split as it is where it has defects, else with rendered ones on every second image.

    Raises InputError for fewer than four images.
    """
    if has_defects(images):
        return images
    if len(images) < LEAST_GOOD:
        raise InputError(
            f"evaluate: a split without defects is judged by rendered ones, and needs {LEAST_GOOD} good images for "
            f"that, found {len(images)}: add good images"
        )
    classes = images.classes if len(images.classes) > 1 else (GOOD, SOME_DEFECT)
    paster = Paster(images, share=1.0, source="synthetic")
    return with_pasted(images, paster, seed=seed, classes=classes, places=_shown_on(images, seed))


def _shown_on(images: ImageSet, seed: int) -> NDArray[np.int64] | None:
    """A tile of every second picture, where pictures are cut: a picture is defective if one of its tiles is."""
    if not images.pictures:
        return None
    tiles = np.random.default_rng(seed).permutation(len(images))
    _, drawn = np.unique(np.array(images.pictures)[tiles], return_index=True)
    return np.sort(tiles[drawn[::2]])


def threshold_of_good(probabilities: NDArray[np.float64], settings: EvaluateSettings) -> float:
    """The least threshold that at most the share `false_alarm_rate` of good images [N] reach; above all of few."""
    ordered = np.sort(probabilities)
    reach = int(np.floor(settings.false_alarm_rate * len(ordered)))
    return float(min(np.nextafter(ordered[len(ordered) - 1 - reach], 2.0), 1.0))
