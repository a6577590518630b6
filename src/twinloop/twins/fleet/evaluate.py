"""Judge the exported predictor on assets and a time that it never saw, and say what it foresees now.

Written beside the figures: an alert curve per component, which the simulation takes, and the risks of every asset in
service, which the workshop is booked by.
"""

from typing import Any

import numpy as np
import polars as pl

from twinloop.contracts import AlertCurve
from twinloop.contracts.alert_curve import HOURS_PER_MONTH
from twinloop.contracts.diagnosis import save_diagnoses
from twinloop.errors import InputError
from twinloop.files import atomic, sha256, write_json
from twinloop.numbers import MINUTES_PER_HOUR, MISSING, percent
from twinloop.prognostics.anomaly import anomalies, fit_detector, open_isolation
from twinloop.prognostics.demand.forecast import FORECAST
from twinloop.prognostics.evaluation.comparison import AGE, ENSEMBLE, JUDGED, SENSOR, Said, judged, judged_frame, said
from twinloop.prognostics.evaluation.foretelling import (
    FOUND,
    calibration,
    common_threshold,
    failures_found,
    precision_recall,
    watched,
)
from twinloop.prognostics.evaluation.leads import lead_curve
from twinloop.prognostics.evaluation.leaky import leaky_beside_honest
from twinloop.prognostics.inference.graphs import open_hazard
from twinloop.prognostics.inference.risks import diagnoses, risk_table
from twinloop.prognostics.models.hazard import HazardModel
from twinloop.prognostics.models.table import FeatureTable, in_service
from twinloop.prognostics.prepared import TEST, TRAIN, Prepared
from twinloop.progress import bar
from twinloop.twins.fleet import demand, paths, plan
from twinloop.twins.fleet.config import FleetConfig, FleetSections
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop fleet evaluate"
ISOLATION = "isolation forest"
BESIDE = {"component": pl.String, "leaky": pl.Float64, "honest": pl.Float64}
RANKED = {
    "component": pl.String,
    "recall": pl.Float64,
    "precision": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "rate": pl.Float64,
}
CALIBRATION = {"component": pl.String, "said": pl.Float64, "happened": pl.Float64, "rows": pl.Int64}
SCORES = {
    "asset": pl.String,
    "component": pl.String,
    "time_min": pl.Float64,
    "probability": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}


def run(stage: Stage[FleetConfig]) -> str:
    """Write judgements, alert curves, risks, diagnoses and metrics; returns the summary line."""
    fleet, seed, out = stage.config.fleet, stage.config.seed, stage.root / paths.EVALUATION
    prepared, model = Prepared.load(stage.root / paths.DATASET), open_hazard(stage.root / paths.PREDICTOR)
    table, lives = prepared.table(), prepared.lives()
    train, test = prepared.rows(TRAIN), prepared.rows(TEST)
    answers, beside, judgements = {}, [], {}
    with bar("component", len(model.components)) as shown:
        for name in model.components:
            answers[name] = said(model, table, lives, name, train, test)
            judgements[name] = judged(table, answers[name], draws=fleet.evaluate.draws, seed=seed)
            both = leaky_beside_honest(table, lives, name, train, test, model.settings, seed=seed)
            beside.append((name, *(both or (None, None))))
            shown.step(note=name)
    watching = _Watching(stage, prepared, model, table, lives)
    curves = watching.alerts(answers)
    if not curves:
        raise InputError(
            "evaluate: no component of a test asset failed in the time that is judged: found and missed failures "
            "cannot be counted; watch the assets for longer, or raise fleet.split.test_share or time_share"
        )
    threshold = common_threshold(list(curves.values()), false_alarms=fleet.evaluate.false_alarms)
    plan.save_curves({name: curve.at(threshold) for name, curve in curves.items()}, stage.root / paths.ALERTS)
    plan.save_curves(watching.leads(), stage.root / paths.LEADS)
    horizon_h = model.settings.days * model.settings.period_h
    found = [
        failures_found(table, lives, name, one.probability[ENSEMBLE], test, threshold=threshold, window_hours=horizon_h)
        for name, one in answers.items()
    ]
    tables = {
        "judged": pl.concat([pl.DataFrame(schema=JUDGED), *(judged_frame(*item) for item in judgements.items())]),
        "beside": pl.DataFrame(beside, schema=BESIDE, orient="row"),
        "calibration": _calibration(answers),
        "precision_recall": _precision_recall(table, answers, draws=fleet.evaluate.draws, seed=seed),
        "found": pl.concat([pl.DataFrame(schema=FOUND), *found]),
        "scores": _scores(model, prepared),
    }
    for name, frame in tables.items():
        with atomic(out / f"{name}.parquet") as temporary:
            frame.write_parquet(temporary)
    consequences = plan.consequences(fleet, prepared)
    driving = in_service(table, lives)
    # Where all have failed, as in a record of engines run to failure, what was foreseen last is told.
    now = table.of_units(driving) if len(driving) else table
    risks = risk_table(model, now, lives, consequences, clock=prepared.clock)
    risks.save(stage.root / paths.RISKS)
    backtested, ahead = _demand(fleet, prepared)
    predicted = demand.predicted(fleet, prepared, risks)
    shown_table, shown_lives = prepared.table(shown=True), prepared.lives(shown=True)
    risk_table(model, shown_table, shown_lives, consequences, clock=prepared.clock).save(out / "shown_risks.parquet")
    said_now = diagnoses(model, shown_table, shown_lives, consequences, least=fleet.evaluate.least)
    save_diagnoses(said_now, out / "diagnoses.parquet")
    anomalous = _anomalies(stage, shown_table)
    for name, frame in {"demand": ahead, "predicted": predicted, "anomalies": anomalous}.items():
        with atomic(out / f"{name}.parquet") as temporary:
            frame.write_parquet(temporary)
    sensors = {name: one.sensor for name, one in answers.items()}
    measured = {
        **_metrics(tables, curves, threshold),
        "threshold": threshold,
        "diagnoses": len(said_now),
        **demand.figures(backtested),
    }
    write_json(out / "sensors.json", sensors)
    write_json(stage.root / paths.metrics("evaluate"), measured)
    share, lead = measured["recall"], measured["lead_hours"]
    early = f", {lead:.0f} h ahead" if lead is not None else ""
    return (
        f"PR-AUC {_digits(measured['pr_auc'])}, by age {_digits(measured['pr_auc_age'])}, Brier "
        f"{_digits(measured['brier'])}; at {measured['false_alarms']:.2f} false alarms per asset-month "
        f"{MISSING if share is None else percent(share, digits=0)} of {measured['test_failures']} failures found{early}"
    )


