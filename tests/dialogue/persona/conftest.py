"""Answers as an extraction would give them, from fictional documents."""

import pytest

from twinloop.dialogue.persona.answer import Extract, Quote
from twinloop.dialogue.synthetic.person import Person, person
from twinloop.dialogue.synthetic.settings import PersonSettings


@pytest.fixture(scope="session")
def someone() -> Person:
    return person(PersonSettings(), seed=21)


@pytest.fixture(scope="session")
def answered(someone: Person) -> list[tuple[Extract, str, str]]:
    """Extract, right answer and document of every question that has one; what is near comes from the same paper."""
    papers = {paper.name: paper for paper in someone.papers}
    made = []
    for question in someone.questions:
        if question.reason:
            continue
        where = f"{question.document}, page {question.page}"
        others = [fact.sentence for fact in papers[question.document].statements if fact.sentence != question.quote]
        more = tuple(Quote(sentence, where) for sentence in others[:4])
        made.append(
            (Extract(question.question, (Quote(question.quote, where),), more), question.answer, question.document)
        )
    return made
