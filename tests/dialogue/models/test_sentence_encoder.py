from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.dialogue.small_encoder import INNER, SHAPE, WIDTH, WORDS, random_bert, written_encoder
from twinloop.dialogue.models.sentence_encoder import EncoderSettings, SentenceEncoder
from twinloop.dialogue.providers.protocols import Encoder, EncodesTogether
from twinloop.errors import InputError

TEXTS = ["the oven runs hot", "who cleaned the press at noon ?", "friday", "the oven is cold . " * 3]


def test_vectors_are_those_of_transformers(encoder: SentenceEncoder) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=len(WORDS), hidden_size=WIDTH, num_hidden_layers=SHAPE.layers, num_attention_heads=SHAPE.heads,
        intermediate_size=INNER, max_position_embeddings=64, layer_norm_eps=SHAPE.epsilon,
    )  # fmt: skip
    model = transformers.BertModel(config, add_pooling_layer=False).eval()
    tensors = {name: torch.from_numpy(value) for name, value in random_bert(0).items()}
    model.load_state_dict(tensors)
    for text in TEXTS:
        ids = [2, *(WORDS.index(word) for word in text.split()), 3]
        with torch.inference_mode():
            hidden = model(torch.tensor([ids])).last_hidden_state[0].mean(dim=0).numpy()
        np.testing.assert_allclose(encoder.encode([text]).vectors[0], hidden / np.linalg.norm(hidden), atol=2e-6)


def test_a_text_has_the_same_vector_alone_and_among_others(encoder: SentenceEncoder) -> None:
    together = encoder.encode(TEXTS).vectors
    assert together.tolist() == np.concatenate([encoder.encode([text]).vectors for text in TEXTS]).tolist()
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_text_has_the_vector_in_a_batch_that_it_has_alone(
    precision: Literal["float32", "int8"], tmp_path: Path
) -> None:
    encoder = written_encoder(tmp_path, settings=EncoderSettings(tokens=32, precision=precision))
    # Some of one length, which share a batch, and some of another.
    texts = [*TEXTS, "the press stops when cold", "the oven is hot", "oven oven oven oven", "zebra"]
    together = encoder.encode_together(texts)
    np.testing.assert_allclose(together.vectors, encoder.encode(texts).vectors, atol=1e-6)
    assert together.usage.tokens == encoder.encode(texts).usage.tokens
    assert isinstance(encoder, EncodesTogether)
    assert encoder.encode_together([]).vectors.shape == (0, WIDTH)


def test_int8_stays_near_and_has_a_digest_of_its_own(encoder: SentenceEncoder, tmp_path: Path) -> None:
    int8 = written_encoder(tmp_path, settings=EncoderSettings(tokens=32, precision="int8"))
    assert np.sum(int8.encode(TEXTS).vectors * encoder.encode(TEXTS).vectors, axis=1).min() > 0.97
    assert int8.digest != encoder.digest


def test_the_digest_follows_the_weights(encoder: SentenceEncoder, tmp_path: Path) -> None:
    assert isinstance(encoder, Encoder)
    assert written_encoder(tmp_path).digest == encoder.digest != written_encoder(tmp_path, seed=1).digest


def test_no_text_and_a_text_of_many_words_are_encoded(encoder: SentenceEncoder) -> None:
    assert encoder.encode([]).vectors.shape == (0, WIDTH)
    assert np.isfinite(encoder.encode(["", "oven " * 10_000]).vectors).all()


def test_what_are_no_weights_is_said_in_one_line(tmp_path: Path) -> None:
    written_encoder(tmp_path)
    weights, tokens = tmp_path / "other.safetensors", tmp_path / "tokenizer.json"
    with pytest.raises(InputError, match=r"other.safetensors: expected safetensors"):
        SentenceEncoder(weights, tokens)
    weights.write_bytes(b"junk")
    with pytest.raises(InputError, match=r"other.safetensors: expected safetensors"):
        SentenceEncoder(weights, tokens)
    save_file({"embeddings.word_embeddings.weight": np.zeros((3, 4), np.float32)}, weights)
    with pytest.raises(InputError, match="without 'embeddings"):
        SentenceEncoder(weights, tokens)
    tokens.write_text("{}")
    with pytest.raises(InputError, match=r"expected a tokenizer.json"):
        SentenceEncoder(weights, tokens)
