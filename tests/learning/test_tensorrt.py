from pathlib import Path

import pytest

from twinloop.learning import tensorrt


def test_without_tensorrt_the_engine_is_skipped_with_a_reason(tmp_path: Path) -> None:
    reason = tensorrt.obstacle()
    if reason is None:
        pytest.skip("this machine can build engines")
    report = tensorrt.build_engine(tmp_path / "graph.onnx", tmp_path / "graph.engine", sample_shape=(1, 8, 8))
    assert report.status == "skipped"
    assert report.reason in ("no NVIDIA GPU", "tensorrt is not installed")
    assert report.line == f"TensorRT skipped ({report.reason})"
    assert not (tmp_path / "graph.engine").exists()


def test_an_engine_of_an_earlier_run_does_not_outlive_a_skipped_build(tmp_path: Path) -> None:
    if tensorrt.obstacle() is None:
        pytest.skip("this machine can build engines")
    (tmp_path / "graph.engine").write_bytes(b"stale")
    tensorrt.build_engine(tmp_path / "graph.onnx", tmp_path / "graph.engine", sample_shape=(1, 8, 8))
    assert not (tmp_path / "graph.engine").exists()


def test_an_engine_is_built_where_a_gpu_and_tensorrt_are_present(tmp_path: Path) -> None:
    reason = tensorrt.obstacle()
    if reason is not None:
        pytest.skip(reason)
    import torch

    from twinloop.learning.export import to_onnx

    to_onnx(torch.nn.Conv2d(1, 2, 3), torch.rand(2, 1, 8, 8), path=tmp_path / "a.onnx", outputs=["y"], metadata={})
    report = tensorrt.build_engine(tmp_path / "a.onnx", tmp_path / "a.engine", sample_shape=(1, 8, 8))
    assert report.status == "built"
    assert (tmp_path / "a.engine").stat().st_size > 0
