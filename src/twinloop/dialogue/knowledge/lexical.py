"""Finding by words: BM25 over chunks or whole documents, by bm25s, and over pairs of words.

Words are case-folded and without accents; of Chinese, Japanese and the like each pair of characters counts as one.
Endings are cut by rule (after the S-stemmer of Harman, 1991, with -ed and -ing): enough for meetings
without a dependency.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.dialogue.knowledge.pairs import Pairs, rarity
from twinloop.dialogue.knowledge.settings import LexicalSettings

Scores = NDArray[np.float32]
WORD = re.compile(r"[^\W_]+")
UNSPACED = re.compile("[\u0e00-\u0eff\u1780-\u17ff\u3040-\u9fff\uf900-\ufaff]+")
VOWEL = re.compile("[aeiouy]")
# Words by which one asks, and that what answers rarely repeats.
ASKING = (
    "summarize summarise summary describe description explain explanation outline recap tell told say said talk talked "
    "discuss discussion mention think thought opinion view idea feel attitude suggest suggestion propose proposal "
    "recommend agree disagree decide decision conclude conclusion toward regard relate concern "
    "please remind know ask question answer look find show give gave check thing much many"
)
# A question counts this many different words at most: pasted pages are no questions.
MOST_QUERY_WORDS = 512


def terms(text: str, *, stems: bool = True) -> list[str]:
    """What of a text is counted: its words in one form, common English ones left out.

    >>> terms("The Ovens were cleaned by Zoë")
    ['oven', 'clean', 'zoe']
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if not unicodedata.combining(c))
    common = common_words()
    found = (piece for match in WORD.finditer(plain) for piece in _pieces(match.group()))
    return [stem(word) if stems else word for word in found if word not in common]


def stem(word: str) -> str:
    """An English word without the ending of a plural, a past or a progress.

    >>> [stem(word) for word in ("parties", "boxes", "stopped", "making", "glass", "sing")]
    ['party', 'box', 'stop', 'mak', 'glass', 'sing']
    """
    if not word.isascii() or len(word) < 4:
        return word
    if word.endswith("ies") and not word.endswith(("aies", "eies")):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("us", "ss", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= 3 and VOWEL.search(rest):
            doubled = len(rest) > 3 and rest[-1] == rest[-2] and rest[-1] not in "lsz"
            return rest[:-1] if doubled else rest
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def _pieces(word: str) -> Iterable[str]:
    """The word itself; of a script without blanks, each pair of neighbouring characters."""
    if UNSPACED.search(word) is None:
        return (word,)
    return [word[place : place + 2] for place in range(max(1, len(word) - 1))]


@functools.cache
def common_words() -> frozenset[str]:
    from bm25s.stopwords import STOPWORDS_EN_PLUS  # type: ignore[import-untyped]

    return frozenset(STOPWORDS_EN_PLUS)


class Lexical:
    """BM25 of a question for each of some texts, as a share of the most that the question's words could earn.

    As a share it means the same for a short and for a long question, and a word that is in no text lowers it for all:
    it can be added to a cosine and held against a threshold. Words that stand side by side in the question as in a
    text earn besides (the ordered pairs of Metzler and Croft, 2005), again as a share of what they could.
    """

    def __init__(self, texts: Sequence[Sequence[str]], settings: LexicalSettings) -> None:
        self._settings, self._size = settings, len(texts)
        self._vocabulary = {term: place for place, term in enumerate(sorted({t for text in texts for t in text}))}
        ids = [[self._vocabulary[term] for term in text] for text in texts]
        self._containing = np.zeros(len(self._vocabulary), np.int64)
        for text in ids:
            self._containing[list(set(text))] += 1
        self._bm25 = _bm25(ids, self._vocabulary, settings) if self._vocabulary else None
        self._pairs = Pairs(ids, len(self._vocabulary), settings)

    def rarity(self, term: str) -> float:
        """Inverse document frequency of a term, as Lucene has it; highest for one that is in no text."""
        place = self._vocabulary.get(term)
        return rarity(self._size, 0 if place is None else int(self._containing[place]))

    def knows(self, term: str) -> bool:
        """Whether the term is in any text."""
        return term in self._vocabulary

    def scores(self, question: str) -> Scores:
        """[texts] from 0, where no word of the question is, to below 1."""
        said = terms(question, stems=self._settings.stems)
        asked = list(dict.fromkeys(said))[:MOST_QUERY_WORDS]
        known = [term for term in asked if term in self._vocabulary]
        if self._bm25 is None or not known:
            return np.zeros(self._size, np.float32)
        weights = asking(asked, self._settings.asking)
        most = sum(weights[term] * self.rarity(term) for term in asked)
        earned: Scores = np.zeros(self._size, np.float32)
        for weight, same in _by_weight(known, weights):
            scores = self._bm25.get_scores_from_ids([self._vocabulary[term] for term in same])
            earned = (earned + weight * scores).astype(np.float32)
        single: Scores = (earned / most).astype(np.float32)
        beside = [term for term in said if weights.get(term) == 1][:MOST_QUERY_WORDS]
        both = self._pairs.scores([self._vocabulary.get(term, -1) for term in beside]) if self._settings.pairs else None
        if both is None:
            return single
        together = (single + self._settings.pairs * both) / (1 + self._settings.pairs)
        return together.astype(np.float32)


def asking(asked: Iterable[str], weight: float) -> dict[str, float]:
    """Each term of a question with what it counts: those that only ask `weight`, unless there is nothing else."""
    words = list(asked)
    only = all(term in _askers() for term in words)
    return {term: weight if term in _askers() and not only else 1.0 for term in words}


@functools.cache
def _askers() -> frozenset[str]:
    return frozenset({*ASKING.split(), *(stem(word) for word in ASKING.split())})


def _by_weight(known: Sequence[str], weights: Mapping[str, float]) -> list[tuple[float, list[str]]]:
    """Terms of one weight together; without those that count nothing."""
    distinct = sorted({weights[term] for term in known} - {0.0})
    return [(weight, [term for term in known if weights[term] == weight]) for weight in distinct]


def _bm25(ids: list[list[int]], vocabulary: dict[str, int], settings: LexicalSettings) -> Any:
    import bm25s  # type: ignore[import-untyped]

    made = bm25s.BM25(k1=settings.k1, b=settings.b, method="lucene")
    made.index((ids, dict(vocabulary)), create_empty_token=False, show_progress=False)
    return made
