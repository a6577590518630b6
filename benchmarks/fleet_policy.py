"""What a hazard model is worth on the standard fleet: from a simulated past to policies in twenty fleets never seen.

Learnt from 300 vehicles over 180 days that were maintained at fixed intervals; alert curves and recall are measured on
another fleet that ran to failure; policies are compared in fresh replications with the workshop as it is, and with half
its opening hours. Thresholds and intervals are tuned in replications of their own.
"""

import dataclasses
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from twinloop.contracts import AlertCurve
from twinloop.numbers import Interval
from twinloop.prognostics.evaluation.failures import (
    Prices,
    cheapest_thresholds,
    common_threshold,
    failures_found,
    watched,
)
from twinloop.prognostics.evaluation.leads import lead_curve
from twinloop.prognostics.features.reference import Reference, fit_reference
from twinloop.prognostics.features.settings import FeatureSettings
from twinloop.prognostics.features.stream import features
from twinloop.prognostics.inference.graphs import export_hazard
from twinloop.prognostics.inference.scores import scored
from twinloop.prognostics.models.hazard import HazardModel, fit_hazard, tree_inputs
from twinloop.prognostics.models.settings import BoostSettings, ForestSettings, HazardSettings
from twinloop.prognostics.models.table import FeatureTable, component_age
from twinloop.scheduling.booking.rule import tuned_joint_rule
from twinloop.simulation import fleet as fl
from twinloop.simulation.fleet.comparison import FAILURE, INTERVAL
from twinloop.simulation.fleet.record import COST
from twinloop.simulation.fleet.recorded import recorded
from twinloop.simulation.fleet.vehicle import Fleet
from twinloop.simulation.fleet.workshop import Shift

FEATURES = FeatureSettings(window_min=1440.0, within=False, spans=(2, 5, 14), early=14, load="load")
HAZARD = HazardSettings(
    # Those that say how a sensor stands and where it goes.
    learnt_from=r"\.(relative|level_\d+|trend_5)$",
    folds=2,
    survived_per_failure=8,
    with_linear=True,
    with_network=False,
    boost=BoostSettings(trees=100, depth=4, learning_rate=0.08, leaf=20.0),
    forest=ForestSettings(trees=15, leaf=20, columns=0.3, depth=10),
)
# A learnt fleet, the one that curves come from, and those that policies meet.
LEARN, CURVE, MEET = 11, 77, 300
HALF_ALARM, THRESHOLDS = 0.5, 40
ALERTS, SCORED, JOINT = "best thresholds", "scored telemetry", "joint rule"


class Sizes(NamedTuple):
    """vehicles: of a fleet that policies meet (a bay for 40). days, warmup_days: of each replication.

    replications: of the comparison; half: with half the hours; scored: of those in which telemetry is scored.
    """

    learnt: int = 300
    curve: int = 100
    vehicles: int = 40
    days: int = 180
    warmup_days: int = 30
    replications: int = 20
    half: int = 12
    half_days: int = 120
    scored: int = 5
    draws: int = 50


class Foresight(NamedTuple):
    """A model with what its features need, and what was measured of it on a fleet that it never saw."""

    model: HazardModel
    reference: Reference
    table: FeatureTable
    lives: pl.DataFrame
    curves: Mapping[str, AlertCurve]


def measured(*, seed: int = 0, sizes: Sizes | None = None) -> dict[str, Any]:
    """All figures; values with uncertainty are {mean, half_width}."""
    sizes = sizes or Sizes()
    started = time.process_time()
    foresight, figures = learnt(seed, sizes)
    said("learnt", started)
    with tempfile.TemporaryDirectory() as folder:
        exported(foresight, Path(folder))
        scorer = fl.HazardScorer(Path(folder), foresight.reference, FEATURES)
        figures |= policies(foresight, scorer, seed, sizes)
    said("compared", started)
    figures |= half_capacity(foresight, seed, sizes)
    return figures | {"policy_cpu_s": round(time.process_time() - started, 1)}


