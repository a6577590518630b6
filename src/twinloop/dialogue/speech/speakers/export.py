"""The published speaker encoder as an ONNX graph, made once, so that whoever uses it needs no torch.

Three LSTM layers and a projection are written as ONNX operators: the exporter would unroll them over time.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from twinloop.dialogue.speech.speakers.encoder import INPUT, OUTPUT, RESEMBLYZER, SOURCE
from twinloop.dialogue.speech.speakers.windows import BANDS
from twinloop.learning.export import save_graph
from twinloop.learning.weights import Places, find

HIDDEN, LAYERS = 256, 3
OPSET, IR_VERSION = 20, 10
FILE = "pretrained.pt"


def export_speaker_encoder(places: Places, path: Path) -> None:
    """Write the graph: mels [batch, frames, 40] → speaker [batch, 256], vectors of unit length.

    Raises RunError where the weights are missing or not what was published.
    """
    write_graph(tensors(places), path, source=RESEMBLYZER.files[FILE])


def tensors(places: Places) -> dict[str, Tensor]:
    """The published tensors by name; nothing in the file is run. Raises RunError as `find` does."""
    content = torch.load(find(RESEMBLYZER, places) / FILE, map_location="cpu", weights_only=True)
    return dict(content["model_state"])


def write_graph(weights: dict[str, Tensor], path: Path, *, source: str) -> None:
    """Write the graph of an LSTM of 3 layers (lstm.*) with a projection (linear.*); source: digest of its file."""
    nodes = [helper.make_node("Transpose", [INPUT], ["steps_0"], perm=[1, 0, 2])]
    constants = [numpy_helper.from_array(np.array([1], np.int64), "second"), _array("tiny", np.float32(1e-12))]
    constants.append(numpy_helper.from_array(np.array([0], np.int64), "first"))
    for layer in range(LAYERS):
        names = [f"{kind}_{layer}" for kind in ("input", "recurrent", "bias")]
        constants += [_array(name, value) for name, value in zip(names, _layer(weights, layer), strict=True)]
        nodes += [
            helper.make_node("LSTM", [f"steps_{layer}", *names], [f"all_{layer}", f"last_{layer}"], hidden_size=HIDDEN),
            helper.make_node("Squeeze", [f"all_{layer}", "second"], [f"steps_{layer + 1}"]),
        ]
    constants += [
        _array("weight", weights["linear.weight"].numpy()),
        _array("offset", weights["linear.bias"].numpy()),
    ]
    nodes += [
        helper.make_node("Squeeze", [f"last_{LAYERS - 1}", "first"], ["state"]),
        helper.make_node("Gemm", ["state", "weight", "offset"], ["projected"], transB=1),
        helper.make_node("Relu", ["projected"], ["positive"]),
        helper.make_node("ReduceL2", ["positive", "second"], ["length"], keepdims=1),
        helper.make_node("Max", ["length", "tiny"], ["divisor"]),
        helper.make_node("Div", ["positive", "divisor"], [OUTPUT]),
    ]
    graph = helper.make_graph(
        nodes,
        "speaker_encoder",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["batch", "frames", BANDS])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", HIDDEN])],
        initializer=constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    save_graph(model, path, {SOURCE: source})


def _layer(weights: dict[str, Tensor], layer: int) -> tuple[NDArray[np.float32], ...]:
    """W [1, 4H, inputs], R [1, 4H, H] and B [1, 8H] as ONNX orders gates: input, output, forget, cell."""
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    entering, recurrent, *biases = (_reordered(weights[f"lstm.{kind}_l{layer}"].numpy()) for kind in kinds)
    return entering[None], recurrent[None], np.concatenate(biases)[None]


def _reordered(values: NDArray[np.float32]) -> NDArray[np.float32]:
    # torch: input, forget, cell, output.
    entering, forgetting, cell, leaving = np.split(values, 4)
    return np.concatenate((entering, leaving, forgetting, cell))


def _array(name: str, values: NDArray[np.float32] | np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, np.float32), name)
