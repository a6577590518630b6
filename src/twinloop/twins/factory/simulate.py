"""Simulate the line with the errors that were measured: what it earns today, and which lever earns most.

Scenarios share their random numbers and use the bootstrap draws of the operating curve, so that every
gain is a paired difference whose interval includes the model's own uncertainty.
"""

from pathlib import Path
from typing import Any

from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.files import atomic, read_json, write_json
from twinloop.numbers import quantity
from twinloop.simulation import Economy, ExperimentSettings
from twinloop.simulation.events.kpi import KPIS
from twinloop.simulation.experiments.answer import answer_record
from twinloop.simulation.experiments.experiment import Scenario, replication_run, run_scenarios
from twinloop.simulation.experiments.levers import Choices, Model, OperatingPoint
from twinloop.simulation.experiments.result import Result
from twinloop.simulation.experiments.sensitivity import PROFIT, Sensitivity, analyse
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop factory simulate"
FORMATS = ("fp32", "fp16", "int8")


def run(stage: Stage[FactoryConfig]) -> str:
    """Write scenarios, sensitivity, threshold curve, events, answer and metrics; returns the summary line."""
    sections, settings = stage.config.factory, stage.config.factory.simulate
    out = stage.root / paths.SIMULATION
    models, deployed = read_models(stage.root)
    point = read_json(stage.root / paths.EVALUATION / "operating_point.json")
    today_point, chosen = _operating_point(point["today"]), _operating_point(point)
    model = models[deployed]
    today = Scenario("today", sections.line, model.curve, model.latency_ms).at(
        today_point.accept_below, today_point.reject_from
    )

    def simulated(scenarios: tuple[Scenario, ...]) -> dict[str, Result]:
        return run_scenarios(
            scenarios,
            economy=sections.economy,
            days=settings.days,
            warmup_days=settings.warmup_days,
            replications=settings.replications,
            confidence=settings.confidence,
            seed=stage.config.seed,
            workers=stage.workers,
        )

    found = analyse(today, settings, Choices(models, chosen), run=simulated, today_point=today_point)
    answer = answer_record(found, today=today_point, chosen=chosen)
    for name, frame in {
        "scenarios": found.scenarios_frame(),
        "sensitivity": found.frame(),
        "threshold_curve": found.threshold_frame(),
        "states": found.states_frame(),
    }.items():
        with atomic(out / f"{name}.parquet") as temporary:
            frame.write_parquet(temporary)
    _save_events(today, out / "events.parquet", sections.economy, settings, seed=stage.config.seed)
    write_json(out / "answer.json", answer)
    write_json(stage.root / paths.metrics("simulate"), _metrics(found, answer))
    for result in found.results:
        stage.tracker.child(
            result.name,
            params={"model": result.model},
            metrics={kpi: float(result.values(kpi).mean()) for kpi in KPIS},
        )
    return _summary(found, settings)


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


def _operating_point(record: dict[str, Any]) -> OperatingPoint:
    return OperatingPoint(record["accept_below"], record["reject_from"])


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


def _save_events(today: Scenario, path: Path, economy: Economy, settings: ExperimentSettings, *, seed: int) -> None:
    replication = replication_run(
        today,
        0,
        economy=economy,
        days=settings.days,
        warmup_days=settings.warmup_days,
        seed=seed,
    )
    replication.log().save(path)


def _summary(found: Sensitivity, settings: ExperimentSettings) -> str:
    profit = found.today[PROFIT]
    share = 100 * profit.half_width / abs(profit.mean)
    return (
        f"{len(found.results)} scenarios × {settings.replications} replications, "
        f"{quantity(profit.mean, '€/day')} today, interval half-width {share:.1f} %"
    )
