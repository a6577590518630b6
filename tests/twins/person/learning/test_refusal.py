"""The refusal costs no more of what can be answered than allowed, and stays where nothing can be asked."""

import pytest

from twinloop.dialogue.answering.extractive import ExtractiveAnswers
from twinloop.dialogue.answering.settings import AnswerSettings
from twinloop.dialogue.knowledge.index import Index
from twinloop.dialogue.knowledge.readers.reading import parse_document
from twinloop.dialogue.synthetic.person import person
from twinloop.dialogue.synthetic.rendering import rendered
from twinloop.dialogue.synthetic.settings import PersonSettings
from twinloop.twins.person.learning.refusal import calibrated


@pytest.mark.parametrize("with_lacking", [True, False])
def test_no_more_answerable_questions_are_refused_than_allowed(with_lacking: bool) -> None:
    someone, index = person(PersonSettings(documents=24, pages=1), seed=3), Index()
    for paper in someone.papers:
        index.add(parse_document(paper.name, rendered(paper)))
    given, lacking = ([one.question for one in someone.questions if bool(one.reason) == has] for has in (False, True))
    own = calibrated(index, AnswerSettings(), given, lacking=lacking if with_lacking else (), refused=0.1)
    answers = ExtractiveAnswers(index, own)
    refused, rightly = ([answers.answer(text).refused for text in kind] for kind in (given, lacking))
    assert sum(refused) <= 0.1 * len(given)
    assert sum(refused) >= 0.1 * len(given) - 1
    assert sum(rightly) / len(rightly) > sum(refused) / len(refused)


def test_without_questions_the_configured_refusal_stays() -> None:
    assert calibrated(Index(), AnswerSettings(), [], refused=0.1) == AnswerSettings()
