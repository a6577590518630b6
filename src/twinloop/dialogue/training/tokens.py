"""A tokenizer of a person's own words, as tokenizer.json: pieces of words in bytes, lower case, no accents."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twinloop.errors import InputError
from twinloop.files import write_text

PAD, UNKNOWN, FIRST, LAST = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
SPECIAL = [PAD, UNKNOWN, FIRST, LAST]


def fit_tokenizer(texts: Sequence[str], path: Path, *, vocabulary: int) -> Any:
    """Learn at most `vocabulary` pieces (byte pairs: Sennrich, Haddow and Birch, 2016) and write them to `path`.

    The same texts in any order give the same pieces; WordPiece of the same library does not, as its pieces are numbered
    in the order of a hash. Raises InputError where the texts hold no word.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    known = sorted({text for text in texts if text.strip()})
    if not known:
        raise InputError("encoder: expected texts to learn words from, found none: give it documents")
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(known, trainer)
    ends = [(token, tokenizer.token_to_id(token)) for token in (FIRST, LAST)]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{FIRST} $A {LAST}", special_tokens=ends)
    write_text(path, tokenizer.to_str())
    return tokenizer
