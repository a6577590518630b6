"""The exported detector, with its operating point, as a registered model: images in, findings out.

A version is identified by what it decides with: graph, specification and operating point.
"""

import base64
import dataclasses
import io
import tempfile
from pathlib import Path

from twinloop.errors import InputError
from twinloop.files import fingerprint, sha256
from twinloop.learning.spec import SPEC_FILE, Spec
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
    spec = Spec.load(exported)
    if not operating_point.is_file():
        raise InputError(f"model: {operating_point}: no such file: run the evaluate stage first")
    return fingerprint(
        {
            "graph": sha256(exported / spec.file(spec.deployed)),
            "spec": sha256(exported / SPEC_FILE),
            "point": sha256(operating_point),
        }
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
                "unlike": DataType.double,
                "reason": DataType.string,
                "boxes": Array(Array(DataType.long)),
                "heat_map": DataType.string,
                "inference_ms": DataType.double,
                "error": DataType.string,
            },
            example={"image": [_example()]},
            requirements=REQUIREMENTS,
        )


def _copy_deployed(exported: Path, target: Path) -> None:
    spec = Spec.load(exported)
    file = spec.file(spec.deployed)
    target.mkdir()
    (target / file).write_bytes((exported / file).read_bytes())
    dataclasses.replace(spec, files={spec.deployed: file}).save(target)


def _example() -> str:
    """One grey image, posted as base64."""
    from PIL import Image

    stream = io.BytesIO()
    Image.new("L", (16, 16), 128).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode("ascii")
