"""Finding by meaning: the cosine of a question's vector with that of each piece of each chunk, by one matrix product.

Exact: some hundred megabytes are read once per question, which is faster than an approximate index would have to be.
"""

import numpy as np
from numpy.typing import NDArray

from twinloop.dialogue.providers.protocols import Encoder, EncodesTogether, Vectors
from twinloop.errors import RunError

Scores = NDArray[np.float32]
UNIT_WITHIN = 1e-3
# Of a sum of unit vectors; pieces that cancel each other mean nothing together.
SHORTEST = 1e-6


class Dense:
    """Cosines with the pieces of some chunks.

    vectors: of all pieces, in order (shape: pieces, dimensions); pieces: how many each chunk has, none of them 0.
    """

    def __init__(self, vectors: Vectors, pieces: NDArray[np.int64]) -> None:
        self._vectors = np.ascontiguousarray(vectors, np.float32)
        self._starts = np.cumsum(pieces) - pieces
        sums = np.add.reduceat(self._vectors, self._starts, axis=0)
        self._lengths = np.maximum(np.linalg.norm(sums, axis=1), SHORTEST)

    def scores(self, question: Vectors, *, whole: float) -> Scores:
        """[chunks] of the cosines with a unit vector [dimensions], in part that of all pieces together, else the best.

        whole: the share of the first, the cosine with the sum of a chunk's pieces.
        """
        cosines = self._vectors @ question
        best = np.maximum.reduceat(cosines, self._starts)
        together = np.add.reduceat(cosines, self._starts) / self._lengths
        scores: Scores = (whole * together + (1 - whole) * best).astype(np.float32)
        return scores


def encoded(encoder: Encoder, texts: list[str], *, together: bool = False) -> Vectors:
    """Unit vectors of texts. Raises RunError where what an encoder gives cannot be compared.

    That is: vectors of another shape, with NaN, or of another length than 1. together: at once, where it can.
    """
    if not texts:
        return np.zeros((0, encoder.dimensions), np.float32)
    encode = encoder.encode_together if together and isinstance(encoder, EncodesTogether) else encoder.encode
    vectors = np.asarray(encode(texts).vectors, np.float32)
    if vectors.shape != (len(texts), encoder.dimensions):
        raise RunError(
            f"encoder: expected vectors of shape ({len(texts)}, {encoder.dimensions}), got {vectors.shape}: "
            "use another one"
        )
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.all(np.abs(lengths - 1) < UNIT_WITHIN):
        raise RunError("encoder: expected vectors of length 1, some have another or none: use another one")
    return vectors
