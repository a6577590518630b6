"""How a fictional person writes: greeting, sign-off, length, punctuation, emoji and favourite words."""

from dataclasses import dataclass

from numpy.random import Generator

from twinloop.dialogue.synthetic.words import pick, some

GREETINGS = ("Hi {name},", "Hey {name}!", "Dear {name},", "Hello {name},", "Good day {name},", "Morning {name} –")
SIGN_OFFS = ("Cheers, {me}", "Best, {me}", "Kind regards, {me}", "See you, {me}", "Take care, {me}", "Yours, {me}")
EMOJI = ("🙂", "🎉", "👍", "🚴", "☕", "🌧️", "😅", "🎻")
FAVOURITES = ("splendid", "honestly", "basically", "lovely", "frankly", "tricky", "neat", "alas", "sure", "grand")


@dataclass(frozen=True)
class Style:
    """greeting, sign_off: with {name} and {me}. sentences: mean number. Shares (0 to 1) of messages or sentences:

    greeted, signed, exclaimed (ends with "!"), with an emoji, with a favourite word; lower: all in small letters.
    """

    greeting: str
    sign_off: str
    greeted: float
    signed: float
    sentences: float
    exclaimed: float
    emoji: tuple[str, ...]
    emoji_share: float
    favourites: tuple[str, ...]
    favourite_share: float
    lower: bool


def style(rng: Generator) -> Style:
    """A way of writing."""
    return Style(
        greeting=pick(rng, GREETINGS),
        sign_off=pick(rng, SIGN_OFFS),
        greeted=float(rng.uniform(0.6, 1.0)),
        signed=float(rng.uniform(0.5, 1.0)),
        sentences=float(rng.uniform(1.2, 5.0)),
        exclaimed=float(rng.uniform(0.0, 0.6)),
        emoji=tuple(some(rng, EMOJI, 2)),
        emoji_share=float(pick(rng, (0.0, 0.1, 0.3, 0.6))),
        favourites=tuple(some(rng, FAVOURITES, 2)),
        favourite_share=float(rng.uniform(0.15, 0.5)),
        lower=bool(rng.random() < 0.2),
    )
