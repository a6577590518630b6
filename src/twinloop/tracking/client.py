"""MLflow as this project uses it: explicit client, no pickle, no telemetry, and no patience with a dead server.

MLflow reads these choices from the process's environment when it is imported, so they are put there first;
what a user has already set stays, except that pickle is never loaded.
"""

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from mlflow.tracking import MlflowClient

# MLflow's own defaults retry a dead server for minutes, report use to its makers and print bars of their own.
CHOICES = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    # Two lines of addresses at the end of every run that a server takes.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # Ten processes and two gigabytes beside every `mlflow ui`, for features that nothing here uses.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}
NO_PICKLE = {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
# An option of SQLAlchemy that 2.1 deprecates, a comparison that pandas 3 does, and a hint on MLflow's own signatures
# (a colour code precedes it).
OWN_WARNINGS = (
    "The ``noload`` loader strategy is deprecated",
    "Operation with range is deprecated",
    ".*Any type hint is inferred as AnyType",
)
# Of one request MLflow takes 1000 items, of these 100 parameters and 100 tags.
METRICS_PER_BATCH, PARAMS_PER_BATCH, TAGS_PER_BATCH = 800, 100, 100


def prepare_environment() -> None:
    """Put the choices above into this process's environment, for MLflow and for what is started from here."""
    for name, value in CHOICES.items():
        os.environ.setdefault(name, value)
    os.environ.update(NO_PICKLE)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Without the warnings that MLflow causes to itself while it is imported and saves a model."""
    with warnings.catch_warnings():
        for message in OWN_WARNINGS:
            warnings.filterwarnings("ignore", message=message)
        yield


def connect(uri: str) -> "MlflowClient":
    """A client for one store; imports MLflow."""
    prepare_environment()
    # A lost store is told once, by us; these would print a traceback or a line for every retry.
    for chatty in ("alembic", "mlflow.store", "urllib3.connectionpool"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    with quietly():
        from mlflow.tracking import MlflowClient

        return MlflowClient(tracking_uri=uri, registry_uri=uri)


def send(
    client: "MlflowClient",
    run_id: str,
    *,
    metrics: "Sequence[Metric]" = (),
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Log in as few requests as MLflow's limits per batch allow."""
    from mlflow.entities import Param, RunTag

    all_params = [Param(key, value) for key, value in (params or {}).items()]
    all_tags = [RunTag(key, value) for key, value in (tags or {}).items()]
    while metrics or all_params or all_tags:
        client.log_batch(
            run_id,
            metrics=metrics[:METRICS_PER_BATCH],
            params=all_params[:PARAMS_PER_BATCH],
            tags=all_tags[:TAGS_PER_BATCH],
            synchronous=True,
        )
        metrics = metrics[METRICS_PER_BATCH:]
        all_params, all_tags = all_params[PARAMS_PER_BATCH:], all_tags[TAGS_PER_BATCH:]
