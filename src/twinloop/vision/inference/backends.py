"""What computes a detector's raw outputs: ONNX Runtime, PyTorch or TensorRT behind one protocol.

A backend knows the detector that it runs and which exported graph's operating point is true of it. torch and TensorRT
are imported only where their backend is opened.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError, RunError
from twinloop.files import sha256
from twinloop.learning.inference import open_engine, open_graph
from twinloop.learning.spec import Spec, engine_file
from twinloop.vision.graph import INPUT, OUTPUTS, STEM

Floats = NDArray[np.float32]


class Raw(NamedTuple):
    """Raw outputs for N images: class logits [N, K], heat logits [N, 1, h, w], unlike scores [N]."""

    logits: Floats
    heat: Floats
    unlike: Floats


@dataclass(frozen=True)
class Learnt:
    """Up to where a picture is like those learnt.

    limit: of the unlike score. false_alarms: share of good pictures beyond it, as asked for. held_out: good images that
    it was set with. shapes: least and largest width : height of the training images' files.
    """

    limit: float
    false_alarms: float
    held_out: int
    shapes: tuple[float, float]

    @classmethod
    def of(cls, spec: Spec) -> "Learnt":
        """Of an exported detector. Raises InputError where it has no unlike score."""
        about = spec.about.get("unlike")
        if about is None or OUTPUTS[-1] not in spec.outputs:
            raise InputError("model: expected a detector with an unlike score, this one has none: export it again")
        low, high = about["shapes"]
        return cls(float(about["limit"]), float(about["false_alarms"]), int(about["held_out"]), (low, high))


@dataclass(frozen=True)
class Description:
    """The detector behind a backend: classes ("good" first), side of its square input in pixels, channels 1 or 3.

    names_defects: False for a detector that only tells good from defective. model: SHA-256 of the exported graph whose
    operating point applies; empty where there is none. tile_px: side of the tiles that it judges larger images in, in
    their pixels; 0: it sees them whole. learnt: None where a detector was not exported.
    """

    classes: tuple[str, ...]
    size: int
    channels: int
    names_defects: bool
    model: str
    tile_px: int = 0
    learnt: Learnt | None = None

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
            learnt=Learnt.of(spec),
        )


class Backend(Protocol):
    """Computes raw outputs: float32 [N, C, size, size] in 0…1 → `Raw`."""

    name: str
    about: Description

    def __call__(self, batch: Floats) -> Raw: ...


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

    def __call__(self, batch: Floats) -> Raw:
        return Raw(*self._graph({INPUT: batch}))


class TorchBackend:
    """The trained detector in PyTorch, on the GPU where there is one.

    folder: what the train stage wrote. exported: what the export stage made of it; the operating point measured on
    its FP32 graph then applies, because export holds the two equal, and so does the limit of its unlike score; without
    it that score says nothing. Raises InputError where they do not fit together.
    """

    name = "torch"

    def __init__(
        self, folder: str | Path, *, exported: str | Path | None = None, device: Literal["auto", "cpu", "cuda"] = "auto"
    ) -> None:
        import torch

        from twinloop.vision.models.saving import WEIGHTS_FILE, load_detector
        from twinloop.vision.models.unlike import WatchedDetector

        self._torch: Any = torch
        if device == "cuda" and not torch.cuda.is_available():
            raise RunError("model: expected an NVIDIA GPU for device cuda, found none: use device auto or cpu")
        self.device = device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        detector = load_detector(folder).eval()
        model, learnt = "", None
        watched = WatchedDetector(detector)
        if exported is not None:
            spec = Spec.load(exported)
            if spec.about["weights_sha256"] != sha256(Path(folder) / WEIGHTS_FILE):
                raise InputError(f"model: {exported} was exported from other weights than {folder}: export them again")
            model, learnt = spec.sha256["fp32"], Learnt.of(spec)
            watched.adopt(exported)
        self._module = watched.eval().to(self.device)
        self.about = Description(
            classes=tuple(detector.classes),
            size=detector.size,
            channels=detector.channels,
            names_defects=detector.names_defects,
            model=model,
            learnt=learnt,
        )

    def __call__(self, batch: Floats) -> Raw:
        with self._torch.inference_mode():
            outputs = self._module(self._torch.from_numpy(batch).to(self.device))
            return Raw(*(output.cpu().numpy() for output in outputs))


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

    def __call__(self, batch: Floats) -> Raw:
        outputs = self._engine({INPUT: batch})
        return Raw(*(outputs[place] for place in self._order))
