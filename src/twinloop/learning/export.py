"""A torch module as an ONNX graph, in FP32 and FP16; see `quantise` for INT8.

The graph carries raw outputs only; thresholds and calibration live beside it. The batch and every named axis are
dynamic, all other lengths are static. The same module gives the same bytes wherever the checkout lies: what the
exporter notes about source files is removed.
"""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import onnx
import torch

from twinloop.files import atomic
from twinloop.learning.signature import BATCH, Arrays, Axis, Input, Outputs, batches


def to_onnx(
    module: torch.nn.Module,
    inputs: Sequence[Input],
    *,
    path: str | Path,
    outputs: Sequence[str],
    metadata: Mapping[str, str],
    opset: int = 20,
) -> None:
    """Write `module`, which takes `inputs` in this order, as an FP32 graph with the named `outputs`.

    metadata: embedded in the file as text (classes, size, digest of the weights).
    """
    axes = {BATCH.name: BATCH} | {axis.name: axis for one in inputs for axis in one.axes if isinstance(axis, Axis)}
    dims = {name: torch.export.Dim(name, min=axis.least, max=axis.most) for name, axis in axes.items()}
    dynamic = tuple(
        {place: dims[axis.name] for place, axis in enumerate((BATCH, *one.axes)) if isinstance(axis, Axis)}
        for one in inputs
    )
    # Two samples: a batch of one would be burnt in as a constant.
    example = tuple(torch.zeros(one.shape(batch=2), dtype=getattr(torch, one.dtype)) for one in inputs)
    training = module.training
    module.eval()
    try:
        with quiet(), torch.no_grad():
            program = torch.onnx.export(
                module,
                example,
                dynamo=True,
                opset_version=opset,
                dynamic_shapes=dynamic,
                input_names=[one.name for one in inputs],
                output_names=list(outputs),
                external_data=False,
                verbose=False,
            )
    finally:
        module.train(training)
    assert program is not None
    save_graph(program.model_proto, path, metadata)


def to_fp16(source: str | Path, path: str | Path) -> None:
    """Convert an FP32 graph to half precision inside, float32 at its ends; TensorRT is given it as well.

    Weights beyond ±65504 are cut there, and activations may overflow (see `quantise.largest_activation`).
    """
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    metadata = {entry.key: entry.value for entry in onnx.load(source).metadata_props}
    with tempfile.TemporaryDirectory() as folder, quiet():
        folded = Path(folder) / "folded.onnx"
        fold(source, folded)
        converted = OnnxModel(convert_float_to_float16(onnx.load(folded), keep_io_types=True))
        converted.topological_sort()  # the conversion appends its casts at the end, which ONNX forbids
        save_graph(converted.model, path, metadata)


def torch_outputs(module: torch.nn.Module, inputs: Arrays, *, batch: int = 32) -> Outputs:
    """Raw outputs of `module` in evaluation mode for all of `inputs` [N, ...]: the reference of every parity gate."""
    training = module.training
    module.eval()
    try:
        with torch.inference_mode():
            parts = []
            for some in batches(inputs, batch):
                answer = module(*(torch.from_numpy(values) for values in some.values()))
                parts.append(answer if isinstance(answer, tuple | list) else (answer,))
    finally:
        module.train(training)
    return [torch.cat(outputs).numpy() for outputs in zip(*parts, strict=True)]


def fold(source: str | Path, path: Path) -> None:
    """Write `source` with its shapes inferred and its constants folded."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    # The exporter wrote every shape; ONNX Runtime's symbolic inference would stop at operators it does not know.
    quant_pre_process(str(source), str(path), skip_symbolic_shape=True)


def save_graph(model: onnx.ModelProto, path: str | Path, metadata: Mapping[str, str]) -> None:
    """Check and write a graph with `metadata` and without what says where it was made."""
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
def quiet() -> Iterator[None]:
    """Keep the progress and advice of exporter and quantiser, which is not addressed to the user, off the screen."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            # Inputs share axes on purpose.
            warnings.filterwarnings("ignore", message="# The axis name: .* will not be used")
            yield
    finally:
        root.setLevel(level)
