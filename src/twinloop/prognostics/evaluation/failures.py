"""Which failures were found and how early, what was alarmed for nothing, and at which threshold.

Lives are looked at as a predictor saw them, window by window. What no row shows can be neither found nor missed.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import AlertCurve
from twinloop.contracts.alert_rates import Watched
from twinloop.errors import InputError
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.prognostics.models.table import FeatureTable

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
# Of a false alarm in euro, beyond which no threshold is quiet enough; halvings of what is not known of its price.
DEAREST, BISECTIONS = 1e12, 60
ROUNDING = 1e-9
FOUND = {
    "asset": pl.String,
    "component": pl.String,
    "failed_min": pl.Float64,
    "found": pl.Boolean,
    "lead_hours": pl.Float64,
}


class Prices(NamedTuple):
    """Euro of a visit, whether its alert was right or not, and of a failure that nobody was warned of."""

    visit: float
    failure: float


class LifeSeen(NamedTuple):
    """A life of which some rows were scored: its ends in minutes, whether it failed, places of the rows among those."""

    asset: str
    begin: float
    end: float
    failed: bool
    inside: Rows


def lives_seen(table: FeatureTable, lives: pl.DataFrame, component: str, rows: Rows) -> Iterator[LifeSeen]:
    """The component's lives with at least one of these rows [K], in the order of assets and time."""
    unit, time = table.unit[rows], table.time_min[rows]
    known = {asset: number for number, asset in enumerate(table.assets)}
    own = lives.filter(pl.col("component") == component).sort("asset", "begin_min")
    for asset, begin, end, failed in own.select("asset", "begin_min", "end_min", "failed").iter_rows():
        inside = np.flatnonzero((unit == known.get(asset, -1)) & (time > begin) & (time <= end))
        if len(inside):
            yield LifeSeen(asset, begin, end, failed, inside)


def watched(
    table: FeatureTable,
    lives: pl.DataFrame,
    component: str,
    score: Floats,
    rows: Rows,
    *,
    worked: Floats | None = None,
) -> list[Watched]:
    """The component's lives as the predictor saw them: those with at least one of these rows [K], scored [K].

    Ages are minutes from the first of its rows on: what was not watched counts for nothing. worked: [N] minutes that
    the asset of each row of the table had worked by then; with them, ages are minutes of work.
    """
    made = []
    for _, begin, end, failed, inside in lives_seen(table, lives, component, rows):
        chosen = rows[inside]
        own = np.flatnonzero(table.unit == table.unit[chosen[0]])
        at, stop = table.time_min[chosen], end
        if worked is not None:
            stop = float(np.interp(end, table.time_min[own], worked[own]))
            at = worked[chosen]
        whole = begin >= _watched_from(table.time_min[own])
        made.append(Watched(at - at[0], score[inside], max(stop, at[-1]) - at[0], failed, whole))
    return made


def _watched_from(time_min: Floats) -> float:
    """When the first window of an asset began: a row stands at its window's end."""
    return float(time_min[0] - np.diff(time_min).min()) if len(time_min) > 1 else -np.inf


def failures_found(
    table: FeatureTable,
    lives: pl.DataFrame,
    component: str,
    score: Floats,
    rows: Rows,
    *,
    threshold: float,
    window_hours: float,
) -> pl.DataFrame:
    """Every failure after one of these rows, whether an alert came in the window before it, and how early.

    A failure of which no row shows the window before it (the record ended sooner) can be neither found nor missed.
    """
    made = []
    for asset, _, end, failed, inside in lives_seen(table, lives, component, rows):
        if not failed:
            continue
        lead = (end - table.time_min[rows[inside]]) / MINUTES_PER_HOUR
        near = (lead <= window_hours) & (lead >= 0)
        if not near.any():
            continue
        hit = lead[near & (score[inside] >= threshold)]
        made.append((asset, component, end, len(hit) > 0, float(hit.max()) if len(hit) else None))
    return pl.DataFrame(made, schema=FOUND, orient="row")


def threshold_for(curve: AlertCurve, *, false_alarms: float) -> float:
    """The least threshold with at most so many false alarms per asset and month; the highest where none has."""
    allowed = np.flatnonzero(curve.false_alarms[0] <= false_alarms)
    # Alarms rise and fall with the threshold: from there on it must stay below.
    above = np.flatnonzero(curve.false_alarms[0] > false_alarms)
    first = above[-1] + 1 if len(above) else 0
    return float(curve.thresholds[min(first, len(curve.thresholds) - 1)] if len(allowed) else curve.thresholds[-1])


def common_threshold(curves: Sequence[AlertCurve], *, false_alarms: float) -> float:
    """The least threshold from which on all components together have at most so many false alarms per asset and month.

    Probabilities of all components mean the same, so one threshold is fair to all. The highest where none is quiet
    enough. Raises InputError for curves of other thresholds, or none.
    """
    if not curves or any(not np.array_equal(curve.thresholds, curves[0].thresholds) for curve in curves):
        raise InputError("alert curves: expected at least one, and all with the same thresholds")
    total = np.sum([curve.false_alarms[0] for curve in curves], axis=0)
    above = np.flatnonzero(total > false_alarms)
    return float(curves[0].thresholds[min(above[-1] + 1 if len(above) else 0, len(total) - 1)])


def cheapest_thresholds(
    curves: Mapping[str, AlertCurve], prices: Mapping[str, Prices], *, false_alarms: float
) -> dict[str, float]:
    """The threshold of each component that costs least, all together with at most so many false alarms.

    A missed failure costs its price, every alert a visit. Where these alone give more false alarms per asset and month
    than are allowed, each costs more by a price that is the same for all components, the least that keeps within them
    (Lagrange multiplier): so no false alarm is spent where another component would find more by it.
    """

    costs = {name: _costs(curve, prices[name]) for name, curve in curves.items()}
    alarms = {name: curve.false_alarms[0] for name, curve in curves.items()}

    def at(price: float) -> dict[str, int]:
        return {name: int((costs[name] + price * alarms[name]).argmin()) for name in curves}

    def quiet(places: Mapping[str, int]) -> bool:
        return sum(float(alarms[name][place]) for name, place in places.items()) <= false_alarms + ROUNDING

    chosen = at(0.0)
    if not quiet(chosen):
        too_low, enough = 0.0, DEAREST
        for _ in range(BISECTIONS):
            middle = math.sqrt((too_low + 1.0) * enough)
            too_low, enough = (too_low, middle) if quiet(at(middle)) else (middle, enough)
        chosen = at(enough)
        # One price for all leaves some alarms over: they go where a change saves most.
        while changes := [
            (float(costs[name][place] - costs[name][chosen[name]]), name, place)
            for name in curves
            for place in np.flatnonzero(costs[name] < costs[name][chosen[name]]).tolist()
            if quiet({**chosen, name: place})
        ]:
            _, name, place = min(changes)
            chosen[name] = place
    return {name: float(curves[name].thresholds[place]) for name, place in chosen.items()}


def _costs(curve: AlertCurve, price: Prices) -> Floats:
    """[T] euro per asset and month."""
    recall, failures = curve.recall[0], curve.failures / max(curve.asset_months, 1e-9)
    missed = (1 - recall) * failures * price.failure
    answered = (recall * failures + curve.false_alarms[0]) * price.visit
    euro: Floats = missed + answered
    return euro
