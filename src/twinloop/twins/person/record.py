"""Write this execution's row in MLflow whole: figures of model and service, pictures, data digest, what is served.

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
from twinloop.twins.person import paths
from twinloop.twins.person.config import PersonConfig
from twinloop.twins.person.serving.responder import KIND, register_responder
from twinloop.twins.person.twin import TWIN
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop person record"


def run(stage: Stage[PersonConfig]) -> str:
    """Record the execution, register its responder; returns the summary line."""
    store, execution = store_of(stage.tracker)
    measured = {name: stage_metrics(stage.root / paths.metrics(name)) for name in paths.STAGES}
    outcome = _outcome(stage.config, stage.root, measured)
    record(store, execution, outcome)
    version = register_responder(
        store,
        execution,
        folder=stage.root / paths.SELF,
        card=(stage.root / paths.MODEL_CARD).read_text(encoding="utf-8"),
    )
    registered = f"{TWIN.registered(KIND)} version {version}"
    return f"{outcome.name}: {len(outcome.headline)} headline metrics, {len(outcome.pictures)} pictures, {registered}"


def _outcome(config: PersonConfig, root: Path, measured: Mapping[str, Mapping[str, Any]]) -> Outcome:
    data, providers = _data_name(config, measured["prepare"]), config.person.providers.name
    times = latency_metrics(read_json(root / paths.LATENCY), measured["export"]["format"])
    params = TWIN.params(config)
    return Outcome(
        name=f"{data} · {providers} · {measured['simulate']['users']} people",
        columns=TWIN.columns,
        stages={**measured, "latency": times},
        params=params,
        labels={"data": data, "providers": providers},
        tags=run_tags(root, params) | {"results": str(read_json(root / paths.metrics("report"))["results"])},
        pictures=tuple(sorted((root / paths.FIGURES).glob("*.png"))),
        dataset=DatasetVersion(data, str(measured["prepare"]["dataset_sha256"]), config.person.data.source),
    )


def _data_name(config: PersonConfig, prepared: Mapping[str, Any]) -> str:
    chosen = config.person.data
    return Path(chosen.source).name if chosen.kind == "recorded" else f"fictional {prepared['data']}"
