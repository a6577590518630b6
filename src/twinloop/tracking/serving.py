"""Registers the exported detector, with its operating point, as a model that `mlflow models serve` answers with.

A version is identified by what it decides with: graph, specification and operating point. The same ones are not
registered twice. The model is saved as source and data, never as a pickle, and brings its own copy of the code, so
that an old version goes on answering as it did.
"""

import base64
import io
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import twinloop
from twinloop.errors import InputError, RunError
from twinloop.files import fingerprint, read_json, sha256, write_json
from twinloop.tracking.client import quietly
from twinloop.tracking.execution import Execution
from twinloop.tracking.stage_run import reason, store_faults
from twinloop.tracking.store import Store

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.models import ModelSignature

ARTIFACT = "detector"
DIGEST = "detector_digest"
SCRIPT = Path(__file__).with_name("served_detector.py")
# What the detector imports; not torch, and nothing that trains.
REQUIREMENTS = ("mlflow", "numpy", "onnxruntime", "pillow", "polars", "pyarrow", "scipy")


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


def register(store: Store, execution: Execution, *, name: str, exported: Path, operating_point: Path, card: str) -> str:
    """The version of the registered model `name` that is this detector; a new one only where there is none.

    exported: folder of the export stage. card: the model card, Markdown, shown as the version's description.
    Raises RunError where the store does not take it.
    """
    digest = detector_digest(exported, operating_point)
    return register_once(
        store,
        execution,
        Registration(name, ARTIFACT, DIGEST, digest, card),
        save=lambda folder: save(folder, exported=exported, operating_point=operating_point),
    )


@dataclass(frozen=True)
class Registration:
    """A model's name, the folder of its artifact, the tag and value that identify a version, its card (Markdown)."""

    name: str
    artifact: str
    tag: str
    digest: str
    card: str


def register_once(store: Store, execution: Execution, model: Registration, *, save: Callable[[Path], None]) -> str:
    """The version with this digest; `save` writes the model to a new folder only where there is none.

    Raises RunError where the store does not take it.
    """
    try:
        with store.lock("registry"):
            known = store.client.search_model_versions(f"name='{model.name}' and tags.{model.tag}='{model.digest}'")
            if known:
                return str(known[0].version)
            return str(_new(store, execution, model, save).version)
    except store_faults() as error:
        raise RunError(f"{execution.twin} record: the MLflow store did not take the model: {reason(error)}") from None


def _new(store: Store, execution: Execution, model: Registration, save: Callable[[Path], None]) -> "ModelVersion":
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / model.artifact
        save(saved)
        store.client.log_artifacts(execution.run_id, str(saved), model.artifact)
    if not store.client.search_registered_models(f"name='{model.name}'"):
        store.client.create_registered_model(model.name)
    return store.client.create_model_version(
        model.name,
        source=f"runs:/{execution.run_id}/{model.artifact}",
        run_id=execution.run_id,
        tags={model.tag: model.digest, "execution_key": execution.key},
        description=model.card,
    )


def save(folder: Path, *, exported: Path, operating_point: Path) -> None:
    """Write the MLflow model to the new folder: deployed graph, specification, operating point, code, signature."""
    with tempfile.TemporaryDirectory() as temporary, quietly():
        from mlflow.pyfunc import save_model

        deployed = Path(temporary) / "onnx"
        _copy_deployed(exported, deployed)
        save_model(
            path=str(folder),
            python_model=str(SCRIPT),
            artifacts={"detector": str(deployed), "operating_point": str(operating_point)},
            signature=signature(),
            input_example=_example(),
            code_paths=[str(Path(twinloop.__file__).parent)],
            pip_requirements=[f"{package}=={version(package)}" for package in REQUIREMENTS],
        )


def _copy_deployed(exported: Path, target: Path) -> None:
    spec: dict[str, Any] = read_json(exported / "spec.json")
    file = spec["files"][spec["deployed"]]
    target.mkdir()
    (target / file).write_bytes((exported / file).read_bytes())
    write_json(target / "spec.json", {**spec, "files": {spec["deployed"]: file}})


def _example() -> "pd.DataFrame":
    """A request, shown in MLflow's pages: one grey image."""
    import pandas as pd
    from PIL import Image

    stream = io.BytesIO()
    Image.new("L", (16, 16), 128).save(stream, "PNG")
    return pd.DataFrame({"image": [base64.b64encode(stream.getvalue()).decode("ascii")]})


def signature() -> "ModelSignature":
    """What is posted and what is answered, shown in MLflow's pages and checked by its server."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import Array

    answers: dict[str, Any] = {
        "defect_type": DataType.string,
        "confidence": DataType.double,
        "defect_probability": DataType.double,
        "decision": DataType.string,
        "boxes": Array(Array(DataType.long)),
        "heat_map": DataType.string,
        "inference_ms": DataType.double,
        "error": DataType.string,
    }
    outputs = Schema([ColSpec(kind, name, required=False) for name, kind in answers.items()])
    return ModelSignature(inputs=Schema([ColSpec(DataType.string, "image")]), outputs=outputs)


def registered_version(store: Store, name: str, *, wanted: int | None = None) -> str:
    """The version of a registered model, by default the newest. Raises InputError where it is not registered."""
    known = sorted(int(found.version) for found in store.client.search_model_versions(f"name='{name}'"))
    if not known:
        raise InputError(f"serve: no model {name!r} is registered: run `make repro` first")
    if wanted is not None and wanted not in known:
        raise InputError(
            f"serve: {name} has no version {wanted}, only {', '.join(map(str, known))}: choose one of these"
        )
    return str(wanted or known[-1])


def serve_command(name: str, version: str | int, *, port: int = 5001) -> list[str]:
    """Command that answers posted images on loopback; MLFLOW_TRACKING_URI must name the store.

    >>> serve_command("factory-detector", 1)[3:6]
    ['models', 'serve', '-m']
    """
    return [
        *(sys.executable, "-m", "mlflow", "models", "serve", "-m", f"models:/{name}/{version}"),
        *("--env-manager", "local", "-h", "127.0.0.1", "-p", str(port), "--workers", "1"),
    ]
