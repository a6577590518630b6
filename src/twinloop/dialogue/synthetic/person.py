"""A fictional person as a folder of files, just as a real one would hand theirs in.

profile.json, documents/, messages.csv, calendar.ics, questions.json and meetings/*.json: the same seed and number give
the same bytes.
"""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from twinloop.dialogue.synthetic.calendars import calendar
from twinloop.dialogue.synthetic.meetings import Meeting, meeting
from twinloop.dialogue.synthetic.messages import Message, messages
from twinloop.dialogue.synthetic.papers import Paper, others_needed, papers
from twinloop.dialogue.synthetic.questions import Question, questions
from twinloop.dialogue.synthetic.rendering import rendered
from twinloop.dialogue.synthetic.settings import PersonSettings
from twinloop.dialogue.synthetic.style import Style, style
from twinloop.dialogue.synthetic.words import (
    CALENDAR,
    DOCUMENTS,
    IDENTITY,
    JOBS,
    MEETINGS,
    MESSAGES,
    QUESTIONS,
    TOWNS,
    ZONES,
    full_names,
    pick,
    some,
    stream,
)
from twinloop.files import replacing, write_json

CONTACTS = 6


@dataclass(frozen=True)
class Profile:
    """Who somebody is. zone: IANA name of the clock they live by."""

    name: str
    born: int
    town: str
    job: str
    zone: str


@dataclass(frozen=True, eq=False)
class Person:
    """A fictional person and all they have."""

    profile: Profile
    style: Style
    papers: Sequence[Paper]
    questions: Sequence[Question]
    messages: Sequence[Message]
    calendar: bytes
    meetings: Sequence[Meeting]


def person(settings: PersonSettings, number: int = 0, *, seed: int) -> Person:
    """The person of this number; each has random streams of their own, so that how many there are changes none."""
    rng = stream(seed, IDENTITY, number)
    others = others_needed(settings)
    name, *near = full_names(rng, 1 + max(others, CONTACTS, settings.speakers - 1))
    home, abroad = some(rng, ZONES, 2)
    profile = Profile(name, settings.year - int(rng.integers(24, 70)), pick(rng, TOWNS), pick(rng, JOBS), home)
    own = style(rng)
    written = papers(settings, name, near[:others], stream(seed, DOCUMENTS, number))
    asked = questions(written, name, settings.unanswerable_share, stream(seed, QUESTIONS, number))
    sent = messages(settings, name, near[:CONTACTS], own, stream(seed, MESSAGES, number))
    events = calendar(settings, name, home, abroad, stream(seed, CALENDAR, number))
    met = [
        meeting(settings, which, [name, *near], stream(seed, MEETINGS, number, which))
        for which in range(settings.meetings)
    ]
    return Person(profile, own, written, asked, sent, events, met)


def write_person(one: Person, folder: Path) -> None:
    """Write all of a person in place of what `folder` held."""
    with replacing(folder) as fresh:
        write_json(fresh / "profile.json", asdict(one.profile))
        (fresh / "documents").mkdir()
        for paper in one.papers:
            (fresh / "documents" / paper.name).write_bytes(rendered(paper))
        write_json(fresh / "splits.json", {paper.name: paper.split for paper in one.papers})
        write_json(fresh / "questions.json", [question._asdict() for question in one.questions])
        with (fresh / "messages.csv").open("w", encoding="utf-8", newline="") as table:
            rows = csv.writer(table, lineterminator="\n")
            rows.writerow(Message._fields)
            rows.writerows((m.conversation, m.time.isoformat(), m.sender, m.text) for m in one.messages)
        (fresh / "calendar.ics").write_bytes(one.calendar)
        (fresh / "meetings").mkdir()
        for met in one.meetings:
            record = {
                "day": met.day.isoformat(),
                "speakers": met.speakers,
                "turns": [turn._asdict() for turn in met.turns],
                "outcomes": [outcome._asdict() for outcome in met.outcomes],
            }
            write_json(fresh / "meetings" / f"{met.name}.json", record)
