"""A person's own folder: profile.json and, as far as there are any, documents/, messages.csv, calendar.ics,
questions.json with splits.json, meetings/*.json and recordings/.

Fictional persons are written so; a real one is best handed in so too.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from twinloop.dialogue.datasets import documents, recordings
from twinloop.dialogue.datasets.calendars import read_calendar
from twinloop.dialogue.datasets.corpus import (
    EVENTS,
    EVIDENCE,
    MEETINGS,
    MESSAGES,
    OUTCOMES,
    QUESTIONS,
    SPLITS,
    TURNS,
    UNDIVIDED,
    Corpus,
    rows,
)
from twinloop.dialogue.datasets.files import data_files, json_of, table_of
from twinloop.dialogue.datasets.settings import CorpusSettings
from twinloop.errors import InputError

PROFILE = "profile.json"


def claims(files: list[Path]) -> list[Path]:
    """Everything below the folder of a profile.json; nothing where there is not just one."""
    profiles = [path for path in files if path.name == PROFILE]
    if len(profiles) != 1:
        return []
    root = profiles[0].parent
    return [path for path in files if path.is_relative_to(root)]


def read(files: list[Path], settings: CorpusSettings) -> Corpus:
    """All that the folder holds. Raises InputError where a file of it is not as expected."""
    root = next(path for path in files if path.name == PROFILE).parent
    profile = json_of(root / PROFILE, max_bytes=settings.max_bytes)
    if not isinstance(profile, dict) or not profile.get("name"):
        raise InputError(f'corpus: {root / PROFILE}: expected a mapping with a name: write at least {{"name": …}}')
    zone = str(profile.get("zone", ""))
    if zone and not settings.calendar.zone:
        calendar = dataclasses.replace(settings.calendar, zone=zone)
        settings = dataclasses.replace(settings, calendar=calendar)
    parts: dict[str, Any] = {}
    left = Counter[str]()
    notes: list[str] = []
    for sub, layout in (("documents", documents), ("recordings", recordings)):
        own = layout.claims(data_files(root / sub)) if (root / sub).is_dir() else []
        if own:
            corpus = layout.read(own, settings)
            table = corpus.table(sub)
            parts[sub], parts[f"{sub[:-1]}_files"] = table, getattr(corpus, f"{sub[:-1]}_files")
            left.update(corpus.left_out)
            notes += corpus.notes
    if (root / "splits.json").is_file() and "documents" in parts:
        parts["documents"] = _divided(parts["documents"], root / "splits.json", settings)
    if (root / "questions.json").is_file():
        parts["questions"], parts["evidence"] = _questions(root / "questions.json", settings)
    if (root / "messages.csv").is_file():
        parts["messages"] = read_messages(root / "messages.csv", zone, settings)
    if (root / "calendar.ics").is_file():
        events, out = read_calendar(root / "calendar.ics", settings)
        parts["events"] = rows(EVENTS, sorted(events, key=lambda row: (row[2], row[0])))
        left.update(out)
    met = [path for path in files if path.parent == root / "meetings"]
    if met:
        parts |= _meetings(met, settings)
    return Corpus(layout="person", profile=profile, left_out=+left, notes=tuple(notes), **parts)


def _divided(table: pl.DataFrame, path: Path, settings: CorpusSettings) -> pl.DataFrame:
    splits = json_of(path, max_bytes=settings.max_bytes)
    odd = None if isinstance(splits, dict) else "no mapping"
    if odd is None:
        odd = next((f"{name}: {split!r}" for name, split in splits.items() if split not in SPLITS), None)
    if odd is not None:
        raise InputError(f"corpus: {path}: expected document: one of {', '.join(SPLITS)}, found {odd}: correct it")
    return table.with_columns(
        split=pl.col("document").replace_strict(splits, default=UNDIVIDED, return_dtype=pl.String)
    )


def _questions(path: Path, settings: CorpusSettings) -> tuple[pl.DataFrame, pl.DataFrame]:
    asked, evidence = [], []
    for number, entry in enumerate(_listed(path, settings)):
        name = f"q{number:04d}"
        try:
            text, answer = entry["question"], entry["answer"]
            split, reason = entry.get("split", UNDIVIDED), entry.get("reason", "")
            asked.append((name, text, entry.get("paraphrase", ""), answer, entry.get("template", ""), split, reason))
            if entry.get("document"):
                evidence.append((name, *(entry[key] for key in ("document", "page", "start", "end", "quote"))))
        except (KeyError, AttributeError, TypeError) as error:
            raise InputError(
                f"corpus: {path}: question {number + 1}: expected question, answer, and with a document page, start, "
                f"end and quote; {error} is missing or wrong: add it"
            ) from None
    return _typed(path, QUESTIONS, asked), _typed(path, EVIDENCE, evidence)


def read_messages(path: Path, zone: str, settings: CorpusSettings) -> pl.DataFrame:
    """A table of messages, rows of MESSAGES. zone: of times without one. Raises InputError for any other table."""
    frame = table_of(path, max_bytes=settings.max_bytes)
    if missing := [name for name in MESSAGES if name not in frame.columns]:
        raise InputError(f"corpus: {path}: expected columns {', '.join(MESSAGES)}, {missing[0]} is missing: add it")
    made = []
    for number, row in enumerate(frame.iter_rows(named=True), 2):
        try:
            time = datetime.fromisoformat(row["time"])
        except ValueError:
            raise InputError(f"corpus: {path}:{number}: expected an ISO 8601 time, found {row['time']!r}") from None
        if time.tzinfo is None:
            time = time.replace(tzinfo=_zone(path, number, zone))
        made.append((row["conversation"], time.astimezone(UTC), row["sender"], row["text"]))
    return rows(MESSAGES, sorted(made, key=lambda message: message[1]))


def _zone(path: Path, number: int, zone: str) -> ZoneInfo:
    if not zone:
        raise InputError(f"corpus: {path}:{number}: a time without zone, and profile.json names none: give zone there")
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(
            f"corpus: {path}: zone {zone!r} of profile.json is unknown: name it as Europe/Berlin"
        ) from None


def _meetings(files: list[Path], settings: CorpusSettings) -> dict[str, pl.DataFrame]:
    meetings, turns, outcomes = [], [], []
    for path in files:
        held = json_of(path, max_bytes=settings.max_bytes)
        try:
            turns += [(path.stem, n, turn["speaker"], turn["text"]) for n, turn in enumerate(held["turns"])]
            meetings.append((path.stem, _day(held.get("day")), held.get("split", UNDIVIDED)))
            outcomes += [
                (path.stem, one["turn"], one["kind"], one["what"], one.get("who", ""), _day(one.get("due")))
                for one in held.get("outcomes", ())
            ]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise InputError(
                f"corpus: {path}: expected turns with speaker and text, outcomes with turn, kind and what; {error!r}"
            ) from None
    return {
        "meetings": rows(MEETINGS, meetings),
        "turns": rows(TURNS, turns),
        "outcomes": rows(OUTCOMES, outcomes),
    }


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _listed(path: Path, settings: CorpusSettings) -> list[Mapping[str, Any]]:
    held = json_of(path, max_bytes=settings.max_bytes)
    if not isinstance(held, list):
        raise InputError(f"corpus: {path}: expected a list, found {type(held).__name__}: write [ … ]")
    return held


def _typed(path: Path, schema: Mapping[str, Any], values: list[tuple[Any, ...]]) -> pl.DataFrame:
    try:
        return rows(schema, values)
    except (TypeError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"corpus: {path}: expected {', '.join(schema)} of their types: {reason}") from None
