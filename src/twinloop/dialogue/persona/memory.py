"""What was told in earlier conversations, kept with who said it and when, found again by retrieval and cited.

A question tells nothing and is not kept. What was told is quoted, never obeyed, and of two that contradict each other
the later comes first: who reads decides.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from twinloop.contracts import versioned
from twinloop.dialogue.knowledge.lexical import terms
from twinloop.dialogue.persona.answer import Quote
from twinloop.errors import InputError

KIND, VERSION = "person memory", 1
SCHEMA: dict[str, Any] = {
    "text": pl.String,
    "who": pl.String,
    "time": pl.Datetime("us", "UTC"),
    "conversation": pl.String,
}
# A higher score is a better fit; 0 or less is none. texts: N, scores: N.
Scorer = Callable[[str, Sequence[str]], Sequence[float]]
# A point within a number or an address ends no sentence.
SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")
LEAST_WORDS = 4
# How a question begins that has no question mark, as many that are typed and all that are heard without punctuation.
# "When the oven is cold" tells something: who asks puts the verb before the one it is about.
PERSONS = "i|he|she|it|we|they|there|the|this|that|my|our|his|her|their"
QUESTION = re.compile(
    rf"(?:(?:and|but|so|please) )*(?:(?:who|whom|whose|which)\b"
    rf"|(?:what|when|where|why|how)\b(?! (?:{PERSONS}|you|your|a|an)\b)"
    rf"|(?:did|does)\b|(?:is|are|am|was|were) (?:{PERSONS}|you|your)\b|(?:do|have) (?:i|you|we|they)\b"
    rf"|(?:has|had|can|could|will|would|shall|should|may) (?:{PERSONS})\b"
    r"|(?:(?:can|could|will|would) you (?:please )?)?(?:tell|show|give|find|remind) me\b)",
    re.IGNORECASE,
)
WORD = re.compile(r"\w+")
FEW_TEXTS = 1


class Told(NamedTuple):
    """A sentence that somebody said in a conversation."""

    text: str
    who: str
    time: datetime
    conversation: str

    @property
    def citation(self) -> str:
        """Who said it and when, in words."""
        return f"told by {self.who} on {self._when}"

    @property
    def source(self) -> str:
        """The same as a thing in which something stands."""
        return f"what {self.who} said on {self._when}"

    @property
    def _when(self) -> str:
        return f"{self.time.day} {self.time:%B %Y}"


class Memory:
    """All that was told; what the same person said in the same words is there once, with its latest time."""

    def __init__(self, told: Iterable[Told] = ()) -> None:
        self._told: dict[tuple[str, str], Told] = {}
        for one in told:
            self._keep(one)

    def __len__(self) -> int:
        return len(self._told)

    @property
    def told(self) -> tuple[Told, ...]:
        """The latest first."""
        return tuple(sorted(self._told.values(), key=lambda one: one.time, reverse=True))

    def add(self, text: str, *, who: str, time: datetime, conversation: str) -> int:
        """Keep what a message tells; returns how many sentences. Raises InputError for a time without zone."""
        if time.tzinfo is None:
            raise InputError(f"memory: {time.isoformat()}: expected a time with a zone, found none: give it in UTC")
        facts = told_in(text)
        for fact in facts:
            self._keep(Told(fact, who, time.astimezone(UTC), conversation))
        return len(facts)

    def recall(
        self, question: str, count: int = 3, *, scorer: Scorer | None = None, least: float = 0.0
    ) -> tuple[Quote, ...]:
        """What fits a question best, quoted and cited; of equal scores the later first.

        scorer: of a retrieval; without one, shared rare words count. least: a score above which it fits.
        """
        told = self.told
        scores = (scorer or shared_words)(question, [one.text for one in told])
        ranked = sorted(range(len(told)), key=lambda place: -scores[place])
        fitting = [told[place] for place in ranked[:count] if scores[place] > least]
        return tuple(Quote(one.text, one.citation, one.source) for one in fitting)

    def save(self, path: str | Path) -> None:
        """Write Parquet."""
        frame = pl.DataFrame(self.told, schema=SCHEMA, orient="row")
        versioned.write(frame, path, kind=KIND, version=VERSION, header={})

    @classmethod
    def load(cls, path: str | Path) -> "Memory":
        """What `save` wrote. Raises InputError for any other file."""
        frame, _ = versioned.read(path, kind=KIND, version=VERSION, remedy="delete the file: memory starts anew")
        return cls(Told(*row) for row in frame.select(list(SCHEMA)).iter_rows())

    def _keep(self, one: Told) -> None:
        known = self._told.get((one.who, one.text))
        if known is None or known.time <= one.time:
            self._told[one.who, one.text] = one


def told_in(text: str) -> list[str]:
    """Sentences of a message that tell something: no questions, none of a word or two.

    >>> told_in("Hi! My sister moved to Tarnby. Did you know?")
    ['My sister moved to Tarnby.']
    >>> told_in("when does the warranty end")
    []
    """
    return list(
        dict.fromkeys(one for one in _sentences(text) if len(WORD.findall(one)) >= LEAST_WORDS and not _asks(one))
    )


def only_tells(text: str) -> bool:
    """Whether a message tells something and asks nothing.

    >>> only_tells("Hi! My sister moved to Tarnby."), only_tells("My sister moved to Tarnby. Did you know?")
    (True, False)
    """
    return bool(told_in(text)) and not any(map(_asks, _sentences(text)))


def _sentences(text: str) -> list[str]:
    return [" ".join(sentence.split()) for sentence in SENTENCE_END.split(text.strip())]


def _asks(sentence: str) -> bool:
    return sentence.endswith("?") or QUESTION.match(sentence) is not None


def covered(question: str, texts: Sequence[str]) -> list[float]:
    """The share of the question's words, without those that say nothing, that each text has in some form.

    >>> covered("Where does my sister live?", ["My sister lives in Tarnby.", "Where is it?"])
    [1.0, 0.0]
    """
    asked = set(terms(question, stems=True))
    return [len(asked & set(terms(text, stems=True))) / max(len(asked), 1) for text in texts]


def shared_words(question: str, texts: Sequence[str]) -> list[float]:
    """The sum of the inverse document frequencies of the words that question and text share (Spärck Jones 1972)."""
    bags = [set(WORD.findall(text.lower())) for text in texts]
    counts = Counter(word for bag in bags for word in bag)
    # A word that most texts have says nothing, except where there are hardly any texts.
    weights = {
        word: math.log(1 + len(texts) / times)
        for word, times in counts.items()
        if times <= max(len(texts) / 2, FEW_TEXTS)
    }
    asked = sorted(set(WORD.findall(question.lower())) & weights.keys())
    return [sum(weights[word] for word in asked if word in bag) for bag in bags]
