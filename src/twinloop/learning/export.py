"""A torch module as an ONNX graph, in FP32, INT8 and FP16.

The graph carries raw outputs only; thresholds and calibration live beside it. The batch is dynamic (traced with two or
more images, since a batch of one is burnt in as a constant), height and width are static. The same module gives the
same bytes wherever the checkout lies: what the exporter notes about source files is removed.
INT8 is static QDQ, per channel, on Conv, MatMul and Gemm after shape inference and constant folding.
"""

import contextlib
import hashlib
import io
import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from twinloop.files import atomic

INPUT = "image"
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


def to_int8(source: str | Path, path: str | Path, *, batches: Iterable[Floats], metadata: Mapping[str, str]) -> None:
    """Quantise the FP32 graph `source`; activation ranges are calibrated on `batches` of real inputs."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = iter(batches)

        def get_next(self) -> dict[str, Floats] | None:
            batch = next(self._batches, None)
            return None if batch is None else {INPUT: batch}

    with tempfile.TemporaryDirectory() as folder, _quiet():
        prepared, quantised = Path(folder) / "prepared.onnx", Path(folder) / "int8.onnx"
        # The exporter wrote every shape; ONNX Runtime's symbolic inference would stop at operators it does not know.
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(quantised),
            Reader(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "MatMul", "Gemm"],
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
        )
        _save(onnx.load(quantised), path, metadata)


def to_fp16(source: str | Path, path: str | Path) -> None:
    """Convert an FP32 graph to half precision inside, float32 at its input and outputs: what TensorRT is given."""
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    model = onnx.load(source)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    with _quiet():
        converted = OnnxModel(convert_float_to_float16(model, keep_io_types=True))
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
