"""Questions about fictional papers, with answer, passage and paraphrase, and some that no paper answers.

A template is the wording around a field together with the field's name; both belong to one split, and so does every
paper: a split by template and by document at once. What cannot be answered is near to what can: a field on which the
paper is silent, or a paper of a year of which there is none.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from numpy.random import Generator

from twinloop.dialogue.synthetic.genres import SPLITS, Field
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
    "val": ("the {kind} {year} for {owner}", "the {kind} that {owner} had in {year}"),
    "test": ("{owner}, {kind}, year {year}", "what {owner} has on the {kind} from {year}"),
}
NO_PAPER, NOT_STATED = "no document", "not stated"


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
    hopeless = list(_hopeless(mine, papers))
    kept = sorted(int(place) for place in rng.permutation(len(hopeless))[:wanted])
    for place in kept:
        subject, field, split, reason = hopeless[place]
        first, second = _worded(subject, field, split, rng)
        asked.append(Question(first[0], second[0], "", "", 0, 0, 0, "", first[1], second[1], split, reason))
    return asked


def _hopeless(mine: Sequence[Paper], papers: Sequence[Paper]) -> Iterator[tuple[Subject, Field, str, str]]:
    known = {paper.subject for paper in papers}
    years = range(min(one.year for one in known), max(one.year for one in known) + 1)
    for paper in mine:
        subject = paper.subject
        yield from ((subject, field, paper.split, NOT_STATED) for field in paper.unstated)
        absent = (Subject(subject.genre, subject.thing, subject.owner, year) for year in years)
        for other in absent:
            if other not in known:
                yield from ((other, field, paper.split, NO_PAPER) for field in subject.genre.fields)


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
