"""Graphs in INT8: static QDQ, per channel, on Conv, MatMul and Gemm after shape inference and constant folding.

The CPU's file has asymmetric activations; TensorRT takes symmetric ones only, so its file is another one.
"""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from twinloop.errors import RunError
from twinloop.learning.export import fold, quiet, save_graph
from twinloop.learning.signature import Arrays

QUANTISED = ["Conv", "MatMul", "Gemm"]
# ONNX Runtime's own 128 leave entropy nothing to choose: the full range is the only candidate.
ENTROPY_BINS = 1024
HALF_LARGEST = 65504.0


def to_int8(
    source: str | Path,
    path: str | Path,
    *,
    batches: Iterable[Arrays],
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
    batches: Iterable[Arrays],
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
    batches: Iterable[Arrays],
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
    with tempfile.TemporaryDirectory() as folder, quiet():
        prepared, quantised, ranges = (Path(folder) / name for name in ("folded.onnx", "int8.onnx", "ranges.json"))
        fold(source, prepared)
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
        save_graph(onnx.load(quantised), path, metadata)


def _reader(batches: Iterable[Arrays]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = iter(batches)

        def get_next(self) -> Arrays | None:
            return next(self._batches, None)

    return Reader()


def largest_activation(source: str | Path, *, batches: Iterable[Arrays]) -> float:
    """The largest finite magnitude of any intermediate value of the graph `source` on `batches`.

    Above `HALF_LARGEST` the graph overflows in half precision. A CPU does not show it: ONNX Runtime computes FP16
    graphs in FP32 there.
    """
    from onnxruntime.quantization.calibrate import create_calibrator

    with tempfile.TemporaryDirectory() as folder, quiet():
        calibrator = create_calibrator(str(source), augmented_model_path=str(Path(folder) / "ranges.onnx"))
        calibrator.collect_data(_reader(batches))
        ranges = calibrator.compute_data()
    ends = np.abs([np.ravel(ranges[name].range_value) for name in ranges.keys()])  # noqa: SIM118
    return float(ends[np.isfinite(ends)].max())
