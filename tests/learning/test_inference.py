from pathlib import Path

import numpy as np
import pytest

from tests.vision.synthetic_graph import write_detector
from twinloop.errors import InputError, RunError
from twinloop.files import sha256
from twinloop.learning.inference import open_engine, open_graph, run_batches
from twinloop.learning.tensorrt import obstacle


def test_batches_are_joined_in_order_whatever_their_size() -> None:
    values = np.arange(10, dtype=np.float32).reshape(5, 2)
    for batch in (1, 2, 5, 9):
        doubled, summed = run_batches(lambda x: [2 * x["a"], x["a"].sum(axis=1)], {"a": values}, batch=batch)
        assert np.array_equal(doubled, 2 * values)
        assert np.array_equal(summed, values.sum(axis=1))


@pytest.mark.parametrize(
    ("counts", "line"), [({"a": 0}, "got a 0"), ({"a": 3, "b": 2}, "got a 3, b 2"), ({}, "got none")]
)
def test_no_sample_or_inputs_of_different_numbers_are_refused(counts: dict[str, int], line: str) -> None:
    inputs = {name: np.zeros((count, 2), np.float32) for name, count in counts.items()}
    with pytest.raises(InputError, match=f"at least one sample, equally many in every input; {line}"):
        run_batches(lambda x: [x["a"]], inputs)


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
    logits, heat, unlike = open_graph(path, digest=noted)({"image": np.zeros((2, 1, 32, 32), np.float32)})
    assert (logits.shape, heat.shape, unlike.shape) == ((2, 3), (2, 1, 8, 8), (2,))
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


def test_inputs_of_other_names_are_named(tmp_path: Path) -> None:
    graph = open_graph(write_detector(tmp_path) / "detector_fp32.onnx")
    with pytest.raises(InputError, match="expected the inputs image, got picture"):
        graph({"picture": np.zeros((2, 1, 32, 32), np.float32)})
