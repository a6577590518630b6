"""Fictional documents before they are files: who and what they are about, their sentences, and what each states.

Others own almost the same papers, and the person has them of several years: a question is answered by one of many
that look alike.
"""

import math
from dataclasses import dataclass

from numpy.random import Generator

from twinloop.dialogue.synthetic.genres import GENRES, REMARKS, SPLITS, Field, Genre
from twinloop.dialogue.synthetic.settings import PersonSettings
from twinloop.dialogue.synthetic.words import pick, some

MEDIA = ("pdf", "txt", "md", "html")
SPLIT_SHARES = (0.5, 0.2, 0.3)
LEAST_YEARS, LEAST_OTHERS = 3, 4
LEAST_STATED = 3
# Of the statements, those that name whose or which paper they belong to.
MARKED_SHARE = 0.85
# The title names the matter alone; whose it is, and of when, is said once below it.
OPENINGS = (
    "Made out to {owner} for the year {year}.",
    "This sheet belongs to {owner} and covers {year}.",
    "To {owner}, with all that was agreed for {year}.",
)


@dataclass(frozen=True)
class Subject:
    """What a paper is about; no two papers have the same."""

    genre: Genre
    thing: str
    owner: str
    year: int

    @property
    def kind(self) -> str:
        return self.genre.kind.format(thing=self.thing)


@dataclass(frozen=True)
class Statement:
    """A fact as a paper gives it. page: from 1; start, end: of the sentence in the page's text."""

    field: Field
    value: str
    sentence: str
    page: int
    start: int
    end: int


@dataclass(frozen=True)
class Paper:
    """One document. pages: paragraphs of each page. unstated: fields of its genre on which it is silent."""

    name: str
    subject: Subject
    split: str
    title: str
    pages: tuple[tuple[str, ...], ...]
    statements: tuple[Statement, ...]
    unstated: tuple[Field, ...]

    @property
    def media(self) -> str:
        return self.name.rpartition(".")[2]

    def text(self, page: int) -> str:
        """What a reader sees of a page (from 1), title and paragraphs with one blank between."""
        return _text(self.title, self.pages[page - 1], page)


def papers(settings: PersonSettings, owner: str, others: list[str], rng: Generator) -> list[Paper]:
    """All papers of a person and of those near, in no order."""
    own = max(round(settings.own_share * settings.documents), 1)
    things = [(genre, thing) for genre in GENRES for thing in genre.things]
    years = max(LEAST_YEARS, math.ceil(2 * own / len(things)))
    possible = [
        Subject(genre, thing, owner, year)
        for genre, thing in things
        for year in range(settings.year - years + 1, settings.year + 1)
    ]
    mine = some(rng, possible, own)
    near = [Subject(one.genre, one.thing, other, one.year) for one in mine for other in others]
    subjects = mine + some(rng, near, settings.documents - own)
    subjects = some(rng, subjects, len(subjects))
    return [
        _paper(subject, number, split, settings, rng)
        for number, (subject, split) in enumerate(zip(subjects, _splits(len(subjects)), strict=True), 1)
    ]


def others_needed(settings: PersonSettings) -> int:
    """How many other people it takes to own what the person does not."""
    return max(LEAST_OTHERS, math.ceil(1 / settings.own_share) + 1)


def _splits(count: int) -> list[str]:
    """Train first, then validation, then test, as many as their shares."""
    first, second = round(SPLIT_SHARES[0] * count), round((SPLIT_SHARES[0] + SPLIT_SHARES[1]) * count)
    return [SPLITS[0]] * first + [SPLITS[1]] * (second - first) + [SPLITS[2]] * (count - second)


def _paper(subject: Subject, number: int, split: str, settings: PersonSettings, rng: Generator) -> Paper:
    media = MEDIA[number % len(MEDIA)]
    fields = some(rng, subject.genre.fields, len(subject.genre.fields))
    stated = fields[: int(rng.integers(LEAST_STATED, len(fields) + 1))]
    count = int(rng.integers(1, settings.pages + 1)) if media == "pdf" else 1
    values = [(field, field.draw(rng, subject.year)) for field in stated]
    facts = [(field, value, _sentence(field, value, subject, rng)) for field, value in values]
    sentences: list[list[str]] = [[] for _ in range(count)]
    for place, (_, _, sentence) in enumerate(facts):
        sentences[place % count].append(sentence)
    for told in sentences:
        remarks = some(rng, (*subject.genre.remarks, *REMARKS), int(rng.integers(2, 5)))
        told[:] = some(rng, told + remarks, len(told) + len(remarks))
    sentences[0].insert(0, pick(rng, OPENINGS).format(owner=subject.owner, year=subject.year))
    pages = tuple(tuple(_paragraphs(told)) for told in sentences)
    title = f"{subject.kind[:1].upper()}{subject.kind[1:]}"
    statements = []
    for place, (field, value, sentence) in enumerate(facts):
        page = place % count
        start = _text(title, pages[page], page + 1).index(sentence)
        statements.append(Statement(field, value, sentence, page + 1, start, start + len(sentence)))
    name = f"{subject.genre.name}_{number:03d}.{media}"
    return Paper(name, subject, split, title, pages, tuple(statements), tuple(fields[len(stated) :]))


def _sentence(field: Field, value: str, subject: Subject, rng: Generator) -> str:
    """Most sentences say for what or for whom they hold, others leave it to the rest of the paper."""
    told = field.stated.format(value=value)
    whose = (f"{subject.kind} of {subject.owner}", f"{subject.owner}, {subject.kind}", subject.kind)
    return f"{told[:-1]} ({pick(rng, whose)}, {subject.year})." if rng.random() < MARKED_SHARE else told


def _paragraphs(sentences: list[str]) -> list[str]:
    return [" ".join(sentences[first : first + 3]) for first in range(0, len(sentences), 3)]


def _text(title: str, paragraphs: tuple[str, ...], page: int) -> str:
    return " ".join((title, *paragraphs) if page == 1 else paragraphs)
