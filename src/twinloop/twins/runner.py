"""Runs one stage of one twin: its declared sections, its run in the tracking store, its line on the screen."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from twinloop import outputs
from twinloop.config.compose import read_params
from twinloop.config.sections import declared_values, load
from twinloop.progress import clock, headline, say
from twinloop.twins import configuration
from twinloop.twins.inputs import Inputs
from twinloop.twins.registry import SHARED, Twin
from twinloop.twins.stage import Stage


def run_stage(root: Path, twin: Twin, verb: str, *, workers: int) -> None:
    """Run a stage at `root` and print its one line.

    What it declared to read must be at its end what it was at its start. Raises InputError or RunError with the line
    to show; the run in the store is then closed as failed.
    """
    start = time.monotonic()
    name = f"{twin.name}-{verb}"
    inputs = Inputs.of(root, name)
    config = load(root, name, twin.schema)
    main = configuration.main_root(root)
    # Run by hand, a stage may read what no lock knows yet.
    if "DVC_STAGE" in os.environ:
        outputs.verify(root, name, main=main)
    module = twin.stage(verb)

    from twinloop.tracking import execution, recorded, store, view
    from twinloop.tracking.stage_run import stage_run

    params = read_params(root)
    section = {key: params[key] for key in (*SHARED, twin.name)}
    revision = execution.git_revision(root)
    opened = store.open_store(os.environ.get("MLFLOW_TRACKING_URI"), main)
    view.show(opened, twin.name, twin.columns)
    read = declared_values(root, name, params)
    with stage_run(
        opened,
        twin=twin.name,
        stage=verb,
        execution_key=execution.execution_key(section, root),
        params=read,
        tags=execution.tags(revision, profile=params["profile"]),
        system_metrics=any(isinstance(part, Mapping) and part.get("system_metrics") for part in read.values()),
    ) as tracker:
        with twin.errors_in_params():
            summary = module.run(Stage(config=config, root=root, tracker=tracker, workers=workers, main=main))
        inputs.require_unchanged()
        tracker.finish(root / twin.metrics(verb) if verb != "record" else None)
    if verb == "record":
        opened.client.set_tag(tracker.execution.run_id, recorded.OUTPUTS, outputs.digest(root, twin.name))
    say(headline(twin.name, verb, summary, clock(time.monotonic() - start)))
