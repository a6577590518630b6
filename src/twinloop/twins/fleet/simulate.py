"""Price the predictor: policies of maintenance on the same simulated fleets, between fixed intervals and the oracle.

The measured alert curves enter with their draws, so intervals hold what is not known of the predictor. Alerts are
heeded from thresholds chosen with the workshop and the costs in view, not from where the predictor looks best.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import polars as pl

from twinloop.config import parse
from twinloop.contracts import AlertCurve
from twinloop.files import atomic, write_json
from twinloop.numbers import quantity
from twinloop.prognostics.evaluation.leads import lead_curve
from twinloop.prognostics.features.settings import FeatureSettings
from twinloop.prognostics.prepared import Prepared
from twinloop.replication.result import Comparison
from twinloop.scheduling.booking.rule import tuned_joint_rule
from twinloop.simulation.fleet import (
    Alert,
    FixedInterval,
    Fleet,
    FleetComparison,
    HazardScorer,
    RunToFailure,
    Scored,
    compare_policies,
    run_policy,
    simulate_history,
    tuned,
    watched_lives,
)
from twinloop.simulation.fleet.comparison import FAILURE, INTERVAL
from twinloop.simulation.fleet.record import COST, KPIS
from twinloop.simulation.fleet.tuning import FIRST
from twinloop.twins.fleet import paths, plan
from twinloop.twins.fleet.config import FleetConfig
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop fleet simulate"
ALERTS, JOINT = "alert thresholds", "joint rule"
# A replication of its own, behind those by which policies are tuned and compared.
WATCHED = 2 * FIRST


def run(stage: Stage[FleetConfig]) -> str:
    """Write the comparison, the answer and the stage's metrics; returns the summary line."""
    settings, out = stage.config.fleet.simulate, stage.root / paths.SIMULATION
    prepared = Prepared.load(stage.root / paths.DATASET)
    fleet = plan.described(stage.config.fleet, prepared, vehicles=settings.vehicles)
    measured = {
        own: curve
        for name, curve in plan.load_curves(stage.root / paths.LEADS).items()
        if (own := plan.component_name(name)) in fleet.parts
    }
    if settings.watched and stage.config.fleet.data.kind == "simulated":
        measured |= _driven_to_failure(stage, prepared, measured)
    run: dict[str, Any] = {"days": settings.days, "warmup_days": settings.warmup_days, "seed": stage.config.seed}
    chosen = {**run, "replications": settings.tuning_replications, "workers": stage.workers}
    intervals = tuned(FixedInterval({}), fleet, **chosen)
    # What no alert is heeded for is renewed by its age.
    alerts = tuned(Alert({}, measured, intervals.values), fleet, **chosen)
    joint = tuned_joint_rule(fleet, alerts, ahead=stage.config.fleet.booking.ahead, **chosen)
    compared = compare_policies(
        fleet,
        {ALERTS: alerts, JOINT: joint},
        **run,
        tuning_replications=settings.tuning_replications,
        replications=settings.replications,
        confidence=settings.confidence,
        workers=stage.workers,
    )
    difference = _curve_against_model(stage, prepared, fleet, alerts, run)
    with atomic(out / "policies.parquet") as temporary:
        compared.frame().write_parquet(temporary)
    best = compared.ranking[0]
    write_json(out / "answer.json", _answer(compared, best))
    write_json(stage.root / paths.metrics("simulate"), _metrics(compared, best) | _difference(difference))
    for name, result in compared.results.items():
        stage.tracker.child(
            name, params={"policy": name}, metrics={kpi: float(result.values(kpi).mean()) for kpi in KPIS}
        )
    cost, saving = compared.results[best][COST], compared.saving(best)
    return (
        f"{len(fleet.vehicles)} vehicles × {settings.days} days × {settings.replications}: {best} "
        f"{quantity(cost.mean, '€/vehicle-day')}, {saving.mean:.2f} ({saving.low:.2f} … {saving.high:.2f}) less than "
        f"the best fixed intervals"
    )


