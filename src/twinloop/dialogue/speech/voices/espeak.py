"""eSpeak NG: formant synthesis in many languages, each voice varied into dozens of speakers."""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import Spoken
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.dialogue.speech.voices.programs import installed, run, synthesised
from twinloop.errors import unknown


@settings
class EspeakSettings:
    """voice: a language, or one with a speaker, such as en-us+f3. words_per_minute: its speed. timeout_s: of a text."""

    voice: Annotated[str, Field(min_length=1)] = "en-us"
    words_per_minute: Annotated[int, Field(ge=80, le=450)] = 160
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60.0


class Espeak:
    """Speaks. voices: languages; speakers: what each of them may be varied by."""

    def __init__(self, program: str, settings: EspeakSettings) -> None:
        self._program, self._settings = program, settings
        self.voices = tuple(sorted({language for language, file in self._listed("--voices") if _is_own(file)}))
        self.speakers = tuple(sorted({file.removeprefix("!v/") for _, file in self._listed("--voices=variant")}))
        self._known(settings.voice)

    def speak(self, text: str, voice: str | None = None) -> Spoken:
        """A recording of a text. Raises InputError for an unknown voice or a text without a word."""
        usage = stopwatch()
        speed = str(self._settings.words_per_minute)
        named = self._known(voice or self._settings.voice)
        command = [self._program, "-v", named, "-s", speed, "-b", "1", "-f", "{text}", "-w", "{sound}"]
        audio = synthesised(command, text, timeout_s=self._settings.timeout_s, name="espeak-ng")
        return Spoken(audio, usage(audio_seconds=audio.seconds))

    def _known(self, voice: str) -> str:
        language, varied, speaker = voice.partition("+")
        if language not in self.voices:
            raise unknown("voices: espeak-ng", language, self.voices)
        if varied and speaker not in self.speakers:
            raise unknown(f"voices: espeak-ng: {language}", speaker, self.speakers)
        return voice

    def _listed(self, option: str) -> list[tuple[str, str]]:
        """Language and file of each voice: the second and the fifth column of what the program lists."""
        lines = run([self._program, option], timeout_s=self._settings.timeout_s, name="espeak-ng").splitlines()[1:]
        return [(columns[1], columns[4]) for columns in map(str.split, lines) if len(columns) >= 5]


def open_espeak(settings: EspeakSettings, surroundings: Surroundings) -> Espeak:
    """eSpeak NG of this machine. Raises RunError where it is not installed."""
    return Espeak(installed("espeak-ng", "espeak-ng"), settings)


def _is_own(file: str) -> bool:
    # MBROLA's voices are listed whether or not they are installed.
    return not file.startswith("mb/")
