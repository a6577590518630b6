"""Which sentence answers and when none does is learnt from questions, held against others, and stays without any."""

import pytest

from twinloop.dialogue.answering.extractive import ExtractiveAnswers
from twinloop.dialogue.answering.settings import AnswerSettings, SelectorSettings
from twinloop.dialogue.evaluation.questions import Asked, Place
from twinloop.dialogue.knowledge.index import Index
from twinloop.dialogue.knowledge.readers.reading import parse_document
from twinloop.dialogue.synthetic.person import person
from twinloop.dialogue.synthetic.rendering import rendered
from twinloop.dialogue.synthetic.settings import PersonSettings
from twinloop.dialogue.training.settings import SelectorTrainingSettings
from twinloop.learning.settings import FitSettings
from twinloop.twins.person.learning.refusal import calibrated, never_refusing, weighed
from twinloop.twins.person.learning.selector import choices_of, learn_selector

QUICK = SelectorTrainingSettings(learning_rate=0.1, fit=FitSettings(epochs=12, patience=12, keep="last"))


@pytest.fixture(scope="module")
def known() -> tuple[Index, dict[str, list[Asked]]]:
    """A fictional person's papers, found by words, and the questions of each split."""
    someone, index = person(PersonSettings(documents=40, pages=1), seed=3), Index()
    papers = {paper.name: parse_document(paper.name, rendered(paper)) for paper in someone.papers}
    for document in papers.values():
        index.add(document)
    asked: dict[str, list[Asked]] = {"train": [], "val": [], "test": []}
    for number, one in enumerate(someone.questions):
        places = []
        if one.answer:
            text = papers[one.document].pages[one.page - 1].text
            start = text.index(one.quote)
            places = [Place(papers[one.document].digest, one.page, start, start + len(one.quote))]
        asked[one.split].append(
            Asked(str(number), one.question, one.answer, tuple(places), one.document or str(number))
        )
    return index, asked


def refused(index: Index, answers: AnswerSettings, asked: list[Asked], *, answerable: bool) -> float:
    extractive = ExtractiveAnswers(index, answers)
    given = [extractive.answer(one.text).refused for one in asked if bool(one.evidence) == answerable]
    return sum(given) / len(given)


def test_no_more_answerable_questions_are_refused_than_allowed(known: tuple[Index, dict[str, list[Asked]]]) -> None:
    index, asked = known
    texts = [one.text for one in asked["val"] if one.evidence]
    for answers in (AnswerSettings(), weighed(index, AnswerSettings(), asked["train"])):
        own = calibrated(index, answers, texts, refused=0.1)
        assert 0.1 - 1 / len(texts) <= refused(index, own, asked["val"], answerable=True) <= 0.1


def test_questions_about_papers_that_never_came_in_are_refused(known: tuple[Index, dict[str, list[Asked]]]) -> None:
    index, asked = known
    answerable = [one for one in asked["train"] if one.evidence]
    texts = [one.text for one in asked["val"] if one.evidence]
    own = AnswerSettings(selector=SelectorSettings(document=1.0, names=1.0))
    fitted = calibrated(index, weighed(index, own, answerable), texts, refused=0.1)
    assert fitted.refusal.names > 1
    test = [one for one in asked["test"] if one.evidence]
    gone, without = {place.document for one in test for place in one.evidence}, Index()
    for entry in index.entries:
        if entry.digest not in gone:
            without.put(entry)
    recall, false = (refused(one, fitted, test, answerable=True) for one in (without, index))
    assert recall >= 0.6
    assert false <= 0.25


def test_without_questions_the_configured_refusal_stays() -> None:
    assert calibrated(Index(), AnswerSettings(), [], refused=0.1) == AnswerSettings()
    assert weighed(Index(), AnswerSettings(), []) == AnswerSettings()


def test_a_learnt_selector_is_taken_where_held_questions_lose_nothing(
    known: tuple[Index, dict[str, list[Asked]]],
) -> None:
    index, asked = known
    learnt = learn_selector(index, AnswerSettings(), asked["train"], asked["val"], QUICK, seed=1)
    assert learnt.by_hand is not None
    assert learnt.learnt is not None
    assert learnt.taken == (learnt.learnt >= learnt.by_hand)
    assert (learnt.answers.selector == AnswerSettings().selector) != learnt.taken
    assert learnt.figures["selector_gain"] == pytest.approx(learnt.learnt - learnt.by_hand)
    right = [one.right[0] for one in choices_of(index, never_refusing(learnt.answers), [*asked["val"], *asked["test"]])]
    assert sum(right) / len(right) > 0.3


def test_too_few_questions_leave_the_selector_as_it_is(known: tuple[Index, dict[str, list[Asked]]]) -> None:
    index, asked = known
    few = [one for one in asked["train"] if one.evidence][:3]
    learnt = learn_selector(index, AnswerSettings(), few, asked["val"], QUICK, seed=1)
    assert learnt.answers == AnswerSettings()
    assert "too few questions" in str(learnt)
    assert learnt.figures["selector"] == "by hand"
