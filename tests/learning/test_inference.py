from pathlib import Path

import numpy as np
import pytest

from twinloop.errors import InputError
from twinloop.learning.inference import open_graph, run_batches


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
