"""A fictional person: the same seed gives the same files, and what is asked is what the documents state."""

from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import icalendar
import pytest

from twinloop.config.schema import Unfit
from twinloop.dialogue.knowledge.readers.reading import parse_document
from twinloop.dialogue.synthetic.papers import Paper
from twinloop.dialogue.synthetic.person import Person, person, write_person
from twinloop.dialogue.synthetic.rendering import rendered
from twinloop.dialogue.synthetic.settings import PersonSettings

SETTINGS = PersonSettings()


@pytest.fixture(scope="module")
def someone() -> Person:
    return person(SETTINGS, seed=7)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def visible(paper: Paper) -> list[str]:
    """The pages as the project reads them, white space as single blanks."""
    document = parse_document(paper.name, rendered(paper))
    return [" ".join(page.text.split()) for page in document.pages]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_or_number_others(tmp_path: Path) -> None:
    for name, number, seed in (("one", 0, 7), ("same", 0, 7), ("number", 1, 7), ("seed", 0, 8)):
        write_person(person(SETTINGS, number, seed=seed), tmp_path / name)
    one = files(tmp_path / "one")
    assert one == files(tmp_path / "same")
    assert {Path(name).suffix for name in one} == {".pdf", ".txt", ".md", ".html", ".csv", ".ics", ".json"}
    assert one["profile.json"] != files(tmp_path / "number")["profile.json"]
    assert one["profile.json"] != files(tmp_path / "seed")["profile.json"]


def test_every_passage_is_where_the_question_says_in_the_file_that_is_written(someone: Person) -> None:
    pages = {paper.name: visible(paper) for paper in someone.papers}
    answerable = [question for question in someone.questions if not question.reason]
    assert len(answerable) > 80
    for question in answerable:
        text = pages[question.document][question.page - 1]
        assert text[question.start : question.end] == question.quote
        assert question.answer in question.quote


def test_no_template_and_no_document_is_in_two_splits(someone: Person) -> None:
    splits = defaultdict(set)
    for question in someone.questions:
        for key in (question.template, question.paraphrase_template, question.document or question.question):
            splits[key].add(question.split)
    assert all(len(found) == 1 for found in splits.values())
    assert {question.split for question in someone.questions} == {"train", "val", "test"}


def test_what_cannot_be_answered_is_near_and_stated_nowhere(someone: Person) -> None:
    hopeless = [question for question in someone.questions if question.reason]
    assert len(hopeless) / len(someone.questions) == pytest.approx(SETTINGS.unanswerable_share, abs=0.01)
    assert {question.reason for question in hopeless} == {"not stated", "no document", "nothing like it"}
    stated = {
        (paper.subject.kind, paper.subject.owner, str(paper.subject.year), fact.field.name)
        for paper in someone.papers
        for fact in paper.statements
    }
    for question in hopeless:
        field = question.template.split(".")[1]
        asked = question.question
        assert not any(
            kind in asked and owner in asked and year in asked and field == name for kind, owner, year, name in stated
        )


def test_others_own_nearly_the_same_documents(someone: Person) -> None:
    name = someone.profile.name
    mine = {(p.subject.kind, p.subject.year) for p in someone.papers if p.subject.owner == name}
    theirs = [(p.subject.kind, p.subject.year) for p in someone.papers if p.subject.owner != name]
    assert len(theirs) == round((1 - SETTINGS.own_share) * SETTINGS.documents)
    assert set(theirs) <= mine
    titles = [paper.title for paper in someone.papers]
    assert len(set(titles)) < len(titles) / 1.5, "a title tells neither owner nor year"
    assert len({paper.subject for paper in someone.papers}) == SETTINGS.documents
    kinds = [kind for kind, _ in mine]
    assert len(set(kinds)) < len(kinds), "of some things there are papers of several years"


def test_a_paraphrase_asks_otherwise(someone: Person) -> None:
    assert all(question.paraphrase != question.question for question in someone.questions)
    assert all(question.paraphrase_template != question.template for question in someone.questions)


def test_persons_write_differently() -> None:
    lengths = []
    for number in range(6):
        one = person(SETTINGS, number, seed=3)
        own = [message.text for message in one.messages if message.sender == one.profile.name]
        assert len(one.messages) == SETTINGS.messages
        lengths.append(sum(map(len, own)) / len(own))
    assert max(lengths) > 1.5 * min(lengths)


def test_the_calendar_has_overlaps_recurrences_priorities_preparation_and_zones(someone: Person) -> None:
    calendar = icalendar.Calendar.from_ical(someone.calendar)
    events = calendar.walk("VEVENT")
    assert sum("RRULE" in event for event in events) == 5
    assert sum("RECURRENCE-ID" in event for event in events) == 1
    assert len({int(event["PRIORITY"]) for event in events if "PRIORITY" in event}) >= 5
    preparations = [event["X-PREPARATION"] for event in events if "X-PREPARATION" in event]
    assert preparations
    assert icalendar.vDuration.from_ical(str(preparations[0].to_ical().decode())) >= timedelta(minutes=15)
    zones = {event["DTSTART"].params.get("TZID", "UTC") for event in events}
    assert len(zones) >= 3
    assert len(calendar.walk("VTIMEZONE")) == 2


@pytest.mark.parametrize(
    "settings",
    [
        PersonSettings(documents=12, own_share=0.1, messages=20, speakers=8, topics=8, meetings=1),
        PersonSettings(documents=200, own_share=0.95, messages=20, meetings=0),
        PersonSettings(documents=60, own_share=0.1, pages=20, unanswerable_share=0.5, messages=20),
    ],
)
def test_unusual_settings_give_all_that_they_ask_for(settings: PersonSettings) -> None:
    one = person(settings, seed=3)
    assert len(one.papers) == settings.documents
    assert len({paper.subject for paper in one.papers}) == settings.documents
    assert len(one.meetings) == settings.meetings
    hopeless = sum(bool(question.reason) for question in one.questions)
    assert hopeless / len(one.questions) == pytest.approx(settings.unanswerable_share, abs=0.05)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"documents": 3}, "PersonSettings.documents = 3: expected an integer ≥ 12"),
        ({"speakers": 3}, "PersonSettings.speakers = 3: expected an integer ≥ 4"),
        ({"unanswerable_share": 1.0}, "expected a number ≤ 0.9"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, float], expected: str) -> None:
    with pytest.raises(Unfit, match=expected):
        PersonSettings(**values)
