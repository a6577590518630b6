"""The least exported detector there can be, made without torch: bright pixels are a pit."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save_model

from twinloop.files import sha256, write_json
from twinloop.learning.spec import Spec
from twinloop.vision.graph import OUTPUTS

SIZE = 32
CLASSES = ["good", "pit", "scratch"]


def export(folder: Path, *, bias: float = -8.0) -> tuple[Path, Path]:
    """The export stage's folder and an operating point, below `folder`; score = 16 × brightest pixel + bias.

    unlike = mean brightness, its limit 0.9.
    """
    exported, point = folder / "onnx", folder / "operating_point.json"
    exported.mkdir(parents=True)
    file = exported / "detector_fp32.onnx"
    constants = {
        "gain": np.array([[0.0, 16.0, 0.0]], np.float32),
        "offset": np.array([0.0, bias, -8.0], np.float32),
        "heat_gain": np.array(16.0, np.float32),
        "heat_offset": np.array(-8.0, np.float32),
        "axes": np.array([1, 2, 3], np.int64),
    }
    nodes = [
        helper.make_node("GlobalMaxPool", ["image"], ["brightest"]),
        helper.make_node("Flatten", ["brightest"], ["flat"]),
        helper.make_node("Gemm", ["flat", "gain", "offset"], ["logits"]),
        helper.make_node("MaxPool", ["image"], ["pooled"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Mul", ["pooled", "heat_gain"], ["scaled"]),
        helper.make_node("Add", ["scaled", "heat_offset"], ["heat"]),
        helper.make_node("ReduceMean", ["image", "axes"], ["unlike"], keepdims=0),
    ]
    quarter = SIZE // 4
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, SIZE, SIZE])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 3]),
            helper.make_tensor_value_info("heat", TensorProto.FLOAT, ["N", 1, quarter, quarter]),
            helper.make_tensor_value_info("unlike", TensorProto.FLOAT, ["N"]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), file)
    learnt = {"limit": 0.9, "false_alarms": 0.01, "held_out": 100, "shapes": [1.0, 1.0]}
    about = {"classes": CLASSES, "size": SIZE, "channels": 1, "unlike": learnt}
    Spec("fp32", {"fp32": file.name}, {"fp32": sha256(file)}, about, outputs=OUTPUTS).save(exported)
    calibration = {
        "method": "platt",
        "share": 0.5,
        "slope": 1.0,
        "intercept": 0.0,
        "knots": [],
        "levels": [],
        "shift": 0.0,
    }
    write_json(
        point,
        {
            "classes": CLASSES,
            "model": sha256(file),
            "accept_below": 0.3,
            "reject_from": 0.7,
            "heat_threshold": 0.5,
            "calibration": calibration,
        },
    )
    return exported, point
