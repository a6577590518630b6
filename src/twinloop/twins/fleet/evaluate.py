"""Judge the exported predictor on assets and a time that it never saw, and say what it foresees now.

Written beside the figures: an alert curve per component, which the simulation takes, and the risks of every asset in
service, which the workshop is booked by. `judged` makes the tables, `watched` the curves, `foreseen` the rest.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from twinloop.contracts.diagnosis import save_diagnoses
from twinloop.errors import InputError
from twinloop.files import atomic, sha256, write_json
from twinloop.numbers import MISSING, interval, number, percent
from twinloop.prognostics.evaluation.failures import Prices, cheapest_thresholds, common_threshold
from twinloop.prognostics.inference.graphs import open_hazard
from twinloop.prognostics.prepared import Prepared
from twinloop.twins.fleet import demand, foreseen, judged, paths, plan
from twinloop.twins.fleet.config import FleetConfig
from twinloop.twins.fleet.watched import Watching
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop fleet evaluate"


def run(stage: Stage[FleetConfig]) -> str:
    """Write judgements, alert curves, risks, diagnoses and metrics; returns the summary line."""
    fleet, seed, out = stage.config.fleet, stage.config.seed, stage.root / paths.EVALUATION
    settings, prepared = fleet.evaluate, Prepared.load(stage.root / paths.DATASET)
    trial = judged.Trial.of(prepared, open_hazard(stage.root / paths.PREDICTOR))
    answers = judged.answers(trial)
    digest = sha256(stage.root / paths.PREDICTOR / "hazard.json")
    watching = Watching(trial, settings, digest=digest, seed=seed)
    curves = watching.alerts(answers)
    if not curves:
        raise InputError(
            "evaluate: no component of a test asset failed in the time that is judged: found and missed failures "
            "cannot be counted; watch the assets for longer, or raise fleet.split.test_share or time_share"
        )
    common = common_threshold(list(curves.values()), false_alarms=settings.false_alarms)
    prices = {name: Prices(known.visit, known.failure) for name, known in plan.repairs(fleet, prepared).items()}
    # A component that never failed in the test has no curve to choose from.
    thresholds = dict.fromkeys(answers, common) | cheapest_thresholds(
        curves, prices, false_alarms=settings.false_alarms
    )
    plan.save_curves({name: curve.at(thresholds[name]) for name, curve in curves.items()}, stage.root / paths.ALERTS)
    plan.save_curves(watching.leads(), stage.root / paths.LEADS)
    tables = judged.judgements(trial, answers, settings, seed=seed)
    found = judged.failures(trial, answers, thresholds)
    at_common = judged.failures(trial, answers, dict.fromkeys(answers, common))
    now, shown = foreseen.now(fleet, trial), foreseen.shown(fleet, prepared, trial.model, stage.root)
    backtested, ahead = foreseen.demand_ahead(fleet, prepared)
    now.risks.save(stage.root / paths.RISKS)
    shown.risks.save(out / "shown_risks.parquet")
    save_diagnoses(now.diagnoses, stage.root / paths.DIAGNOSES)
    save_diagnoses(shown.diagnoses, out / "diagnoses.parquet")
    _write(
        {
            **tables,
            "found": found.with_columns(found_common=at_common["found"]),
            "scores": shown.scores,
            paths.REMAINING.stem: now.remaining,
            "shown_remaining": shown.remaining,
            "anomalies": shown.anomalies,
            "demand": ahead,
            "predicted": demand.predicted(fleet, prepared, now.risks),
        },
        out,
    )
    write_json(out / "sensors.json", {name: one.sensor for name, one in answers.items()})
    measured = {
        **judged.key_figures(tables, found, curves, thresholds=thresholds, draws=settings.draws, seed=seed),
        **{f"threshold_{name}": value for name, value in thresholds.items()},
        "threshold_common": common,
        "recall_common": at_common["found"].mean(),
        "diagnoses": len(shown.diagnoses),
        **demand.figures(backtested),
    }
    write_json(stage.root / paths.metrics("evaluate"), measured)
    return _summary(measured)


def _write(tables: Mapping[str, pl.DataFrame], folder: Path) -> None:
    for name, frame in tables.items():
        with atomic(folder / f"{name}.parquet") as temporary:
            frame.write_parquet(temporary)


def _summary(measured: Mapping[str, Any]) -> str:
    """Key figures with their 95 % intervals over assets."""
    lead, failures = measured["lead_hours"], measured["test_failures"]
    share = MISSING if measured["recall"] is None else percent(measured["recall"], digits=0)
    early = f", {lead:.0f} h ahead" if lead is not None else ""
    unseen = measured["modes_unseen_recall"]
    modes = f"; of fault modes never learnt from {percent(unseen, digits=0)}" if unseen is not None else ""
    return (
        f"PR-AUC {_told(measured, 'pr_auc')}, by age {number(measured['pr_auc_age'])}, promised by a leaky split "
        f"{_told(measured, 'pr_auc_leaky')}; Brier {_told(measured, 'brier')}, calibration error "
        f"{_told(measured, 'ece')}; at {measured['false_alarms']:.2f} false alarms per asset-month {share} of "
        f"{failures} failures found{early}{modes}"
    )


def _told(measured: Mapping[str, Any], name: str) -> str:
    """A figure with the ends of its interval, or the sign of what is missing."""
    mean = measured[name]
    if mean is None:
        return MISSING
    return f"{mean:.3f} ({interval(measured[f'{name}_low'], measured[f'{name}_high'])})"
