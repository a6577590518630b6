"""Registers a model that answers over HTTP (`tracking.server`): source and data, never a pickle.

What is served is a twin's: a script for MLflow (its pyfunc), artefacts, a signature. A version is identified by a
digest of what it decides with; the same one is not registered twice. It brings its own copy of the code, so that an old
version goes on answering as it did.
"""

import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import twinloop
from twinloop.errors import InputError, RunError
from twinloop.tracking.client import quietly
from twinloop.tracking.execution import Execution
from twinloop.tracking.stage_run import reason, store_faults
from twinloop.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.models import ModelSignature

SERVER = Path(__file__).with_name("server.py")


@dataclass(frozen=True)
class Registration:
    """A model to register: under which name, identified by which digest, described by which card (Markdown).

    kind: what it is among its twin's models; names the artefact's folder and the digest's tag.
    """

    name: str
    kind: str
    digest: str
    card: str

    @property
    def tag(self) -> str:
        """The tag of a version that holds its digest."""
        return f"{self.kind}_digest"


def register(store: Store, execution: Execution, model: Registration, *, save: Callable[[Path], None]) -> str:
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
        saved = Path(folder) / model.kind
        save(saved)
        store.client.log_artifacts(execution.run_id, str(saved), model.kind)
    if not store.client.search_registered_models(f"name='{model.name}'"):
        store.client.create_registered_model(model.name)
    return store.client.create_model_version(
        model.name,
        source=f"runs:/{execution.run_id}/{model.kind}",
        run_id=execution.run_id,
        tags={model.tag: model.digest, "execution_key": execution.key},
        description=model.card,
    )


def save_script(
    folder: Path,
    script: Path,
    *,
    artifacts: Mapping[str, Path],
    inputs: Mapping[str, Any],
    answers: Mapping[str, Any],
    example: Mapping[str, list[Any]],
    requirements: Iterable[str],
) -> None:
    """Write an MLflow model to the new `folder`: the script, its artefacts, its signature, this package's code.

    inputs, answers: column → an `mlflow.types` type; an answer's column may be null. example: a request, shown in
    MLflow's pages. requirements: the packages that the script imports; they are pinned to what is installed.
    """
    import pandas as pd

    with quietly():
        from mlflow.pyfunc import save_model

        save_model(
            path=str(folder),
            python_model=str(script),
            artifacts={name: str(path) for name, path in artifacts.items()},
            signature=_signature(inputs, answers),
            input_example=pd.DataFrame(dict(example)),
            code_paths=[str(Path(twinloop.__file__).parent)],
            pip_requirements=[f"{package}=={version(package)}" for package in requirements],
        )


def save_agent(
    folder: Path,
    script: Path,
    *,
    artifacts: Mapping[str, Path],
    example: Mapping[str, Any],
    requirements: Iterable[str],
) -> None:
    """Write an MLflow agent to the new `folder`, as `save_script`; its signature is that of the Responses interface.

    MLflow puts the example to the agent once. That is no turn worth a trace: this process traces nothing from then on,
    unless it is told to again.
    """
    with quietly():
        import mlflow.tracing
        from mlflow.pyfunc import save_model

        mlflow.tracing.disable()
        save_model(
            path=str(folder),
            python_model=str(script),
            artifacts={name: str(path) for name, path in artifacts.items()},
            input_example=dict(example),
            code_paths=[str(Path(twinloop.__file__).parent)],
            pip_requirements=[f"{package}=={version(package)}" for package in requirements],
        )


def _signature(inputs: Mapping[str, Any], answers: Mapping[str, Any]) -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    outputs = Schema([ColSpec(kind, name, required=False) for name, kind in answers.items()])
    return ModelSignature(inputs=Schema([ColSpec(kind, name) for name, kind in inputs.items()]), outputs=outputs)


def registered_version(store: Store, name: str, *, wanted: int | None = None) -> str:
    """The version of a registered model, by default the newest. Raises InputError where it is not registered."""
    known = sorted(int(model.version) for model in store.client.search_model_versions(f"name='{name}'"))
    if not known:
        raise InputError(f"serve: no model {name!r} is registered: run `make repro` first")
    if wanted is not None and wanted not in known:
        raise InputError(
            f"serve: {name} has no version {wanted}, only {', '.join(map(str, known))}: choose one of these"
        )
    return str(wanted or known[-1])


def serve_command(name: str, version: str | int, *, port: int = 5001) -> list[str]:
    """Command that answers posted requests on loopback; MLFLOW_TRACKING_URI must name the store.

    >>> serve_command("factory-detector", 1)[-3:]
    ['models:/factory-detector/1', '--port', '5001']
    """
    # -P: the folder of the server must not be searched for modules.
    return [sys.executable, "-P", str(SERVER), f"models:/{name}/{version}", "--port", str(port)]
