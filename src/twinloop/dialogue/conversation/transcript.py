"""Turns as a table: what was said, on which grounds, and what it took; one row per turn, in Parquet."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from twinloop.contracts import versioned
from twinloop.dialogue.conversation.turn import NOTHING, PARTS, Turn

KIND, VERSION = "transcript", 1
REMEDY = "hold the conversation again"
SCHEMA: dict[str, Any] = {
    "conversation": pl.String,
    "turn": pl.Int32,
    "spoken": pl.Boolean,
    "heard": pl.String,
    "question": pl.String,
    "said": pl.String,
    "refused": pl.Boolean,
    "citations": pl.List(pl.String),
    "cached": pl.Boolean,
    "failed": pl.String,
    "words": pl.Int64,
    "audio_s": pl.Float64,
    "price": pl.Float64,
    **{f"{part}_{kind}": pl.Float64 for part in PARTS for kind in ("s", "cpu_s")},
}


def transcript(conversations: Mapping[str, Iterable[Turn]]) -> pl.DataFrame:
    """Name → turns as one table. audio_s: of the reply; {part}_s, {part}_cpu_s: 0 where the part did not work."""
    rows = [_row(name, turn) for name, turns in conversations.items() for turn in turns]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def save_transcript(frame: pl.DataFrame, path: str | Path) -> None:
    """Write Parquet."""
    versioned.write(frame, path, kind=KIND, version=VERSION, header={})


def load_transcript(path: str | Path) -> pl.DataFrame:
    """What `save_transcript` wrote. Raises InputError for any other file."""
    frame, _ = versioned.read(path, kind=KIND, version=VERSION, remedy=REMEDY)
    return frame


def _row(name: str, turn: Turn) -> tuple[Any, ...]:
    usages = [turn.usage.get(part, NOTHING) for part in PARTS]
    return (
        name,
        turn.number,
        turn.spoken,
        turn.heard,
        turn.question,
        turn.said,
        turn.refused,
        list(turn.citations),
        turn.cached,
        turn.failed,
        len(turn.question.split()),
        turn.audio.seconds if turn.audio is not None else 0.0,
        sum(usage.price for usage in usages),
        *(seconds for usage in usages for seconds in (usage.seconds, usage.cpu_seconds)),
    )
