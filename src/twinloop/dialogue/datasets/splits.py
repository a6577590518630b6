"""Splits that share no speaker, document or template, and the checks that find where one leaks.

A careless split, row by row, is made on purpose too: what it promises is printed beside what holds.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.random import SeedSequence, default_rng

from twinloop.dialogue.datasets.corpus import SPLITS, UNDIVIDED, Corpus
from twinloop.errors import InputError


class Leak(NamedTuple):
    """A unit (speaker, document, template) on two sides of a split, and how many rows it has on each."""

    unit: str
    name: str
    rows: Mapping[str, int]


class Division(NamedTuple):
    """A split of every row that keeps units together, and one of the same sizes that does not: it leaks."""

    honest: tuple[str, ...]
    leaky: tuple[str, ...]


def divide(groups: Sequence[str], *, val_share: float, test_share: float, seed: int) -> Division:
    """Groups dealt out at random, shares of groups; of three groups and more every split gets one.

    groups: of each row. Raises InputError for fewer than three groups.
    """
    names = sorted(set(groups))
    if len(names) < len(SPLITS):
        raise InputError(
            f"split: expected 3 or more independent groups (documents, speakers, templates), found {len(names)}: give "
            "more data, or judge on another corpus"
        )
    order = [names[place] for place in default_rng(SeedSequence(seed, spawn_key=(1,))).permutation(len(names))]
    test = min(max(round(test_share * len(names)), 1), len(names) - 2)
    val = min(max(round(val_share * len(names)), 1), len(names) - test - 1)
    sides = dict.fromkeys(order[:test], "test") | dict.fromkeys(order[test : test + val], "val")
    honest = tuple(sides.get(group, "train") for group in groups)
    return Division(honest, leaky_split(honest, seed=seed))


def crossed(documents: Sequence[str], templates: Sequence[str]) -> tuple[str, ...]:
    """The split of rows whose document and template are of the same one; "" for all others, which nobody may use.

    documents, templates: the split that each row's document and template is of.
    """
    return tuple(one if one == other else UNDIVIDED for one, other in zip(documents, templates, strict=True))


def leaky_split(honest: Sequence[str], *, seed: int) -> tuple[str, ...]:
    """As many rows of each split, dealt out without a look at groups. For comparison only."""
    shuffled = default_rng(SeedSequence(seed, spawn_key=(2,))).permutation(np.array(honest, dtype=object))
    return tuple(str(split) for split in shuffled)


def leaks(units: Mapping[str, Sequence[str]], splits: Sequence[str]) -> list[Leak]:
    """Every unit on more than one side. units: kind → the unit of each row; "" is known to be nobody's."""
    found = []
    for unit, names in units.items():
        counts: dict[str, Counter[str]] = {}
        for name, split in zip(names, splits, strict=True):
            if name and split != UNDIVIDED:
                counts.setdefault(name, Counter())[split] += 1
        found += [Leak(unit, name, dict(sides)) for name, sides in counts.items() if len(sides) > 1]
    return found


def check_splits(units: Mapping[str, Sequence[str]], splits: Sequence[str]) -> None:
    """Raise InputError where any unit is on two sides: what is judged would have been learnt from."""
    require_none(leaks(units, splits))


def require_none(found: Sequence[Leak]) -> None:
    """Raise InputError, naming the first, where there is a leak."""
    if found:
        first = found[0]
        sides = " and ".join(f"{first.rows[split]} in {split}" for split in SPLITS if split in first.rows)
        raise InputError(
            f"split: {first.unit} {first.name!r} is on several sides ({sides}), as are {len(found) - 1} more: it "
            f"leaks; split by {first.unit}, or print it as the leaky figure beside an honest one"
        )


def divided(corpus: Corpus, *, val_share: float, test_share: float, seed: int) -> Corpus:
    """The corpus with a split where its source names none: documents by group, recordings by speaker.

    A question goes where its document is, one without a document nowhere. Recordings of nobody known are units of their
    own. Raises InputError for fewer than three groups or speakers.
    """
    shares = {"val_share": val_share, "test_share": test_share}
    changed: dict[str, pl.DataFrame] = {}
    if len(corpus.questions) and len(corpus.documents) and _undivided(corpus.documents):
        honest = divide(corpus.documents["group"].to_list(), **shares, seed=seed).honest
        documents = corpus.documents.with_columns(split=pl.Series(honest, dtype=pl.String))
        evident = corpus.evidence.unique("question", keep="first", maintain_order=True)
        sides = evident.join(documents, on="document").select("question", side="split")
        questions = corpus.questions.join(sides, on="question", how="left", maintain_order="left")
        questions = questions.with_columns(split=pl.col("side").fill_null(UNDIVIDED)).drop("side")
        changed |= {"documents": documents, "questions": questions}
    if len(corpus.recordings) and _undivided(corpus.recordings):
        names = corpus.recordings.select(
            pl.when(pl.col("speaker") == "").then("recording").otherwise("speaker").alias("unit")
        )
        honest = divide(names["unit"].to_list(), **shares, seed=seed).honest
        changed["recordings"] = corpus.recordings.with_columns(split=pl.Series(honest, dtype=pl.String))
    return dataclasses.replace(corpus, **changed)  # type: ignore[arg-type]


def corpus_leaks(corpus: Corpus) -> list[Leak]:
    """Leaks of the splits that a corpus came with: questions by template and document, recordings by speaker."""
    asked = corpus.questions.join(
        corpus.evidence.unique("question", keep="first", maintain_order=True), on="question", how="left"
    )
    found = leaks({"template": asked["template"].to_list()}, asked["split"].to_list())
    evident = asked.drop_nulls("document").join(corpus.documents.select("document", "group"), on="document")
    found += leaks({"document": evident["group"].to_list()}, evident["split"].to_list())
    documents = corpus.documents
    found += leaks({"document": documents["group"].to_list()}, documents["split"].to_list())
    met = corpus.spans.join(corpus.questions.select("question", "split"), on="question")
    found += leaks({"meeting": met["meeting"].to_list()}, met["split"].to_list())
    spoken = corpus.recordings
    return found + leaks({"speaker": spoken["speaker"].to_list()}, spoken["split"].to_list())


def _undivided(table: pl.DataFrame) -> bool:
    return bool((table["split"] == UNDIVIDED).all())