def _digits(value: float | None) -> str:
    """Three digits, or the sign of what is missing."""
    return MISSING if value is None else f"{value:.3f}"


class _Watching:
    """Lives as the predictor saw them, in hours of work: that is what components wear by."""

    def __init__(
        self,
        stage: Stage[FleetConfig],
        prepared: Prepared,
        model: HazardModel,
        table: FeatureTable,
        lives: pl.DataFrame,
    ) -> None:
        self.settings, self.seed = stage.config.fleet.evaluate, stage.config.seed
        self.prepared, self.model, self.table, self.lives = prepared, model, table, lives
        self.worked = table.worked_min(prepared.about["step_min"]) if prepared.clock == "calendar" else None
        self.share = 1.0 if self.worked is None else _work_share(table, self.worked)
        self.digest = sha256(stage.root / paths.PREDICTOR / "hazard.json")

    def alerts(self, answers: dict[str, Said]) -> dict[str, AlertCurve]:
        """Recall, lead time and false alarms of every component that failed in the test, at common thresholds."""
        scores = np.concatenate([one.probability[ENSEMBLE] for one in answers.values()])
        # Alarms are rare, so most thresholds belong where scores are high.
        thresholds = np.unique(np.quantile(scores, 1 - np.geomspace(1.0, 1e-4, self.settings.thresholds)))
        curves = {}
        for name, one in answers.items():
            seen = watched(self.table, self.lives, name, one.probability[ENSEMBLE], one.rows, worked=self.worked)
            if any(life.failed for life in seen):
                curves[name] = AlertCurve.of_lives(
                    seen,
                    thresholds=thresholds,
                    window_hours=self.model.settings.days * self.model.settings.period_h * self.share,
                    **self._common,
                )
        return curves

    def leads(self) -> dict[str, AlertCurve]:
        """What is left of a life at its first alert, which policies need: from test assets, all of their time."""
        assets = [self.table.assets.index(name) for name in self.prepared.about["test_assets"]]
        rows = np.flatnonzero(np.isin(self.table.unit, assets))
        curves = {}
        for name in self.model.components:
            score = self.model.probability(self.table, self.lives, name, rows)
            seen = watched(self.table, self.lives, name, score, rows, worked=self.worked)
            if any(life.failed for life in seen):
                curves[name] = lead_curve(seen, **self._common)
        return curves

    @property
    def _common(self) -> dict[str, Any]:
        return {
            "model": self.digest,
            "draws": self.settings.draws,
            "seed": self.seed,
            "hours_per_month": HOURS_PER_MONTH * self.share,
            "clock": "work",
        }


