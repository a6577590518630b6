"""A voice behind an OpenAI-compatible speech interface."""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.dialogue.providers.http.client import Service, ServiceSettings
from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import Spoken
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.dialogue.speech.audio import read_audio
from twinloop.errors import InputError


@settings
class SpeechSettings(ServiceSettings):
    """A speech service. voice: where a call names none; which there are only the service knows."""

    voice: Annotated[str, Field(min_length=1, max_length=200)]
    price_per_million_characters: Annotated[float, Field(ge=0)] = 0.0


class HttpVoice:
    """Speaks by a speech service."""

    def __init__(self, service: Service, settings: SpeechSettings) -> None:
        self._service, self._settings = service, settings

    def speak(self, text: str, voice: str | None = None) -> Spoken:
        """A recording of a text. Raises ProviderError where the service fails or answers no sound."""
        usage = stopwatch()
        body = {
            "model": self._settings.model,
            "input": text,
            "voice": voice or self._settings.voice,
            "response_format": "wav",
        }
        content = self._service.content("audio/speech", body)
        try:
            audio = read_audio(content).audio
        except InputError:
            raise self._service.nonsense("a WAV recording") from None
        price = len(text) * self._settings.price_per_million_characters / 1e6
        return Spoken(audio, usage(audio_seconds=audio.seconds, price=price))


def open_speech(settings: SpeechSettings, surroundings: Surroundings) -> HttpVoice:
    """A voice of a service; nothing is asked of it yet."""
    return HttpVoice(Service("text to speech", settings, surroundings), settings)