def _driven_to_failure(
    stage: Stage[FleetConfig], prepared: Prepared, measured: Mapping[str, AlertCurve]
) -> dict[str, AlertCurve]:
    """First alerts of the exported predictor in a fleet of which nothing was learnt, as `measured` says of the test's.

    Of a component of which none failed there is none.
    """
    settings, sections = stage.config.fleet.simulate, stage.config.fleet
    history = simulate_history(
        plan.described(sections, prepared, vehicles=settings.watched),
        days=2 * settings.days,
        warmup_days=settings.warmup_days,
        policy=RunToFailure(),
        sensing=sections.fleet.sensing,
        seed=stage.config.seed,
        replication=WATCHED,
    )
    scores, curves = _scorer(stage, prepared)(history), {}
    for name, known in measured.items():
        lives = watched_lives(history, name, scores.filter(pl.col("component") == name))
        if any(life.failed for life in lives):
            curves[name] = lead_curve(
                lives,
                model=known.model,
                draws=known.draws,
                seed=stage.config.seed,
                hours_per_month=known.hours_per_month,
            )
    return curves


def _scorer(stage: Stage[FleetConfig], prepared: Prepared) -> HazardScorer:
    features = parse(FeatureSettings, prepared.about["features"])
    return HazardScorer(stage.root / paths.PREDICTOR, prepared.reference, features)


def _curve_against_model(
    stage: Stage[FleetConfig], prepared: Prepared, fleet: Fleet, alerts: Alert, run: dict[str, Any]
) -> Comparison | None:
    """The alerts from the curve, and from the exported predictor that scores telemetry of the same fleets."""
    settings = stage.config.fleet.simulate
    if not settings.scored or stage.config.fleet.data.kind != "simulated":
        return None
    # Driven to failure, the lives of a run may last three times as long.
    scored = Scored.of(
        alerts,
        _scorer(stage, prepared),
        days=3 * (settings.days + settings.warmup_days),
        sensing=stage.config.fleet.fleet.sensing,
    )
    how = {**run, "replications": max(settings.scored, 2), "workers": stage.workers, "confidence": settings.confidence}
    curve, model = (run_policy(fleet, policy, **how) for policy in (alerts, scored))
    return curve.compare(model)


def _difference(difference: Comparison | None) -> dict[str, float | None]:
    """What the predictor itself costs more than its curve promises, euro per vehicle-day."""
    cost = difference[COST] if difference is not None else None
    return {
        "curve_model_difference": cost.mean if cost else None,
        "curve_model_difference_low": cost.low if cost else None,
        "curve_model_difference_high": cost.high if cost else None,
    }


def _answer(compared: FleetComparison, best: str) -> dict[str, Any]:
    saving = compared.saving(best)
    return {
        "sentence": compared.sentence,
        "policy": best,
        "saving_per_vehicle_day": dataclasses.asdict(saving),
        "thresholds": _numbers(compared, ALERTS),
        "intervals_min": _numbers(compared, INTERVAL),
    }


def _numbers(compared: FleetComparison, policy: str) -> dict[str, float | None]:
    values = getattr(compared.policies[policy], "values", {})
    return {name: value if value < float("inf") else None for name, value in values.items()}


def _metrics(compared: FleetComparison, best: str) -> dict[str, float | str | None]:
    """Key figures of the cheapest policy that can be followed, and what the alerts save."""
    result = compared.results[best]
    saving, of_alerts = compared.saving(best), compared.saving(ALERTS)
    visible, gap = compared.visible_share(ALERTS), compared.gap_saved(ALERTS)
    failed = compared.results[FAILURE][COST].mean
    return {
        "policy": best,
        **{kpi: float(result.values(kpi).mean()) for kpi in KPIS},
        "saving_per_vehicle_day": saving.mean,
        "saving_per_vehicle_day_low": saving.low,
        "saving_per_vehicle_day_high": saving.high,
        "alerts_saving_per_vehicle_day": of_alerts.mean,
        "interval_cost_per_vehicle_day": compared.results[INTERVAL][COST].mean,
        "failure_cost_per_vehicle_day": failed,
        "joint_cost_per_vehicle_day": compared.results[JOINT][COST].mean,
        "share_of_visible": visible.mean if visible else None,
        "gap_saved": gap.mean if gap else None,
        "interval_failures": compared.results[INTERVAL]["failures"].mean,
        "alerts_failures": compared.results[ALERTS]["failures"].mean,
    }
