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

from twinloop.errors import InputError, RunError
from twinloop.learning.signature import Arrays, Outputs, batches, rows
from twinloop.learning.tensorrt import obstacle


def open_graph(path: str | Path, *, threads: int = 1, digest: str | None = None) -> "Graph":
    """Open a graph; calling the result with its named inputs gives its outputs in order.

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
    # It lays out convolutions; without any, ONNX Runtime 1.31 crashes in it on attention in half precision.
    idle = [] if b"Conv" in content else ["NchwcTransformer"]
    try:
        session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"], disabled_optimizers=idle
        )
    except Exception as error:  # ONNX Runtime raises a family of undeclared types here
        raise InputError(f"model: {path}: not a graph that ONNX Runtime can open: {_first_line(error)}") from error
    return Graph(session)


class Graph:
    """A loaded graph: call it with its inputs by name, get its outputs. Several threads may call it."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.inputs: tuple[str, ...] = tuple(given.name for given in session.get_inputs())
        self.outputs: tuple[str, ...] = tuple(output.name for output in session.get_outputs())
        self.metadata: dict[str, str] = dict(session.get_modelmeta().custom_metadata_map)

    def __call__(self, inputs: Arrays) -> Outputs:
        if inputs.keys() != set(self.inputs):
            raise InputError(f"model: expected the inputs {', '.join(self.inputs)}, got {', '.join(inputs) or 'none'}")
        outputs: Outputs = self._session.run(None, inputs)
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
    """A TensorRT engine with a dynamic batch: named inputs in, outputs in the network's order.

    Follows NVIDIA's name-based API (`set_tensor_address`, `execute_async_v3`); torch lends the buffers and the stream.
    A context serves one call at a time, so calls of several threads wait for each other.
    """

    def __init__(self, engine: Any, *, runtime: Any) -> None:
        trt = importlib.import_module("tensorrt")
        names = [engine.get_tensor_name(place) for place in range(engine.num_io_tensors)]
        inputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
        self.inputs: tuple[str, ...] = tuple(inputs)
        self.outputs: tuple[str, ...] = tuple(name for name in names if name not in inputs)
        self._dtypes = {name: trt.nptype(engine.get_tensor_dtype(name)) for name in self.outputs}
        self._largest = min(int(engine.get_tensor_profile_shape(name, 0)[2][0]) for name in inputs)
        # The runtime must outlive the engine, and the engine its context.
        self._runtime, self._engine, self._context = runtime, engine, engine.create_execution_context()
        self._lock = threading.Lock()

    def __call__(self, inputs: Arrays) -> Outputs:
        """Outputs for arrays [N, ...]; more samples than the engine takes at once go through it in turns."""
        if rows(inputs) > self._largest:
            return run_batches(self, inputs, batch=self._largest)
        torch = importlib.import_module("torch")
        with self._lock:
            given = {name: torch.from_numpy(np.ascontiguousarray(inputs[name])).cuda() for name in self.inputs}
            for name, tensor in given.items():
                self._context.set_input_shape(name, tuple(tensor.shape))
                self._context.set_tensor_address(name, tensor.data_ptr())
            outputs = []
            for name, dtype in self._dtypes.items():
                shape = tuple(self._context.get_tensor_shape(name))
                output = torch.empty(shape, dtype=torch.from_numpy(np.empty(0, dtype)).dtype, device="cuda")
                self._context.set_tensor_address(name, output.data_ptr())
                outputs.append(output)
            # On the stream that the copies use, so that they need no further ordering.
            if not self._context.execute_async_v3(torch.cuda.current_stream().cuda_stream):
                raise RunError("model: TensorRT could not run the engine: run the export stage on this machine again")
            return [output.cpu().numpy() for output in outputs]


def run_batches(graph: Callable[[Arrays], Outputs], inputs: Arrays, *, batch: int = 32) -> Outputs:
    """Outputs of `graph` for all of `inputs` [N, ...], computed `batch` at a time and joined along the first axis.

    Raises InputError without a sample or where the inputs differ in their number.
    """
    parts = [graph(some) for some in batches(inputs, batch)]
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
