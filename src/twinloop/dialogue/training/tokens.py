"""A tokenizer of a person's own words, as tokenizer.json: pieces of words, lower case, no accents."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twinloop.errors import InputError
from twinloop.files import write_text

PAD, UNKNOWN, FIRST, LAST = "[PAD]", "[UNK]", "[CLS]", "[SEP]"


def fit_tokenizer(texts: Sequence[str], path: Path, *, vocabulary: int) -> Any:
    """Learn at most `vocabulary` pieces (WordPiece: Wu et al., 2016) from texts and write them to `path`.

    The same texts in any order give the same pieces. Raises InputError where the texts hold no word.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    # Pieces that are equally frequent are taken in the order in which they are met.
    known = sorted({text for text in texts if text.strip()})
    if not known:
        raise InputError("encoder: expected texts to learn words from, found none: give it documents")
    tokenizer = Tokenizer(models.WordPiece(unk_token=UNKNOWN))  # type: ignore[call-arg]
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)  # type: ignore[assignment]
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()  # type: ignore[assignment]
    special = [PAD, UNKNOWN, FIRST, LAST]
    trainer = trainers.WordPieceTrainer(vocab_size=vocabulary, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(known, trainer)
    ends = [(token, tokenizer.token_to_id(token)) for token in (FIRST, LAST)]
    tokenizer.post_processor = processors.TemplateProcessing(  # type: ignore[assignment]
        single=f"{FIRST} $A {LAST}", special_tokens=ends
    )
    write_text(path, tokenizer.to_str())
    return tokenizer
