"""How MLflow's pages first show a twin's executions: as model training, with the columns that the twin declares.

MLflow keeps named views of its table in tags of the experiment; without one it shows no metric at all.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twinloop.errors import RunError

if TYPE_CHECKING:
    from twinloop.tracking.store import Store


@dataclass(frozen=True)
class Columns:
    """What an execution's row shows first, left to right.

    labels: parameters named plainly (data, model). metrics: column → where its value stands, the stage and the name in
    that stage's metrics.
    """

    labels: tuple[str, ...]
    metrics: Mapping[str, tuple[str, str]]

    def headline(self, stages: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
        """Column → value, without what the stage could not measure; stages: all metrics, stage → name → value.

        Raises RunError for a value that no stage has.
        """
        values: dict[str, float] = {}
        for column, (stage, name) in self.metrics.items():
            if name not in stages.get(stage, {}):
                raise RunError(
                    f"record: column {column}: expected a value {name!r} among the metrics of {stage}: "
                    "run that stage again with `dvc repro --force`"
                )
            if stages[stage][name] is not None:
                values[column] = stages[stage][name]
        return values


# Tags of an execution: the name `dvc exp run` gave it, its profile and the commit it ran at.
EXPERIMENT, PROFILE, REVISION = "experiment", "profile", "git_revision"
# Every run says what it is: an execution's row, a stage below it, or a part (trial, scenario) of a stage.
LEVEL, EXECUTION, STAGE, PART = "level", "execution", "stage", "part"
KEY = "executions"
VIEW = f"mlflow.sharedViewState.{KEY}"
QUERY = f"workflowType=machine_learning&viewStateShareKey={KEY}"


def show(store: "Store", twin: str, columns: Columns) -> None:
    """Let the page of `twin` show these columns; where it does already, nothing is sent.

    Raises RunError where the store does not take it.
    """
    from twinloop.tracking.stage_run import reason, store_faults

    try:
        experiment = store.experiment(twin)
        held = store.client.get_experiment(experiment).tags
        for name, value in _tags(columns, held).items():
            store.client.set_experiment_tag(experiment, name, value)
    except store_faults() as error:
        raise RunError(f"{twin}: the MLflow store does not take the view of its table: {reason(error)}") from None


def _tags(columns: Columns, held: Mapping[str, str]) -> dict[str, str]:
    """The experiment's tags that are to change."""
    # MLflow loads a hundred runs at a time; trials and scenarios would push older executions off the page.
    state = json.dumps(
        {
            "selectedColumns": [
                *(f"tags.`{name}`" for name in (EXPERIMENT, PROFILE, REVISION)),
                *(f"params.`{name}`" for name in columns.labels),
                *(f"metrics.`{name}`" for name in columns.metrics),
            ],
            "searchFilter": f"tags.{LEVEL} != '{PART}'",
            "orderByKey": "attributes.start_time",
            "orderByAsc": False,
        }
    )
    if json.loads(held.get(VIEW, "{}")).get("state") == state:
        return {}
    now = int(time.time() * 1000)
    saved = {"name": "Executions", "createdAt": now, "updatedAt": now, "state": state}
    return {"mlflow.experimentKind": "custom_model_development", VIEW: json.dumps(saved)}
