"""PocketSphinx (Huggins-Daines et al., 2006): a recogniser whose English model is in its own package.

Hidden Markov models, a dictionary of 135 000 words and a trigram language model: the floor that needs no other weights.
"""

import threading
from typing import Annotated, Any

from pydantic import Field

from twinloop.config import settings
from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import Audio, Heard
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.dialogue.speech.activity import ActivitySettings, pieces, speech_segments, stretch
from twinloop.dialogue.speech.audio import RATE, pcm_bytes, resampled


@settings
class PocketsphinxSettings:
    """piece_s: a longer recording is heard in pieces of at most that."""

    piece_s: Annotated[float, Field(ge=5, le=600)] = 30.0
    activity: ActivitySettings = ActivitySettings(detector="energy")


class PocketSphinx:
    """Hears English of native speakers in quiet rooms. decoder: `pocketsphinx.Decoder`, for one thread at a time."""

    def __init__(self, decoder: Any, settings: PocketsphinxSettings) -> None:
        self._decoder, self._settings = decoder, settings
        self._lock = threading.Lock()

    def transcribe(self, audio: Audio) -> Heard:
        """The words of a recording of any length; none where nobody speaks."""
        usage = stopwatch()
        heard = resampled(audio, RATE)
        segments = speech_segments(heard, self._settings.activity)
        parts = pieces(heard, segments, longest_s=self._settings.piece_s)
        with self._lock:
            texts = [self._text(stretch(heard, part)) for part in parts]
        return Heard(" ".join(filter(None, texts)), usage(audio_seconds=audio.seconds))

    def _text(self, audio: Audio) -> str:
        # It adapts to the sound it has heard; each piece starts from the model's own means.
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        try:
            self._decoder.process_raw(pcm_bytes(audio), no_search=False, full_utt=True)
        finally:
            self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return str(hypothesis.hypstr).strip() if hypothesis is not None else ""


def open_pocketsphinx(settings: PocketsphinxSettings, surroundings: Surroundings) -> PocketSphinx:
    """The recogniser with the English model of its package."""
    import pocketsphinx

    return PocketSphinx(pocketsphinx.Decoder(samprate=RATE, loglevel="FATAL"), settings)
