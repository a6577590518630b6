"""Spoken commands in the synthetic voices of this machine: one side is learnt from, the other judged on."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from twinloop.dialogue.evaluation.groups import grouped_mean
from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.commands.recogniser import CommandRecogniser
from twinloop.numbers import Interval
from twinloop.twins.person.data.voices import Side, Voices, different

SAID: dict[str, Any] = {"voice": pl.String, "word": pl.String, "said": pl.String, "probability": pl.Float64}
# That are judged on.
MOST_VOICES = 12


class Spoken(NamedTuple):
    """A command in a voice."""

    audio: Audio
    word: str
    voice: str


def spoken_commands(words: Sequence[str], voices: Voices, side: Side, *, most: int, workers: int) -> list[Spoken]:
    """Every word by every voice of a side, of at most so many of them that differ as far as can be."""
    pairs = [(word, voice) for voice, _ in different(voices, side, most) for word in words]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda pair: Spoken(voices.speak(*pair).audio, *pair), pairs))


def understood(graph: Path, voices: Voices, *, workers: int) -> pl.DataFrame:
    """Commands that were learnt, by voices that nothing was learnt from; columns as in SAID."""
    if not (graph.is_file() and voices.names("test")):
        return pl.DataFrame(schema=SAID)
    recogniser = CommandRecogniser(graph)
    spoken = spoken_commands(recogniser.words, voices, "test", most=MOST_VOICES, workers=workers)
    heard = recogniser.recognise([one.audio for one in spoken])
    rows = [(one.voice, one.word, *said) for one, said in zip(spoken, heard, strict=True)]
    return pl.DataFrame(rows, schema=SAID, orient="row")


def accuracy(commands: pl.DataFrame, **drawn: Any) -> Interval | None:
    """The share that was understood; intervals over voices. drawn: of `grouped_mean`."""
    if commands.is_empty():
        return None
    right = (commands["word"] == commands["said"]).cast(pl.Float64)
    return grouped_mean(right, commands["voice"].to_list(), **drawn)
