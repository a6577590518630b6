"""How much driving is left when a predictor first alerts: an AlertCurve whose window is the whole life.

A policy of alerts renews a component at the first one. What it needs is the law of what was left then, however much
that was: an alert that comes early in a life is no false one but wastes more of it. Lives that were renewed after their
alert and before their failure tell that more was left than they had (Kaplan and Meier, 1958).

A short life leaves less warning than a long one, or none: were leads drawn alike in both, an alert at a fixed age
would pass for foresight. So the share of a life that was left is told with the life's length, by a Gaussian copula
(Genest and Favre 2007): of ranks only, exact for an alert at a fixed age and for one at a fixed share of every life.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import AlertCurve, ByLife
from twinloop.contracts.alert_curve import HOURS_PER_MONTH
from twinloop.contracts.alert_rates import Watched, resampled
from twinloop.contracts.clock import Clock
from twinloop.errors import InputError
from twinloop.numbers import MINUTES_PER_HOUR

Floats = NDArray[np.float64]
# Quantiles: close enough that an alert at a fixed age stays one when life and share are put together again.
LEVELS = np.linspace(0.0, 1.0, 21)
# Shares of the watched time that lie at or above the lowest and the highest threshold.
SHARES = (0.6, 0.005)
# Of the longest step between scores; a longer silence before the end is a record that ended sooner.
GAP_FACTOR = 10.0
# Failures of whole lives from which on lengths of lives are told; of more than MOST, evenly spaced ones are compared.
FEW, MOST = 10, 500
# Share of all lives that may outlast every failure seen: beyond, nothing is known of how long lives and leads are.
UNSEEN = 0.2


class Firsts(NamedTuple):
    """Of L lives and T thresholds: minutes from the first alert to the end [L, T], NaN without one; failed [L]."""

    left: Floats
    failed: NDArray[np.bool_]


def thresholds_of(watched: Sequence[Watched], *, count: int = 41) -> Floats:
    """Scores that the lives pass after ever more of their time, fewer where scores repeat."""
    scores = np.concatenate([life.score for life in watched])
    return np.unique(np.quantile(scores, 1 - np.geomspace(*SHARES, count)))


def first_alerts(watched: Sequence[Watched], thresholds: Floats) -> Firsts:
    """When each life was first at or above each threshold."""
    left = np.full((len(watched), len(thresholds)), np.nan)
    for place, life in enumerate(watched):
        highest = np.maximum.accumulate(life.score)
        first = np.searchsorted(highest, thresholds, side="left")
        alerted = first < len(highest)
        left[place, alerted] = np.maximum(life.end_min - life.age_min[first[alerted]], 0.0)
    return Firsts(left, np.array([life.failed for life in watched], dtype=np.bool_))


def lead_curve(
    watched: Sequence[Watched],
    *,
    model: str,
    thresholds: Floats | None = None,
    draws: int = 100,
    seed: int = 0,
    hours_per_month: float = HOURS_PER_MONTH,
    clock: Clock = "work",
) -> AlertCurve:
    """Recall and lead times of the first alert of each life, at each of the thresholds [T] (`thresholds_of` them).

    Recall is the share of lives with an alert among those that had one or failed without. No alert is false. What began
    before it was watched is left out; where fewer than ten others failed it is taken to have been below every threshold
    until then, and leads to be the same in short and long lives. So they are where most lives were cut before they
    would have failed. The operating point is the threshold in the middle. Raises InputError without a single failure.
    """
    thresholds = thresholds_of(watched) if thresholds is None and watched else thresholds
    if thresholds is None or not any(life.failed for life in watched):
        raise InputError(f"lead curve: none of {len(watched)} lives ended in a failure: watch the assets for longer")
    whole = [life for life in watched if life.whole]
    told = sum(life.failed for life in whole) >= FEW
    watched = whole if told else watched
    left, failed = first_alerts(watched, thresholds)
    end = np.array([life.end_min for life in watched])
    weights = np.vstack([np.ones(len(failed), dtype=np.int64), resampled(failed, draws, np.random.default_rng(seed))])
    alerted = np.isfinite(left)
    shown = np.array([_to_its_end(life) for life in watched], dtype=np.bool_)
    missing = ~alerted & (failed & shown)[:, None]
    hits, missed = weights @ alerted, weights @ missing
    months = sum(end.tolist()) / MINUTES_PER_HOUR / hours_per_month
    recall = hits / np.maximum(hits + missed, 1)
    lead = np.stack([_leads(column, failed, weights) for column in left.T], axis=1)
    return AlertCurve(
        thresholds=thresholds,
        recall=recall,
        lead_levels=LEVELS,
        lead_hours=lead / MINUTES_PER_HOUR,
        false_alarms=np.zeros_like(recall),
        failures=int(failed.sum()),
        asset_months=months,
        threshold=float(thresholds[len(thresholds) // 2]),
        model=model,
        hours_per_month=hours_per_month,
        clock=clock,
        by_life=_by_life(end, failed, left, missing, weights) if told and _outlasting(end, failed) <= UNSEEN else None,
    )


def _outlasting(end: Floats, failed: NDArray[np.bool_]) -> float:
    """Share of lives that outlast every failure seen, by Kaplan and Meier."""
    order = np.lexsort((~failed, end))
    at_risk = np.arange(len(end), 0, -1)
    return float(np.prod(1 - failed[order] / at_risk))


def _by_life(
    end: Floats, failed: NDArray[np.bool_], left: Floats, missing: NDArray[np.bool_], weights: NDArray[np.int64]
) -> ByLife:
    """Of lives [L], what was left at first alerts [L, T] and who was missed [L, T]; weights [draws, L]."""
    # One that ended at its very first score has no length to share.
    share = left / np.where(end > 0, end, np.nan)[:, None]
    known = failed[:, None] & (missing | np.isfinite(share))
    place = np.flatnonzero(failed)[np.argsort(end[failed], kind="stable")]
    place = place[np.linspace(0, len(place) - 1, min(len(place), MOST)).astype(np.int64)]
    lowest = np.where(missing, -1.0, share)
    dependence = [
        _dependence(end[place], lowest[place, t], known[place, t], weights[:, place]) for t in range(left.shape[1])
    ]
    return ByLife(
        life_hours=_leads(end, failed, weights) / MINUTES_PER_HOUR,
        lead_share=np.clip(np.stack([_leads(column, failed, weights) for column in share.T], axis=1), 0.0, 1.0),
        dependence=np.stack(dependence, axis=1),
    )


def _dependence(end: Floats, share: Floats, known: NDArray[np.bool_], weights: NDArray[np.int64]) -> Floats:
    """[draws] correlation of a Gaussian copula, sin(πτ/2), τ over pairs of lives that differ in both (Kruskal 1958).

    Lives that failed only: of those that were cut the one rank hangs on the other by when they were cut.
    """
    end, share, weights = end[known], share[known], weights[:, known].astype(np.float64)
    sign = np.sign(end[:, None] - end) * np.sign(share[:, None] - share)
    agreeing, compared = (((weights @ pairs) * weights).sum(axis=1) for pairs in (sign, np.abs(sign)))
    tau = np.divide(agreeing, compared, out=np.zeros_like(agreeing), where=compared > 0)
    correlation: Floats = np.sin(np.pi / 2 * tau)
    return correlation


def _to_its_end(life: Watched) -> bool:
    """Whether a life was watched until it ended: without an alert, one whose record ended sooner was not missed."""
    steps = np.diff(life.age_min)
    return not len(steps) or bool(life.end_min - life.age_min[-1] <= GAP_FACTOR * steps.max())


def _leads(left: Floats, failed: NDArray[np.bool_], weights: NDArray[np.int64]) -> Floats:
    """[draws, Q] quantiles in minutes at LEVELS of what was left [L], where a life that was cut had more; 0 without."""
    order = np.argsort(left, kind="stable")[: int(np.isfinite(left).sum())]
    if not len(order):
        return np.zeros((len(weights), len(LEVELS)))
    times, own = left[order], weights[:, order]
    at_risk = own[:, ::-1].cumsum(axis=1)[:, ::-1]
    died = np.divide(own * failed[order], at_risk, out=np.zeros(own.shape), where=at_risk > 0)
    passed = 1 - np.cumprod(1 - died, axis=1)
    # What no failure accounts for lies at the longest lead that was seen.
    passed[:, -1] = 1.0
    # Of equal shares the first place with some of it, whatever the last digit of their sum says.
    wanted = np.maximum(LEVELS * (1 - 1e-12), 1e-12)
    return np.array([times[np.searchsorted(row, wanted, side="left")] for row in passed])
