"""How well the chain finds and answers: the same questions put in several ways, paired with the typed ones.

Each way is compared on the questions that it asks; the leaky one asks others, and has no difference.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import polars as pl

from twinloop.dialogue.answering.answer import Answer, cited
from twinloop.dialogue.answering.refusal import curve
from twinloop.dialogue.evaluation.groups import grouped_mean
from twinloop.dialogue.evaluation.questions import Answering, Asked, judged
from twinloop.dialogue.evaluation.side_by_side import COMPARED, side_by_side
from twinloop.dialogue.knowledge.index import Hit, Index
from twinloop.dialogue.persona.answer import Extract, Quote
from twinloop.numbers import Interval

TYPED, LEAKY = "typed", "leaky"
REFUSALS: dict[str, Any] = {
    "threshold": pl.Float64,
    "recall": pl.Float64,
    "false": pl.Float64,
    "shipped": pl.Boolean,
}
Average = Callable[..., Interval]


@dataclass
class Ways:
    """Judgements of the questions in every way in which they are put; the typed ones come first."""

    asked: Sequence[Asked]
    typed: pl.DataFrame
    others: dict[str, tuple[pl.DataFrame, list[int]]] = field(default_factory=dict)
    leaky: pl.DataFrame | None = None

    @classmethod
    def of(cls, index: Index, answering: Answering, asked: Sequence[Asked]) -> "Ways":
        """The questions as they are typed."""
        return cls(asked, judged(index, answering, asked))

    def put(
        self, name: str, index: Index, answering: Answering, texts: Mapping[int, str] | Sequence[tuple[int, str]]
    ) -> None:
        """Add a way: texts are what is asked instead of the questions at these places; none, no way."""
        pairs = list(texts.items() if isinstance(texts, Mapping) else texts)
        if any(self.asked[place].evidence for place, _ in pairs):
            places = [place for place, _ in pairs]
            frame = judged(index, answering, [self.asked[place] for place in places], texts=[text for _, text in pairs])
            self.others[name] = frame, places

    def as_asked(self) -> dict[int, str]:
        """Every question in its own words."""
        return {place: one.text for place, one in enumerate(self.asked)}

    def table(self) -> pl.DataFrame:
        """Way, then the columns of a judgement; a row per way and question."""
        frames = {TYPED: self.typed} | {name: frame for name, (frame, _) in self.others.items()}
        frames |= {} if self.leaky is None else {LEAKY: self.leaky}
        return pl.concat([frame.select(pl.lit(name).alias("way"), pl.all()) for name, frame in frames.items()])

    def compared(self, *, draws: int, confidence: float, seed: int) -> pl.DataFrame:
        """Columns as in `side_by_side.COMPARED`; nothing where no question can be answered."""
        beside = partial(side_by_side, draws=draws, confidence=confidence, seed=seed)
        if not self.typed["answerable"].any():
            return pl.DataFrame(schema=COMPARED)
        tables = [beside({TYPED: self.typed})]
        for name, (frame, places) in self.others.items():
            tables.append(beside({TYPED: self.typed[places], name: frame}).filter(way=name))
        if self.leaky is not None and self.leaky["answerable"].any():
            tables.append(beside({LEAKY: self.leaky}))
        return pl.concat(tables)


def extract_of(answer: Answer) -> Extract:
    """An answer as a persona words it."""
    quotes = tuple(
        Quote(one.text, cited(one.citation), f"{one.citation.name}, page {one.citation.page}")
        for one in answer.statements
    )
    return Extract(answer.question, quotes)


def in_words(answering: Answering, worded: Callable[[Extract], str]) -> Answering:
    """Answers whose text is what a persona makes of them."""

    def answer(question: str, hits: Sequence[Hit]) -> Answer:
        plain = answering(question, hits)
        if plain.refused:
            return plain
        return replace(plain, statements=(replace_text(plain, worded(extract_of(plain))),))

    return answer


def replace_text(answer: Answer, text: str) -> Any:
    """The first statement of an answer with another text."""
    return answer.statements[0]._replace(text=text, quoted=False)


def refusals(typed: pl.DataFrame, threshold: float) -> pl.DataFrame:
    """What each threshold would refuse of the typed questions, and what that in use does; columns as in REFUSALS."""
    # Where nothing at all was found, nothing is less sure.
    sure = typed.with_columns(pl.col("confidence").fill_null(min([threshold - 1, *typed["confidence"].drop_nulls()])))
    given, lacking = (sure.filter(pl.col("answerable") == flag)["confidence"].to_list() for flag in (True, False))
    if not (given and lacking):
        return pl.DataFrame(schema=REFUSALS)
    shipped = tuple(typed.filter(pl.col("answerable") == flag)["refused"].mean() for flag in (False, True))
    rows = [(*one, False) for one in curve(given, lacking)] + [(threshold, *shipped, True)]
    return pl.DataFrame(rows, schema=REFUSALS, orient="row").sort("threshold")


def refused(typed: pl.DataFrame, *, draws: int, confidence: float, seed: int) -> dict[str, Interval]:
    """Shares of the typed questions that are refused: refusal_recall of those without an answer, refusal_false."""
    shares = {}
    for name, flag in (("refusal_recall", False), ("refusal_false", True)):
        part = typed.filter(pl.col("answerable") == flag)
        if len(part):
            values, groups = part["refused"].cast(pl.Float64), part["group"].to_list()
            shares[name] = grouped_mean(values, groups, draws=draws, confidence=confidence, seed=seed)
    return shares
