"""Word error rates on people's recordings: how well what is said is heard.

human_wer, human_wer_embedded: of Whisper tiny.en and of PocketSphinx on the read sentences of speech/human/librivox;
cards_wer and cards_wer_embedded of the playing cards beside them, whose numbers are compared as words. `_half` is half
of a 95 % interval, by bootstrap over recordings: of five each, so it is wide.

speaker_eer: equal error rate of Resemblyzer's encoder, over all pairs of utterances of the six speakers of speech/fsdd,
none of whom it learnt from; an utterance is six of a speaker's digits in a row. speaker_eer_trained: likewise of the
encoder that is trained here, from synthetic voices alone that read the sentences of speech/human. `_half` of both is by
bootstrap over the six speakers.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from twinloop.dialogue.datasets.layouts import read
from twinloop.dialogue.datasets.settings import CorpusSettings
from twinloop.dialogue.providers.protocols import Audio, SpeechToText
from twinloop.dialogue.providers.registry import open_provider
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.dialogue.speech.audio import RATE, read_audio
from twinloop.dialogue.speech.errors import WordErrors, total, word_errors
from twinloop.dialogue.speech.speakers.encoder import SpeakerEncoder
from twinloop.dialogue.speech.speakers.settings import SpeakerEncoderSettings
from twinloop.dialogue.speech.speakers.verification import verification
from twinloop.dialogue.speech.speakers.windows import Voiced
from twinloop.errors import InputError, RunError, TwinloopError
from twinloop.learning.weights import Places
from twinloop.twins.person.data.voices import installed

RECOGNISERS = {"": "whisper", "_embedded": "pocketsphinx"}
UTTERANCES, DIGITS = 10, 6
# That teach: synthetic voices, and recordings of each.
VOICES, EACH = 40, 4
DRAWS = 2000
SEED = 20261130


def measured(data: Path | None, work: Path, reasons: dict[str, str]) -> dict[str, float | None]:
    """Word error rates of both recognisers; None, with the reason, where one cannot be had."""
    if data is None or not (data / "speech/human").is_dir():
        raise InputError("speech: expected a folder with speech/human, found none: give --data")
    sets = {
        "human": read(data / "speech/human/librivox", CorpusSettings(kind="recordings")),
        "cards": read(data / "speech/human/cards", CorpusSettings(kind="recordings")),
    }
    figures: dict[str, float | None] = {}
    for suffix, name in RECOGNISERS.items():
        try:
            ears: SpeechToText = open_provider("speech_to_text", name, {}, Surroundings())
        except RunError as reason:
            figures |= {f"{key}_wer{suffix}": None for key in sets}
            reasons |= {f"{key}_wer{suffix}": str(reason) for key in sets}
            continue
        for key, corpus in sets.items():
            errors = [
                word_errors(text, ears.transcribe(read_audio(corpus.recording_files[name]).audio).text)
                for name, text in corpus.recordings.select("recording", "text").rows()
            ]
            figures[f"{key}_wer{suffix}"] = round(total(errors).rate, 4)
            figures[f"{key}_wer{suffix}_half"] = round(half_width(errors), 4)
    texts = [text for corpus in sets.values() for text in corpus.recordings["text"]]
    utterances = spoken_by_people(data)
    for key, opened in {"speaker_eer": published, "speaker_eer_trained": partial(trained_here, texts)}.items():
        try:
            encoder = opened(work / f"{key}.onnx")
            vectors = [encoder.encode(one.audio) for one in utterances]
        except TwinloopError as reason:
            figures[key], reasons[key] = None, str(reason)
            continue
        names = [one.speaker for one in utterances]
        rate = verification(np.stack(vectors), names, draws=DRAWS, confidence=0.95, seed=SEED)
        figures |= {key: round(rate.mean, 4), f"{key}_half": round(rate.half_width, 4)}
    return figures


def spoken_by_people(data: Path) -> list[Voiced]:
    """Digits in a row, by each of the six speakers."""
    corpus = read(data / "speech/fsdd", CorpusSettings(kind="digits"))
    rng = np.random.default_rng(SEED)
    utterances = []
    for (speaker,), own in corpus.recordings.group_by("speaker", maintain_order=True):
        for names in rng.choice(own["recording"].to_list(), (UTTERANCES, DIGITS), replace=False):
            digits = [read_audio(corpus.recording_files[name]).audio.samples for name in names]
            utterances.append(Voiced(Audio(np.concatenate(digits), RATE), str(speaker)))
    return utterances


def published(path: Path) -> SpeakerEncoder:
    """Resemblyzer's encoder. Raises RunError where its weights are not there."""
    # torch, for once.
    from twinloop.dialogue.speech.speakers.export import export_speaker_encoder

    export_speaker_encoder(Places(), path)
    return SpeakerEncoder(path)


def trained_here(texts: Sequence[str], path: Path) -> SpeakerEncoder:
    """An encoder that synthetic voices taught, each by some of the texts. Raises RunError without synthesisers."""
    from twinloop.dialogue.speech.speakers.training import train_speakers

    voices = installed(("flite", "espeak"))
    if voices.missing:
        raise RunError(f"speakers: {' and '.join(voices.missing)} not installed: nobody can be learnt from")
    speakers = list(voices.speakers("train").items())[:VOICES]
    spoken = [
        Voiced(voices.speak(texts[(place * EACH + turn) % len(texts)], own[turn % len(own)]).audio, speaker)
        for place, (speaker, own) in enumerate(speakers)
        for turn in range(EACH)
    ]
    train_speakers(spoken, SpeakerEncoderSettings(), seed=SEED).save(path)
    return SpeakerEncoder(path)


def half_width(errors: Sequence[WordErrors]) -> float:
    """Half of the 95 % interval of the error rate, by bootstrap over recordings."""
    counts = np.array([(one.substitutions + one.deletions + one.insertions, one.words) for one in errors])
    drawn = counts[np.random.default_rng(SEED).integers(0, len(counts), (DRAWS, len(counts)))].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], (0.025, 0.975))
    return float(high - low) / 2
