from pathlib import Path

import numpy as np
import pytest

from tests.vision.synthetic_graph import write_detector
from twinloop.errors import InputError, RunError
from twinloop.files import sha256
from twinloop.learning.inference import open_engine, open_graph, run_batches
from twinloop.learning.tensorrt import obstacle


def test_batches_are_joined_in_order_whatever_their_size() -> None:
    inputs = np.arange(10, dtype=np.float32).reshape(5, 2)
    for batch in (1, 2, 5, 9):
        doubled, summed = run_batches(lambda x: [2 * x, x.sum(axis=1)], inputs, batch=batch)
        assert np.array_equal(doubled, 2 * inputs)
        assert np.array_equal(summed, inputs.sum(axis=1))


def test_no_image_is_refused() -> None:
    with pytest.raises(InputError, match="at least one image"):
        run_batches(lambda x: [x], np.zeros((0, 2), np.float32))


def test_a_missing_graph_names_the_stage_that_writes_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run the export stage first"):
        open_graph(tmp_path / "none.onnx")


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no graph")
    with pytest.raises(InputError, match=r"text.onnx: not a graph that ONNX Runtime can open"):
        open_graph(tmp_path / "text.onnx")


def test_a_graph_opens_only_with_the_digest_that_was_noted(tmp_path: Path) -> None:
    path = write_detector(tmp_path) / "detector_fp32.onnx"
    noted = sha256(path)
    logits, heat = open_graph(path, digest=noted)(np.zeros((2, 1, 32, 32), np.float32))
    assert (logits.shape, heat.shape) == ((2, 3), (2, 1, 8, 8))
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(RunError, match=r"detector_fp32\.onnx: altered after export.*run the export stage again"):
        open_graph(path, digest=noted)


def test_an_engine_needs_its_gpu_and_its_file(tmp_path: Path) -> None:
    reason = obstacle()
    if reason is not None:
        with pytest.raises(RunError, match=f"TensorRT cannot run here: {reason}"):
            open_engine(tmp_path / "none.engine")
    else:
        with pytest.raises(InputError, match="run the export stage on this machine first"):
            open_engine(tmp_path / "none.engine")
