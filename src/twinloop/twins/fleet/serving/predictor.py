"""The exported predictor as a registered model: windows of features in, diagnoses out.

A version is identified by what it decides with: graphs, calibration, and what failures cost.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twinloop.errors import InputError
from twinloop.files import fingerprint, sha256, write_json
from twinloop.prognostics.inference.risks import Consequence
from twinloop.tracking.execution import Execution
from twinloop.tracking.registering import Registration, register, save_script
from twinloop.tracking.store import Store
from twinloop.twins.fleet.twin import TWIN

KIND = "predictor"
SCRIPT = Path(__file__).with_name("served_predictor.py")
MODEL_FILE = "hazard.json"
# What the predictor imports; not torch, and nothing that trains.
REQUIREMENTS = (
    "mlflow",
    "numpy",
    "onnxruntime",
    "polars",
    "psutil",
    "pyarrow",
    "pydantic",
    "pyyaml",
    "scipy",
    "xgboost-cpu",
)


def register_predictor(
    store: Store,
    execution: Execution,
    *,
    predictor: Path,
    consequences: Mapping[str, Consequence],
    least: float,
    card: str,
) -> str:
    """The version of the registered predictor that is this one; a new one only where there is none.

    predictor: folder of the train stage. consequences: of failures, by component. least: probability from which there
    is a diagnosis. card: the model card, Markdown, shown as the version's description. Raises InputError where there is
    no predictor, RunError where the store does not take it.
    """
    digest = predictor_digest(predictor, consequences, least=least)
    return register(
        store,
        execution,
        Registration(TWIN.registered(KIND), KIND, digest, card),
        save=lambda folder: save_predictor(folder, predictor=predictor, consequences=consequences, least=least),
    )


def predictor_digest(predictor: Path, consequences: Mapping[str, Consequence], *, least: float) -> str:
    """Identifies what a predictor decides with. Raises InputError where there is none."""
    files = _files(predictor)
    return fingerprint({"files": {path.name: sha256(path) for path in files}, "rest": _rest(consequences, least)})


def save_predictor(folder: Path, *, predictor: Path, consequences: Mapping[str, Consequence], least: float) -> None:
    """Write the MLflow model to the new folder: graphs, consequences, code, signature, an example."""
    from mlflow.types import DataType
    from mlflow.types.schema import Array, Object, Property

    diagnosis = Object(
        [
            Property("component", DataType.string),
            Property("horizon_hours", DataType.double),
            Property("probability", DataType.double),
            Property("confidence", DataType.double),
            Property("severity", DataType.long),
            Property(
                "contributions",
                Array(Object([Property("feature", DataType.string), Property("contribution", DataType.double)])),
            ),
            Property("action", DataType.string),
        ]
    )
    with tempfile.TemporaryDirectory() as temporary:
        graphs, rest = Path(temporary) / "predictor", Path(temporary) / "consequences.json"
        graphs.mkdir()
        for path in _files(predictor):
            (graphs / path.name).write_bytes(path.read_bytes())
        write_json(rest, _rest(consequences, least))
        save_script(
            folder,
            SCRIPT,
            artifacts={"predictor": graphs, "consequences": rest},
            inputs={"windows": DataType.string},
            answers={"asset": DataType.string, "time_min": DataType.double, "diagnoses": Array(diagnosis)},
            example={"windows": [json.dumps({"asset": "VEH001", "columns": ["time_min"], "rows": [[1440.0]]})]},
            requirements=REQUIREMENTS,
        )


def _files(predictor: Path) -> list[Path]:
    """The files that it predicts with: graphs, boosters, the model's JSON."""
    if not (predictor / MODEL_FILE).is_file():
        raise InputError(f"model: {predictor}: expected a predictor, found none: run the train stage first")
    return sorted(path for path in predictor.iterdir() if path.suffix in (".onnx", ".json"))


def _rest(consequences: Mapping[str, Consequence], least: float) -> dict[str, Any]:
    return {"least": least, "consequences": {name: one._asdict() for name, one in consequences.items()}}
