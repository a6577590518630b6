"""Questions about fictional papers, with answer, passage and paraphrase, and some that no paper answers.

A template is the wording around a field together with the field's name; both belong to one split, and so does every
paper: a split by template and by document at once. What cannot be answered is near to what can, a third each: a field
on which the paper is silent, a year of which there is no paper, a thing of which there is none at all.
"""

from collections.abc import Sequence
from typing import NamedTuple

from numpy.random import Generator

from twinloop.dialogue.synthetic.genres import GENRES, SPLITS, Field
from twinloop.dialogue.synthetic.papers import Paper, Subject

# {Ask}, {ask}: what, who, when, where; {noun}: the field; {subject}: whose paper of when.
WORDINGS = {
    "train": (
        "{Ask} is {noun} of {subject}?",
        "Please tell me {noun} of {subject}.",
        "About {subject}: {ask} is {noun}?",
    ),
    "val": (
        "Can you look up {noun} for {subject}?",
        "I need to know {noun} in the matter of {subject}.",
        "{subject}, {ask} was {noun} there?",
    ),
    "test": (
        "Remind me, {ask} is {noun} again for {subject}?",
        "I forgot {noun} for {subject}, would you check?",
        "Is there a note on {noun} for {subject}, and {ask} is it?",
    ),
}
SUBJECTS = {
    "train": ("{owner}'s {kind} of {year}", "the {year} {kind} of {owner}"),
    "val": ("the {kind} {year} for {owner}", "{owner}'s {kind} in {year}"),
    "test": ("the {kind} in {year}, that of {owner}", "the {kind} of {owner} in the year {year}"),
}
NOT_STATED, NO_PAPER, NOTHING_LIKE_IT = "not stated", "no document", "nothing like it"


class Question(NamedTuple):
    """A question. answer is "" where none can be given, and `reason` says why; quote, page, start and end as stated."""

    question: str
    paraphrase: str
    answer: str
    document: str
    page: int
    start: int
    end: int
    quote: str
    template: str
    paraphrase_template: str
    split: str
    reason: str


def questions(papers: Sequence[Paper], owner: str, share: float, rng: Generator) -> list[Question]:
    """All that the owner's papers state, and so many besides that `share` of the whole cannot be answered."""
    mine = [paper for paper in papers if paper.subject.owner == owner]
    asked = [_asked(paper, number, rng) for paper in mine for number in range(len(paper.statements))]
    wanted = round(len(asked) * share / (1 - share))
    pools = list(_hopeless(mine, papers).items())
    for number in range(wanted):
        pools = [(reason, pool) for reason, pool in pools if pool]
        if not pools:
            break
        reason, pool = pools[number % len(pools)]
        subject, field, split = pool.pop(int(rng.integers(len(pool))))
        first, second = _worded(subject, field, split, rng)
        asked.append(Question(first[0], second[0], "", "", 0, 0, 0, "", first[1], second[1], split, reason))
    return asked


def _hopeless(mine: Sequence[Paper], papers: Sequence[Paper]) -> dict[str, list[tuple[Subject, Field, str]]]:
    """What cannot be answered by reason, from what lies nearest to a paper to what lies far from all."""
    known = {paper.subject for paper in papers}
    things = {(one.genre, one.thing) for one in known}
    years = range(min(one.year for one in known), max(one.year for one in known) + 1)
    pools: dict[str, list[tuple[Subject, Field, str]]] = {NOT_STATED: [], NO_PAPER: [], NOTHING_LIKE_IT: []}
    for paper in mine:
        subject, split = paper.subject, paper.split
        pools[NOT_STATED] += [(subject, field, split) for field in paper.unstated]
        absent = [Subject(subject.genre, subject.thing, subject.owner, year) for year in years]
        strange = [
            Subject(genre, thing, subject.owner, subject.year)
            for genre in GENRES
            for thing in genre.things
            if (genre, thing) not in things
        ]
        pools[NO_PAPER] += [(one, field, split) for one in absent if one not in known for field in one.genre.fields]
        pools[NOTHING_LIKE_IT] += [(one, field, split) for one in strange for field in one.genre.fields]
    return pools


def _asked(paper: Paper, number: int, rng: Generator) -> Question:
    fact = paper.statements[number]
    first, second = _worded(paper.subject, fact.field, paper.split, rng)
    place = (paper.name, fact.page, fact.start, fact.end, fact.sentence)
    return Question(first[0], second[0], fact.value, *place, first[1], second[1], paper.split, "")


def _worded(subject: Subject, field: Field, split: str, rng: Generator) -> list[tuple[str, str]]:
    """A question and its paraphrase with their templates: another wording, another way to name the paper."""
    places = [int(place) for place in rng.permutation(len(WORDINGS[split]))[:2]]
    subjects = SUBJECTS[split]
    turn = int(rng.integers(len(subjects)))
    noun = field.nouns[SPLITS.index(split)]
    worded = []
    for offset, place in enumerate(places):
        named = subjects[(turn + offset) % len(subjects)].format(
            owner=subject.owner, kind=subject.kind, year=subject.year
        )
        ask = field.asked
        text = WORDINGS[split][place].format(Ask=ask.capitalize(), ask=ask, noun=noun, subject=named)
        worded.append((text[:1].upper() + text[1:], f"{subject.genre.name}.{field.name}.{split}.{place}"))
    return worded
