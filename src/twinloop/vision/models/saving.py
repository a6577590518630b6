"""A detector of any kind in a folder: weights.safetensors and model.json, from which it is built again.

Neither file can hold code, so that a folder from elsewhere is safe to open; weights are taken only where every name
and shape is the described detector's own.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from twinloop.config import Invalid, parse
from twinloop.errors import InputError
from twinloop.files import atomic, write_json
from twinloop.vision.models.base import SurfaceDetector, parameters
from twinloop.vision.models.registry import new_detector
from twinloop.vision.models.settings import REGISTRY, ModelSettings

WEIGHTS_FILE = "weights.safetensors"
MODEL_FILE = "model.json"
FORMAT = 2


def save_detector(directory: str | Path, model: SurfaceDetector) -> None:
    """Write weights.safetensors and model.json (kind, settings, classes, size, channels) into `directory`.

    Raises InputError for a one-class detector that was not fitted.
    """
    model.require_fitted()
    folder = Path(directory)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with atomic(folder / WEIGHTS_FILE) as temporary:
        safetensors.torch.save_file(weights, temporary)
    settings: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(model.settings)))
    if model.settings.pretrained:
        # Where they lay on this machine says nothing elsewhere.
        settings["weights"] = REGISTRY
    description = {
        "format": FORMAT,
        "kind": model.settings.kind,
        "names_defects": model.names_defects,
        "classes": list(model.classes),
        "size": model.size,
        "channels": model.channels,
        "parameters": parameters(model),
        "settings": settings,
    }
    write_json(folder / MODEL_FILE, description)


def load_detector(directory: str | Path) -> SurfaceDetector:
    """The saved detector of any kind, on the CPU, in evaluation mode.

    Only safetensors and JSON are read, which cannot hold code. Raises InputError for anything else.
    """
    folder = Path(directory)
    described = _description(folder / MODEL_FILE)
    weights = _weights(folder / WEIGHTS_FILE)
    try:
        # Weights of the registry shape the network; no weights are looked for, they are in the file beside it.
        source = REGISTRY if described["settings"].get("weights") == REGISTRY else ""
        settings = parse(ModelSettings, described["settings"] | {"weights": source}, path=("settings",))
        shape = {name: described[name] for name in ("size", "channels")}
        if described["kind"] != settings.kind:
            raise ValueError(f"kind is {described['kind']!r} and settings.kind {settings.kind!r}")
        model = new_detector(settings, classes=described["classes"], **shape, seed=0)
        model.adopt(weights)
    except (InputError, Invalid, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{folder}: {MODEL_FILE} and {WEIGHTS_FILE} do not fit together ({_reason(error)}); train again to write "
            "both"
        ) from error
    return model.eval()


def _description(path: Path) -> dict[str, Any]:
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: expected a detector's description in JSON, got {_reason(error)}") from error
    if not isinstance(described, dict) or described.get("format") != FORMAT:
        raise InputError(f"{path}: expected a detector's description of format {FORMAT}; train again to write it")
    return described


def _weights(path: Path) -> dict[str, Tensor]:
    try:
        weights: dict[str, Tensor] = safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError) as error:
        raise InputError(
            f"{path}: expected safetensors weights, got {_reason(error)}; pickled checkpoints are refused, "
            "they may run code; train again to write it"
        ) from error
    return weights


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return (str(error).splitlines() or [type(error).__name__])[0]
