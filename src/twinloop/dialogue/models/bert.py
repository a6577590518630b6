"""A BERT encoder (Devlin et al., 2019) as an ONNX graph, made from its tensors alone: no torch takes part.

The graph pools and normalises too (mean over tokens, unit length: Reimers and Gurevych, 2019), so that whoever runs it
gets vectors that are compared by a product. In INT8, weights have one scale per output channel and activations one per
call: with a scale per matrix retrieval gets worse, with one per channel it does not.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from twinloop.errors import InputError

Tensors = Mapping[str, NDArray[Any]]
IDS, VECTORS = "token_ids", "vectors"
OPSET = 20


@dataclass(frozen=True)
class BertShape:
    """What its tensors do not say themselves."""

    layers: int = 6
    heads: int = 12
    epsilon: float = 1e-12


def bert_graph(tensors: Tensors, shape: BertShape, *, int8: bool = False) -> onnx.ModelProto:
    """A graph from token_ids (int64, [texts, tokens]) to unit vectors (float32, [texts, dimensions]).

    There is no mask: texts that share a batch are of one length. tensors: by the names of transformers' BertModel.
    Raises InputError where one is missing.
    """
    return _Builder(tensors, shape, int8=int8).model()


class _Builder:
    """Collects nodes and constants; every method returns the name of what it adds."""

    def __init__(self, tensors: Tensors, shape: BertShape, *, int8: bool) -> None:
        self._tensors, self._shape, self._int8 = tensors, shape, int8
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def model(self) -> onnx.ModelProto:
        """The whole encoder."""
        words = self._tensor("embeddings.word_embeddings.weight")
        width = words.shape[1]
        hidden = self._embedded()
        for number in range(self._shape.layers):
            hidden = self._layer(f"encoder.layer.{number}", hidden, width=width)
        self._pooled(hidden)
        given = helper.make_tensor_value_info(IDS, TensorProto.INT64, ["texts", "tokens"])
        output = helper.make_tensor_value_info(VECTORS, TensorProto.FLOAT, ["texts", width])
        graph = helper.make_graph(self._nodes, "bert", [given], [output], list(self._constants.values()))
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)

    def _embedded(self) -> str:
        """Words, positions and the one segment, added and normalised."""
        words = self._op("Gather", self._weight("embeddings.word_embeddings.weight"), IDS)
        tokens = self._op("Gather", self._op("Shape", IDS), self._constant("one", np.array(1)))
        zero = self._constant("zero", np.array(0))
        places = self._op("Range", zero, tokens, self._constant("one", np.array(1)))
        positions = self._op("Gather", self._weight("embeddings.position_embeddings.weight"), places)
        segment = self._constant("segment", self._tensor("embeddings.token_type_embeddings.weight")[0])
        total = self._op("Add", self._op("Add", words, positions), segment)
        return self._normalised("embeddings.LayerNorm", total)

    def _layer(self, name: str, hidden: str, *, width: int) -> str:
        attended = self._attention(f"{name}.attention", hidden, width=width)
        hidden = self._normalised(f"{name}.attention.output.LayerNorm", self._op("Add", attended, hidden))
        inner = self._op("Gelu", self._linear(f"{name}.intermediate.dense", hidden))
        outer = self._linear(f"{name}.output.dense", inner)
        return self._normalised(f"{name}.output.LayerNorm", self._op("Add", outer, hidden))

    def _attention(self, name: str, hidden: str, *, width: int) -> str:
        heads = self._shape.heads
        apart = self._constant("apart", np.array([0, 0, heads, width // heads]))
        joined = self._constant("joined", np.array([0, 0, width]))
        query, key, value = (
            self._op("Reshape", self._linear(f"{name}.self.{role}", hidden), apart)
            for role in ("query", "key", "value")
        )
        query, value = (self._op("Transpose", each, perm=[0, 2, 1, 3]) for each in (query, value))
        key = self._op("Transpose", key, perm=[0, 2, 3, 1])
        scale = self._constant("scale", np.array(1 / math.sqrt(width / heads), np.float32))
        scores = self._op("Mul", self._op("MatMul", query, key), scale)
        mixed = self._op("MatMul", self._op("Softmax", scores, axis=-1), value)
        together = self._op("Reshape", self._op("Transpose", mixed, perm=[0, 2, 1, 3]), joined)
        return self._linear(f"{name}.output.dense", together)

    def _pooled(self, hidden: str) -> None:
        """Mean over the tokens of each text, at unit length."""
        mean = self._op("ReduceMean", hidden, self._constant("tokens", np.array([1])), keepdims=0)
        length = self._op("ReduceL2", mean, self._constant("last", np.array([-1])), keepdims=1)
        self._nodes.append(helper.make_node("Div", [mean, length], [VECTORS]))

    def _linear(self, name: str, values: str) -> str:
        weight = np.ascontiguousarray(self._tensor(f"{name}.weight").T)
        if self._int8:
            product = self._in_int8(name, weight, values)
        else:
            product = self._op("MatMul", values, self._constant(f"{name}.weight", weight))
        return self._op("Add", product, self._weight(f"{name}.bias"))

    def _in_int8(self, name: str, weight: NDArray[Any], values: str) -> str:
        """values x weight with both as 8-bit integers; ONNX Runtime makes one kernel of these nodes."""
        scale = np.maximum(np.abs(weight).max(axis=0), 1e-12) / 127
        whole = np.rint(weight / scale).astype(np.int8)
        rounded, step, zero = f"{values}_{name}_rounded", f"{values}_{name}_step", f"{values}_{name}_zero"
        self._nodes.append(helper.make_node("DynamicQuantizeLinear", [values], [rounded, step, zero]))
        sums = self._op("MatMulInteger", rounded, self._constant(f"{name}.int8", whole), zero)
        steps = self._op("Mul", step, self._constant(f"{name}.scale", scale.astype(np.float32)))
        return self._op("Mul", self._op("Cast", sums, to=TensorProto.FLOAT), steps)

    def _normalised(self, name: str, values: str) -> str:
        parts = (self._weight(f"{name}.weight"), self._weight(f"{name}.bias"))
        return self._op("LayerNormalization", values, *parts, axis=-1, epsilon=self._shape.epsilon)

    def _op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def _weight(self, name: str) -> str:
        return self._constant(name, self._tensor(name))

    def _constant(self, name: str, value: NDArray[Any]) -> str:
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def _tensor(self, name: str) -> NDArray[Any]:
        if name not in self._tensors:
            raise InputError(f"encoder: expected the tensors of a BERT encoder, without {name!r}: name other weights")
        return self._tensors[name]
