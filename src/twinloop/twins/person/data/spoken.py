"""What is spoken of a person by synthetic voices: questions of those held out, and meetings with who is heard when."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import polars as pl

from twinloop.dialogue.datasets.corpus import RECORDINGS, UNDIVIDED, Corpus, rows
from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.audio import wav_bytes
from twinloop.dialogue.synthetic.meetings import Meeting, Turn
from twinloop.dialogue.synthetic.speaking import assigned_voices, speak
from twinloop.twins.person.config import SpeakingSettings
from twinloop.twins.person.data.voices import Voices

# Of each program, voices in which questions are put.
ASKING = 2
SPOKEN: dict[str, Any] = {
    "recording": pl.String,
    "question": pl.String,
    "meeting": pl.String,
    "program": pl.String,
    "voice": pl.String,
    "seconds": pl.Float64,
}
SEGMENTS: dict[str, Any] = {
    "meeting": pl.String,
    "turn": pl.Int64,
    "speaker": pl.String,
    "voice": pl.String,
    "text": pl.String,
    "begin_s": pl.Float64,
    "end_s": pl.Float64,
}


class Speech(NamedTuple):
    """Recordings as a corpus has them and their files, which of them is what, and the turns of the meetings."""

    recordings: pl.DataFrame
    files: dict[str, bytes]
    spoken: pl.DataFrame
    segments: pl.DataFrame


def spoken(
    corpus: Corpus, voices: Voices, settings: SpeakingSettings, *, meetings: bool, seed: int, workers: int
) -> Speech:
    """Questions of the test split, each in one voice and as far as wanted in another; meetings by a voice each.

    Without voices nothing is spoken.
    """
    made = [*_questions(corpus, voices, settings, workers)] if voices else []
    segments = [pl.DataFrame(schema=SEGMENTS)]
    if voices and meetings:
        for one in _scripts(corpus)[: settings.meetings]:
            met = speak(one, voices, assigned_voices(one.speakers, _together(voices)), seed=seed)
            name, text = f"{one.name}.wav", " ".join(turn.text for turn in one.turns)
            made.append(_Made((name, "", text, UNDIVIDED), (name, None, one.name, None, None), met.audio))
            segments.append(met.segments.select(pl.lit(one.name).alias("meeting"), pl.all()).cast(pl.Schema(SEGMENTS)))
    return Speech(
        rows(RECORDINGS, (one.recording for one in made)),
        {one.recording[0]: wav_bytes(one.audio) for one in made},
        rows(SPOKEN, ((*one.about, one.audio.seconds) for one in made)),
        pl.concat(segments),
    )


class _Made(NamedTuple):
    recording: tuple[str, str, str, str]
    about: tuple[str, str | None, str | None, str | None, str | None]
    audio: Audio


def _questions(corpus: Corpus, voices: Voices, settings: SpeakingSettings, workers: int) -> list[_Made]:
    held = corpus.questions.filter(pl.col("split") == "test").select("question", "text").rows()
    names = voices.names("test")[: ASKING * len(voices.programs)]
    if not (held and names):
        return []
    # Once all have been asked, the next round goes to other voices.
    turns = [
        (*held[place % len(held)], names[(place + place // len(held)) % len(names)])
        for place in range(min(settings.questions, len(held) * len(names)))
    ]
    with ThreadPoolExecutor(workers) as pool:
        recorded = list(pool.map(lambda turn: voices.speak(turn[1], turn[2]).audio, turns))
    return [
        _Made(
            (f"question-{place + 1:03d}.wav", voice, text, "test"),
            (f"question-{place + 1:03d}.wav", question, None, voice.partition(" ")[0], voice),
            audio,
        )
        for place, ((question, text, voice), audio) in enumerate(zip(turns, recorded, strict=True))
    ]


def _together(voices: Voices) -> Sequence[str]:
    """All voices, those of the first program first: that they sound alike is what makes a meeting hard."""
    return [name for program in voices.programs for name in voices.names() if name.startswith(f"{program} ")]


def _scripts(corpus: Corpus) -> list[Meeting]:
    days = dict(corpus.meetings.select("meeting", "day").iter_rows())
    parts = corpus.turns.sort("meeting", "turn").partition_by("meeting", maintain_order=True)
    return [
        Meeting(
            name := turns["meeting"][0],
            days[name],
            tuple(dict.fromkeys(turns["speaker"])),
            tuple(Turn(*turn) for turn in turns.select("speaker", "text").iter_rows()),
            (),
        )
        for turns in parts
    ]
