"""ONNX graphs run by ONNX Runtime on the CPU. No torch: whoever only uses a model must not pay for its import."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError

Floats = NDArray[np.float32]


def open_graph(path: str | Path, *, threads: int = 1) -> "Graph":
    """Open a graph with one input; calling the result with float32 [N, C, H, W] gives its outputs in order.

    `threads` is fixed by the caller: sums in another order differ in the last bit. Raises InputError when the file is
    missing or not an ONNX graph.
    """
    import onnxruntime

    if not Path(path).is_file():
        raise InputError(f"model: {path}: no such file: run the export stage first")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises a family of undeclared types here
        raise InputError(f"model: {path}: not a graph that ONNX Runtime can open: {_first_line(error)}") from error
    return Graph(session)


class Graph:
    """A loaded graph: call it with one float32 array, get its outputs."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self.outputs: tuple[str, ...] = tuple(output.name for output in session.get_outputs())
        self.metadata: dict[str, str] = dict(session.get_modelmeta().custom_metadata_map)

    def __call__(self, batch: Floats) -> list[Floats]:
        outputs: list[Floats] = self._session.run(None, {self._input: batch})
        return outputs


def run_batches(graph: Callable[[Floats], list[Floats]], inputs: Floats, *, batch: int = 32) -> list[Floats]:
    """Outputs of `graph` for all of `inputs` [N, ...], computed `batch` at a time and joined along the first axis."""
    if len(inputs) == 0:
        raise InputError("model: expected at least one image, got none")
    parts = [graph(inputs[start : start + batch]) for start in range(0, len(inputs), batch)]
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