def learnt(seed: int, sizes: Sizes) -> tuple[Foresight, dict[str, Any]]:
    """The model, its curves, and how many failures it finds at half a false alarm per vehicle and month."""
    past = fl.simulate_history(fl.StandardFleet(vehicles=sizes.learnt).fleet(), days=180, seed=LEARN + 1000 * seed)
    record = recorded(past)
    # A part of the rows is enough to know what is usual.
    some = dataclasses.replace(record.telemetry, frame=record.telemetry.frame.gather_every(50))
    reference = fit_reference(some, FEATURES, seed=seed)
    windows = features(record.telemetry, reference, FEATURES, events=record.events)
    del past, some
    table = FeatureTable.of(windows)
    model = fit_hazard(table, record.lives, HAZARD, seed=seed)
    unseen = fl.simulate_history(
        fl.StandardFleet(vehicles=sizes.curve).fleet(), days=360, policy=fl.RunToFailure(), seed=CURVE + 1000 * seed
    )
    record = recorded(unseen)
    table = FeatureTable.of(features(record.telemetry, reference, FEATURES, events=record.events))
    scores = scored(model, table, record.lives)
    curves = {
        name: lead_curve(
            fl.watched_lives(unseen, name, scores.filter(pl.col("component") == name)),
            model="hazard",
            draws=sizes.draws,
            seed=seed,
        )
        for name in unseen.fleet.parts
    }
    found = Foresight(model, reference, table, record.lives, curves)
    return found, alarms(found, scores, seed)


def alarms(foresight: Foresight, scores: pl.DataFrame, seed: int, *, draws: int = 200) -> dict[str, Any]:
    """Recall and lead time within the horizon, at half a false alarm per vehicle and month of all components together.

    Thresholds are those of each component that cost least; `_common`: at the one threshold of all. Both are chosen on
    the fleet on which they are judged.
    """
    table, lives, settings = foresight.table, foresight.lives, foresight.model.settings
    window, rows = settings.days * settings.period_h, np.arange(len(table))
    said_of = {
        name: scores.filter(pl.col("component") == name)["score"].to_numpy() for name in foresight.model.components
    }
    thresholds = np.unique(np.quantile(np.concatenate(list(said_of.values())), 1 - np.geomspace(0.5, 1e-3, THRESHOLDS)))
    curves = {
        name: AlertCurve.of_lives(
            watched(table, lives, name, score, rows),
            thresholds=thresholds,
            window_hours=window,
            model="hazard",
            draws=0,
            clock="calendar",
        )
        for name, score in said_of.items()
    }
    prices = {part.name: Prices(part.visit, part.failure) for part in fl.StandardFleet().components}
    own = cheapest_thresholds(curves, prices, false_alarms=HALF_ALARM)
    common = dict.fromkeys(curves, common_threshold(list(curves.values()), false_alarms=HALF_ALARM))
    found, at_common = (
        pl.concat(
            failures_found(table, lives, name, score, rows, threshold=thresholds[name], window_hours=window)
            for name, score in said_of.items()
        )
        for thresholds in (own, common)
    )
    by_asset = found.partition_by("asset")
    rng = np.random.default_rng(seed)
    samples = [pl.concat([by_asset[k] for k in rng.integers(len(by_asset), size=len(by_asset))]) for _ in range(draws)]
    return {
        "recall_at_half_alarm": bootstrap(share_found(found), [share_found(sample) for sample in samples]),
        "lead_hours_median": bootstrap(median_lead(found), [median_lead(sample) for sample in samples]),
        "recall_at_half_alarm_by_component": by_component(found),
        "recall_at_half_alarm_common": round(share_found(at_common), 4),
        "recall_at_half_alarm_common_by_component": by_component(at_common),
        "false_alarms_at_half_alarm": round(sum(curve.at(own[n]).false_alarms_at() for n, curve in curves.items()), 4),
    }


