"""Write this execution's row in MLflow whole: model and business metrics, pictures, data digest, the served models.

A leaf without outputs, so it also runs after DVC has restored everything else; that is why it reads the metrics files
and not the history of runs.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twinloop.files import read_json
from twinloop.learning.latency import latency_metrics
from twinloop.tracking.datasets import DatasetVersion
from twinloop.tracking.flat import stage_metrics
from twinloop.tracking.record import Outcome, record, run_tags
from twinloop.tracking.stage_run import store_of
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.factory.serving.detector import register_detector
from twinloop.twins.factory.serving.scheduler import register_scheduler
from twinloop.twins.factory.twin import TWIN
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop factory record"


def run(stage: Stage[FactoryConfig]) -> str:
    """Record the execution, register its detector and scheduler; returns the summary line."""
    store, execution = store_of(stage.tracker)
    measured = {name: stage_metrics(stage.root / paths.metrics(name)) for name in paths.STAGES}
    outcome = _outcome(stage.config, stage.root, measured)
    record(store, execution, outcome)
    versions = {
        "detector": register_detector(
            store,
            execution,
            exported=stage.root / paths.ONNX,
            operating_point=stage.root / paths.OPERATING_POINT,
            card=(stage.root / paths.MODEL_CARD).read_text(encoding="utf-8"),
        ),
        "scheduler": register_scheduler(store, execution, settings=stage.config.factory.schedule),
    }
    registered = ", ".join(f"{TWIN.registered(kind)} version {version}" for kind, version in versions.items())
    return f"{outcome.name}: {len(outcome.headline)} headline metrics, {len(outcome.pictures)} pictures, {registered}"


def _outcome(config: FactoryConfig, root: Path, measured: Mapping[str, Mapping[str, Any]]) -> Outcome:
    data, model = _data_name(config), _model_name(measured["train"])
    evaluated, prepared = measured["evaluate"], measured["prepare"]
    times = latency_metrics(read_json(root / paths.LATENCY), measured["export"]["format"])
    params = TWIN.params(config)
    return Outcome(
        name=f"{data} · {model} · {evaluated['threshold_today']:.2g}→{evaluated['threshold']:.2g}",
        columns=TWIN.columns,
        stages={**measured, "latency": times},
        params=params,
        labels={"data": data, "model": model, "model_values": str(measured["train"]["values"])},
        tags=run_tags(root, params) | {"results": str(read_json(root / paths.metrics("report"))["results"])},
        pictures=tuple(sorted((root / paths.FIGURES).glob("*.png"))),
        dataset=DatasetVersion(data, str(prepared["dataset_sha256"]), config.factory.data.source),
    )


def _data_name(config: FactoryConfig) -> str:
    data = config.factory.data
    return Path(data.source).name if data.kind == "folder" else data.kind


def _model_name(trained: Mapping[str, Any]) -> str:
    return f"{trained['encoder']} {trained['parameters'] / 1e6:.2f}M"
