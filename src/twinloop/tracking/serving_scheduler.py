"""Saves and registers the scheduler as a model that `mlflow models serve` answers with: an instance in, a plan out.

A version is identified by its settings and the release of the package. Like the detector it is source and data, never
a pickle, and brings its own copy of the code.
"""

import dataclasses
import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import twinloop
from twinloop.files import fingerprint, write_json
from twinloop.scheduling.files.shop_json import shop_record
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.settings import ScheduleSettings
from twinloop.tracking.client import quietly
from twinloop.tracking.execution import Execution
from twinloop.tracking.serving import Registration, register_once
from twinloop.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

ARTIFACT = "scheduler"
DIGEST = "scheduler_digest"
SCRIPT = Path(__file__).with_name("served_scheduler.py")
# What planning imports.
REQUIREMENTS = ("mlflow", "numba", "numpy", "ortools", "polars", "pyarrow", "pydantic", "pyyaml", "scipy")


def register_scheduler(store: Store, execution: Execution, *, name: str, settings: ScheduleSettings, card: str) -> str:
    """The version of the registered model `name` that plans with these settings; a new one only where there is none.

    card: what it is, Markdown. Raises RunError where the store does not take it.
    """
    digest = fingerprint({"settings": dataclasses.asdict(settings), "release": version("twinloop")})
    return register_once(
        store,
        execution,
        Registration(name, ARTIFACT, DIGEST, digest, card),
        save=lambda folder: save_scheduler(folder, settings=settings),
    )


def save_scheduler(folder: Path, *, settings: ScheduleSettings) -> None:
    """Write the MLflow model to the new folder: settings, code, signature, an example."""
    import pandas as pd  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory() as temporary, quietly():
        from mlflow.pyfunc import save_model

        path = Path(temporary) / "settings.json"
        write_json(path, dataclasses.asdict(settings))
        save_model(
            path=str(folder),
            python_model=str(SCRIPT),
            artifacts={"settings": str(path)},
            signature=signature(),
            input_example=pd.DataFrame({"instance": [example()]}),
            code_paths=[str(Path(twinloop.__file__).parent)],
            pip_requirements=[f"{package}=={version(package)}" for package in REQUIREMENTS],
        )


def example() -> str:
    """A request, shown in MLflow's pages: two jobs that want the same machine."""
    jobs = Job("a", (Operation("saw", 3), Operation("mill", 4)), due=8), Job("b", (Operation("saw", 2),), due=4)
    return json.dumps(shop_record(JobShop(("saw", "mill"), jobs)))


def signature() -> "ModelSignature":
    """What is posted and what is answered, shown in MLflow's pages and checked by its server."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import Array, Object, Property

    row = {"job": "string", "operation": "long", "machine": "string", "start": "long", "end": "long"}
    answers: dict[str, Any] = {
        "status": DataType.string,
        "objective": DataType.long,
        "bound": DataType.long,
        "reason": DataType.string,
        "plan": Array(Object([Property(name, DataType[kind]) for name, kind in row.items()])),
        "error": DataType.string,
    }
    outputs = Schema([ColSpec(kind, name, required=False) for name, kind in answers.items()])
    return ModelSignature(inputs=Schema([ColSpec(DataType.string, "instance")]), outputs=outputs)
