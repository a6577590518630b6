"""The exported detector, with its operating point, as a registered model: images in, findings out.

A version is identified by what it decides with: graph, specification and operating point.
"""

import base64
import io
import tempfile
from pathlib import Path
from typing import Any

from twinloop.errors import InputError
from twinloop.files import fingerprint, read_json, sha256, write_json
from twinloop.tracking.execution import Execution
from twinloop.tracking.registering import Registration, register, save_script
from twinloop.tracking.store import Store
from twinloop.twins.factory.twin import TWIN

KIND = "detector"
SCRIPT = Path(__file__).with_name("served_detector.py")
# What the detector imports; not torch, and nothing that trains.
REQUIREMENTS = ("mlflow", "numpy", "onnxruntime", "pillow", "polars", "pyarrow", "scipy")


def register_detector(store: Store, execution: Execution, *, exported: Path, operating_point: Path, card: str) -> str:
    """The version of the registered detector that is this one; a new one only where there is none.

    exported: folder of the export stage. card: the model card, Markdown, shown as the version's description.
    Raises RunError where the store does not take it.
    """
    digest = detector_digest(exported, operating_point)
    return register(
        store,
        execution,
        Registration(TWIN.registered(KIND), KIND, digest, card),
        save=lambda folder: save_detector(folder, exported=exported, operating_point=operating_point),
    )


def detector_digest(exported: Path, operating_point: Path) -> str:
    """Identifies what a detector decides with. Raises InputError where a file is missing."""
    for path in (exported / "spec.json", operating_point):
        if not path.is_file():
            raise InputError(f"model: {path}: no such file: run the export and evaluate stages first")
    spec: dict[str, Any] = read_json(exported / "spec.json")
    graph = exported / spec["files"][spec["deployed"]]
    return fingerprint(
        {"graph": sha256(graph), "spec": sha256(exported / "spec.json"), "point": sha256(operating_point)}
    )


def save_detector(folder: Path, *, exported: Path, operating_point: Path) -> None:
    """Write the MLflow model to the new folder: deployed graph, specification, operating point, code, signature."""
    from mlflow.types import DataType
    from mlflow.types.schema import Array

    with tempfile.TemporaryDirectory() as temporary:
        deployed = Path(temporary) / "onnx"
        _copy_deployed(exported, deployed)
        save_script(
            folder,
            SCRIPT,
            artifacts={"detector": deployed, "operating_point": operating_point},
            inputs={"image": DataType.string},
            answers={
                "defect_type": DataType.string,
                "confidence": DataType.double,
                "defect_probability": DataType.double,
                "decision": DataType.string,
                "boxes": Array(Array(DataType.long)),
                "heat_map": DataType.string,
                "inference_ms": DataType.double,
                "error": DataType.string,
            },
            example={"image": [_example()]},
            requirements=REQUIREMENTS,
        )


def _copy_deployed(exported: Path, target: Path) -> None:
    spec: dict[str, Any] = read_json(exported / "spec.json")
    file = spec["files"][spec["deployed"]]
    target.mkdir()
    (target / file).write_bytes((exported / file).read_bytes())
    write_json(target / "spec.json", {**spec, "files": {spec["deployed"]: file}})


def _example() -> str:
    """One grey image, posted as base64."""
    from PIL import Image

    stream = io.BytesIO()
    Image.new("L", (16, 16), 128).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode("ascii")
