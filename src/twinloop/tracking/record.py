"""Writes an execution's row whole, from what its stages left on disk.

The run history cannot be the source: DVC restores and skips stages. So every figure comes from the metrics JSON files,
and writing twice leaves the same row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twinloop.errors import RunError
from twinloop.tracking import flat
from twinloop.tracking.client import send
from twinloop.tracking.datasets import DatasetVersion, log_dataset
from twinloop.tracking.difference import difference
from twinloop.tracking.execution import Execution
from twinloop.tracking.stage_run import entities, reason, store_faults, unfinished
from twinloop.tracking.store import Store

FIGURES = "figures"
RUN_NAME = "mlflow.runName"


@dataclass(frozen=True)
class Outcome:
    """What one execution came to.

    name: of the row, readable. headline: the figures that matter, plain names. stages: all figures, stage → name →
    value; they become stage.name. params: the twin's whole configuration. labels: parameters named plainly (data,
    model). tags: texts to find the row by. figures: pictures, kept under their file names.
    """

    name: str
    headline: Mapping[str, float | None]
    stages: Mapping[str, Mapping[str, Any]]
    params: Mapping[str, Any]
    labels: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)
    figures: tuple[Path, ...] = ()
    dataset: DatasetVersion | None = None


def record(store: Store, execution: Execution, outcome: Outcome) -> None:
    """Bring the row up to `outcome` and close it; what it holds already is not sent again.

    Raises RunError where the store does not take it; recording again repeats nothing.
    """
    try:
        _write(store, execution, outcome)
        _settle(store, execution, outcome)
        store.client.set_terminated(execution.run_id, "FINISHED")
    except store_faults() as error:
        raise RunError(
            f"{execution.twin} record: the MLflow store did not take the row ({reason(error)}): "
            f"run `dvc repro {execution.twin}-record` when it answers again"
        ) from None


def _write(store: Store, execution: Execution, outcome: Outcome) -> None:
    client, run_id = store.client, execution.run_id
    held = client.get_run(run_id).data
    figures: dict[str, Any] = {key: value for key, value in outcome.headline.items() if value is not None}
    words: dict[str, Any] = dict(outcome.tags)
    for stage, values in outcome.stages.items():
        figures |= {f"{stage}.{key}": value for key, value in values.items()}
        words |= {f"{stage}.{key}": value for key, value in values.items()}
    params = dict(outcome.labels) | flat.params(outcome.params)
    changed = {key: value for key, value in flat.numbers(figures).items() if held.metrics.get(key) != value}
    send(
        client,
        run_id,
        metrics=entities(changed),
        # A parameter cannot be changed in MLflow; those of one execution do not change either.
        params={key: value for key, value in params.items() if key not in held.params},
        tags={**flat.texts(words), RUN_NAME: f"{outcome.name}{difference(store, execution, params)}"},
    )
    if outcome.dataset is not None:
        log_dataset(client, run_id, outcome.dataset)
    for figure in outcome.figures:
        client.log_artifact(run_id, str(figure), FIGURES)


def _settle(store: Store, execution: Execution, outcome: Outcome) -> None:
    """Close stage runs that a lost server left open, with the figures it did not get."""
    for run_id, stage in unfinished(store, execution).items():
        if stage in outcome.stages:
            values = outcome.stages[stage]
            send(store.client, run_id, metrics=entities(flat.numbers(values)), tags=flat.texts(values))
            store.client.set_terminated(run_id, "FINISHED")
