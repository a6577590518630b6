"""Write this execution's row."""

import dataclasses

from twinloop.twins.stub import paths
from twinloop.twins.stub.config import StubConfig
from twinloop.twins.stub.twin import TWIN

from twinloop.files import read_json
from twinloop.tracking.datasets import DatasetVersion
from twinloop.tracking.flat import stage_metrics
from twinloop.tracking.record import Outcome, record, run_tags
from twinloop.tracking.stage_run import store_of
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop stub record"


def run(stage: Stage[StubConfig]) -> str:
    """Record the execution."""
    store, execution = store_of(stage.tracker)
    root, config = stage.root, stage.config
    measured = {name: stage_metrics(root / TWIN.metrics(name)) for name in ("prepare", "simulate")}
    params = {"profile": config.profile, "seed": config.seed, "stub": dataclasses.asdict(config.stub)}
    outcome = Outcome(
        name=f"coin {config.stub.data.chance:g}",
        columns=TWIN.columns,
        stages=measured,
        params=params,
        labels={"coin": f"{config.stub.data.chance:g}"},
        tags=run_tags(root, params) | {"results": read_json(root / TWIN.metrics("report"))["results"]},
        pictures=tuple((root / TWIN.reports / "figures").glob("*.png")),
        dataset=DatasetVersion("tosses", measured["prepare"]["dataset_sha256"], str(paths.TOSSES)),
    )
    record(store, execution, outcome)
    return outcome.name
