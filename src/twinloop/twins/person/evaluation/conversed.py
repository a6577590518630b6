"""Conversations held with the person's self, by voice where it hears and speaks: what a turn takes is measured here."""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
import psutil  # type: ignore[import-untyped]

from twinloop.contracts import ServiceProfile
from twinloop.dialogue.conversation.transcript import transcript
from twinloop.dialogue.conversation.turn import Turn
from twinloop.dialogue.providers.protocols import Audio
from twinloop.errors import RunError
from twinloop.twins.person.chain import Chain
from twinloop.twins.person.data.known import Known, sentences_of
from twinloop.twins.person.service import origin, profile_of, remote_parts

# Turns of one conversation, and those that open the models before anything is measured.
LENGTH, WARMUP = 6, 2
GIB = 2**30
MEASURED = ("_s", "_cpu_s")


class Put(NamedTuple):
    """A question that is put: its text, or the recording of that name."""

    text: str
    recording: str = ""
    audio: Audio | None = None


class Conversed(NamedTuple):
    """Turns with what was put in each, by conversation; the memory of the process that held them."""

    turns: dict[str, list[tuple[Put, Turn]]]
    memory_gib: float

    @property
    def all(self) -> list[tuple[Put, Turn]]:
        """All turns in order."""
        return list(itertools.chain.from_iterable(self.turns.values()))


def questions_to_put(chain: Chain, known: Known, recordings: pl.DataFrame, audio: Mapping[str, Audio]) -> list[Put]:
    """What is put in conversations: recordings where it hears, else questions in its own voice or typed."""
    asked = recordings.filter(pl.col("question").is_not_null())
    if chain.ears is not None and len(asked):
        return [Put(text, name, audio[name]) for name, text in asked.select("recording", "text").iter_rows()]
    typed = [one.text for one in known.asked("test")] or sentences_of(known)
    if chain.ears is None or chain.voice is None:
        return [Put(text) for text in typed]
    return [Put(text, audio=chain.voice.speak(text).audio) for text in typed]


def converse(chain: Chain, questions: Sequence[Put], turns: int, *, seed: int) -> Conversed:
    """So many turns, the questions in random order and again from the first once all were put.

    Raises RunError where no turn of them works.
    """
    rng, order = np.random.default_rng(seed), list[int]()
    while len(order) < turns:
        order += rng.permutation(len(questions)).tolist()
    opening = chain.conversation()
    for put in questions[:WARMUP]:
        opening.say(put.text if put.audio is None else put.audio)
    held: dict[str, list[tuple[Put, Turn]]] = {}
    for number, start in enumerate(range(0, turns, LENGTH), 1):
        conversation = chain.conversation()
        held[f"conversation-{number:03d}"] = [
            (put, conversation.say(put.text if put.audio is None else put.audio))
            for put in (questions[place] for place in order[start : min(start + LENGTH, turns)])
        ]
    if all(turn.failed for _, turn in itertools.chain.from_iterable(held.values())):
        first = next(iter(held.values()))[0][1]
        raise RunError(f"evaluate: none of {turns} turns worked, the first failed in {first.failed[:200]}")
    return Conversed(held, psutil.Process().memory_info().rss / GIB)


def told(conversed: Conversed) -> pl.DataFrame:
    """The transcript without what the clock measured, which no two runs share."""
    frame = transcript({name: [turn for _, turn in turns] for name, turns in conversed.turns.items()})
    return frame.drop([name for name in frame.columns if name.endswith(MEASURED) and name != "audio_s"])


def measured(
    conversed: Conversed,
    chain: Chain,
    index_digest: str,
    *,
    batches: Mapping[str, Mapping[int, float]] | None = None,
    draws: int,
    seed: int,
) -> ServiceProfile:
    """What the turns took, part by part. batches: what some took for several turns at once."""
    return profile_of(
        [turn for _, turn in conversed.all],
        origin(chain.digests, index_digest),
        remote=remote_parts(chain.described.providers),
        memory_gib=conversed.memory_gib,
        batches=batches,
        draws=draws,
        seed=seed,
    )
