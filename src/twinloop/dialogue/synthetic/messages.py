"""Messages of fictional persons: each writes in a style of its own, of plans, thanks, news and small facts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from numpy.random import Generator

from twinloop.dialogue.synthetic.settings import PersonSettings
from twinloop.dialogue.synthetic.style import Style, style
from twinloop.dialogue.synthetic.words import COMPANIES, TOWNS, day_in, pick, written

SENT_SHARE = 0.7
SENTENCES = (
    "The meeting with {company} went on until six",
    "I left the blue folder at the office",
    "We could take the early train to {town}",
    "Thank you for the photographs from {town}",
    "My bicycle is at the workshop until {day}",
    "The offer from {company} is too dear for us",
    "On {day} I am in {town} and cannot be reached",
    "The neighbours have asked about the garden again",
    "Could you bring the ladder when you come",
    "I have moved our call to {day}",
    "The choir sings in {town} on {day}",
    "{company} has sent the wrong parts twice",
    "Dinner was at the small place near the bridge",
    "Let me know whether {day} suits you",
    "The keys are with the caretaker",
    "Nobody told me that the lift is out of order",
)


class Message(NamedTuple):
    """One message; time in UTC, the conversation is that with a contact."""

    conversation: str
    time: datetime
    sender: str
    text: str


def messages(settings: PersonSettings, name: str, contacts: Sequence[str], own: Style, rng: Generator) -> list[Message]:
    """Sent and received ones over the year, in order."""
    styles = {contact: style(rng) for contact in contacts}
    minutes = sorted(int(minute) for minute in rng.integers(0, 365 * 24 * 60, settings.messages))
    start = datetime(settings.year, 1, 1, tzinfo=UTC)
    made = []
    for minute in minutes:
        contact = pick(rng, contacts)
        sent = rng.random() < SENT_SHARE
        sender, receiver = (name, contact) if sent else (contact, name)
        text = _text(own if sent else styles[contact], sender, receiver, settings.year, rng)
        made.append(Message(contact, start + timedelta(minutes=minute), sender, text))
    return made


def _text(own: Style, sender: str, receiver: str, year: int, rng: Generator) -> str:
    count = 1 + int(rng.poisson(own.sentences - 1))
    sentences = []
    for _ in range(count):
        slots = {"company": pick(rng, COMPANIES), "town": pick(rng, TOWNS), "day": written(day_in(rng, year))}
        sentence = pick(rng, SENTENCES).format(**slots)
        if rng.random() < own.favourite_share:
            sentence = f"{pick(rng, own.favourites).capitalize()}, {sentence[:1].lower()}{sentence[1:]}"
        sentences.append(sentence + ("!" if rng.random() < own.exclaimed else "."))
    body = " ".join(sentences)
    if rng.random() < own.emoji_share:
        body += f" {pick(rng, own.emoji)}"
    greeting = own.greeting.format(name=receiver.split()[0]) + " " if rng.random() < own.greeted else ""
    signed = "\n" + own.sign_off.format(me=sender.split()[0]) if rng.random() < own.signed else ""
    text = greeting + body + signed
    return text.lower() if own.lower else text
