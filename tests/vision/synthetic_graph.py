"""A detector that needs no training: an ONNX graph that calls bright regions defects.

heat = 20 · mean brightness of 4 × 4 pixels − 10; logits = (0, hottest heat, hottest heat − 3).
unlike = mean brightness.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from twinloop.contracts.calibration import Calibration
from twinloop.files import sha256, write_json
from twinloop.learning.spec import Spec, graph_file
from twinloop.vision.graph import OUTPUTS

CLASSES = ("good", "spot", "smear")


def bright_graph(size: int, channels: int) -> onnx.ModelProto:
    """The graph for images [batch, channels, size, size]."""
    weights = np.full((1, channels, 4, 4), 20 / 16 / channels, np.float32)
    nodes = [
        helper.make_node("Conv", ["image", "weights", "bias"], ["heat"], strides=[4, 4]),
        helper.make_node("GlobalMaxPool", ["heat"], ["hottest"]),
        helper.make_node("Flatten", ["hottest"], ["flat"]),
        helper.make_node("Gemm", ["flat", "head", "offset"], ["logits"]),
        helper.make_node("ReduceMean", ["image", "axes"], ["unlike"], keepdims=0),
    ]
    initializers = {
        "weights": weights,
        "bias": np.array([-10], np.float32),
        "head": np.array([[0, 1, 1]], np.float32),
        "offset": np.array([0, 0, -3], np.float32),
        "axes": np.array([1, 2, 3], np.int64),
    }
    graph = helper.make_graph(
        nodes,
        "bright",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", channels, size, size])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(CLASSES)]),
            helper.make_tensor_value_info("heat", TensorProto.FLOAT, ["batch", 1, size // 4, size // 4]),
            helper.make_tensor_value_info("unlike", TensorProto.FLOAT, ["batch"]),
        ],
        [numpy_helper.from_array(value, name) for name, value in initializers.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def learnt(limit: float = 2.0, shapes: tuple[float, float] = (0.1, 10.0)) -> dict[str, Any]:
    """What spec.json says of the unlike score; at a limit of 2 no brightness is unlike."""
    return {"limit": limit, "false_alarms": 0.01, "held_out": 100, "shapes": list(shapes)}


def write_detector(folder: Path, *, size: int = 32, channels: int = 1, **unlike: Any) -> Path:
    """An exported detector as the export stage leaves it, FP32 only; `unlike` as for `learnt`."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(bright_graph(size, channels), folder / "detector_fp32.onnx")
    file = graph_file("detector", "fp32")
    about = {"classes": list(CLASSES), "size": size, "channels": channels, "unlike": learnt(**unlike)}
    Spec("fp32", {"fp32": file}, {"fp32": sha256(folder / file)}, about, outputs=OUTPUTS).save(folder)
    return folder


def write_point(path: Path, exported: Path, **changes: Any) -> Path:
    """An operating point of that detector as the evaluate stage leaves it: accept below 0.2, reject from 0.8."""
    point = {
        "classes": list(CLASSES),
        "model": Spec.load(exported).digest,
        "calibration": Calibration(method="platt", share=0.5, slope=0.5, intercept=0.0).record(),
        "accept_below": 0.2,
        "reject_from": 0.8,
        "heat_threshold": 0.5,
    }
    write_json(path, point | changes)
    return path


def spotted(size: int = 32, brightness: int = 255) -> np.ndarray:
    """A dark image with one bright square, at the same share of any size."""
    image = np.zeros((size, size), np.uint8)
    image[size // 4 : size // 2, size // 2 : 3 * size // 4] = brightness
    return image
