"""A TensorRT engine of an ONNX graph, where an NVIDIA GPU and the tensorrt package are present.

TensorRT 11 is strongly typed: precision is a property of the graph, so half precision comes from an FP16 ONNX file
(`export.to_fp16`) and INT8 from explicit Q/DQ nodes (`quantise.to_int8_tensorrt`), not from builder flags. An engine
belongs to one GPU and one version of TensorRT, and its kernels are picked by timing: its bytes differ from build to
build. Nothing else is computed from it.
"""

import ctypes
import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinloop.errors import RunError
from twinloop.files import atomic
from twinloop.learning.signature import Axis, Input

MAX_BATCH = 64


@dataclass(frozen=True)
class EngineReport:
    """What became of the engine: `status` "built" or "skipped", and why it was skipped or what was built."""

    status: str
    reason: str

    @property
    def line(self) -> str:
        """For a summary line: "TensorRT skipped (no NVIDIA GPU)"."""
        return f"TensorRT {self.status} ({self.reason})"


def obstacle() -> str | None:
    """Why no engine can be built on this machine; None where it can."""
    if not _has_gpu():
        return "no NVIDIA GPU"
    if importlib.util.find_spec("tensorrt") is None:
        return "tensorrt is not installed"
    return None


def build_engine(graph: str | Path, path: str | Path, *, inputs: Sequence[Input]) -> EngineReport:
    """Build and serialise an engine of the ONNX file `graph` for batches of 1 to 64, or say why not.

    inputs: those of the graph; an engine is made for the lengths that their axes allow.
    Raises RunError when TensorRT refuses the graph.
    """
    reason = obstacle()
    if reason is not None:
        Path(path).unlink(missing_ok=True)
        return EngineReport("skipped", reason)
    trt = importlib.import_module("tensorrt")
    engine = _serialised(trt, Path(graph), inputs)
    with atomic(path) as temporary:
        temporary.write_bytes(engine)
    return EngineReport("built", f"TensorRT {trt.__version__}, {len(engine) / 2**20:.1f} MiB")


def _serialised(trt: Any, graph: Path, inputs: Sequence[Input]) -> bytes:
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    # Always on in TensorRT 11, where the flag is ignored; TensorRT 10 needs it to keep the graph's own precision.
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(graph.read_bytes()):
        raise RunError(f"export: TensorRT cannot read {graph.name}: {parser.get_error(0)}")
    profile = builder.create_optimization_profile()
    for one in inputs:
        least = tuple(axis.least if isinstance(axis, Axis) else axis for axis in one.axes)
        most = tuple(axis.most if isinstance(axis, Axis) else axis for axis in one.axes)
        profile.set_shape(one.name, (1, *least), one.shape(batch=1), (MAX_BATCH, *most))
    config = builder.create_builder_config()
    config.add_optimization_profile(profile)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise RunError(f"export: TensorRT could not build an engine of {graph.name}: set ExportSettings.tensorrt=none")
    return bytes(engine)


def _has_gpu() -> bool:
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return cuda.cuInit(0) == 0 and cuda.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
