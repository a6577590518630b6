"""Spoken commands in the synthetic voices of this machine: one side is learnt from, the other judged on."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from twinloop.dialogue.providers.protocols import Audio
from twinloop.twins.person.voices import Side, Voices


class Spoken(NamedTuple):
    """A command in a voice."""

    audio: Audio
    word: str
    voice: str


def spoken_commands(words: Sequence[str], voices: Voices, side: Side, *, most: int, workers: int) -> list[Spoken]:
    """Every word by every voice of a side, of at most so many of them."""
    pairs = [(word, voice) for voice in voices.names(side)[:most] for word in words]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda pair: Spoken(voices.speak(*pair).audio, *pair), pairs))
