"""Runs one stage of one twin: its declared sections, its run in the tracking store, its line on the screen."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twinloop import outputs
from twinloop.config.compose import read_params
from twinloop.config.sections import declared, load
from twinloop.errors import TwinloopError
from twinloop.progress import clock, headline, say
from twinloop.twins import configuration
from twinloop.twins.registry import SHARED, Twin
from twinloop.twins.stage import Stage


def run_stage(root: Path, twin: Twin, verb: str, *, workers: int) -> None:
    """Run a stage at `root` and print its one line.

    Raises InputError or RunError with the line to show; the run in the store is then closed as failed.
    """
    start = time.monotonic()
    name = f"{twin.name}-{verb}"
    config = load(root, name, twin.schema)
    main = configuration.main_root(root)
    # Run by hand, a stage may read what no lock knows yet.
    if "DVC_STAGE" in os.environ:
        outputs.verify(root, name, main=main)
    module = twin.stage(verb)

    from twinloop.tracking import execution, recorded, store
    from twinloop.tracking.stage_run import stage_run

    params = read_params(root)
    section = {key: params[key] for key in (*SHARED, twin.name)}
    revision = execution.git_revision(root)
    opened = store.open_store(os.environ.get("MLFLOW_TRACKING_URI"), main)
    read = _read_by(root, name, params)
    with stage_run(
        opened,
        twin=twin.name,
        stage=verb,
        execution_key=execution.execution_key(section, root),
        params=read,
        tags=execution.tags(revision, profile=params["profile"]),
        system_metrics=any(isinstance(part, Mapping) and part.get("system_metrics") for part in read.values()),
    ) as tracker:
        try:
            told = module.run(Stage(config=config, root=root, tracker=tracker, workers=workers, main=main))
        except TwinloopError as error:
            # Engines know no twin: they name a setting by its class.
            raise type(error)(twin.in_params(str(error))) from error
        tracker.finish(root / twin.paths.metrics(verb) if verb != "record" else None)
    if verb == "record":
        opened.client.set_tag(tracker.execution.run_id, recorded.OUTPUTS, outputs.digest(root, twin.name))
    say(headline(twin.name, verb, told, clock(time.monotonic() - start)))


def _read_by(root: Path, stage: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The values of params.yaml that dvc.yaml declares for a stage, by dotted path."""
    values: dict[str, Any] = {}
    for dotted in declared(root, stage):
        value: Any = params
        for key in dotted.split("."):
            value = value[key]
        values[dotted] = value
    return values
