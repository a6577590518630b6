from pathlib import Path

import numpy as np
import pytest

from twinloop.learning import tensorrt
from twinloop.learning.signature import Input

IMAGE = Input("image", (1, 8, 8))


def test_without_tensorrt_the_engine_is_skipped_with_a_reason(tmp_path: Path) -> None:
    reason = tensorrt.obstacle()
    if reason is None:
        pytest.skip("this machine can build engines")
    report = tensorrt.build_engine(tmp_path / "graph.onnx", tmp_path / "graph.engine", inputs=[IMAGE])
    assert report.status == "skipped"
    assert report.reason in ("no NVIDIA GPU", "tensorrt is not installed")
    assert report.line == f"TensorRT skipped ({report.reason})"
    assert not (tmp_path / "graph.engine").exists()


def test_an_engine_of_an_earlier_run_does_not_outlive_a_skipped_build(tmp_path: Path) -> None:
    if tensorrt.obstacle() is None:
        pytest.skip("this machine can build engines")
    (tmp_path / "graph.engine").write_bytes(b"stale")
    tensorrt.build_engine(tmp_path / "graph.onnx", tmp_path / "graph.engine", inputs=[IMAGE])
    assert not (tmp_path / "graph.engine").exists()


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_an_engine_is_built_where_a_gpu_and_tensorrt_are_present(precision: str, tmp_path: Path) -> None:
    reason = tensorrt.obstacle()
    if reason is not None:
        pytest.skip(reason)
    import torch

    from twinloop.learning.export import to_fp16, to_onnx
    from twinloop.learning.quantise import to_int8_tensorrt

    source, graph = tmp_path / "fp32.onnx", tmp_path / "a.onnx"
    to_onnx(torch.nn.Conv2d(1, 2, 3), [IMAGE], path=source, outputs=["y"], metadata={})
    if precision == "fp16":
        to_fp16(source, graph)
    else:
        to_int8_tensorrt(source, graph, batches=[{"image": np.ones((4, 1, 8, 8), np.float32)}], metadata={})
    report = tensorrt.build_engine(graph, tmp_path / "a.engine", inputs=[IMAGE])
    assert report.status == "built"
    assert (tmp_path / "a.engine").stat().st_size > 0
