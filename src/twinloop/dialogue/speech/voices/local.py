"""A voice of this machine that transformers runs, such as VITS. Its noise is drawn from one seed for every text."""

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from twinloop.config import settings
from twinloop.dialogue.providers.local.model import LocalSettings, folder_of, opening, working
from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import Audio, ProviderError, Spoken
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.errors import InputError


@settings
class LocalVoiceSettings(LocalSettings):
    """seed: of the noise, by which the same text always sounds the same."""

    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


class LocalVoice:
    """Speaks by a model of transformers that makes a waveform of a text."""

    def __init__(self, model: Any, tokenizer: Any, settings: LocalVoiceSettings) -> None:
        self._model, self._tokenizer, self._settings = model, tokenizer, settings

    def speak(self, text: str, voice: str | None = None) -> Spoken:
        """A recording of a text. Raises InputError for a text without a word, and for a voice: the model is it."""
        import torch

        usage = stopwatch()
        if voice is not None:
            raise InputError(f"voices: local: unknown voice {voice!r}: the model is the voice, name none")
        if not any(sign.isalnum() for sign in text):
            raise InputError(f"voices: local: expected a text with at least one word, got {text[:40]!r}")
        with working(self._settings), torch.random.fork_rng():
            torch.manual_seed(self._settings.seed)
            given = self._tokenizer(text, return_tensors="pt")
            made = self._model(**given.to(self._model.device)).waveform[0]
            samples = np.asarray(made.float().cpu().numpy(), np.float32)
        if not samples.size or not np.isfinite(samples).all():
            raise ProviderError(f"voices: local: {self._settings.model}: made no sound of the text")
        audio = Audio(np.clip(samples, -1.0, 1.0), int(self._model.config.sampling_rate))
        return Spoken(audio, usage(audio_seconds=audio.seconds))


def open_voice(settings: LocalVoiceSettings, surroundings: Surroundings) -> LocalVoice:
    """The voice. Raises InputError or RunError where it is not to be had."""
    folder = folder_of(settings, surroundings)
    with opening(settings):
        from transformers import AutoModelForTextToWaveform, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, **settings.reading)
        model = AutoModelForTextToWaveform.from_pretrained(folder, **settings.tensors)
        return LocalVoice(model.to(settings.device).eval(), tokenizer, settings)