def exported(foresight: Foresight, folder: Path) -> None:
    """The model as ONNX graphs, checked against the objects on some rows."""
    table, model = foresight.table, foresight.model
    rows = np.arange(0, len(table), max(len(table) // 200, 1))
    age = component_age(table, foresight.lives, next(iter(model.components)))[rows]
    export_hazard(model, folder, tree_inputs(table, model.columns, rows, age), np.zeros((0, 0, 0), np.float32))


def policies(foresight: Foresight, scorer: fl.HazardScorer, seed: int, sizes: Sizes) -> dict[str, Any]:
    """Thresholds per component between fixed intervals, wear seen and oracle; then scores of telemetry."""
    fleet = fl.StandardFleet(vehicles=sizes.vehicles).fleet()
    how = {"days": sizes.days, "warmup_days": sizes.warmup_days, "seed": MEET + 1000 * seed}
    compared = fl.compare_policies(
        fleet, {ALERTS: fl.Alert.of(foresight.curves)}, tune=(ALERTS,), replications=sizes.replications, **how
    )
    alerts = compared.policies[ALERTS]
    assert isinstance(alerts, fl.Alert)
    roadside = {name: compared.results[name].compare(compared.results[ALERTS]) for name in (INTERVAL, FAILURE)}
    figures = {
        "policy_share_of_visible": value(compared.visible_share(ALERTS)),
        "policy_gap_saved": value(compared.gap_saved(ALERTS)),
        "policy_gap_saved_wear_seen": value(compared.gap_saved("wear seen")),
        "roadside_reduction": value(minus(roadside[INTERVAL].relative("failures"))),
        "roadside_reduction_run_to_failure": value(minus(roadside[FAILURE].relative("failures"))),
        "cost_by_policy": {name: value(result[COST]) for name, result in compared.results.items()},
        "thresholds": {name: round(threshold, 4) for name, threshold in alerts.values.items()},
    }
    days = 3 * (sizes.days + sizes.warmup_days)
    told = fl.Scored.of(alerts, scorer, days=days)
    model = fl.run_policy(fleet, told, replications=sizes.scored, **how)
    curve = fl.run_policy(fleet, alerts, replications=sizes.scored, **how)
    interval = fl.run_policy(fleet, compared.policies[INTERVAL], replications=sizes.scored, **how)
    return figures | {
        "curve_model_difference": value(curve.compare(model)[COST]),
        "curve_model_difference_relative": value(curve.compare(model).relative(COST)),
        "scored_saving": value(minus(interval.compare(model)[COST])),
        "curve_saving": value(minus(interval.compare(curve)[COST])),
    }


def half_capacity(foresight: Foresight, seed: int, sizes: Sizes) -> dict[str, Any]:
    """What the joint rule saves a vehicle and day against the best thresholds, the workshop being half open.

    Most of the downtime is then waiting for a bay. Of both, numbers are tuned in replications of their own. What an
    hour of driving costs is told, too: the rule stands less.
    """
    fleet = half_open(fl.StandardFleet(vehicles=sizes.vehicles).fleet())
    how = {"days": sizes.half_days, "warmup_days": sizes.warmup_days, "seed": MEET + 1000 * seed}
    intervals = fl.tuned(fl.FixedInterval({}), fleet, **how).values
    alerts = fl.tuned(fl.Alert({}, foresight.curves, intervals), fleet, **how)
    # Components without a heeded alert are left to their ages, which the rule knows.
    rule = tuned_joint_rule(fleet, alerts, **how)
    thresholds, joint = (fl.run_policy(fleet, policy, replications=sizes.half, **how) for policy in (alerts, rule))
    change = thresholds.compare(joint)
    return {
        "joint_rule_gain_half_capacity": value(minus(change[COST])),
        "joint_rule_gain_half_capacity_relative": value(minus(change.relative(COST))),
        "joint_rule_gain_half_capacity_per_hour": value(minus(change["cost_per_hour"])),
        "half_capacity_utilisation": value(thresholds["bay_utilisation"]),
        "half_capacity_availability": value(thresholds["availability"]),
        "half_capacity_availability_joint": value(joint["availability"]),
    }


def half_open(fleet: Fleet) -> Fleet:
    """The same fleet with a workshop open half as long each day: half the minutes of bays and of all skills."""
    shifts = tuple(
        dataclasses.replace(shift, ends_min=(shift.begins_min + shift.ends_min) / 2) for shift in fleet.workshop.shifts
    )
    assert all(isinstance(shift, Shift) for shift in shifts)
    return dataclasses.replace(fleet, workshop=dataclasses.replace(fleet.workshop, shifts=shifts))


def share_found(found: pl.DataFrame) -> float:
    """Of the failures."""
    return float(found["found"].mean())  # type: ignore[arg-type]


def by_component(found: pl.DataFrame) -> dict[str, float]:
    """Share found of the failures of each."""
    return {part[0, "component"]: round(share_found(part), 3) for part in found.partition_by("component")}


def median_lead(found: pl.DataFrame) -> float:
    """Hours of the calendar from the first alert within the horizon to the failure, of those that were found."""
    return float(found.filter("found")["lead_hours"].median())  # type: ignore[arg-type]


def bootstrap(estimate: float, draws: list[float]) -> dict[str, float]:
    """Estimate with half of its 95 % interval over vehicles."""
    low, high = np.quantile(draws, (0.025, 0.975))
    return {"mean": round(estimate, 4), "half_width": round(float(high - low) / 2, 4)}


def minus(interval: Interval | None) -> Interval | None:
    """Of a change, the saving."""
    return None if interval is None else Interval(-interval.mean, -interval.high, -interval.low)


def value(interval: Interval | None) -> dict[str, float] | None:
    """Mean and half-width."""
    if interval is None:
        return None
    return {"mean": round(interval.mean, 4), "half_width": round(interval.half_width, 4)}


def said(what: str, started: float) -> None:
    """How far it is."""
    print(f"policy: {what} after {time.process_time() - started:.0f} CPU-s", file=sys.stderr, flush=True)
