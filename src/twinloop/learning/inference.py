"""Exported graphs at work: ONNX files on the CPU by ONNX Runtime, engine files on an NVIDIA GPU by TensorRT.

No torch unless an engine is run: whoever only uses a model must not pay for its import.
"""

import hashlib
import importlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError, RunError
from twinloop.learning.tensorrt import obstacle

Floats = NDArray[np.float32]


def open_graph(path: str | Path, *, threads: int = 1, digest: str | None = None) -> "Graph":
    """Open a graph with one input; calling the result with float32 [N, C, H, W] gives its outputs in order.

    `threads` is fixed by the caller: sums in another order differ in the last bit. digest: SHA-256 that the file must
    have. Raises InputError when the file is missing or not an ONNX graph, RunError where its digest is another one.
    """
    import onnxruntime

    if not Path(path).is_file():
        raise InputError(f"model: {path}: no such file: run the export stage first")
    content = Path(path).read_bytes()
    if digest is not None and hashlib.sha256(content).hexdigest() != digest:
        raise RunError(
            f"model: {path}: altered after export, its digest is not the one noted: run the export stage again"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises a family of undeclared types here
        raise InputError(f"model: {path}: not a graph that ONNX Runtime can open: {_first_line(error)}") from error
    return Graph(session)


class Graph:
    """A loaded graph: call it with one float32 array, get its outputs. Several threads may call it."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self.outputs: tuple[str, ...] = tuple(output.name for output in session.get_outputs())
        self.metadata: dict[str, str] = dict(session.get_modelmeta().custom_metadata_map)

    def __call__(self, batch: Floats) -> list[Floats]:
        outputs: list[Floats] = self._session.run(None, {self._input: batch})
        return outputs


def open_engine(path: str | Path) -> "Engine":
    """Load an engine file that this machine's TensorRT built, to be called as a graph is.

    Raises RunError without GPU or TensorRT, or for an engine of another GPU or version; InputError without the file.
    """
    reason = obstacle()
    if reason is not None:
        raise RunError(f"model: {path}: TensorRT cannot run here: {reason}: use the ONNX graph")
    if not Path(path).is_file():
        raise InputError(f"model: {path}: no such file: run the export stage on this machine first")
    trt = importlib.import_module("tensorrt")
    runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
    engine = runtime.deserialize_cuda_engine(Path(path).read_bytes())
    if engine is None:
        raise RunError(f"model: {path}: built for another GPU or TensorRT: run the export stage on this machine again")
    return Engine(engine, runtime=runtime)


class Engine:
    """A TensorRT engine with one input and a dynamic batch: float32 in, float32 outputs in the network's order.

    Follows NVIDIA's name-based API (`set_tensor_address`, `execute_async_v3`); torch lends the buffers and the stream.
    A context serves one call at a time, so calls of several threads wait for each other.
    """

    def __init__(self, engine: Any, *, runtime: Any) -> None:
        trt = importlib.import_module("tensorrt")
        names = [engine.get_tensor_name(place) for place in range(engine.num_io_tensors)]
        inputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
        self._input = inputs[0]
        self.outputs: tuple[str, ...] = tuple(name for name in names if name not in inputs)
        self._largest = int(engine.get_tensor_profile_shape(self._input, 0)[2][0])
        # The runtime must outlive the engine, and the engine its context.
        self._runtime, self._engine, self._context = runtime, engine, engine.create_execution_context()
        self._lock = threading.Lock()

    def __call__(self, batch: Floats) -> list[Floats]:
        """Outputs for [N, C, H, W]; more images than the engine takes at once go through it in turns."""
        if len(batch) > self._largest:
            return run_batches(self, batch, batch=self._largest)
        torch = importlib.import_module("torch")
        with self._lock:
            given = torch.from_numpy(np.ascontiguousarray(batch)).cuda()
            self._context.set_input_shape(self._input, tuple(batch.shape))
            self._context.set_tensor_address(self._input, given.data_ptr())
            found = []
            for name in self.outputs:
                output = torch.empty(tuple(self._context.get_tensor_shape(name)), dtype=torch.float32, device="cuda")
                self._context.set_tensor_address(name, output.data_ptr())
                found.append(output)
            # On the stream that the copies use, so that they need no further ordering.
            if not self._context.execute_async_v3(torch.cuda.current_stream().cuda_stream):
                raise RunError("model: TensorRT could not run the engine: run the export stage on this machine again")
            return [output.cpu().numpy() for output in found]


def run_batches(graph: Callable[[Floats], list[Floats]], inputs: Floats, *, batch: int = 32) -> list[Floats]:
    """Outputs of `graph` for all of `inputs` [N, ...], computed `batch` at a time and joined along the first axis."""
    if len(inputs) == 0:
        raise InputError("model: expected at least one image, got none")
    parts = [graph(inputs[start : start + batch]) for start in range(0, len(inputs), batch)]
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
