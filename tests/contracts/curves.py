"""Operating curves of made-up scores."""

import numpy as np
from scipy.special import expit

from twinloop.contracts import OperatingCurve
from twinloop.contracts.curve_settings import CurveSettings

CLASSES = ("good", "crack", "pit")


def measured(
    *, good: int = 60, crack: int = 20, pit: int = 10, exposures: int = 1, seed: int = 0, **changes: object
) -> OperatingCurve:
    random = np.random.default_rng(seed)
    labels = np.repeat(np.repeat([0, 1, 2], [good, crack, pit]), exposures)
    scores = random.normal(np.array([-3.0, 2.0, 0.5])[labels], 1.5)
    return OperatingCurve.of_probabilities(
        expit(scores),
        labels,
        groups=[str(part) for part in np.repeat(np.arange(good + crack + pit), exposures)],
        classes=CLASSES,
        settings=CurveSettings(**changes),  # type: ignore[arg-type]
        repeatability=0.8,
        seed=seed,
        model="test",
    )


def perfect(good: int, crack: int, **changes: object) -> OperatingCurve:
    labels = np.repeat([0, 1], [good, crack])
    return OperatingCurve.of_probabilities(
        np.where(labels == 1, 0.9, 0.1),
        labels,
        groups=[str(place) for place in range(len(labels))],
        classes=("good", "crack"),
        settings=CurveSettings(**changes),  # type: ignore[arg-type]
        repeatability=0.8,
        seed=3,
        model="test",
    )
