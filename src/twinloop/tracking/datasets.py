"""The data an execution saw, by digest: enough to see which rows may be compared, without a copy of the data."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

LONGEST_DIGEST = 36
CONTEXT = "mlflow.data.context"


@dataclass(frozen=True)
class DatasetVersion:
    """name: as the configuration says. digest: of the whole content. source: where it lies or what renders it."""

    name: str
    digest: str
    source: str


def log_dataset(client: "MlflowClient", run_id: str, dataset: DatasetVersion) -> None:
    """Make `dataset` an input of the run, once; its whole digest is the tag dataset_digest."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    digest = dataset.digest[:LONGEST_DIGEST]
    inputs = client.get_run(run_id).inputs
    known = {(used.dataset.name, used.dataset.digest) for used in inputs.dataset_inputs} if inputs else set()
    if (dataset.name, digest) not in known:
        described = Dataset(dataset.name, digest, source_type="local", source=json.dumps({"uri": dataset.source}))
        client.log_inputs(run_id, datasets=[DatasetInput(described, [InputTag(CONTEXT, "training")])])
    client.set_tag(run_id, "dataset_digest", dataset.digest)
