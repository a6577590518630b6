"""A recogniser behind an OpenAI-compatible audio interface."""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.dialogue.providers.http.client import File, Service, ServiceSettings
from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import Audio, Heard
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.dialogue.speech.audio import RATE, resampled, wav_bytes


@settings
class TranscriptionSettings(ServiceSettings):
    """A transcription service. language: an ISO 639-1 code, or empty where the service is to find out."""

    language: Annotated[str, Field(pattern="^([a-z]{2})?$")] = "en"
    price_per_audio_minute: Annotated[float, Field(ge=0)] = 0.0


class HttpRecogniser:
    """Hears by a transcription service."""

    def __init__(self, service: Service, settings: TranscriptionSettings) -> None:
        self._service, self._settings = service, settings

    def transcribe(self, audio: Audio) -> Heard:
        """The words of a recording. Raises ProviderError where the service fails or answers no text."""
        usage = stopwatch()
        fields = {"model": self._settings.model, "response_format": "json", "temperature": "0"}
        if self._settings.language:
            fields["language"] = self._settings.language
        sent = File("recording.wav", wav_bytes(resampled(audio, RATE)), "audio/wav")
        text = self._service.text(
            self._service.record_of_file("audio/transcriptions", fields, sent).get("text"), "text"
        )
        price = audio.seconds / 60 * self._settings.price_per_audio_minute
        return Heard(text.strip(), usage(audio_seconds=audio.seconds, price=price))


def open_transcription(settings: TranscriptionSettings, surroundings: Surroundings) -> HttpRecogniser:
    """A recogniser of a service; nothing is asked of it yet."""
    return HttpRecogniser(Service("speech to text", settings, surroundings), settings)
