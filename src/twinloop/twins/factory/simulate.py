"""Simulate the line with the errors that were measured: what it earns today, and which lever earns most.

Scenarios share their random numbers and use the bootstrap draws of the operating curve, so that every
gain is a paired difference whose interval includes the model's own uncertainty. Then the best line within
reach is searched, and the maintenance policies of one station are compared on its simulated wear; its failures are
foreseen from its simulated sensors. So are those of the shop's machines that wear, for the plan that is made next.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from twinloop import contracts
from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.files import atomic, read_json, write_json
from twinloop.numbers import quantity
from twinloop.replication.optimisation import Optimum
from twinloop.simulation import ExperimentSettings
from twinloop.simulation.events.kpi import KPIS
from twinloop.simulation.experiments.answer import answer_record
from twinloop.simulation.experiments.design import PROFIT, How
from twinloop.simulation.experiments.experiment import run_scenarios
from twinloop.simulation.experiments.levers import Choices, Model, OperatingPoint
from twinloop.simulation.experiments.optimisation import optimise
from twinloop.simulation.experiments.result import Result
from twinloop.simulation.experiments.scenario import Scenario, replication_run
from twinloop.simulation.experiments.sensitivity import Sensitivity, analyse
from twinloop.simulation.maintenance.machines import standing
from twinloop.simulation.maintenance.study import PREDICTIVE, Study, study
from twinloop.simulation.maintenance.upkeep import FAILURE
from twinloop.simulation.model.plain import plain
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop factory simulate"
FORMATS = ("fp32", "fp16", "int8")
# What the table of trials holds in any space.
NOT_SEARCHED = {"trial": pl.String, "promised": pl.Float64, "finalist": pl.Boolean, "chosen": pl.Boolean}


def run(stage: Stage[FactoryConfig]) -> str:
    """Write scenarios, levers, thresholds, events, the search, the policies, answer and metrics; returns a summary."""
    sections, settings = stage.config.factory, stage.config.factory.simulate
    out = stage.root / paths.SIMULATION
    models, deployed = read_models(stage.root)
    point = contracts.OperatingPoint.load(stage.root / paths.OPERATING_POINT)
    today_point, chosen = _operating_point(point.today or point), _operating_point(point)
    model = models[deployed]
    today = Scenario("today", sections.line, model.curve, model.latency_ms).at(
        today_point.accept_below, today_point.reject_from
    )

    how: How = {
        "days": settings.days,
        "warmup_days": settings.warmup_days,
        "replications": settings.replications,
        "seed": stage.config.seed,
        "economy": sections.economy,
        "confidence": settings.confidence,
        "precision": settings.precision,
        "max_replications": settings.max_replications,
        "engine": settings.engine,
        "workers": stage.workers,
    }

    def simulated(scenarios: tuple[Scenario, ...]) -> dict[str, Result]:
        return run_scenarios(scenarios, **how)

    found = analyse(today, settings, Choices(models, chosen), run=simulated, today_point=today_point)
    answer = answer_record(found, today=today_point, chosen=chosen)
    optimum = optimise(today, settings.optimise, **how) if settings.optimise.trials else None
    maintained = study(
        sections.line,
        sections.maintenance,
        economy=sections.economy,
        curve=today.curve,
        seed=stage.config.seed,
        confidence=settings.confidence,
        workers=stage.workers,
    )
    for name, frame in {
        "scenarios": found.scenarios_frame(),
        "sensitivity": found.frame(),
        "threshold_curve": found.threshold_frame(),
        "states": found.states_frame(),
        "optimisation": optimum.frame() if optimum else pl.DataFrame(schema=NOT_SEARCHED),
        "maintenance": maintained.policies.frame(),
    }.items():
        with atomic(out / f"{name}.parquet") as temporary:
            frame.write_parquet(temporary)
    replication_run(today, 0, **how).log().save(out / "events.parquet")
    machines = standing(sections.upkeep, seed=stage.config.seed)
    machines.risks.save(stage.root / paths.MACHINES / "risks.parquet")
    machines.renewed.save(stage.root / paths.MACHINES / "renewed.parquet")
    with atomic(stage.root / paths.MACHINES / "machines.parquet") as temporary:
        machines.machines.write_parquet(temporary)
    maintained.risks.save(out / "risks.parquet")
    maintained.alerts.save(out / "alerts.parquet")
    write_json(out / "answer.json", answer)
    write_json(out / "optimisation.json", _optimum_record(optimum))
    lengths = {"days": settings.days, "warmup_days": settings.warmup_days}
    write_json(out / "today.json", {"line": plain(sections.line), **lengths})
    metrics = _metrics(found, answer) | _decisions(optimum, maintained)
    write_json(stage.root / paths.metrics("simulate"), metrics)
    for result in found.results:
        stage.tracker.child(
            result.name,
            params={"model": result.model},
            metrics={kpi: float(result.values(kpi).mean()) for kpi in KPIS},
        )
    notes = {sections.maintenance.station: maintained.foresight.note}
    notes |= dict(machines.machines.select("machine", "note").iter_rows())
    return "; ".join([_summary(found, settings), *(f"{name}: {note}" for name, note in notes.items() if note)])


def read_models(root: Path) -> tuple[dict[str, Model], str]:
    """The exported formats with their curves and latencies, and which of them is deployed."""
    latency: dict[str, Any] = read_json(root / paths.LATENCY)
    models = {}
    for name in FORMATS:
        if name not in latency:
            continue  # its numbers overflow, so export did not keep it
        curve = OperatingCurve.load(root / paths.EVALUATION / f"operating_curve_{name}.parquet")
        models[name] = Model(curve, float(latency[name]["quantised_ms"]))
    digest = OperatingCurve.load(root / paths.EVALUATION / "operating_curve.parquet").model
    deployed = [name for name, model in models.items() if model.curve.model == digest]
    if not deployed:
        raise InputError(
            "simulate: operating_curve.parquet belongs to none of the exported formats: run the evaluate stage again"
        )
    return models, deployed[0]


def _operating_point(chosen: contracts.OperatingPoint | contracts.Thresholds) -> OperatingPoint:
    return OperatingPoint(chosen.accept_below, chosen.reject_from)


def _metrics(found: Sensitivity, answer: dict[str, Any]) -> dict[str, float | str | None]:
    """Figures at the chosen operating point (today's where no threshold lever is configured), today's beside them."""
    threshold = next((gain for gain in found.gains if gain.lever.lever == "threshold"), None)
    chosen = threshold.result if threshold else found.today
    profit = chosen[PROFIT]
    headline = {PROFIT: profit.mean, f"{PROFIT}_low": profit.low, f"{PROFIT}_high": profit.high}
    today = found.today[PROFIT]
    relative = threshold.relative if threshold else None
    gain = threshold.net if threshold else None
    return {
        **headline,
        **{kpi: float(chosen.values(kpi).mean()) for kpi in KPIS if kpi != PROFIT},
        "profit_per_day_today": today.mean,
        "throughput_per_day_today": float(found.today.values("throughput_per_day").mean()),
        "escape_ppm_today": float(found.today.values("escape_ppm").mean()),
        "gain_per_day": gain.mean if gain else None,
        "gain_per_day_low": gain.low if gain else None,
        "gain_per_day_high": gain.high if gain else None,
        "relative_gain": relative.mean if relative else None,
        "together_gain_per_day": found.together.net.mean if found.together else None,
        "next_lever": answer["next_lever"],
        "replications": len(found.today.replications),
    }


def _optimum_record(optimum: Optimum | None) -> dict[str, Any]:
    """The search's answer with its numbers, as optimisation.json holds them."""
    if optimum is None:
        return {"sentence": "Nothing was searched (optimise.trials: 0).", "today": None, "gain": None}
    objective = optimum.settings.objective
    title, unit = KPIS[objective].title, KPIS[objective].unit
    return {
        "sentence": f"{optimum.sentence}.",
        "title": title,
        "unit": unit,
        "today": dataclasses.asdict(optimum.today[objective]),
        "gain": dataclasses.asdict(optimum.gain),
    }


def _decisions(optimum: Optimum | None, maintained: Study) -> dict[str, float | str | None]:
    policies, alerts = maintained.policies, maintained.alerts
    best = policies.ranking[0]
    return {
        "optimised_gain_per_day": optimum.gain.mean if optimum else None,
        "best_policy": best,
        "best_policy_upkeep_per_part": policies.figure(best).mean,
        "run_to_failure_upkeep_per_part": policies.figure(FAILURE).mean,
        "predictive_upkeep_per_part": policies.figure(PREDICTIVE).mean,
        "foreseen_by": maintained.foresight.name,
        "failures_learnt_from": maintained.foresight.learnt,
        "failures_foreseen": alerts.recall_at(),
        "false_alarms_per_100_hours": 100 * alerts.false_alarms_at() / alerts.hours_per_month,
        "lead_hours_median": float(np.interp(0.5, alerts.lead_levels, alerts.lead_at())),
    }


def _summary(found: Sensitivity, settings: ExperimentSettings) -> str:
    profit = found.today[PROFIT]
    share = 100 * profit.half_width / abs(profit.mean)
    return (
        f"{found.today.warning}{'; ' if found.today.warning else ''}"
        f"{len(found.results)} scenarios × {settings.replications} replications, "
        f"{quantity(profit.mean, '€/day')} today, interval half-width {share:.1f} %"
    )
