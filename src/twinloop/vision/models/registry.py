"""Detectors by kind: the one place that knows which class belongs to which."""

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
    if settings.kind in ONE_CLASS:
        torch.manual_seed(seed)
        return ONE_CLASS[settings.kind](settings, classes=classes, size=size, channels=channels)
    members = []
    for member in range(settings.members):
        torch.manual_seed(seed + member)
        members.append(Detector(settings.alone, classes=classes, size=size, channels=channels))
    return members[0] if settings == settings.alone else Ensemble(settings, members)
