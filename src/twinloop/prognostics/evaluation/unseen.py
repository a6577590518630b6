"""Failures of a kind that nothing learnt from: each fault mode in turn is held out of training, whole.

The same boosted trees learn twice to say which rows come before a failure, once with and once without the lives that
ended by the mode. Both alert at the threshold that gives as many false alarms, and are asked for the mode's failures of
assets that neither learnt from: what the second finds, it would find of a mode that nobody has met yet.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import AlertCurve
from twinloop.contracts.alert_curve import HOURS_PER_MONTH
from twinloop.numbers import MINUTES_PER_HOUR, Interval
from twinloop.prognostics.data.record import FAILURE
from twinloop.prognostics.evaluation.failures import lives_seen, threshold_for, watched
from twinloop.prognostics.evaluation.foretelling import outcome
from twinloop.prognostics.evaluation.resampling import drawn_counts, spread
from twinloop.prognostics.models.boosting import boosted, fit_boosted
from twinloop.prognostics.models.hazard import HazardModel, tree_inputs
from twinloop.prognostics.models.table import FeatureTable, ahead, component_age

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
LEARNT, UNSEEN = "learnt", "unseen"
# Failures of a mode in the test from which it is judged at all; failures that are left to learn from.
LEAST, LEAST_LEARNT = 3, 10
# Of all rows, those that lie at or above the lowest and the highest threshold that is tried.
SHARES, TRIED = (0.5, 1e-3), 40
MODES: dict[str, Any] = {
    "component": pl.String,
    "mode": pl.String,
    "training": pl.String,
    "failures": pl.Int64,
    "learnt": pl.Int64,
    **{
        f"{figure}{end}": pl.Float64
        for figure in ("recall", "lead_hours", "false_alarms")
        for end in ("", "_low", "_high")
    },
}


class Tally(NamedTuple):
    """Per asset [A] of test: failures of a mode, those found, false alarms, months watched; leads of those found.

    lead_asset: [L] which asset each lead [L] in hours is of.
    """

    failures: Rows
    found: Rows
    false: Rows
    months: Floats
    lead: Floats
    lead_asset: Rows


class Mode(NamedTuple):
    """A component's way to fail; learnt: failures that are left to learn from without it."""

    component: str
    name: str
    learnt: int


def unseen_modes(
    model: HazardModel,
    table: FeatureTable,
    lives: pl.DataFrame,
    events: pl.DataFrame,
    train: Rows,
    test: Rows,
    *,
    false_alarms: float,
    draws: int,
    seed: int,
) -> pl.DataFrame:
    """Recall, lead time and false alarms of each mode's failures, with it in training and without (MODES).

    events: of data.record; the detail of a failure names its mode. false_alarms: per asset and month of the calendar,
    of each component. The last two rows, without a component, are over all modes; none where no component has two modes
    that failed often enough.
    """
    settings, known = model.settings, with_modes(lives, events)
    horizon_h = settings.days * settings.period_h
    rows: list[tuple[Any, ...]] = []
    everything: dict[str, list[Tally]] = {LEARNT: [], UNSEEN: []}
    for component in model.components:
        modes = list(_modes(table, known, component, train, test))
        if not modes:
            continue
        values = tree_inputs(table, model.columns, np.arange(len(table)), component_age(table, lives, component))

        def score(learnt: pl.DataFrame, *, component: str = component, values: Any = values) -> Floats:
            label = outcome(ahead(table, learnt, component), horizon_h=horizon_h)
            own = np.isin(label.row, train)
            booster = fit_boosted(
                values[label.row[own]],
                label.happened[own].astype(np.float32),
                settings.boost,
                seed=seed,
                objective="binary:logistic",
            )
            return boosted(booster, values[test])

        whole = score(known)
        for mode in modes:
            others = known.filter(
                ~((pl.col("component") == component) & pl.col("failed") & (pl.col("mode") == mode.name))
            )
            for training, said in ((LEARNT, whole), (UNSEEN, score(others))):
                threshold = _threshold(table, known, component, said, test, horizon_h, false_alarms)
                tally = tallied(table, known, mode, said, test, threshold=threshold, window_h=horizon_h)
                everything[training].append(tally)
                rows.append((component, mode.name, training, *_row([tally], mode.learnt, draws=draws, seed=seed)))
    if rows:
        learnt = sum(row[4] for row in rows) // 2
        for training, tallies in everything.items():
            rows.append((None, None, training, *_row(tallies, learnt, draws=draws, seed=seed)))
    return pl.DataFrame(rows, schema=MODES, orient="row")


