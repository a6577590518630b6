"""The scheduler as a registered model: shops in, plans out.

A version is identified by its settings and the release of the package.
"""

import dataclasses
import json
import tempfile
from importlib.metadata import version
from pathlib import Path

from twinloop.files import fingerprint, write_json
from twinloop.scheduling.files.shop_json import shop_record
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.settings import ScheduleSettings
from twinloop.tracking.execution import Execution
from twinloop.tracking.registering import Registration, register, save_script
from twinloop.tracking.store import Store
from twinloop.twins.factory.twin import TWIN

KIND = "scheduler"
SCRIPT = Path(__file__).with_name("served_scheduler.py")
CARD = "Plans job shops: a column `instance` with a shop as JSON in, its plan out."
# What planning imports.
REQUIREMENTS = ("mlflow", "numba", "numpy", "ortools", "polars", "pyarrow", "pydantic", "pyyaml", "scipy")


def register_scheduler(store: Store, execution: Execution, *, settings: ScheduleSettings) -> str:
    """The version of the registered scheduler that plans with these settings; a new one only where there is none.

    Raises RunError where the store does not take it.
    """
    digest = fingerprint({"settings": dataclasses.asdict(settings), "release": version("twinloop")})
    return register(
        store,
        execution,
        Registration(TWIN.registered(KIND), KIND, digest, CARD),
        save=lambda folder: save_scheduler(folder, settings=settings),
    )


def save_scheduler(folder: Path, *, settings: ScheduleSettings) -> None:
    """Write the MLflow model to the new folder: settings, code, signature, an example."""
    from mlflow.types import DataType
    from mlflow.types.schema import Array, Object, Property

    row = {"job": "string", "operation": "long", "machine": "string", "start": "long", "end": "long"}
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "settings.json"
        write_json(path, dataclasses.asdict(settings))
        save_script(
            folder,
            SCRIPT,
            artifacts={"settings": path},
            inputs={"instance": DataType.string},
            answers={
                "status": DataType.string,
                "objective": DataType.long,
                "bound": DataType.long,
                "reason": DataType.string,
                "plan": Array(Object([Property(name, DataType[kind]) for name, kind in row.items()])),
                "error": DataType.string,
            },
            example={"instance": [_example()]},
            requirements=REQUIREMENTS,
        )


def _example() -> str:
    """Two jobs that want the same machine."""
    jobs = Job("a", (Operation("saw", 3), Operation("mill", 4)), due=8), Job("b", (Operation("saw", 2),), due=4)
    return json.dumps(shop_record(JobShop(("saw", "mill"), jobs)))
