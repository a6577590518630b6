"""A predictor's scores judged against the failures that came: what an AlertCurve holds.

Lives are the independent units: the bootstrap draws whole lives, those that failed and those that were cut apart, so
that neighbouring samples of one life do not pretend to be evidence of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError, nearest
from twinloop.numbers import MINUTES_PER_HOUR

LEVELS = np.linspace(0.0, 1.0, 11)
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Watched:
    """One life as a predictor saw it: score [n] at age [n], ascending; it ended at age `end_min`, failed or was cut.

    Ages are minutes by the curve's clock. A higher score means that failure is nearer. whole: it was watched from its
    beginning, so that its age is known.
    """

    age_min: Floats
    score: Floats
    end_min: float
    failed: bool
    whole: bool = True


class AlertRates(NamedTuple):
    """By threshold [T] and draw, the estimate first: recall, quantiles of the lead time at LEVELS, false alarms.

    recall, false_alarms: [1 + draws, T]. lead_hours: [1 + draws, T, Q]. failures, asset_months: what was watched.
    """

    recall: Floats
    lead_hours: Floats
    false_alarms: Floats
    failures: int
    asset_months: float


def alert_rates(
    watched: Sequence[Watched],
    thresholds: Floats,
    *,
    window_hours: float,
    draws: int,
    seed: int,
    hours_per_month: float,
) -> AlertRates:
    """Rates at the thresholds [T]; a failure is recalled when the score is at or above one in the window before it.

    A rise over the threshold at any other time is a false alarm. The last window of a life that was cut counts for
    neither; and a failure of which no score lies in its window, as the record ended sooner, is neither recalled nor
    missed. Raises InputError without a single failure that was watched.
    """
    window = window_hours * MINUTES_PER_HOUR
    failed = np.array([life.failed and _shown(life, window) for life in watched], dtype=bool)
    if not failed.any():
        few = sum(life.failed for life in watched)
        raise InputError(
            f"alert curve: none of {len(watched)} lives ended in a failure: watch the assets for longer"
            if not few
            else f"alert curve: {few} of {len(watched)} lives ended in a failure, but no score came in the "
            f"{window_hours:g} h before one: watch the assets until they fail"
        )
    judged = [_judged(life, thresholds, window) for life in watched]
    lead = np.array([lead for lead, _ in judged])  # [L, T], NaN where missed
    false = np.array([false for _, false in judged])
    months = np.array([max(life.end_min - window, 0.0) for life in watched]) / MINUTES_PER_HOUR / hours_per_month
    weights = np.vstack([np.ones(len(watched), dtype=np.int64), resampled(failed, draws, np.random.default_rng(seed))])
    hits = np.isfinite(lead)
    quiet = (weights @ months)[:, None]
    return AlertRates(
        recall=(weights @ hits) / (weights @ failed)[:, None],
        lead_hours=np.array([[_quantiles(column, weight) for column in lead.T] for weight in weights]),
        false_alarms=np.divide(weights @ false, quiet, out=np.zeros((draws + 1, len(thresholds))), where=quiet > 0),
        failures=int(failed.sum()),
        asset_months=float(months.sum()),
    )


def lives(
    scores: Sequence[float] | Floats,
    hours: Sequence[float] | Floats,
    assets: Sequence[Any] | NDArray[Any],
    failed_at: Mapping[Any, float],
) -> list[Watched]:
    """Rows of a table [N] as lives, one per asset: `failed_at` says in which hour an asset failed.

    An asset that is not in it was cut at its last score. Raises InputError for rows that cannot be used.
    """
    values, at = np.asarray(scores, dtype=np.float64), np.asarray(hours, dtype=np.float64)
    names, place = np.unique(np.asarray(assets), return_inverse=True)
    if not values.shape == at.shape == place.shape or values.ndim != 1 or not len(values):
        raise InputError(
            f"alert curve: expected scores, hours and assets of one length, got {values.size}, {at.size}, {place.size}"
        )
    if not (np.isfinite(values).all() and np.isfinite(at).all()):
        row = int(np.flatnonzero(~(np.isfinite(values) & np.isfinite(at)))[0])
        raise InputError(f"alert curve: row {row}: expected finite numbers, got score {values[row]}, hour {at[row]}")
    if strange := sorted(str(name) for name in set(failed_at) - set(names.tolist())):
        raise InputError(f"alert curve: {strange[0]} failed but has no score: {nearest(strange[0], map(str, names))}")
    order = np.lexsort((at, place))
    ends = np.cumsum(np.bincount(place))
    result = []
    for name, rows in zip(names.tolist(), np.split(order, ends[:-1]), strict=True):
        begin, last = at[rows[0]], at[rows[-1]]
        end = failed_at.get(name, last)
        if end < last:
            raise InputError(
                f"alert curve: {name} has a score in hour {last:g}, after its failure in hour {end:g}: leave it out"
            )
        age_min = (at[rows] - begin) * MINUTES_PER_HOUR
        result.append(Watched(age_min, values[rows], float(end - begin) * MINUTES_PER_HOUR, name in failed_at))
    return result


def _shown(life: Watched, window: float) -> bool:
    """Whether a life was watched in the window before its end: not where it was silent longer than ever before.

    A life too short for a single score is one that the predictor missed.
    """
    steps = np.diff(life.age_min)
    if not len(steps):
        return True
    silence = life.end_min - life.age_min[-1]
    return bool(silence <= max(window, steps.max() * (1 + 1e-9)))


def _judged(life: Watched, thresholds: Floats, window: float) -> tuple[Floats, Floats]:
    """[T] lead times in minutes (NaN where missed or not failed) and [T] numbers of false alarms."""
    alert = life.score[:, None] >= thresholds
    late = life.age_min >= life.end_min - window
    rises = alert & ~np.vstack([np.zeros_like(alert[:1]), alert[:-1]])
    false = rises[~late].sum(axis=0).astype(np.float64)
    hits = alert[late]
    lead = np.full(len(thresholds), np.nan)
    if life.failed and len(hits):
        alerted = hits.any(axis=0)
        lead[alerted] = np.maximum(life.end_min - life.age_min[late][hits.argmax(axis=0)], 0.0)[alerted]
    return lead, false


def resampled(failed: NDArray[np.bool_], draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """[draws, L] how often each life is drawn by a bootstrap, failed [L] and cut ones apart."""
    weights = np.zeros((draws, len(failed)), dtype=np.int64)
    for group in (failed, ~failed):
        if group.any():
            count = int(group.sum())
            weights[:, group] = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    return weights


def _quantiles(lead: Floats, weight: NDArray[np.int64]) -> Floats:
    """Quantiles in hours at LEVELS of the lead times that were, each counted `weight` times; 0 without any."""
    kept = np.isfinite(lead) & (weight > 0)
    if not kept.any():
        return np.zeros(len(LEVELS))
    return np.quantile(np.repeat(lead[kept], weight[kept]), LEVELS) / MINUTES_PER_HOUR