def with_modes(lives: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Lives with the mode by which each failed, null for one that did not or of which it is not told."""
    failures = events.filter((pl.col("kind") == FAILURE) & (pl.col("detail").fill_null("") != ""))
    told = failures.select("asset", "component", end_min="time_min", mode="detail")
    told = told.unique(["asset", "component", "end_min"], keep="first", maintain_order=True)
    joined = lives.join(told, on=["asset", "component", "end_min"], how="left", maintain_order="left")
    return joined.with_columns(mode=pl.when("failed").then(pl.col("mode")))


def _modes(table: FeatureTable, lives: pl.DataFrame, component: str, train: Rows, test: Rows) -> Iterator[Mode]:
    """Those with failures enough in the test, of which others are left to learn from."""
    own = lives.filter((pl.col("component") == component) & pl.col("failed") & pl.col("mode").is_not_null())
    if own["mode"].n_unique() < 2:
        return

    def failed(rows: Rows) -> pl.DataFrame:
        assets = [table.assets[unit] for unit in np.unique(table.unit[rows])]
        first, last = table.time_min[rows].min(), table.time_min[rows].max()
        return own.filter(pl.col("asset").is_in(assets) & pl.col("end_min").is_between(first, last))

    judged, learnt = failed(test), failed(train)
    for name in own["mode"].unique().sort():
        left = len(learnt.filter(pl.col("mode") != name))
        if len(judged.filter(pl.col("mode") == name)) >= LEAST and left >= LEAST_LEARNT:
            yield Mode(component, name, left)


def tallied(
    table: FeatureTable,
    lives: pl.DataFrame,
    mode: Mode,
    score: Floats,
    rows: Rows,
    *,
    threshold: float,
    window_h: float,
) -> Tally:
    """What alerts from the threshold on find of the mode's failures, and give falsely in all lives of its component.

    An alert before a failure of another mode is right. The window before a life was cut counts for neither.
    """
    units = np.unique(table.unit[rows])
    place = {table.assets[unit]: number for number, unit in enumerate(units)}
    modes = {
        (asset, end): name
        for asset, end, name in lives.filter(pl.col("component") == mode.component)
        .select("asset", "end_min", "mode")
        .iter_rows()
    }
    failures, found, false = (np.zeros(len(units), np.int64) for _ in range(3))
    months, leads, of = np.zeros(len(units)), list[float](), list[int]()
    for asset, _, end, failed, inside in lives_seen(table, lives, mode.component, rows):
        at, alert = table.time_min[rows[inside]], score[inside] >= threshold
        near = at >= end - window_h * MINUTES_PER_HOUR
        rises = alert & ~np.append(False, alert[:-1])
        false[place[asset]] += int((rises & ~near).sum())
        quiet = max(end - at[0] - window_h * MINUTES_PER_HOUR, 0.0)
        months[place[asset]] += quiet / MINUTES_PER_HOUR / HOURS_PER_MONTH
        if failed and near.any() and modes[asset, end] == mode.name:
            failures[place[asset]] += 1
            hits = at[near & alert]
            if len(hits):
                found[place[asset]] += 1
                leads.append((end - hits[0]) / MINUTES_PER_HOUR)
                of.append(place[asset])
    return Tally(failures, found, false, months, np.array(leads), np.array(of, np.int64))


def _threshold(
    table: FeatureTable, lives: pl.DataFrame, component: str, score: Floats, rows: Rows, window_h: float, allowed: float
) -> float:
    """The least score from which on false alarms per asset and month are no more than allowed."""
    curve = AlertCurve.of_lives(
        watched(table, lives, component, score, rows),
        thresholds=np.unique(np.quantile(score, 1 - np.geomspace(*SHARES, TRIED))),
        window_hours=window_h,
        model="",
        draws=0,
        clock="calendar",
    )
    return threshold_for(curve, false_alarms=allowed)


def _row(tallies: Sequence[Tally], learnt: int, *, draws: int, seed: int) -> tuple[Any, ...]:
    """The figures of MODES behind the names, of one mode or of several together."""
    counts = drawn_counts(len(tallies[0].failures), draws=draws, seed=seed)
    failures, found = (np.sum([getattr(one, name) for one in tallies], axis=0) for name in ("failures", "found"))
    # Modes of one component share their false alarms; a mean over modes is one over components of equal weight.
    false, months = (np.mean([getattr(one, name) for one in tallies], axis=0) for name in ("false", "months"))
    lead = np.concatenate([one.lead for one in tallies])
    asset = np.concatenate([one.lead_asset for one in tallies])

    def share(over: Any, under: Any) -> Interval:
        drawn = np.divide(counts @ over, counts @ under, out=np.full(draws, np.nan), where=counts @ under > 0)
        return spread(float(over.sum() / under.sum()) if under.sum() else 0.0, drawn)

    recall, alarms = share(found, failures), share(false, months)
    median: tuple[float | None, float | None, float | None] = (None, None, None)
    if len(lead):
        drawn = [np.repeat(lead, count[asset]) for count in counts]
        values = np.array([np.median(one) if len(one) else np.nan for one in drawn])
        own = spread(float(np.median(lead)), values)
        median = own.mean, own.low, own.high
    return (
        int(failures.sum()),
        learnt,
        recall.mean,
        recall.low,
        recall.high,
        *median,
        alarms.mean,
        alarms.low,
        alarms.high,
    )
