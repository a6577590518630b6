from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from twinloop.learning.export import to_fp16, to_onnx, torch_outputs
from twinloop.learning.inference import Graph, open_graph, run_batches
from twinloop.learning.parity import max_difference
from twinloop.learning.quantise import HALF_LARGEST, largest_activation, shifted_zero_points, to_int8, to_int8_tensorrt
from twinloop.learning.signature import Arrays, Input, even_batches

OUTPUTS = ("logits", "heat")
IMAGE = Input("image", (1, 32, 32))


class Tiny(torch.nn.Module):
    """Two heads over a strided convolution, as a detector has."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3, stride=2, padding=1), torch.nn.BatchNorm2d(8))
        self.heat = torch.nn.Conv2d(8, 1, 1)
        self.head = torch.nn.Linear(9, 3)
        self.dropout = torch.nn.Dropout(0.5)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = torch.relu(self.stem(images))
        heat = self.heat(features)
        pooled = torch.cat([features.mean(dim=(2, 3)), heat.amax(dim=(2, 3))], dim=1)
        return self.head(self.dropout(pooled)), heat


@pytest.fixture(scope="module")
def module() -> Tiny:
    torch.manual_seed(0)
    return Tiny()


@pytest.fixture(scope="module")
def images() -> Arrays:
    return {"image": np.random.default_rng(0).random((40, 1, 32, 32), np.float32)}


@pytest.fixture(scope="module")
def fp32(module: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "fp32.onnx"
    export(module, path)
    return path


def export(module: Tiny, path: Path, opset: int = 20) -> None:
    to_onnx(module, (IMAGE,), path=path, outputs=OUTPUTS, metadata={"classes": '["good"]'}, opset=opset)


@pytest.mark.parametrize("opset", [20, 21, 22, 23])
def test_the_graph_is_of_the_opset_that_was_asked_for(tmp_path: Path, module: Tiny, images: Arrays, opset: int) -> None:
    export(module, tmp_path / "graph.onnx", opset)
    written = onnx.load(tmp_path / "graph.onnx")
    assert {one.version for one in written.opset_import if not one.domain} == {opset}
    repeated = run_batches(open_graph(tmp_path / "graph.onnx"), images, batch=7)
    assert max_difference(torch_outputs(module, images), repeated) < 1e-5


@pytest.mark.parametrize("batch", [1, 2, 3, 40])
def test_fp32_repeats_torch_at_every_batch_size(fp32: Path, module: Tiny, images: Arrays, batch: int) -> None:
    reference = torch_outputs(module, images)
    assert max_difference(reference, run_batches(open_graph(fp32), images, batch=batch)) < 1e-5


def test_the_batch_is_dynamic_and_the_size_static(fp32: Path) -> None:
    shape = [d.dim_param or d.dim_value for d in onnx.load(fp32).graph.input[0].type.tensor_type.shape.dim]
    assert shape == ["batch", 1, 32, 32]


def test_outputs_and_metadata_are_named(fp32: Path, module: Tiny) -> None:
    graph = open_graph(fp32)
    assert isinstance(graph, Graph)
    assert graph.outputs == OUTPUTS
    assert graph.metadata == {"classes": '["good"]'}


def test_the_same_module_gives_the_same_bytes_without_paths(fp32: Path, module: Tiny, tmp_path: Path) -> None:
    export(module, tmp_path / "again.onnx")
    content = (tmp_path / "again.onnx").read_bytes()
    assert content == fp32.read_bytes()
    assert b"/test_export.py" not in content


def test_dropout_is_off_in_the_graph_and_the_module_is_left_as_it_was(module: Tiny, tmp_path: Path) -> None:
    module.train()
    export(module, tmp_path / "a.onnx")
    assert module.training
    module.eval()
    assert not any(node.op_type == "Dropout" for node in onnx.load(tmp_path / "a.onnx").graph.node)


def test_int8_is_quantised_close_and_repeatable(fp32: Path, module: Tiny, images: Arrays, tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        to_int8(fp32, tmp_path / name, batches=even_batches(images, 10), metadata={"classes": "[]"})
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    operators = {node.op_type for node in onnx.load(tmp_path / "a.onnx").graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= operators
    outputs = run_batches(open_graph(tmp_path / "a.onnx"), images, batch=7)
    difference = max_difference(torch_outputs(module, images), outputs)
    assert 0 < difference < 0.1


def test_the_way_of_calibration_changes_the_ranges(fp32: Path, images: Arrays, tmp_path: Path) -> None:
    outlying = images["image"].copy()
    outlying[0, 0, 0, 0] = 40
    content = set()
    for name in ("minmax", "percentile", "entropy"):
        to_int8(fp32, tmp_path / name, batches=[{"image": outlying}], metadata={}, calibration=name)
        content.add((tmp_path / name).read_bytes())
    assert len(content) == 3


def test_int8_for_tensorrt_is_symmetric_per_channel_and_leaves_biases_alone(
    fp32: Path, module: Tiny, images: Arrays, tmp_path: Path
) -> None:
    path = tmp_path / "qdq.onnx"
    to_int8_tensorrt(fp32, path, batches=even_batches(images, 10), metadata={"classes": "[]"})
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    values = {entry.name: onnx.numpy_helper.to_array(entry) for entry in model.graph.initializer}
    pairs = {node.output[0]: node for node in model.graph.node if node.op_type.endswith("zeLinear")}
    zero_points = [values[node.input[2]] for node in pairs.values()]
    assert zero_points
    assert all(points.dtype == np.int8 and not points.any() for points in zero_points)
    layers = [node for node in model.graph.node if node.op_type in ("Conv", "Gemm")]
    assert len(layers) == 3
    for layer in layers:
        data, weights = (pairs[name] for name in layer.input[:2])
        assert data.op_type == weights.op_type == "DequantizeLinear"
        assert pairs[data.input[0]].op_type == pairs[weights.input[0]].op_type == "QuantizeLinear"
        assert values[data.input[1]].size == 1
        assert values[weights.input[1]].shape == (values[layer.input[2]].size,)
        assert layer.input[2] not in pairs
    outputs = run_batches(open_graph(path), images, batch=7)
    assert 0 < max_difference(torch_outputs(module, images), outputs) < 0.1


def test_shifted_zero_points_are_found(fp32: Path, images: Arrays, tmp_path: Path) -> None:
    to_int8(fp32, tmp_path / "cpu.onnx", batches=[images], metadata={})
    assert shifted_zero_points(tmp_path / "cpu.onnx")
    assert shifted_zero_points(fp32) == []


def test_the_largest_activation_is_found_inside_the_graph(tmp_path: Path) -> None:
    class Inflated(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return (images * 3e5).square().sqrt() / 3e5

    values = np.linspace(-1, 1, 8, dtype=np.float32).reshape(8, 1)
    to_onnx(Inflated(), [Input("x", (1,))], path=tmp_path / "a.onnx", outputs=["y"], metadata={})
    assert largest_activation(tmp_path / "a.onnx", batches=[{"x": values}]) == pytest.approx(9e10)
    assert largest_activation(tmp_path / "a.onnx", batches=[{"x": values * 1e-4}]) < HALF_LARGEST


def test_fp16_keeps_float32_at_its_ends(fp32: Path, module: Tiny, images: Arrays, tmp_path: Path) -> None:
    to_fp16(fp32, tmp_path / "half.onnx")
    outputs = run_batches(open_graph(tmp_path / "half.onnx"), images)
    assert all(output.dtype == np.float32 for output in outputs)
    assert 0 < max_difference(torch_outputs(module, images), outputs) < 0.01
