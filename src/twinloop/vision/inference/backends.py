"""What computes a detector's raw outputs: ONNX Runtime, PyTorch or TensorRT behind one protocol.

A backend knows the detector that it runs and which exported graph's operating point is true of it. torch and TensorRT
are imported only where their backend is opened.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError, RunError
from twinloop.files import sha256
from twinloop.learning.inference import open_engine, open_graph
from twinloop.learning.spec import Spec, engine_file
from twinloop.vision.graph import INPUT, OUTPUTS, STEM

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Description:
    """The detector behind a backend: classes ("good" first), side of its square input in pixels, channels 1 or 3.

    names_defects: False for a detector that only tells good from defective. model: SHA-256 of the exported graph whose
    operating point applies; empty where there is none. tile_px: side of the tiles that it judges larger images in, in
    their pixels; 0: it sees them whole.
    """

    classes: tuple[str, ...]
    size: int
    channels: int
    names_defects: bool
    model: str
    tile_px: int = 0

    @classmethod
    def of(cls, spec: Spec, *, model: str) -> "Description":
        """Of an exported detector. Raises InputError for the export of another kind of model."""
        about = spec.about
        if missing := [name for name in ("classes", "size", "channels") if name not in about]:
            raise InputError(f"model: expected an exported detector, its spec.json lacks {', '.join(missing)}")
        return cls(
            classes=tuple(about["classes"]),
            size=int(about["size"]),
            channels=int(about["channels"]),
            names_defects=bool(about.get("names_defects", True)),
            model=model,
            tile_px=int(about.get("tile_px", 0)),
        )


class Backend(Protocol):
    """Computes raw outputs: float32 [N, C, size, size] in 0…1 → logits [N, K] and heat logits [N, 1, h, w]."""

    name: str
    about: Description

    def __call__(self, batch: Floats) -> tuple[Floats, Floats]: ...


class OnnxBackend:
    """The exported graph in ONNX Runtime on the CPU.

    folder: what the export stage wrote. graph_format: a format of its spec.json, by default the deployed one.
    Raises InputError where either is missing, RunError for a graph that was altered after export.
    """

    def __init__(self, folder: str | Path, *, graph_format: str | None = None, threads: int = 1) -> None:
        spec = Spec.load(folder)
        self.name = graph_format or spec.deployed
        graph = Path(folder) / spec.file(self.name, where=folder)
        digest = spec.sha256[self.name]
        self._graph = open_graph(graph, threads=threads, digest=digest)
        self.about = Description.of(spec, model=digest)

    def __call__(self, batch: Floats) -> tuple[Floats, Floats]:
        logits, heat = self._graph({INPUT: batch})
        return logits, heat


class TorchBackend:
    """The trained detector in PyTorch, on the GPU where there is one.

    folder: what the train stage wrote. exported: what the export stage made of it; the operating point measured on
    its FP32 graph then applies, because export holds the two equal. Raises InputError where they do not fit together.
    """

    name = "torch"

    def __init__(
        self, folder: str | Path, *, exported: str | Path | None = None, device: Literal["auto", "cpu", "cuda"] = "auto"
    ) -> None:
        import torch

        from twinloop.vision.models.saving import WEIGHTS_FILE, load_detector

        self._torch: Any = torch
        if device == "cuda" and not torch.cuda.is_available():
            raise RunError("model: expected an NVIDIA GPU for device cuda, found none: use device auto or cpu")
        self.device = device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        self._module = load_detector(folder).eval().to(self.device)
        model = ""
        if exported is not None:
            spec = Spec.load(exported)
            if spec.about["weights_sha256"] != sha256(Path(folder) / WEIGHTS_FILE):
                raise InputError(f"model: {exported} was exported from other weights than {folder}: export them again")
            model = spec.sha256["fp32"]
        self.about = Description(
            classes=tuple(self._module.classes),
            size=self._module.size,
            channels=self._module.channels,
            names_defects=self._module.names_defects,
            model=model,
        )

    def __call__(self, batch: Floats) -> tuple[Floats, Floats]:
        with self._torch.inference_mode():
            logits, heat = self._module(self._torch.from_numpy(batch).to(self.device))
            return logits.cpu().numpy(), heat.cpu().numpy()


class TensorRTBackend:
    """An engine that the export stage built, on this machine's NVIDIA GPU.

    precision: fp16 or int8. The FP32 graph's operating point applies: export builds only engines within its limits.
    Raises RunError where TensorRT cannot run, InputError where no engine was built.
    """

    def __init__(self, folder: str | Path, *, precision: Literal["fp16", "int8"] = "fp16") -> None:
        spec = Spec.load(folder)
        self.name = f"tensorrt-{precision}"
        self._engine = open_engine(Path(folder) / engine_file(STEM, precision))
        self.about = Description.of(spec, model=spec.sha256["fp32"])
        self._order = [self._engine.outputs.index(name) for name in OUTPUTS]

    def __call__(self, batch: Floats) -> tuple[Floats, Floats]:
        outputs = self._engine({INPUT: batch})
        logits, heat = (outputs[place] for place in self._order)
        return logits, heat
