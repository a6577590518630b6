"""How MLflow's pages first show a twin's executions: as model training, with the columns that matter.

MLflow keeps named views of its table in tags of the experiment; without one it shows no metric at all.
"""

import json
import time

# Tags of an execution: the name `dvc exp run` gave it, its profile and the commit it ran at.
EXPERIMENT, PROFILE, REVISION = "experiment", "profile", "git_revision"
PARAMS = ("data", "model")
METRICS = (
    "AP",
    "ECE",
    "escape_rate",
    "latency_p95_ms",
    "throughput_per_day",
    "oee",
    "profit_per_day",
    "tardiness",
)
# Every run says what it is: an execution's row, a stage below it, or a part (trial, scenario) of a stage.
LEVEL, EXECUTION, STAGE, PART = "level", "execution", "stage", "part"
KEY = "executions"
QUERY = f"workflowType=machine_learning&viewStateShareKey={KEY}"


def tags() -> dict[str, str]:
    """Tags of a new experiment."""
    columns = [*(f"tags.`{name}`" for name in (EXPERIMENT, PROFILE, REVISION))]
    columns += [*(f"params.`{name}`" for name in PARAMS), *(f"metrics.`{name}`" for name in METRICS)]
    # MLflow loads a hundred runs at a time; trials and scenarios would push older executions off the page.
    state = {
        "selectedColumns": columns,
        "searchFilter": f"tags.{LEVEL} != '{PART}'",
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
    }
    now = int(time.time() * 1000)
    saved = {"name": "Executions", "createdAt": now, "updatedAt": now, "state": json.dumps(state)}
    return {
        "mlflow.experimentKind": "custom_model_development",
        f"mlflow.sharedViewState.{KEY}": json.dumps(saved),
    }
