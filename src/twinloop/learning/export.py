"""A torch module as an ONNX graph, in FP32, INT8 and FP16.

The graph carries raw outputs only; thresholds and calibration live beside it. The batch is dynamic (traced with two or
more images, since a batch of one is burnt in as a constant), height and width are static. The same module gives the
same bytes wherever the checkout lies: what the exporter notes about source files is removed.
INT8 is static QDQ, per channel, on Conv, MatMul and Gemm after shape inference and constant folding. The CPU's file has
asymmetric activations; TensorRT takes symmetric ones only, so its file is another one.
"""

import contextlib
import hashlib
import io
import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from twinloop.errors import RunError
from twinloop.files import atomic

INPUT = "image"
QUANTISED = ["Conv", "MatMul", "Gemm"]
HALF_LARGEST = 65504.0
# ONNX Runtime's own 128 leave entropy nothing to choose: the full range is the only candidate.
ENTROPY_BINS = 1024
Floats = NDArray[np.float32]


def weights_digest(module: torch.nn.Module) -> str:
    """Hex digest of a module's state, by name, shape and value."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        array = tensor.detach().cpu().contiguous().numpy()
        digest.update(f"{name} {array.shape} {array.dtype}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def to_onnx(
    module: torch.nn.Module,
    example: torch.Tensor,
    *,
    path: str | Path,
    outputs: Sequence[str],
    metadata: Mapping[str, str],
    opset: int = 20,
) -> None:
    """Write `module` as an FP32 graph with input "image" [batch, ...] and the named `outputs`.

    example: a batch of two or more inputs; ValueError for fewer.
    metadata: embedded in the file as text (classes, size, digest of the weights).
    """
    if len(example) < 2:
        raise ValueError(f"expected an example of two or more inputs, got {len(example)}: one would be a constant")
    training = module.training
    module.eval()
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                module,
                (example,),
                dynamo=True,
                opset_version=opset,
                dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=4096)},),
                input_names=[INPUT],
                output_names=list(outputs),
                external_data=False,
                verbose=False,
            )
    finally:
        module.train(training)
    assert program is not None
    _save(program.model_proto, path, metadata)


def to_int8(
    source: str | Path,
    path: str | Path,
    *,
    batches: Iterable[Floats],
    metadata: Mapping[str, str],
    calibration: str = "minmax",
) -> None:
    """Quantise the FP32 graph `source` for the CPU.

    batches: real inputs that show the activations' ranges. calibration: minmax, entropy or percentile of them.
    """
    _quantise(source, path, batches=batches, metadata=metadata, calibration=calibration, options={})


def to_int8_tensorrt(
    source: str | Path,
    path: str | Path,
    *,
    batches: Iterable[Floats],
    metadata: Mapping[str, str],
    calibration: str = "minmax",
) -> None:
    """Quantise `source` as TensorRT wants it: explicit Q/DQ pairs, symmetric and signed, biases left in FP32.

    Weights are quantised per output channel, all zero points are 0 (NVIDIA, Working with Quantized Types, 11.0).
    Raises RunError should a zero point differ.
    """
    options = {
        "ActivationSymmetric": True,
        "WeightSymmetric": True,
        "AddQDQPairToWeight": True,
        "QuantizeBias": False,
        # A pair of its own before each consumer: TensorRT fuses a layer with the pairs at its inputs.
        "DedicatedQDQPair": True,
    }
    _quantise(source, path, batches=batches, metadata=metadata, calibration=calibration, options=options)
    if shifted := shifted_zero_points(path):
        Path(path).unlink()
        raise RunError(f"export: {path}: zero points of {', '.join(shifted)} are not 0: TensorRT would refuse them")


def shifted_zero_points(path: str | Path) -> list[str]:
    """Names of the zero points other than 0 of a quantised graph; empty where quantisation is symmetric."""
    graph = onnx.load(path).graph
    named = {node.input[2] for node in graph.node if node.op_type.endswith("zeLinear") and len(node.input) > 2}
    values = {entry.name: onnx.numpy_helper.to_array(entry) for entry in graph.initializer if entry.name in named}
    return sorted(name for name in named if name not in values or np.any(values[name]))


def _quantise(
    source: str | Path,
    path: str | Path,
    *,
    batches: Iterable[Floats],
    metadata: Mapping[str, str],
    calibration: str,
    options: Mapping[str, object],
) -> None:
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.calibrate import create_calibrator, save_tensors_data

    methods = {
        "minmax": CalibrationMethod.MinMax,
        "entropy": CalibrationMethod.Entropy,
        "percentile": CalibrationMethod.Percentile,
    }
    with tempfile.TemporaryDirectory() as folder, _quiet():
        prepared, quantised, ranges = (Path(folder) / name for name in ("folded.onnx", "int8.onnx", "ranges.json"))
        _fold(source, prepared)
        calibrator = create_calibrator(
            str(prepared),
            QUANTISED,
            augmented_model_path=str(Path(folder) / "augmented.onnx"),
            calibrate_method=methods[calibration],
            extra_options={"num_bins": ENTROPY_BINS} if calibration == "entropy" else {},
        )
        calibrator.collect_data(_reader(batches))
        save_tensors_data(calibrator.compute_data(), ranges)
        quantize_static(
            str(prepared),
            str(quantised),
            None,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=QUANTISED,
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=methods[calibration],
            calibration_cache_path=ranges,
            extra_options=dict(options),
        )
        _save(onnx.load(quantised), path, metadata)


def _fold(source: str | Path, path: Path) -> None:
    from onnxruntime.quantization.shape_inference import quant_pre_process

    # The exporter wrote every shape; ONNX Runtime's symbolic inference would stop at operators it does not know.
    quant_pre_process(str(source), str(path), skip_symbolic_shape=True)


def _reader(batches: Iterable[Floats]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = iter(batches)

        def get_next(self) -> dict[str, Floats] | None:
            batch = next(self._batches, None)
            return None if batch is None else {INPUT: batch}

    return Reader()


def largest_activation(source: str | Path, *, batches: Iterable[Floats]) -> float:
    """The largest finite magnitude of any intermediate value of the graph `source` on `batches`.

    Above `HALF_LARGEST` the graph overflows in half precision. A CPU does not show it: ONNX Runtime computes FP16
    graphs in FP32 there.
    """
    from onnxruntime.quantization.calibrate import create_calibrator

    with tempfile.TemporaryDirectory() as folder, _quiet():
        calibrator = create_calibrator(str(source), augmented_model_path=str(Path(folder) / "ranges.onnx"))
        calibrator.collect_data(_reader(batches))
        ranges = calibrator.compute_data()
    ends = np.abs([np.ravel(ranges[name].range_value) for name in ranges.keys()])  # noqa: SIM118
    return float(ends[np.isfinite(ends)].max())


def to_fp16(source: str | Path, path: str | Path) -> None:
    """Convert an FP32 graph to half precision inside, float32 at its input and outputs; TensorRT is given it as well.

    Weights beyond ±65504 are cut there, and activations may overflow (see `largest_activation`).
    """
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    metadata = {entry.key: entry.value for entry in onnx.load(source).metadata_props}
    with tempfile.TemporaryDirectory() as folder, _quiet():
        folded = Path(folder) / "folded.onnx"
        _fold(source, folded)
        converted = OnnxModel(convert_float_to_float16(onnx.load(folded), keep_io_types=True))
        converted.topological_sort()  # the conversion appends its casts at the end, which ONNX forbids
        _save(converted.model, path, metadata)


def torch_outputs(module: torch.nn.Module, inputs: Floats, *, batch: int = 32) -> list[Floats]:
    """Raw outputs of `module` in evaluation mode for all of `inputs` [N, ...]: the reference of every parity gate."""
    training = module.training
    module.eval()
    try:
        with torch.inference_mode():
            parts = [module(torch.from_numpy(inputs[i : i + batch])) for i in range(0, len(inputs), batch)]
    finally:
        module.train(training)
    return [torch.cat(outputs).numpy() for outputs in zip(*parts, strict=True)]


def _save(model: onnx.ModelProto, path: str | Path, metadata: Mapping[str, str]) -> None:
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.initializer, *model.graph.input):
        del part.metadata_props[:]
        part.doc_string = ""
    for node in (*model.graph.output, model.graph, *model.functions):
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model)
    with atomic(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    # Exporter and quantiser print progress and advice that is not addressed to the user.
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        root.setLevel(level)
