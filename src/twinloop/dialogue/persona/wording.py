"""An extractive answer in the manner of a persona: quotations stay verbatim, the words around them change.

The same extract and sliders give the same text: among phrases of one step, the question's digest chooses. Verbosity
decides how much beside the answer is said, never whether the answer is.
"""

import hashlib

from twinloop.dialogue.persona.answer import Extract, Quote, Styled, composed
from twinloop.dialogue.persona.phrases import (
    CARES,
    DELIGHT,
    LEADS,
    LIGHT,
    LINKS,
    OFFERS,
    PLACES,
    RECAPS,
    REFUSALS,
    Ladder,
)
from twinloop.dialogue.persona.settings import PersonaSettings
from twinloop.dialogue.persona.style import Style

# From which verbosity on what is added: the place, what was done, a word of care, an offer of more.
ADDED = ((0.25, PLACES), (0.45, RECAPS), (0.65, CARES), (0.85, OFFERS))
FORMAL = 0.5


def worded(extract: Extract, persona: PersonaSettings, style: Style | None = None) -> Styled:
    """The answer in words. Without anything to quote, it says so and no more.

    style: how the person writes, for greeting, sign-off, emoji and favourite words around the answer.
    """
    key = _Key(extract.question)
    if not extract.answer:
        return composed(_in_style([_step(REFUSALS, persona.formality, key)], style, key))
    first = extract.answer[0].source or extract.answer[0].citation
    manner = int(persona.formality >= FORMAL)
    parts: list[str | Quote] = [
        _step(DELIGHT[manner], persona.enthusiasm, key),
        _step(LEADS, persona.formality, key),
    ]
    further = extract.more[: round(persona.verbosity * len(extract.more))]
    for number, quote in enumerate((*extract.answer, *further)):
        if number:
            parts.append(_step(LINKS, persona.formality, key))
        parts.append(quote)
    for least, ladder in ADDED:
        if persona.verbosity >= least:
            parts.append(_step(ladder, persona.formality, key))
    parts.append(_step(LIGHT[manner], persona.humour, key))
    # Names of sources come last: small letters are for the words around them.
    styled = _in_style(parts, style, key)
    return composed([part.replace("{source}", first) if isinstance(part, str) else part for part in styled])


def _in_style(parts: list[str | Quote], style: Style | None, key: "_Key") -> list[str | Quote]:
    """Own words as the person writes them; quotations are not theirs."""
    if style is None:
        return parts
    favourite = f"{key.one_of(style.favourites)}," if style.uses_favourites else ""
    head = [style.greeting if style.greets else "", favourite.capitalize()]
    tail = [style.emoji[0] if style.uses_emoji else "", f"\n{style.sign_off}" if style.signs else ""]
    whole = [*head, *parts, *tail]
    return [part.lower() if isinstance(part, str) and style.lower else part for part in whole]


class _Key:
    """Chooses by a text's digest, another one each time it is asked, and the same ones for the same text."""

    def __init__(self, text: str) -> None:
        self._bytes = hashlib.sha256(text.encode()).digest()
        self._place = 0

    def one_of(self, options: tuple[str, ...]) -> str:
        self._place = (self._place + 1) % len(self._bytes)
        return options[self._bytes[self._place] % len(options)]


def _step(ladder: Ladder, slider: float, key: _Key) -> str:
    return key.one_of(ladder[round(slider * (len(ladder) - 1))])
