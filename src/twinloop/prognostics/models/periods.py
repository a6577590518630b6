"""Lives in days: what the likelihood of a discrete-time hazard is made of, lives that were cut included.

From a row on, every day that its life survived is a day without failure, and the day in which it failed is one with; a
cut life tells of its whole days only (Kalbfleisch and Prentice, 2002; Tutz and Schmid, 2016).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.prognostics.models.table import Ahead

Floats = NDArray[np.float64]


class Periods(NamedTuple):
    """One entry per row and day: row [M] of the table, day [M] from 0, failed [M], weight [M]."""

    row: NDArray[np.int64]
    day: NDArray[np.int64]
    failed: NDArray[np.bool_]
    weight: Floats


class Course(NamedTuple):
    """[N, D] per row and day: survived, whole and without failure; failed, in that day."""

    survived: NDArray[np.bool_]
    failed: NDArray[np.bool_]


def course(label: Ahead, *, days: int, period_h: float) -> Course:
    """What became of every row in each of the days ahead; a row outside any life, or at its very end, has none.

    Day d goes from d · period, not included, to (d + 1) · period.
    """
    day = np.arange(days)
    hours = np.nan_to_num(label.hours, nan=-1.0)[:, None]
    failed = label.failed[:, None] & (hours > day * period_h) & (hours <= (day + 1) * period_h)
    survived = (hours >= (day + 1) * period_h) & ~failed
    return Course(survived, failed)


def drawn_periods(course: Course, *, survived_per_failure: int, seed: int) -> Periods:
    """Every failed day and a sample of the survived ones, weighted so that their sum is what it was."""
    rows, days = np.nonzero(course.failed)
    calm = np.flatnonzero(course.survived)
    wanted = min(len(calm), max(len(rows), 1) * survived_per_failure)
    chosen = np.sort(np.random.default_rng(seed).choice(calm, wanted, replace=False))
    calm_rows, calm_days = np.unravel_index(chosen, course.survived.shape)
    return Periods(
        np.concatenate([rows, calm_rows]),
        np.concatenate([days, calm_days]),
        np.arange(len(rows) + wanted) < len(rows),
        np.concatenate([np.ones(len(rows)), np.full(wanted, len(calm) / max(wanted, 1))]),
    )


def log_likelihood(hazard: Floats, course: Course) -> float:
    """Of hazards [N, D] in (0, 1): Σ ln h over failed days + Σ ln(1 − h) over survived ones."""
    return float(np.log(hazard[course.failed]).sum() + np.log1p(-hazard[course.survived]).sum())


def failure_by(hazard: Floats) -> Floats:
    """[N, D] probability of failure until the end of each day: 1 − Π(1 − h)."""
    share: Floats = -np.expm1(np.log1p(-np.minimum(hazard, 1 - 1e-12)).cumsum(axis=1))
    return share
