"""A recogniser of this machine that transformers runs: one that writes (Whisper) or one that spells (wav2vec 2.0)."""

from typing import Any

from twinloop.config import settings
from twinloop.dialogue.providers.local.model import LocalSettings, folder_of, opening, working
from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import Audio, Heard
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.dialogue.speech.activity import ActivitySettings, pieces, speech_segments, stretch
from twinloop.dialogue.speech.audio import RATE, resampled

# What Whisper takes at once.
PIECE_S = 30


@settings
class LocalRecogniserSettings(LocalSettings):
    """activity: by which a long recording is cut in its pauses, and a silent one is not asked about."""

    activity: ActivitySettings = ActivitySettings()


class LocalRecogniser:
    """Hears by a pipeline of transformers."""

    def __init__(self, recognise: Any, settings: LocalRecogniserSettings) -> None:
        self._recognise, self._settings = recognise, settings

    def transcribe(self, audio: Audio) -> Heard:
        """The words of a recording of any length; none where nobody speaks. Raises ProviderError where it fails."""
        usage = stopwatch()
        heard = resampled(audio, RATE)
        segments = speech_segments(heard, self._settings.activity)
        if not segments:
            return Heard("", usage(audio_seconds=audio.seconds))
        whole = heard.seconds <= PIECE_S
        parts = [heard] if whole else [stretch(heard, one) for one in pieces(heard, segments, longest_s=PIECE_S)]
        with working(self._settings):
            texts = [str(self._recognise({"raw": part.samples, "sampling_rate": RATE})["text"]) for part in parts]
        return Heard(" ".join(" ".join(texts).split()), usage(audio_seconds=audio.seconds))


def open_recogniser(settings: LocalRecogniserSettings, surroundings: Surroundings) -> LocalRecogniser:
    """The recogniser. Raises InputError or RunError where it is not to be had."""
    folder = folder_of(settings, surroundings)
    with opening(settings):
        from transformers import AutoConfig, AutoModelForCTC, AutoModelForSpeechSeq2Seq, AutoProcessor, pipeline
        from transformers.models.auto.modeling_auto import MODEL_FOR_CTC_MAPPING

        spells = type(AutoConfig.from_pretrained(folder, **settings.reading)) in MODEL_FOR_CTC_MAPPING
        kind = AutoModelForCTC if spells else AutoModelForSpeechSeq2Seq
        processor = AutoProcessor.from_pretrained(folder, **settings.reading)  # type: ignore[no-untyped-call]
        recognise = pipeline(
            "automatic-speech-recognition",
            model=kind.from_pretrained(folder, **settings.tensors).eval(),
            tokenizer=processor.tokenizer,
            feature_extractor=processor.feature_extractor,
            device=settings.device,
        )
        return LocalRecogniser(recognise, settings)
