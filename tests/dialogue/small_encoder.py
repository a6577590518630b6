"""A small encoder with weights drawn at random: the real graph and tokens, in milliseconds."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from twinloop.dialogue.models.bert import BertShape
from twinloop.dialogue.models.sentence_encoder import EncoderSettings, SentenceEncoder

TEXT = "[PAD] [UNK] [CLS] [SEP] oven runs hot at noon the is cleaned on friday press stops cold . ? when who"
WORDS = TEXT.split()
WIDTH, INNER, SHAPE = 16, 32, BertShape(layers=2, heads=2)


def random_bert(seed: int) -> dict[str, NDArray[np.float32]]:
    """Tensors of a BERT encoder, by the names that transformers gives them."""
    random = np.random.default_rng(seed)

    def drawn(*shape: int) -> NDArray[np.float32]:
        return random.normal(0, 0.3, shape).astype(np.float32)

    tensors = {
        "embeddings.word_embeddings.weight": drawn(len(WORDS), WIDTH),
        "embeddings.position_embeddings.weight": drawn(64, WIDTH),
        "embeddings.token_type_embeddings.weight": drawn(2, WIDTH),
        "embeddings.LayerNorm.weight": 1 + drawn(WIDTH),
        "embeddings.LayerNorm.bias": drawn(WIDTH),
    }
    for number in range(SHAPE.layers):
        layer = f"encoder.layer.{number}"
        for name, shape in {
            "attention.self.query": (WIDTH, WIDTH),
            "attention.self.key": (WIDTH, WIDTH),
            "attention.self.value": (WIDTH, WIDTH),
            "attention.output.dense": (WIDTH, WIDTH),
            "intermediate.dense": (INNER, WIDTH),
            "output.dense": (WIDTH, INNER),
        }.items():
            tensors |= {f"{layer}.{name}.weight": drawn(*shape), f"{layer}.{name}.bias": drawn(shape[0])}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            tensors |= {f"{layer}.{name}.weight": 1 + drawn(WIDTH), f"{layer}.{name}.bias": drawn(WIDTH)}
    return tensors


def written_encoder(folder: Path, *, seed: int = 0, settings: EncoderSettings | None = None) -> SentenceEncoder:
    """An encoder from files in a folder."""
    tokenizer = Tokenizer(WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.save(str(folder / "tokenizer.json"))
    save_file(random_bert(seed), folder / f"model-{seed}.safetensors")
    settings = settings or EncoderSettings(tokens=32)
    return SentenceEncoder(folder / f"model-{seed}.safetensors", folder / "tokenizer.json", settings, shape=SHAPE)


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> SentenceEncoder:
    return written_encoder(tmp_path_factory.mktemp("encoder"))
