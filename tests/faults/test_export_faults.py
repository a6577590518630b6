"""Faults 26 and 30: a graph that differs from torch, and a machine without GPU or TensorRT."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests.twins.factory.exported import stage, write_inputs
from twinloop.errors import RunError
from twinloop.files import read_json
from twinloop.learning import deployment, tensorrt
from twinloop.learning.export import to_onnx
from twinloop.twins.factory import export, paths


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("factory")
    write_inputs(folder)
    return folder


def test_a_graph_with_perturbed_weights_does_not_pass_the_gate(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def perturbed(*arguments: object, path: Path, **options: object) -> None:
        to_onnx(*arguments, path=path, **options)  # type: ignore[arg-type]
        model = onnx.load(path)
        for weights in model.graph.initializer:
            values = numpy_helper.to_array(weights)
            if values.ndim == 4:
                weights.CopyFrom(numpy_helper.from_array(values * np.float32(1.01), weights.name))
        onnx.save(model, path)

    monkeypatch.setattr(deployment, "to_onnx", perturbed)
    with pytest.raises(RunError, match=r"export: FP32: raw outputs differ from torch by up to .*, allowed are 0.0002"):
        export.run(stage(root))
    assert not (root / paths.ONNX / "spec.json").exists()
    assert not (root / paths.metrics("export")).exists()


@pytest.mark.skipif(tensorrt.obstacle() is None, reason="this machine can build engines")
def test_without_gpu_or_tensorrt_the_export_succeeds_and_says_why_there_is_no_engine(root: Path) -> None:
    summary = export.run(stage(root, export={"tensorrt": "engine"}))
    metrics = read_json(root / paths.metrics("export"))
    assert metrics["tensorrt"] == "skipped"
    assert metrics["tensorrt_reason"] in ("no NVIDIA GPU", "tensorrt is not installed")
    assert metrics["tensorrt_reason"] in summary
    assert not list((root / paths.ONNX).glob("*.engine"))
    assert not list((root / paths.ONNX).glob("*qdq*"))
