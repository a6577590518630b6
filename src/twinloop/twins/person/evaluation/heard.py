"""What recognisers hear of recordings whose text is known: word error rates by voice, two recognisers side by side."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl

from twinloop.dialogue.evaluation.groups import grouped_mean
from twinloop.dialogue.providers.protocols import Audio, SpeechToText
from twinloop.dialogue.providers.registry import open_provider
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.dialogue.speech.errors import word_errors
from twinloop.twins.person.chain import Chain
from twinloop.twins.person.data.known import Known
from twinloop.twins.person.evaluation.conversed import Conversed

HEARD: dict[str, Any] = {
    "recording": pl.String,
    "question": pl.String,
    "program": pl.String,
    "voice": pl.String,
    "provider": pl.String,
    "spoken": pl.String,
    "heard": pl.String,
    "words": pl.Int64,
    "wrong": pl.Int64,
    "audio_s": pl.Float64,
}
WER: dict[str, Any] = {
    "provider": pl.String,
    "voice": pl.String,
    "wer": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "words": pl.Int64,
}
ALL = "all"
# What needs no weights.
FLOOR = "pocketsphinx"


def judged_recordings(known: Known) -> pl.DataFrame:
    """Recordings held out whose text is known: recording, question, program, voice, text, or who speaks as voice."""
    about = known.spoken.select("recording", "question", "program", "voice")
    held = known.corpus.recordings.filter((pl.col("split") == "test") & (pl.col("text") != ""))
    joined = held.join(about, on="recording", how="left", maintain_order="left")
    speaker = pl.when(pl.col("speaker") == "").then(pl.col("recording")).otherwise("speaker")
    return joined.select("recording", "question", "program", pl.coalesce("voice", speaker).alias("voice"), "text")


def listened(ears: SpeechToText, recordings: Sequence[str], audio: Mapping[str, Audio]) -> dict[str, str]:
    """Recording → what is heard of it."""
    return {name: ears.transcribe(audio[name]).text for name in recordings}


def texts_heard(
    chain: Chain, recordings: pl.DataFrame, audio: Mapping[str, Audio], conversed: Conversed, *, floor: int
) -> dict[str, dict[str, str]]:
    """Recogniser → recording → text: the chain's own, as heard in conversations, and of so many the floor beside it."""
    if chain.ears is None or recordings.is_empty():
        return {}
    own = chain.described.providers.speech_to_text.name
    known = {put.recording: turn.heard for put, turn in conversed.all if put.recording and not turn.failed}
    names = recordings["recording"].to_list()
    texts = {own: known | listened(chain.ears, [name for name in names if name not in known], audio)}
    if own != FLOOR and floor:
        texts[FLOOR] = listened(open_provider("speech_to_text", FLOOR, {}, Surroundings()), names[:floor], audio)
    return texts


def compared(
    recordings: pl.DataFrame, audio: Mapping[str, Audio], texts: Mapping[str, Mapping[str, str]]
) -> pl.DataFrame:
    """A row per provider and recording; columns as in HEARD. texts: provider → recording → what it heard,
    of all recordings or of some.
    """
    rows = []
    for provider, heard in texts.items():
        for recording, question, program, voice, text in recordings.iter_rows():
            if recording not in heard:
                continue
            errors = word_errors(text, heard[recording])
            wrong = errors.substitutions + errors.deletions + errors.insertions
            row = (recording, question, program, voice, provider, text, heard[recording], errors.words, wrong)
            rows.append((*row, audio[recording].seconds))
    return pl.DataFrame(rows, schema=HEARD, orient="row")


def error_rates(heard: pl.DataFrame, *, draws: int, confidence: float, seed: int) -> pl.DataFrame:
    """Word error rates by provider and voice, and of all voices; columns as in WER.

    Intervals are over voices, of one voice over its recordings.
    """
    mean = partial(grouped_mean, draws=draws, confidence=confidence, seed=seed)
    rows = []
    for provider in heard["provider"].unique(maintain_order=True):
        own = heard.filter(provider=provider)
        by_voice = [(voice, own.filter(voice=voice), "recording") for voice in own["voice"].unique(maintain_order=True)]
        everything = (ALL, own, "voice" if len(by_voice) > 1 else "recording")
        for voice, part, groups in (everything, *by_voice):
            rate = mean(part["wrong"] / part["words"], part[groups].to_list(), weights=part["words"])
            rows.append((provider, voice, rate.mean, rate.low, rate.high, int(part["words"].sum())))
    return pl.DataFrame(rows, schema=WER, orient="row")
