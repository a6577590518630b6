"""Every member of a predictor, their ensemble and the baselines, judged on the same rows of test."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.prognostics.evaluation.foretelling import Judgement, Outcome, judge, outcome, over_components
from twinloop.prognostics.models.baselines import by_age, fit_single_sensor, never
from twinloop.prognostics.models.hazard import HazardModel
from twinloop.prognostics.models.periods import failure_by
from twinloop.prognostics.models.table import FeatureTable, ahead, component_age

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
ENSEMBLE, AGE, SENSOR, NEVER = "ensemble", "age", "single sensor", "never"
METRICS = {"pr_auc": "average_precision", "brier": "brier", "ece": "calibration_error"}
JUDGED: dict[str, Any] = {
    "component": pl.String,
    "method": pl.String,
    "metric": pl.String,
    "mean": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}
OVERALL: dict[str, Any] = {name: kind for name, kind in JUDGED.items() if name != "component"}


class Said(NamedTuple):
    """What each method says [rows] of one component at rows of test, and what is known of them.

    sensor: the column that the single sensor reads. rate: share of the rows with a known outcome that failed.
    """

    component: str
    rows: Rows
    probability: dict[str, Floats]
    known: Outcome
    sensor: str | None


def said(model: HazardModel, table: FeatureTable, lives: pl.DataFrame, component: str, train: Rows, test: Rows) -> Said:
    """Ask every method. lives: as they ended; only what began before a row is looked at by the model."""
    horizon_h = model.settings.days * model.settings.period_h
    known = outcome(ahead(table, lives, component), horizon_h=horizon_h)
    inside = np.isin(known.row, test)
    members = model.member_hazards(table, lives, component, test)
    pooled = model.foretold(component, members).probability[:, -1]
    age = component_age(table, lives, component)[test]
    answers = {ENSEMBLE: pooled}
    if len(members) > 1:
        answers |= {name: failure_by(hazard)[:, -1] for name, hazard in members.items()}
    answers[AGE] = by_age(
        model.components[component].age, age, days=model.settings.days, period_h=model.settings.period_h
    )
    learnt = np.isin(known.row, train)
    sensor = None
    if known.happened[learnt].any() and not known.happened[learnt].all():
        single = fit_single_sensor(table, known.row[learnt], known.happened[learnt])
        if single.column:
            answers[SENSOR], sensor = single.score(table)[test], single.column
    answers[NEVER] = never(len(test))
    return Said(component, test, answers, Outcome(known.row[inside], known.happened[inside]), sensor)


def judged(table: FeatureTable, answers: Said, *, draws: int, seed: int) -> dict[str, Judgement]:
    """Method → judgement, in the order in which they were asked; none without a failure within the horizon.

    A single sensor has an order, no probability: of its judgement only the area under precision over recall counts.
    """
    if not answers.known.happened.any():
        return {}
    everywhere, units = np.zeros(len(table)), np.unique(table.unit[answers.rows])
    found = {}
    for method, values in answers.probability.items():
        everywhere[answers.rows] = values
        found[method] = judge(answers.known, everywhere, table.unit, draws=draws, seed=seed, units=units)
    return found


def judged_frame(component: str, judgements: dict[str, Judgement]) -> pl.DataFrame:
    """One row per method and metric (JUDGED)."""
    rows = [
        (component, method, metric, one.mean, one.low, one.high)
        for method, judgement in judgements.items()
        for metric, field in METRICS.items()
        if method != SENSOR or metric == "pr_auc"
        for one in [getattr(judgement, field)]
    ]
    return pl.DataFrame(rows, schema=JUDGED, orient="row")


def overall_frame(judgements: Sequence[Mapping[str, Judgement]]) -> pl.DataFrame:
    """One row per method and metric, over all components that were judged (OVERALL)."""
    rows = []
    for method in dict.fromkeys(method for one in judgements for method in one):
        own = [one[method] for one in judgements if method in one]
        for metric, field in METRICS.items():
            if method != SENSOR or metric == "pr_auc":
                mean = over_components(own, field)
                rows.append((method, metric, mean.mean, mean.low, mean.high))
    return pl.DataFrame(rows, schema=OVERALL, orient="row")
