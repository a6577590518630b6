"""Probabilities of failure judged: how well they tell failures from the rest, how exact and how calibrated they are.

A row whose life was cut within the horizon has no known outcome and counts for nothing but alarms. Rows of one asset
are no independent evidence: intervals come from drawing whole assets.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.numbers import Interval
from twinloop.prognostics.evaluation.resampling import drawn_rows, mean_of_known, spread
from twinloop.prognostics.models.table import Ahead

Floats = NDArray[np.float64]
BINS = 10
RECALLS = 51
CALIBRATION = {"said": pl.Float64, "happened": pl.Float64, "rows": pl.Int64}


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
    return pl.DataFrame(_bins(happened, probability), schema=CALIBRATION, orient="row")


def reliability(
    known: "Outcome", probability: Floats, unit: NDArray[np.int64], *, draws: int = 200, seed: int = 0
) -> pl.DataFrame:
    """`calibration` of probabilities [N] of all rows, with low and high of what happened: 95 % over assets.

    Bins are those of all rows; an interval says how far the share that happened in one may be from what other assets of
    the kind would show.
    """
    happened, said, own = known.happened, probability[known.row], unit[known.row]
    bins = calibration(happened, said)
    number = np.empty(len(said), np.int64)
    for place, part in enumerate(np.array_split(np.argsort(said, kind="stable"), BINS)):
        number[part] = place
    drawn = np.full((draws, BINS), np.nan)
    for draw, sample in enumerate(drawn_rows(own, draws=draws, seed=seed)):
        count = np.bincount(number[sample], minlength=BINS)
        failed = np.bincount(number[sample], weights=happened[sample], minlength=BINS)
        np.divide(failed, count, out=drawn[draw], where=count > 0)
    places = np.unique(number)
    ends = [spread(share, drawn[:, place]) for share, place in zip(bins["happened"], places, strict=True)]
    return bins.with_columns(
        low=pl.Series([end.low for end in ends], dtype=pl.Float64),
        high=pl.Series([end.high for end in ends], dtype=pl.Float64),
    )


def _bins(happened: NDArray[np.bool_], probability: Floats) -> list[tuple[float, float, int]]:
    parts = np.array_split(np.argsort(probability, kind="stable"), BINS)
    return [(probability[part].mean(), happened[part].mean(), len(part)) for part in parts if len(part)]


def calibration_error(happened: NDArray[np.bool_], probability: Floats) -> float:
    """Mean distance between what was said and what happened over these bins, by their rows (ECE)."""
    told, came, rows = np.array(_bins(happened, probability)).T
    return float(np.average(np.abs(told - came), weights=rows))


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
    drawn = []
    for sample in drawn_rows(unit, draws=draws, seed=seed):
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
    drawn: of each of the three, by name, its values [draws] when assets are drawn anew; NaN where none of them failed.
    """

    average_precision: Interval
    brier: Interval
    calibration_error: Interval
    rate: float
    rows: int
    failures: int
    drawn: Mapping[str, Floats]


MEASURES: Mapping[str, Callable[[NDArray[np.bool_], Floats], float]] = {
    "average_precision": average_precision,
    "brier": brier,
    "calibration_error": calibration_error,
}


def judge(
    known: Outcome,
    probability: Floats,
    unit: NDArray[np.int64],
    *,
    draws: int = 200,
    seed: int = 0,
    units: NDArray[np.int64] | None = None,
) -> Judgement:
    """Probabilities [N] of all rows against their outcomes. Raises InputError where no failure came.

    units: those that are drawn from, of all rows with an outcome unless given; where several components are judged on
    the same units, draw d draws the same assets in each.
    """
    happened, said, unit = known.happened, probability[known.row], unit[known.row]
    if not happened.any():
        raise InputError(f"evaluation: no failure within the horizon of {len(happened)} rows: take a longer test")
    samples = drawn_rows(unit, draws=draws, seed=seed, units=units)
    drawn = {
        name: np.array([measure(happened[sample], said[sample]) if len(sample) else np.nan for sample in samples])
        for name, measure in MEASURES.items()
    }
    return Judgement(
        **{name: spread(measure(happened, said), drawn[name]) for name, measure in MEASURES.items()},
        rate=float(happened.mean()),
        rows=len(happened),
        failures=int(happened.sum()),
        drawn=drawn,
    )


def over_components(judgements: Sequence[Judgement], measure: str) -> Interval:
    """The mean over components of a measure, by its name, with its interval: the same assets are drawn in each."""
    estimate = float(np.mean([getattr(one, measure).mean for one in judgements]))
    return spread(estimate, mean_of_known([one.drawn[measure] for one in judgements]))
