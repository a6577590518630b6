"""How a person writes, learnt from their messages: greeting, sign-off, length, punctuation, emoji, favourite words."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from scipy.stats import hypergeom

from twinloop.errors import InputError

GREETING = re.compile(
    r"^(?P<word>(?:good (?:day|morning|evening)|dear|hello|hey|hi|morning|hallo|moin)\b)(?P<name> [^\W\d_][\w.-]*)?"
    r"(?P<sign>\s?[,!–-]+|(?=\n))",
    re.IGNORECASE,
)
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]\ufe0f?")
SENTENCE_END = re.compile(r"[.!?…]+(?=\s|$)")
WORD = re.compile(r"[^\W\d_]{3,}")
# A sign-off is a short last line of its own.
LONGEST_SIGN_OFF = 5
# From which share of messages or sentences on a habit is one.
HABIT, EMOJI_HABIT, FAVOURITE_HABIT = 0.5, 0.2, 0.15
FAVOURITES, EMOJIS = 3, 3
# That a word is so frequent with the person by chance, all words together (Fisher's exact test, Bonferroni).
CHANCE = 0.01
LEAST_MESSAGES = 5


@dataclass(frozen=True)
class Style:
    """greeting, sign_off: usual ones without a name. Shares are of messages, `exclaimed` is of sentences."""

    greeting: str
    greeted: float
    sign_off: str
    signed: float
    words: float
    sentences: float
    exclaimed: float
    emoji: tuple[str, ...]
    emoji_share: float
    favourites: tuple[str, ...]
    favourite_share: float
    lower: bool

    @property
    def greets(self) -> bool:
        return bool(self.greeting) and self.greeted >= HABIT

    @property
    def signs(self) -> bool:
        return bool(self.sign_off) and self.signed >= HABIT

    @property
    def uses_emoji(self) -> bool:
        return bool(self.emoji) and self.emoji_share >= EMOJI_HABIT

    @property
    def uses_favourites(self) -> bool:
        return bool(self.favourites) and self.favourite_share >= FAVOURITE_HABIT

    def described(self) -> list[str]:
        """Sentences of instruction."""
        told = [f"Sentences have about {self.words / max(self.sentences, 1):.0f} words."]
        if self.greets:
            told.append(f"Begin with {self.greeting!r}.")
        if self.signs:
            told.append(f"End with {self.sign_off!r} on a line of its own.")
        if self.uses_emoji:
            told.append(f"Use an emoji such as {self.emoji[0]} now and then.")
        if self.uses_favourites:
            told.append(f"Favourite words are {', '.join(self.favourites)}.")
        if self.lower:
            told.append("Write in small letters.")
        return told


def style_of(messages: Sequence[str], *, others: Sequence[str] = (), name: str = "") -> Style:
    """The style of somebody's messages. others: messages of other people; a word is a favourite by comparison alone.

    name: of the person, whose first name stays in the sign-off. Raises InputError for fewer than five messages.
    """
    texts = [message.strip() for message in messages if message.strip()]
    if len(texts) < LEAST_MESSAGES:
        raise InputError(f"style: expected {LEAST_MESSAGES} or more messages, found {len(texts)}: give more of them")
    greetings, sign_offs, bodies = zip(*(_parts(text) for text in texts), strict=True)
    ends = [end[-1] for body in bodies for end in SENTENCE_END.findall(body)]
    emoji = Counter(sign for body in bodies for sign in dict.fromkeys(EMOJI.findall(body)))
    favourites = _favourites(bodies, [_parts(text)[2] for text in others], name)
    return Style(
        greeting=_usual(greetings),
        greeted=_share(bool(greeting) for greeting in greetings),
        sign_off=_usual(sign_offs),
        signed=_share(bool(sign_off) for sign_off in sign_offs),
        words=fmean(len(body.split()) for body in bodies),
        sentences=fmean(max(len(SENTENCE_END.findall(body)), 1) for body in bodies),
        exclaimed=_share(end == "!" for end in ends) if ends else 0.0,
        emoji=tuple(sign for sign, _ in emoji.most_common(EMOJIS)),
        emoji_share=_share(bool(EMOJI.search(body)) for body in bodies),
        favourites=favourites,
        favourite_share=_share(any(word in _words(body) for word in favourites) for body in bodies),
        lower=_share(text == text.lower() for text in texts) >= HABIT,
    )


def _parts(text: str) -> tuple[str, str, str]:
    """Greeting without the name, sign-off, and what is between."""
    greeting = ""
    match = GREETING.match(text)
    if match is not None:
        greeting = match["word"] + (match["sign"] or ",")
        text = text[match.end() :].strip()
    body, line, last = text.rpartition("\n")
    if line and body.strip() and len(last.split()) <= LONGEST_SIGN_OFF:
        return greeting, last.strip(), body.strip()
    return greeting, "", text


def _usual(values: Sequence[str]) -> str:
    counts = Counter(value for value in values if value)
    return counts.most_common(1)[0][0] if counts else ""


def _share(values: Iterable[bool]) -> float:
    held = list(values)
    return sum(held) / len(held)


def _words(text: str) -> set[str]:
    return set(WORD.findall(text.lower()))


def _favourites(bodies: Sequence[str], others: Sequence[str], name: str) -> tuple[str, ...]:
    """Words that the person uses more often than others, beyond chance."""
    if not others:
        return ()
    # By words, not by messages: those of one who writes much hold more of everything.
    own, elsewhere = (
        Counter(word for body in texts for word in WORD.findall(body.lower())) for texts in (bodies, others)
    )
    everything = own.total() + elsewhere.total()
    chances = {
        word: float(hypergeom.sf(times - 1, everything, times + elsewhere[word], own.total()))
        for word, times in own.items()
        if word not in name.lower()
    }
    kept = [word for word, chance in chances.items() if chance * len(own) < CHANCE]
    return tuple(sorted(kept, key=lambda word: (chances[word], word))[:FAVOURITES])
