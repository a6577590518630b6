"""spec.json beside exported graphs: what was written, which graph is deployed, and what a user of it must know."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from twinloop.errors import InputError
from twinloop.files import read_json, write_json

SPEC_FILE = "spec.json"
# In the order in which they are written and shown.
FORMATS = ("fp32", "fp16", "int8")


def graph_file(stem: str, graph_format: str) -> str:
    """Name of the ONNX file of one format; "int8_qdq" is TensorRT's."""
    return f"{stem}_{graph_format}.onnx"


def engine_file(stem: str, precision: str) -> str:
    """Name of a TensorRT engine's file."""
    return f"{stem}_{precision}.engine"


@dataclass(frozen=True)
class Spec:
    """An export.

    deployed: the format in use. files, sha256: of every format. about: what its user must know of the model, as the
    exporter was given it. inputs: name → dtype and axes. parity: figures of the comparison with torch.
    """

    deployed: str
    files: Mapping[str, str]
    sha256: Mapping[str, str]
    about: Mapping[str, Any]
    opset: int = 20
    inputs: Mapping[str, list[str | int]] | None = None
    outputs: tuple[str, ...] = ()
    parity: Mapping[str, Any] | None = None

    def save(self, folder: str | Path) -> None:
        """Write spec.json into `folder`."""
        write_json(Path(folder) / SPEC_FILE, asdict(self))

    @classmethod
    def load(cls, folder: str | Path) -> "Spec":
        """spec.json of `folder`. Raises InputError where there is none or it is another file."""
        path = Path(folder) / SPEC_FILE
        if not path.is_file():
            raise InputError(f"model: {path}: expected an exported model, found none: run the export stage first")
        try:
            record = read_json(path)
            return cls(**{**record, "outputs": tuple(record.get("outputs", ()))})
        except (ValueError, TypeError, AttributeError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"model: {path}: no description of an export ({reason}): run the export stage") from None

    def file(self, graph_format: str, *, where: str | Path = "this export") -> str:
        """Name of the file of one format. Raises InputError for a format that was not kept."""
        if graph_format not in self.files:
            raise InputError(
                f"model: {where} holds no {graph_format!r} graph, only {', '.join(self.files)}: choose one of these"
            )
        return self.files[graph_format]

    @property
    def digest(self) -> str:
        """SHA-256 of the deployed graph."""
        return self.sha256[self.deployed]
