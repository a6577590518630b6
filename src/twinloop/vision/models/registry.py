"""Detectors by kind: the one place that knows which class belongs to which."""

import dataclasses
from collections.abc import Sequence

import torch

from twinloop.vision.models.base import SurfaceDetector
from twinloop.vision.models.detector import Detector
from twinloop.vision.models.ensemble import Ensemble
from twinloop.vision.models.padim import Padim
from twinloop.vision.models.patchcore import PatchCore
from twinloop.vision.models.settings import ModelSettings

ONE_CLASS = {"patchcore": PatchCore, "padim": Padim}


def new_detector(
    settings: ModelSettings, *, classes: Sequence[str], size: int, channels: int, seed: int
) -> SurfaceDetector:
    """A detector of `settings.kind` with seeded weights; member m of an ensemble starts from seed + m.

    Raises InputError for classes, a size or encoder weights that do not fit.
    """
    if settings.members > 1:
        alone = dataclasses.replace(settings, members=1)
        seeds = range(seed, seed + settings.members)
        return Ensemble(
            settings, [_new_network(alone, classes=classes, size=size, channels=channels, seed=own) for own in seeds]
        )
    if settings.kind in ONE_CLASS:
        torch.manual_seed(seed)
        return ONE_CLASS[settings.kind](settings, classes=classes, size=size, channels=channels)
    return _new_network(settings, classes=classes, size=size, channels=channels, seed=seed)


def _new_network(settings: ModelSettings, *, classes: Sequence[str], size: int, channels: int, seed: int) -> Detector:
    torch.manual_seed(seed)
    return Detector(settings, classes=classes, size=size, channels=channels)
