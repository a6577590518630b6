"""Write this execution's row in MLflow whole: model and business figures, pictures, data digest, the served models.

A leaf without outputs, so it also runs after DVC has restored everything else; that is why it reads the metrics files
and not the history of runs.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twinloop.errors import RunError
from twinloop.files import read_json, sha256
from twinloop.tracking import view
from twinloop.tracking.datasets import DatasetVersion
from twinloop.tracking.flat import stage_metrics
from twinloop.tracking.record import Outcome, record
from twinloop.tracking.serving import register
from twinloop.tracking.serving_scheduler import register_scheduler
from twinloop.tracking.stage_run import StageRun
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop factory record"
STAGES = ("prepare", "tune", "train", "export", "evaluate", "simulate", "schedule")
# Column of the table → where its figure stands: the stage's metrics file and the name there.
HEADLINE = {
    "AP": ("evaluate", "ap"),
    "ECE": ("evaluate", "ece"),
    "escape_rate": ("evaluate", "escape_rate"),
    "throughput_per_day": ("simulate", "throughput_per_day"),
    "oee": ("simulate", "oee"),
    "profit_per_day": ("simulate", "profit_per_day"),
    "tardiness": ("schedule", "tardiness"),
}
LATENCY = "latency_p95_ms"
DETECTOR, SCHEDULER = "factory-detector", "factory-scheduler"
FIGURES = paths.REPORTS / "figures"
CARD = paths.REPORTS / "model_card.md"
SCHEDULER_CARD = "Plans job shops: a column `instance` with a shop as JSON in, its plan out."


def run(stage: Stage[FactoryConfig]) -> str:
    """Record the execution, register its detector and scheduler; returns the summary line."""
    tracker = stage.tracker
    if not isinstance(tracker, StageRun):
        raise TypeError(f"the record stage needs the store's tracker, got {type(tracker).__name__}")
    measured = {name: stage_metrics(stage.root / paths.metrics(name)) for name in STAGES}
    outcome = _outcome(stage.config, stage.root, measured)
    record(tracker.store, tracker.execution, outcome)
    version = register(
        tracker.store,
        tracker.execution,
        name=DETECTOR,
        exported=stage.root / paths.ONNX,
        operating_point=stage.root / paths.EVALUATION / "operating_point.json",
        card=(stage.root / CARD).read_text(encoding="utf-8"),
    )
    planner = register_scheduler(
        tracker.store,
        tracker.execution,
        name=SCHEDULER,
        settings=stage.config.factory.schedule,
        card=SCHEDULER_CARD,
    )
    shown = sum(value is not None for value in outcome.headline.values())
    return (
        f"{outcome.name}: {shown} headline figures, {len(outcome.figures)} pictures, "
        f"{DETECTOR} version {version}, {SCHEDULER} version {planner}"
    )


def _outcome(config: FactoryConfig, root: Path, measured: Mapping[str, Mapping[str, Any]]) -> Outcome:
    data, model = _data_name(config), _model_name(measured["train"])
    evaluated, prepared = measured["evaluate"], measured["prepare"]
    thresholds = f"{evaluated['threshold_today']:.2g}→{evaluated['threshold']:.2g}"
    lock = root / "dvc.lock"
    tags = {
        "profile": config.profile,
        "results": str(read_json(root / paths.metrics("report"))["results"]),
        "dvc_lock": sha256(lock) if lock.is_file() else "none",
    }
    return Outcome(
        name=f"{data} · {model} · {thresholds}",
        headline={
            column: _p95_ms(root, measured) if column == LATENCY else _figure(measured, *HEADLINE[column])
            for column in view.METRICS
        },
        stages={**measured, "latency": _latencies(root)},
        params={"profile": config.profile, "seed": config.seed, "factory": dataclasses.asdict(config.factory)},
        labels={"data": data, "model": model, "model_values": str(measured["train"]["values"])},
        tags=tags,
        figures=tuple(sorted((root / FIGURES).glob("*.png"))),
        dataset=DatasetVersion(data, str(prepared["dataset_sha256"]), config.factory.data.source),
    )


def _figure(measured: Mapping[str, Mapping[str, Any]], stage: str, name: str) -> float | None:
    if name not in measured[stage]:
        file = paths.metrics(stage)
        raise RunError(f"record: {file}: expected a figure {name!r}: run `dvc repro --force factory-{stage}`")
    value: float | None = measured[stage][name]
    return value


def _latencies(root: Path) -> dict[str, Any]:
    """Every exported format's times and its speed against FP32, so that runs and machines compare."""
    times = read_json(root / paths.LATENCY)
    figures = {
        f"{name}.{key}": found[key]
        for name, found in times.items()
        for key in ("p50_ms", "p95_ms", "speedup")
        if key in found
    }
    return figures | {key: value for key, value in times.get("hardware", {}).items() if isinstance(value, str)}


def _p95_ms(root: Path, measured: Mapping[str, Mapping[str, Any]]) -> float:
    return float(read_json(root / paths.LATENCY)[measured["export"]["format"]]["p95_ms"])


def _data_name(config: FactoryConfig) -> str:
    data = config.factory.data
    return Path(data.source).name if data.kind == "folder" else data.kind


def _model_name(trained: Mapping[str, Any]) -> str:
    return f"{trained['encoder']} {trained['parameters'] / 1e6:.2f}M"
