"""Write this execution's row in MLflow whole: model and business metrics, pictures, data digest, the served models.

A leaf without outputs, so it also runs after DVC has restored everything else; that is why it reads the metrics files
and not the history of runs.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twinloop.files import read_json
from twinloop.learning.latency import latency_metrics
from twinloop.prognostics.prepared import Prepared
from twinloop.scheduling.booking.records import book_of
from twinloop.tracking.datasets import DatasetVersion
from twinloop.tracking.flat import stage_metrics
from twinloop.tracking.record import Outcome, record, run_tags
from twinloop.tracking.stage_run import store_of
from twinloop.twins.fleet import paths, plan
from twinloop.twins.fleet.config import FleetConfig
from twinloop.twins.fleet.serving.booking import register_booking
from twinloop.twins.fleet.serving.predictor import register_predictor
from twinloop.twins.fleet.twin import TWIN
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop fleet record"


def run(stage: Stage[FleetConfig]) -> str:
    """Record the execution, register its predictor and book; returns the summary line."""
    store, execution = store_of(stage.tracker)
    measured = {name: stage_metrics(stage.root / paths.metrics(name)) for name in paths.STAGES}
    outcome = _outcome(stage.config, stage.root, measured)
    record(store, execution, outcome)
    prepared, booked = Prepared.load(stage.root / paths.DATASET), read_json(stage.root / paths.SCHEDULE / "book.json")
    versions = {
        "predictor": register_predictor(
            store,
            execution,
            predictor=stage.root / paths.PREDICTOR,
            consequences=plan.consequences(stage.config.fleet, prepared),
            least=stage.config.fleet.evaluate.least,
            card=(stage.root / paths.MODEL_CARD).read_text(encoding="utf-8"),
        ),
        "booking": register_booking(
            store, execution, book=book_of(booked["book"], "book.json"), assets=booked["assets"]
        ),
    }
    registered = ", ".join(f"{TWIN.registered(kind)} version {version}" for kind, version in versions.items())
    return f"{outcome.name}: {len(outcome.headline)} headline metrics, {len(outcome.pictures)} pictures, {registered}"


def _outcome(config: FleetConfig, root: Path, measured: Mapping[str, Mapping[str, Any]]) -> Outcome:
    data, model = _data_name(config, measured["prepare"]), _model_name(measured["train"])
    times = latency_metrics(read_json(root / paths.LATENCY), measured["export"]["format"])
    params = TWIN.params(config)
    return Outcome(
        name=f"{data} · {model} · {measured['simulate']['policy']}",
        columns=TWIN.columns,
        stages={**measured, "latency": times},
        params=params,
        labels={"data": data, "model": model, "model_values": str(measured["train"]["values"])},
        tags=run_tags(root, params) | {"results": str(read_json(root / paths.metrics("report"))["results"])},
        pictures=tuple(sorted((root / paths.FIGURES).glob("*.png"))),
        dataset=DatasetVersion(data, str(measured["prepare"]["dataset_sha256"]), config.fleet.data.source),
    )


def _data_name(config: FleetConfig, prepared: Mapping[str, Any]) -> str:
    return Path(config.fleet.data.source).name if config.fleet.data.kind == "recorded" else str(prepared["data"])


def _model_name(trained: Mapping[str, Any]) -> str:
    return f"{trained['members']} {trained['train_assets']} assets"
