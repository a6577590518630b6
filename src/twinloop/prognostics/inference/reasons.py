"""Why a hazard model says what it says: what each feature adds to the log odds that the whole ensemble gives.

Each member's own contributions are exact Shapley values (`models.additive`), of a forest in probability. Calibration,
averaging in log odds and the second calibration carry them on in proportion to how far each changes what it is given
(rescale rule; Chen, Lundberg and Lee 2022), so that they add up to what the ensemble says less what it says of the
average. A network sees many windows at once: what it says is one contribution.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.prognostics.models.calibration import Calibration, cut, logit, sigmoid
from twinloop.prognostics.models.hazard import AGE, DAY, NETWORK, HazardModel, tree_inputs
from twinloop.prognostics.models.members import FOREST
from twinloop.prognostics.models.table import FeatureTable, component_age

Floats = NDArray[np.float64]
# Differences below this are too small to be divided by.
SMALL = 1e-6


class Reasons(NamedTuple):
    """values [N, K] by name add up to the log odds of the first day's hazard, less `mean`, those of the average."""

    names: tuple[str, ...]
    values: Floats
    mean: float


def reasons(
    model: HazardModel,
    table: FeatureTable,
    *,
    component: str,
    lives: pl.DataFrame,
    rows: NDArray[np.int64],
    members: Mapping[str, Floats],
) -> Reasons:
    """Of rows [N] of the table, of which the members say these hazards [N, D].

    A component that age alone tells of has no reasons.
    """
    own = model.components[component]
    if not own.members:
        return Reasons((), np.zeros((len(rows), 0)), 0.0)
    values = tree_inputs(table, model.columns, rows, component_age(table, lives, component)[rows])
    names = (*model.columns, AGE, DAY, NETWORK)
    total, means = np.zeros((len(rows), len(names))), []
    for name in members:
        calibrated = _calibrated(own.calibration[name], probability=name == FOREST)
        if name == NETWORK:
            usual = float(calibrated(np.array([own.network_mean]))[0])
            total[:, -1] = logit(members[name][:, 0]) - usual
        else:
            part = own.explained[name](values)
            usual = float(calibrated(np.array([part.mean]))[0])
            total[:, :-1] += carried(part.values, part.mean, calibrated)
        means.append(usual)
    mean = float(np.mean(means))
    pooled = _calibrated(own.pooled, probability=False)
    return Reasons(names, carried(total / len(means), mean, pooled), float(pooled(np.array([mean]))[0]))


def carried(values: Floats, mean: float, function: Callable[[Floats], Floats]) -> Floats:
    """[N, K] contributions to x, whose mean is given, as contributions to function(x), less function(mean)."""
    change = values.sum(axis=1)
    # Where nothing changes the slope there says how far each counts.
    change = np.where(np.abs(change) < SMALL, SMALL, change)
    slope = (function(mean + change) - function(np.full(1, mean))) / change
    scaled: Floats = values * slope[:, None]
    return scaled


def _calibrated(calibration: Calibration, *, probability: bool) -> Callable[[Floats], Floats]:
    """From what a member says in its own unit to its calibrated log odds; what is added up may be a little below 0."""

    def calibrated(said: Floats) -> Floats:
        return logit(sigmoid(calibration(logit(np.clip(said, 0.0, 1.0)) if probability else cut(said))))

    return calibrated
