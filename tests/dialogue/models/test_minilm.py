from importlib import metadata

import numpy as np
import pytest

from twinloop.dialogue.models import minilm as module
from twinloop.dialogue.models.minilm import PACKAGE, minilm
from twinloop.dialogue.models.sentence_encoder import EncoderSettings
from twinloop.errors import RunError

# Pairs with their cosine, as the documentation of sentence-transformers prints them for this model.
PUBLISHED = [
    ("The cat sits outside", "The dog plays in the garden", 0.2838),
    ("A man is playing guitar", "A woman watches TV", -0.0327),
    ("The new movie is awesome", "The new movie is so great", 0.8939),
]


@pytest.fixture(autouse=True)
def _installed() -> None:
    try:
        metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{PACKAGE} is not installed")


@pytest.mark.parametrize(("precision", "within"), [("float32", 1e-4), ("int8", 0.04)])
def test_cosines_are_the_published_ones(precision: str, within: float) -> None:
    encoder = minilm(EncoderSettings(precision=precision))
    for one, other, cosine in PUBLISHED:
        vectors = encoder.encode([one, other]).vectors
        assert float(vectors[0] @ vectors[1]) == pytest.approx(cosine, abs=within)
    assert encoder.dimensions == 384
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_other_bytes_than_the_published_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.FILES, "tokenizer.json", "0" * 64)
    with pytest.raises(RunError, match=r"tokenizer.json: not what was published"):
        minilm()
