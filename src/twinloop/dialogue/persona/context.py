"""The last messages of a conversation, by which a short question is completed: "and in May?" after one about April.

The rule is plain: what a short question names takes the place of its like (month, year, day, name, what follows the
same preposition, the thing asked for) in the question before. Where there is no question before, nothing of its like
or more than one, nothing is guessed: it is asked for.
"""

import re
from collections import deque
from typing import NamedTuple

from twinloop.dialogue.providers.protocols import Message

MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
WEEKDAYS = "mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?"
PREPOSITIONS = "in|on|at|for|from|to|with|by|about|of|during|before|after|until"
ASKING = "who|what|when|where|why|how much|how many|how long|how|which"
SHORT = re.compile(
    r"^\s*(?:(?:and|or|but|so|ok|okay)\b[,\s]*)?(?:(?:what|how) about\b)?[,\s]*(?P<rest>.*?)\s*\?*\s*$", re.IGNORECASE
)
OPENED = re.compile(r"^\s*(?:(?:and|or|but)\b|(?:what|how) about\b)", re.IGNORECASE)
# A verb makes a question of its own.
VERB = re.compile(
    r"\b(?:is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|shall|should|may i|might|must|tell|show|"
    r"give|find|look|need|know|say|says|said|remind)\b",
    re.IGNORECASE,
)
DAY = rf"\d{{1,2}}(?:st|nd|rd|th)? (?:of )?(?:{MONTHS})(?: \d{{4}})?"
# From the most exact kind on; the first that fits a short question decides.
KINDS = (
    ("day", re.compile(rf"\b{DAY}\b", re.IGNORECASE)),
    ("month", re.compile(rf"\b(?:{MONTHS})(?: \d{{4}})?\b", re.IGNORECASE)),
    ("year", re.compile(r"\b(?:19|20)\d\d\b")),
    ("weekday", re.compile(rf"\b(?:{WEEKDAYS})\b", re.IGNORECASE)),
    ("day of speech", re.compile(r"\b(?:today|tomorrow|yesterday|this week|next week|last week)\b", re.IGNORECASE)),
)
# Words of a name; a question's first word has a capital of its own.
NAME = re.compile(r"(?<!^)(?<![.?!] )\b[A-ZÄÖÜ][\w-]+(?: [A-ZÄÖÜ][\w-]+)*")
PLACED = re.compile(rf"^(?P<word>{PREPOSITIONS}) (?P<what>.+)$", re.IGNORECASE)
# The thing asked for: up to the preposition that says of what.
THING = re.compile(rf"\b(?:the|my|your|his|her|our|their)(?: (?!(?:{PREPOSITIONS})\b)[\w-]+)+", re.IGNORECASE)
REQUEST = re.compile(rf"\s*(?:please )?(?:{ASKING}|tell|show|give|find|remind|i need to know)\b", re.IGNORECASE)
# Characters.
LONGEST_SHORT = 80


class Resolved(NamedTuple):
    """A question to look for. completed_from: the question before, where that was needed ("": it stands alone).

    unclear: a sentence that asks back, where it could not be completed ("": it could).
    """

    question: str
    completed_from: str = ""
    unclear: str = ""


class Context:
    """The last `size` messages; an earlier one is forgotten."""

    def __init__(self, size: int = 10) -> None:
        self._messages: deque[tuple[Message, str]] = deque(maxlen=size)

    @property
    def messages(self) -> tuple[Message, ...]:
        """Those kept, the oldest first."""
        return tuple(message for message, _ in self._messages)

    def add(self, message: Message) -> Resolved:
        """Keep a message. Of a user's, what it asks in full is returned; any other stands as it is."""
        resolved = self.resolve(message.text) if message.role == "user" else Resolved(message.text)
        asks = message.role == "user" and not resolved.unclear and _asks(resolved.question)
        self._messages.append((message, resolved.question if asks else ""))
        return resolved

    def resolve(self, text: str) -> Resolved:
        """What a text of the user asks in full, by the last question that is still kept."""
        rest = _short(text)
        if rest is None:
            return Resolved(text)
        before = next((question for _, question in reversed(self._messages) if question), "")
        if not before:
            return Resolved(text, unclear=f"What does “{text.strip()}” refer to? Please ask it in full.")
        whole = _completed(rest, before)
        if whole is None:
            return Resolved(text, unclear=f"What in “{before}” does “{text.strip()}” change? Please ask it in full.")
        return Resolved(whole, completed_from=before)


def _asks(text: str) -> bool:
    return text.rstrip().endswith("?") or REQUEST.match(text) is not None


def _short(text: str) -> str | None:
    """What a text names that is no question by itself; None where it is one, or none at all."""
    match = SHORT.match(text) if len(text) <= LONGEST_SHORT else None
    if match is None or not match["rest"] or VERB.search(match["rest"]):
        return None
    rest = match["rest"]
    if re.fullmatch(ASKING, rest, re.IGNORECASE):
        return rest
    like = OPENED.match(text) or PLACED.match(rest) or _is_time(rest)
    return rest if like and text.rstrip().endswith("?") else None


def _completed(rest: str, before: str) -> str | None:
    """The question before with its like replaced; None where that is not just one place."""
    if re.fullmatch(ASKING, rest, re.IGNORECASE):
        changed, count = re.subn(rf"^(?:{ASKING})\b", rest.capitalize(), before, count=1, flags=re.IGNORECASE)
        return changed if count else None
    placed = PLACED.match(rest)
    named = placed["what"] if placed else rest
    for _, pattern in KINDS:
        given = pattern.fullmatch(named)
        if given is not None:
            return _replaced(pattern, named, before, added=rest if placed else "")
    owner = re.fullmatch(r"(?P<name>.+?)['’]s?", named)
    if NAME.fullmatch("x " + named, 2) or (owner and NAME.fullmatch("x " + owner["name"], 2)):
        return _named(owner["name"] if owner else named, before, placed)
    if placed:
        after = rf"(?<=\b{placed['word']} )[^?,]+?(?= (?:{PREPOSITIONS})\b|[?,]|$)"
        return _replaced(re.compile(after, re.IGNORECASE), named, before, added=rest)
    thing = THING.search(before) if THING.fullmatch(named) else None
    if thing is None:
        return None
    return before[: thing.start()] + named + before[thing.end() :]


def _named(name: str, before: str, placed: re.Match[str] | None) -> str | None:
    """Another person or place: after the same preposition where one is given, else the only name there is."""
    names = [match for match in NAME.finditer(before) if not _is_time(match[0])]
    if placed:
        names = [match for match in names if before[: match.start()].lower().endswith(f" {placed['word'].lower()} ")]
    if len(names) != 1:
        return _appended(placed[0], before) if placed and not names else None
    return before[: names[0].start()] + name + before[names[0].end() :]


def _replaced(pattern: re.Pattern[str], new: str, before: str, *, added: str) -> str | None:
    """The only place of the like replaced; where there is none, `added` at the end."""
    found = list(pattern.finditer(before))
    if not found and added:
        return _appended(added, before)
    if len(found) != 1:
        return None
    return before[: found[0].start()] + new + before[found[0].end() :]


def _appended(rest: str, before: str) -> str:
    """The question before had nothing of the like: what is new is added to it."""
    return f"{before.rstrip('?.! ')} {rest}?"


def _is_time(text: str) -> bool:
    return any(pattern.fullmatch(text) for _, pattern in KINDS)
