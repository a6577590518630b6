"""Figures of answers against the right ones and against their own sources; no model judges another."""

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence

from twinloop.dialogue.answering.answer import Answer
from twinloop.dialogue.knowledge.lexical import terms
from twinloop.dialogue.knowledge.readers.document import Document

ARTICLES = {"a", "an", "the"}
PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation + "“”‘’…–—", " "))


def answer_words(text: str) -> list[str]:
    """The words of an answer as SQuAD compares them (Rajpurkar et al., 2016): no case, punctuation or articles.

    >>> answer_words("The “Old Mill”.")
    ['old', 'mill']
    """
    return [word for word in text.lower().translate(PUNCTUATION).split() if word not in ARTICLES]


def hit(said: str, right: str) -> bool:
    """Whether what was said holds the right answer, word by word.

    >>> hit("It was “the Old Mill.” [1]", "Old mill"), hit("12 mills", "2 mills")
    (True, False)
    """
    sought = " ".join(answer_words(right))
    return bool(sought) and f" {sought} " in f" {' '.join(answer_words(said))} "


def token_f1(said: str, right: str) -> float:
    """The harmonic mean of the shares of words that both have (Rajpurkar et al., 2016); 1 where both are empty.

    >>> round(token_f1("in the old mill", "the old mill"), 3)
    0.8
    """
    mine, theirs = Counter(answer_words(said)), Counter(answer_words(right))
    if not mine or not theirs:
        return float(mine == theirs)
    common = sum((mine & theirs).values())
    return 2 * common / (sum(mine.values()) + sum(theirs.values()))


def faithfulness(answers: Sequence[Answer], documents: Mapping[str, Document], *, supported: float = 0.6) -> float:
    """The share of all statements that their sources hold: word for word where quoted, else in part.

    documents: by digest. supported: the share of a free statement's words that must be there. 1 where nothing is
    stated.
    """
    held = [
        _held(documents[one.citation.document], one.citation.page, one.citation.start, one.citation.end, one.text)
        if one.quoted
        else _words_held(documents[one.citation.document], one.citation.page, one.text, supported)
        for answer in answers
        for one in answer.statements
    ]
    return sum(held) / len(held) if held else 1.0


def _page(document: Document, number: int) -> str:
    return next((page.text for page in document.pages if page.number == number), "")


def _held(document: Document, page: int, start: int, end: int, text: str) -> bool:
    return " ".join(_page(document, page)[start:end].split()) == " ".join(text.split())


def _words_held(document: Document, page: int, text: str, least: float) -> bool:
    said, there = terms(re.sub(r"\[\d+\]", "", text)), set(terms(_page(document, page)))
    return bool(said) and sum(term in there for term in said) >= least * len(said)
