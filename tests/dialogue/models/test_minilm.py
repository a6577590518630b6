import numpy as np
import pytest

from twinloop.dialogue.models.minilm import MINILM, minilm
from twinloop.dialogue.models.sentence_encoder import EncoderSettings
from twinloop.errors import RunError
from twinloop.learning.weights import Places, find

# Pairs with their cosine, as the documentation of sentence-transformers prints them for this model.
PUBLISHED = [
    ("The cat sits outside", "The dog plays in the garden", 0.2838),
    ("A man is playing guitar", "A woman watches TV", -0.0327),
    ("The new movie is awesome", "The new movie is so great", 0.8939),
]


@pytest.fixture(autouse=True)
def _installed() -> None:
    try:
        find(MINILM, Places())
    except RunError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(("precision", "within"), [("float32", 1e-4), ("int8", 0.04)])
def test_cosines_are_the_published_ones(precision: str, within: float) -> None:
    encoder = minilm(EncoderSettings(precision=precision))
    for one, other, cosine in PUBLISHED:
        vectors = encoder.encode([one, other]).vectors
        assert float(vectors[0] @ vectors[1]) == pytest.approx(cosine, abs=within)
    assert encoder.dimensions == 384
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
