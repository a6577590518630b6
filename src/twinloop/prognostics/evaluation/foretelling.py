"""Probabilities of failure judged: which failures were found and how early, how exact and how calibrated they are.

A row whose life was cut within the horizon has no known outcome and counts for nothing but alarms. Rows of one asset
are no independent evidence: intervals come from drawing whole assets.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import AlertCurve
from twinloop.contracts.alert_rates import Watched
from twinloop.errors import InputError
from twinloop.numbers import MINUTES_PER_HOUR, Interval
from twinloop.prognostics.models.table import Ahead, FeatureTable

Floats = NDArray[np.float64]
BINS = 10
RECALLS = 51
FOUND = {
    "asset": pl.String,
    "component": pl.String,
    "failed_min": pl.Float64,
    "found": pl.Boolean,
    "lead_hours": pl.Float64,
}


class Outcome(NamedTuple):
    """Of rows with a known outcome: place [K] in the table, and whether the failure came within the horizon."""

    row: NDArray[np.int64]
    happened: NDArray[np.bool_]


def outcome(label: Ahead, *, horizon_h: float) -> Outcome:
    """What became of every row; a row at the very end of a life tells nothing."""
    failed = label.failed & (label.hours > 0) & (label.hours <= horizon_h)
    survived = label.hours > horizon_h
    row = np.flatnonzero(failed | survived)
    return Outcome(row, failed[row])


def average_precision(happened: NDArray[np.bool_], score: Floats) -> float:
    """Area under precision over recall (PR-AUC), equal scores taken together; NaN where nothing happened."""
    total = int(happened.sum())
    if total == 0:
        return float("nan")
    order = np.argsort(-score, kind="stable")
    hits, ends = np.cumsum(happened[order]), np.append(np.diff(score[order]) != 0, True)
    recall, precision = hits[ends] / total, hits[ends] / (np.flatnonzero(ends) + 1)
    return float((np.diff(recall, prepend=0.0) * precision).sum())


def brier(happened: NDArray[np.bool_], probability: Floats) -> float:
    """Mean squared error of probabilities (Brier, 1950)."""
    return float(np.mean((probability - happened) ** 2))


def calibration(happened: NDArray[np.bool_], probability: Floats) -> pl.DataFrame:
    """Bins of equal number: mean probability `said`, share that `happened`, `rows`."""
    parts = np.array_split(np.argsort(probability, kind="stable"), BINS)
    rows = [(probability[part].mean(), happened[part].mean(), len(part)) for part in parts if len(part)]
    return pl.DataFrame(rows, schema={"said": pl.Float64, "happened": pl.Float64, "rows": pl.Int64}, orient="row")


def calibration_error(happened: NDArray[np.bool_], probability: Floats) -> float:
    """Mean distance between what was said and what happened over these bins, by their rows (ECE)."""
    bins = calibration(happened, probability)
    away = np.abs(bins["said"].to_numpy() - bins["happened"].to_numpy())
    return float(np.average(away, weights=bins["rows"].to_numpy()))


def precision_recall(
    known: Outcome, probability: Floats, unit: NDArray[np.int64], *, draws: int = 200, seed: int = 0
) -> pl.DataFrame:
    """Precision at recalls from 0 to 1, with its 95 % band over assets: recall, precision, low, high.

    Precision at a recall is the best that is reached at this recall or beyond. Raises InputError where no failure came.
    """
    happened, said, unit = known.happened, probability[known.row], unit[known.row]
    if not happened.any():
        raise InputError(f"evaluation: no failure within the horizon of {len(happened)} rows: take a longer test")
    grid = np.linspace(0.0, 1.0, RECALLS)
    places = [np.flatnonzero(unit == one) for one in np.unique(unit)]
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(draws):
        sample = np.concatenate([places[k] for k in rng.integers(len(places), size=len(places))])
        if happened[sample].any():
            drawn.append(_precision_at(happened[sample], said[sample], grid))
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0) if drawn else (np.zeros(RECALLS), np.ones(RECALLS))
    precision = _precision_at(happened, said, grid)
    return pl.DataFrame(
        {"recall": grid, "precision": precision, "low": np.minimum(low, precision), "high": np.maximum(high, precision)}
    )


def _precision_at(happened: NDArray[np.bool_], score: Floats, recalls: Floats) -> Floats:
    order = np.argsort(-score, kind="stable")
    hits, ends = np.cumsum(happened[order]), np.append(np.diff(score[order]) != 0, True)
    recall, precision = hits[ends] / happened.sum(), hits[ends] / (np.flatnonzero(ends) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    at: Floats = best[np.minimum(np.searchsorted(recall, recalls - 1e-12), len(best) - 1)]
    return at


@dataclass(frozen=True, eq=False)
class Judgement:
    """Of one component's probabilities on rows of test, each with a 95 % interval over assets.

    rate: share of rows after which it failed within the horizon, which is the precision of chance.
    """

    average_precision: Interval
    brier: Interval
    calibration_error: Interval
    rate: float
    rows: int
    failures: int


def judge(
    known: Outcome, probability: Floats, unit: NDArray[np.int64], *, draws: int = 200, seed: int = 0
) -> Judgement:
    """Probabilities [N] of all rows against their outcomes. Raises InputError where no failure came."""
    happened, said, unit = known.happened, probability[known.row], unit[known.row]
    if not happened.any():
        raise InputError(f"evaluation: no failure within the horizon of {len(happened)} rows: take a longer test")
    units = np.unique(unit)
    places = [np.flatnonzero(unit == one) for one in units]
    rng = np.random.default_rng(seed)
    samples = [np.concatenate([places[k] for k in rng.integers(len(units), size=len(units))]) for _ in range(draws)]

    def spread(measure: Callable[[NDArray[np.bool_], Floats], float]) -> Interval:
        values = np.array([measure(happened[sample], said[sample]) for sample in samples])
        low, high = np.nanquantile(values, (0.025, 0.975))
        estimate = measure(happened, said)
        # Draws of whole assets are biased where there are few: the interval reaches to its estimate.
        return Interval(estimate, min(float(low), estimate), max(float(high), estimate))

    return Judgement(
        spread(average_precision),
        spread(brier),
        spread(calibration_error),
        rate=float(happened.mean()),
        rows=len(happened),
        failures=int(happened.sum()),
    )


def watched(
    table: FeatureTable,
    lives: pl.DataFrame,
    component: str,
    score: Floats,
    rows: NDArray[np.int64],
    *,
    worked: Floats | None = None,
) -> list[Watched]:
    """The component's lives as the predictor saw them: those with at least one of these rows [K], scored [K].

    Ages are minutes from the first of its rows on: what was not watched counts for nothing. worked: [N] minutes that
    the asset of each row of the table had worked by then; with them, ages are minutes of work.
    """
    made = []
    for _, end, failed, inside in _lives(table, lives, component, rows):
        chosen = rows[inside]
        at, stop = table.time_min[chosen], end
        if worked is not None:
            own = np.flatnonzero(table.unit == table.unit[chosen[0]])
            stop = float(np.interp(end, table.time_min[own], worked[own]))
            at = worked[chosen]
        made.append(Watched(at - at[0], score[inside], max(stop, at[-1]) - at[0], failed))
    return made


def failures_found(
    table: FeatureTable,
    lives: pl.DataFrame,
    component: str,
    score: Floats,
    rows: NDArray[np.int64],
    *,
    threshold: float,
    window_hours: float,
) -> pl.DataFrame:
    """Every failure after one of these rows, whether an alert came in the window before it, and how early.

    A failure of which no row shows the window before it (the record ended sooner) can be neither found nor missed.
    """
    made = []
    for asset, end, failed, inside in _lives(table, lives, component, rows):
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


def _lives(
    table: FeatureTable, lives: pl.DataFrame, component: str, rows: NDArray[np.int64]
) -> list[tuple[str, float, bool, NDArray[np.int64]]]:
    """Asset, end, failed and places in `rows` of each life of the component that has any."""
    made = []
    unit, time = table.unit[rows], table.time_min[rows]
    known = {asset: number for number, asset in enumerate(table.assets)}
    own = lives.filter(pl.col("component") == component).sort("asset", "begin_min")
    for asset, begin, end, failed in own.select("asset", "begin_min", "end_min", "failed").iter_rows():
        inside = np.flatnonzero((unit == known.get(asset, -1)) & (time > begin) & (time <= end))
        if len(inside):
            made.append((asset, end, failed, inside))
    return made
