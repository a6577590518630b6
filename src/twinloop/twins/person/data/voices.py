"""The synthetic voices of this machine as one choir, and who of them is learnt from and who is judged on.

A voice is called by its program and its name there, as `flite slt` or `espeak en-us+f2`. eSpeak's languages change a
speaker's accent, not who it is: those of one speaker are on one side of the split. Its odd speakers are only learnt
from: they are many, and unlike each other as people are.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from twinloop.dialogue.providers.protocols import Spoken, TextToSpeech
from twinloop.dialogue.providers.registry import open_provider
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.errors import RunError

FLITE, ESPEAK = "flite", "espeak"
ACCENTS = ("en-us", "en-gb", "en-gb-scotland")
# eSpeak's plain speakers; the others mean to be odd, and those that follow are no voices or one of them once more.
PLAIN = re.compile(r"[fm]\d")
UNLIKE = re.compile(r"whisper|croak|robo|klatt|fast|Demonic|Mr$|\d$", re.IGNORECASE)
Side = Literal["train", "test"]
Listed = TypeVar("Listed")


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

    def speakers(self, side: Side) -> dict[str, tuple[str, ...]]:
        """Speaker → its voices, the speakers of all programs in turn; those that are learnt from with the odd ones."""
        wanted = int(side == "test")
        listed = [
            [
                (f"{program} {own[0].partition('+')[2] or own[0]}", tuple(f"{program} {name}" for name in own))
                for own in (*_speakers(program, speech)[wanted::2], *(_odd(program, speech) if side == "train" else ()))
            ]
            for program, speech in self.programs.items()
        ]
        return dict(in_turn(listed))

    def names(self, side: Side | None = None) -> tuple[str, ...]:
        """Voices of one side of the split, of both without one, those of each program in turn."""
        wanted = None if side is None else int(side == "test")
        listed = [
            [f"{program} {name}" for place, own in enumerate(_speakers(program, speech)) for name in own]
            if wanted is None
            else [f"{program} {name}" for own in _speakers(program, speech)[wanted::2] for name in own]
            for program, speech in self.programs.items()
        ]
        return tuple(in_turn(listed))


def in_turn(listed: Sequence[Sequence[Listed]]) -> list[Listed]:
    """The first of every list, then the second ones, and so on."""
    longest = max(map(len, listed), default=0)
    return [own[place] for place in range(longest) for own in listed if place < len(own)]


def different(voices: Voices, side: Side, most: int) -> list[tuple[str, str]]:
    """At most so many (voice, its speaker): one of every speaker before a second accent of any."""
    speakers = voices.speakers(side)
    turned = [
        [(own[(turn + place) % len(own)], speaker) for turn in range(len(own))]
        for place, (speaker, own) in enumerate(speakers.items())
    ]
    return in_turn(turned)[:most]


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
    if program == FLITE:
        voices: tuple[str, ...] = speech.voices  # type: ignore[attr-defined]
        return [[voice] for voice in voices]
    speakers: tuple[str, ...] = speech.speakers  # type: ignore[attr-defined]
    return [_accents(speech, speaker) for speaker in speakers if PLAIN.fullmatch(speaker)]


def _odd(program: str, speech: TextToSpeech) -> list[list[str]]:
    """The same of speakers that are nothing but learnt from."""
    if program == FLITE:
        return []
    speakers: tuple[str, ...] = speech.speakers  # type: ignore[attr-defined]
    return [_accents(speech, one) for one in speakers if not (PLAIN.fullmatch(one) or UNLIKE.search(one))]


def _accents(speech: TextToSpeech, speaker: str) -> list[str]:
    voices: tuple[str, ...] = speech.voices  # type: ignore[attr-defined]
    return [f"{accent}+{speaker}" for accent in ACCENTS if accent in voices]
