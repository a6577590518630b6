"""The synthetic voices of this machine as one choir, and who of them is learnt from and who is judged on.

A voice is called by its program and its name there, as `flite slt` or `espeak en-us+f2`. eSpeak's languages change a
speaker's accent, not who it is: those of one speaker are on one side of the split.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from twinloop.dialogue.providers.protocols import Spoken, TextToSpeech
from twinloop.dialogue.providers.registry import open_provider
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.errors import RunError

FLITE, ESPEAK = "flite", "espeak"
ACCENTS = ("en-us", "en-gb", "en-gb-scotland")
# eSpeak's plain speakers; the others mean to be odd.
PLAIN = re.compile(r"[fm]\d")
Side = Literal["train", "test"]


@dataclass(frozen=True, eq=False)
class Voices:
    """Speaks in any voice of several programs, of which `missing` are not installed."""

    programs: Mapping[str, TextToSpeech]
    missing: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.programs)

    def speak(self, text: str, voice: str | None = None) -> Spoken:
        """A recording of a text in one of `names`, the first one by default."""
        program, _, name = (voice or self.names("test")[0]).partition(" ")
        return self.programs[program].speak(text, name)

    def names(self, side: Side | None = None) -> tuple[str, ...]:
        """Voices of one side of the split, of both without one, those of each program in turn."""
        wanted = None if side is None else int(side == "test")
        listed = [
            [f"{program} {name}" for place, own in enumerate(_speakers(program, speech)) for name in own]
            if wanted is None
            else [f"{program} {name}" for own in _speakers(program, speech)[wanted::2] for name in own]
            for program, speech in self.programs.items()
        ]
        longest = max(map(len, listed), default=0)
        return tuple(names[place] for place in range(longest) for names in listed if place < len(names))


def installed(programs: Iterable[str]) -> Voices:
    """The voices of those programs that this machine has."""
    found, missing = dict[str, TextToSpeech](), list[str]()
    for program in programs:
        try:
            found[program] = open_provider("text_to_speech", program, {}, Surroundings())
        except RunError:
            missing.append(program)
    return Voices(found, tuple(missing))


def _speakers(program: str, speech: TextToSpeech) -> list[list[str]]:
    """The names of each speaker of a program, in a fixed order."""
    voices: tuple[str, ...] = speech.voices  # type: ignore[attr-defined]
    if program == FLITE:
        return [[voice] for voice in voices]
    speakers: tuple[str, ...] = speech.speakers  # type: ignore[attr-defined]
    plain = [speaker for speaker in speakers if PLAIN.fullmatch(speaker)]
    accents = [accent for accent in ACCENTS if accent in voices]
    return [[f"{accent}+{speaker}" for accent in accents] for speaker in plain]
