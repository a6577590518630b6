"""flite (Black and Lenzo, 2001): a small synthesiser of English with a handful of voices."""

import unicodedata
from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import Spoken
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.dialogue.speech.voices.programs import installed, run, synthesised
from twinloop.errors import unknown

# Signs that have no ASCII letters within them and yet are spoken, or part words.
ASCII = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "€": "euro ", "£": "pound "}
)
# awb_time knows the times of day only and says other words wrongly; kal is kal16 at half the rate.
LEFT_OUT = frozenset({"awb_time", "kal"})


@settings
class FliteSettings:
    """voice: where a call names none. timeout_s: of one text."""

    voice: Annotated[str, Field(min_length=1)] = "slt"
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60.0


class Flite:
    """Speaks English; letters of other scripts are left out."""

    def __init__(self, program: str, settings: FliteSettings) -> None:
        self._program, self._settings = program, settings
        listed = run([program, "-lv"], timeout_s=settings.timeout_s, name="flite").partition(":")[2]
        self.voices = tuple(sorted(set(listed.split()) - LEFT_OUT))
        self._known(settings.voice)

    def speak(self, text: str, voice: str | None = None) -> Spoken:
        """A recording of a text. Raises InputError for an unknown voice or a text without an English word."""
        usage = stopwatch()
        # The program takes its default voice, silently, for a name that it does not know.
        command = [self._program, "-voice", self._known(voice or self._settings.voice), "-f", "{text}", "-o", "{sound}"]
        audio = synthesised(command, as_ascii(text), timeout_s=self._settings.timeout_s, name="flite")
        return Spoken(audio, usage(audio_seconds=audio.seconds))

    def _known(self, voice: str) -> str:
        if voice not in self.voices:
            raise unknown("voices: flite", voice, self.voices)
        return voice


def as_ascii(text: str) -> str:
    """The text in ASCII, which is all that flite reads: accents go, signs become words, other scripts are left out.

    >>> as_ascii("Zoë’s café – 5 €")
    "Zoe's cafe - 5 euro "
    """
    return unicodedata.normalize("NFKD", text.translate(ASCII)).encode("ascii", "ignore").decode()


def open_flite(settings: FliteSettings, surroundings: Surroundings) -> Flite:
    """flite of this machine. Raises RunError where it is not installed."""
    return Flite(installed("flite", "flite"), settings)
