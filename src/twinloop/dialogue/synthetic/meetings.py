"""Scripts of meetings: who says what in turn, with the decisions and actions that a listener has to find.

Numbers and dates are in words, so that every voice says what is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from numpy.random import Generator

from twinloop.dialogue.synthetic.settings import PersonSettings
from twinloop.dialogue.synthetic.words import COMPANIES, MONTHS, TOWNS, day_in, pick, some

ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
    "twentieth", "twenty-first", "twenty-second", "twenty-third", "twenty-fourth", "twenty-fifth", "twenty-sixth",
    "twenty-seventh", "twenty-eighth", "twenty-ninth", "thirtieth", "thirty-first",
)  # fmt: skip
# Subject, two ways to decide it, what has to be done for it.
TOPICS = (
    ("the new office", ("we rent the rooms in {town}", "we stay where we are"), "ask the landlord for a plan"),
    ("the delivery of parts", ("we order from {company}", "we wait for a second offer"), "write to the supplier"),
    ("the summer party", ("we hold it in {town}", "we hold it in the yard"), "reserve the tables"),
    ("the broken printer", ("we buy a new one", "we have it repaired by {company}"), "carry it to the workshop"),
    ("the training week", ("everybody goes to {town}", "the teacher comes to us"), "collect the names"),
    ("the annual report", ("we print it at {company}", "we publish it on the web alone"), "check the tables"),
    ("the parking places", ("we share them in turns", "we give two of them up"), "paint the lines"),
    ("the customer survey", ("we repeat it in autumn", "we leave it to {company}"), "rewrite the questions"),
)
REMARKS = (
    "I have looked at the costs and they are higher than last year.",
    "That would suit me, as long as nobody has to travel on a Monday.",
    "I am not sure, the last time it took three months.",
    "We should not forget the people who work at night.",
    "I heard the same from the other department.",
    "Could we see both on paper before we go on?",
    "It worked well for our neighbours.",
    "For me the second one is simpler.",
)
OPENINGS = ("Let us turn to {topic}.", "The next point is {topic}.", "Now to {topic}, please.")
DECISIONS = (
    "So it is decided: {decision}.",
    "Then we agree that {decision}.",
    "Good, the decision is that {decision}.",
)
REQUESTS = ("{first}, can you {task} by {due}?", "Who could {task}? {first}, would {due} do?")
PROMISES = ("Yes, I will {task} by {due}.", "All right, until {due} I will {task}.")
DECISION, ACTION = "decision", "action"


class Turn(NamedTuple):
    """What one speaker says at once."""

    speaker: str
    text: str


class Outcome(NamedTuple):
    """A decision or an action. what: in the words of the turn (from 0) that settles it; due: of an action, ISO 8601."""

    kind: str
    turn: int
    what: str
    who: str = ""
    due: str = ""


@dataclass(frozen=True)
class Meeting:
    """One meeting: its day and speakers, turns in order, and what came out of it."""

    name: str
    day: date
    speakers: tuple[str, ...]
    turns: tuple[Turn, ...]
    outcomes: tuple[Outcome, ...]


def meeting(settings: PersonSettings, number: int, people: Sequence[str], rng: Generator) -> Meeting:
    """A meeting of the first of `people`, who leads it, with others of them. Everybody speaks."""
    speakers = (people[0], *some(rng, people[1:], settings.speakers - 1))
    day = day_in(rng, settings.year)
    turns = [Turn(speakers[0], f"Welcome, everybody. Today we are {_counted(len(speakers))}.")]
    turns += [Turn(one, f"Good morning, this is {one.split()[0]}.") for one in speakers[1:]]
    outcomes: list[Outcome] = []
    for topic, ways, task in some(rng, TOPICS, settings.topics):
        decision = pick(rng, ways).format(town=pick(rng, TOWNS), company=pick(rng, COMPANIES))
        due_day = day + timedelta(days=int(rng.integers(3, 60)))
        due = f"the {ORDINALS[due_day.day - 1]} of {MONTHS[due_day.month - 1]}"
        doer = pick(rng, speakers[1:])
        turns.append(Turn(speakers[0], pick(rng, OPENINGS).format(topic=topic)))
        for remark in some(rng, REMARKS, int(rng.integers(2, 5))):
            turns.append(Turn(pick(rng, [one for one in speakers if one != turns[-1].speaker]), remark))
        outcomes.append(Outcome(DECISION, len(turns), decision))
        turns.append(Turn(speakers[0], pick(rng, DECISIONS).format(decision=decision)))
        slots = {"first": doer.split()[0], "task": task, "due": due}
        turns.append(Turn(speakers[0], pick(rng, REQUESTS).format(**slots)))
        outcomes.append(Outcome(ACTION, len(turns), task, doer, due_day.isoformat()))
        turns.append(Turn(doer, pick(rng, PROMISES).format(**slots)))
    turns.append(Turn(speakers[0], "Thank you all, that is everything for today."))
    return Meeting(f"meeting_{number:02d}", day, speakers, tuple(turns), tuple(outcomes))


def _counted(count: int) -> str:
    return ("four", "five", "six", "seven", "eight")[count - 4]