def _demand(fleet: FleetSections, prepared: Prepared) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The backtest, and beneath its weeks those ahead, of which the actual demand is null."""
    past = demand.history(fleet, prepared)
    backtested = demand.backtest(past, fleet.demand)
    forecast = demand.foretold(fleet, past)
    ahead = forecast.frame if forecast is not None else pl.DataFrame(schema=FORECAST)
    columns = [pl.col(name) for name in FORECAST]
    shown = [
        backtested.select(*columns, "actual"),
        ahead.select(*columns, pl.lit(None, pl.Float64).alias("actual")),
    ]
    return backtested, pl.concat(shown).sort("skill", "week")


def _anomalies(stage: Stage[FleetConfig], table: FeatureTable) -> pl.DataFrame:
    """What each detector says of every window of the shown assets; those of single sensors see them load-normalised."""
    settings = stage.config.fleet.anomaly
    sensors = tuple(name for name in table.columns if name.endswith(".relative"))
    detectors = {
        ISOLATION: open_isolation(stage.root / paths.ANOMALY),
        "rolling threshold": fit_detector("rolling threshold", table, settings.rolling, columns=sensors),
        "novelty": fit_detector("novelty", table, settings.novelty, columns=sensors),
    }
    return anomalies(table, detectors)


def _work_share(table: FeatureTable, worked: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """Hours of work per hour of the calendar, over all assets."""
    last = table.last
    first = np.append(0, last[:-1] + 1)
    spans = table.time_min[last] - table.time_min[first]
    return float((worked[last] - worked[first]).sum() / max(spans.sum(), MINUTES_PER_HOUR))


def _precision_recall(table: FeatureTable, answers: dict[str, Said], *, draws: int, seed: int) -> pl.DataFrame:
    """Of the ensemble, by component; rate: precision of chance."""
    parts, everywhere = [pl.DataFrame(schema=RANKED)], np.zeros(len(table))
    for name, one in answers.items():
        if one.known.happened.any():
            everywhere[one.rows] = one.probability[ENSEMBLE]
            curve = precision_recall(one.known, everywhere, table.unit, draws=draws, seed=seed)
            rate = float(one.known.happened.mean())
            parts.append(curve.select(pl.lit(name).alias("component"), pl.all(), pl.lit(rate).alias("rate")))
    return pl.concat(parts)


def _calibration(answers: dict[str, Said]) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=CALIBRATION)]
    for name, one in answers.items():
        place = np.searchsorted(one.rows, one.known.row)
        bins = calibration(one.known.happened, one.probability[ENSEMBLE][place])
        parts.append(bins.select(pl.lit(name).alias("component"), "said", "happened", "rows"))
    return pl.concat(parts)


def _scores(model: HazardModel, prepared: Prepared) -> pl.DataFrame:
    """What the predictor said of the shown assets at every window."""
    table, lives = prepared.table(shown=True), prepared.lives(shown=True)
    rows, parts = np.arange(len(table)), [pl.DataFrame(schema=SCORES)]
    for name in model.components:
        members = model.member_hazards(table, lives, name, rows)
        told = model.foretold(name, members)
        columns = {
            "asset": np.array(table.assets)[table.unit],
            "component": np.repeat(name, len(rows)),
            "time_min": table.time_min,
            "probability": told.probability[:, -1],
            "low": told.low[:, -1],
            "high": told.high[:, -1],
        }
        parts.append(pl.DataFrame(columns, schema=SCORES))
    return pl.concat(parts)


def _metrics(tables: dict[str, pl.DataFrame], curves: dict[str, AlertCurve], threshold: float) -> dict[str, Any]:
    """Means over components; recall, lead time and false alarms at the one threshold of all."""
    table, found = tables["judged"], tables["found"]

    def mean(method: str, metric: str) -> float | None:
        rows = table.filter((pl.col("method") == method) & (pl.col("metric") == metric))
        return float(rows["mean"].mean()) if len(rows) else None  # type: ignore[arg-type]

    hits = found.filter("found")
    lead = hits["lead_hours"].median()
    quiet = [curve.at(threshold).false_alarms_at() for curve in curves.values()]
    return {
        "pr_auc": mean(ENSEMBLE, "pr_auc"),
        "pr_auc_age": mean(AGE, "pr_auc"),
        "pr_auc_sensor": mean(SENSOR, "pr_auc"),
        "pr_auc_leaky": _mean(tables["beside"]["leaky"]),
        "pr_auc_honest": _mean(tables["beside"]["honest"]),
        "brier": mean(ENSEMBLE, "brier"),
        "ece": mean(ENSEMBLE, "ece"),
        "recall": len(hits) / len(found) if len(found) else None,
        "lead_hours": float(lead) if lead is not None else None,  # type: ignore[arg-type]
        "false_alarms": float(sum(quiet)),
        "test_failures": len(found),
    } | {
        f"pr_auc_{row['component']}": row["mean"]
        for row in table.filter((pl.col("method") == ENSEMBLE) & (pl.col("metric") == "pr_auc")).iter_rows(named=True)
    }


def _mean(values: pl.Series) -> float | None:
    known = values.drop_nulls()
    return float(known.mean()) if len(known) else None  # type: ignore[arg-type]
