"""Event logs from files: the engine's own, and those of a real plant in the same schema.

A plant's rows come in any order, twice, and with part numbers of its own. What can be put right without
guessing is put right and said (`EventLog.notes`); what cannot be true is refused with its row.
"""

import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts.event import KIND, read_events, refuse_first
from twinloop.errors import InputError, unknown
from twinloop.simulation.events.log import (
    ACCEPT,
    ENTER,
    EVENTS,
    LEAVING,
    LOSE,
    NO_PART,
    NOTHING,
    QUEUE,
    REINSPECT,
    REJECT,
    SPAN,
    STATES,
    UNKNOWN,
    EventLog,
)
from twinloop.simulation.model.entities import entities
from twinloop.simulation.model.line import Line

GOOD = "good"
SOURCE_NAME = "source"
PART_EVENTS = (*EVENTS[ENTER : LOSE + 1], EVENTS[SPAN])
AT_MACHINES = (EVENTS[ACCEPT], EVENTS[REINSPECT], EVENTS[REJECT], EVENTS[QUEUE], *STATES)


def read_log(path: str | Path, *, line: Line | None, horizon: float | None) -> EventLog:
    """The log in a file; see EventLog.load."""
    frame, metadata = read_events(path)
    if frame.is_empty():
        raise InputError(f"events: {path}: expected events, found no rows: check how the log was written")
    about = _about(metadata.get(f"{KIND}.log", "{}"), path)
    frame, notes = (frame, []) if about else _without_repeats(frame)
    entities = _entities(frame, about, line)
    classes = tuple(about.get("classes") or (GOOD, *_others(frame["condition"], GOOD)))
    event = _numbered(frame["event"], EVENTS, f"events: {path}", "event")
    entity = _numbered(frame["entity"], entities, f"events: {path}", "entity")
    _check_values(frame, path)
    order = np.argsort(frame["time_min"].to_numpy(), kind="stable")
    if (np.diff(order) < 0).any():
        notes = [*notes, "rows were not in the order of time and were sorted"]
    time = frame["time_min"].to_numpy()[order]
    part, numbers = _parts(frame["part"].fill_null(NO_PART).to_numpy()[order], event[order], path, order)
    end = _horizon(horizon, about, float(time[-1]), path)
    return EventLog.of(
        entities,
        classes,
        end,
        {
            "time": time,
            "event": event[order],
            "entity": entity[order],
            "part": part,
            "condition": _numbered(frame["condition"], classes, f"events: {path}", "condition")[order],
            "value": frame["value"].fill_null(NOTHING).to_numpy()[order],
        },
        numbers=numbers,
        next_number=max(numbers, default=-1) + 1,
        notes=tuple(notes),
    )


def _about(text: str, path: str | Path) -> dict[str, Any]:
    """What an engine's own log says of itself: names of entities and classes, and its horizon."""
    try:
        about = json.loads(text)
    except (ValueError, RecursionError):
        about = None
    lists = isinstance(about, dict) and all(
        isinstance(about.get(key, []), list) and all(isinstance(name, str) for name in about.get(key, []))
        for key in ("entities", "classes")
    )
    horizon = about.get("horizon", 0.0) if isinstance(about, dict) else None
    if not lists or isinstance(horizon, bool) or not isinstance(horizon, int | float):
        raise InputError(f"events: {path}: expected the log's own description, found {text[:60]!r}: write it again")
    return dict(about)


def _without_repeats(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    rows = frame.unique(maintain_order=True)
    twice = len(frame) - len(rows)
    return rows, [f"{twice} of {len(frame)} rows came twice and were left out"] if twice else []


def _entities(frame: pl.DataFrame, about: dict[str, list[str]], line: Line | None) -> tuple[str, ...]:
    named = tuple(about.get("entities") or ())
    expected = entities(line) if line else named
    if named and named != expected:
        raise InputError(
            f"events: the log is of machines {', '.join(named[1:])}, the line {line.name if line else ''} has "
            f"{', '.join(expected[1:])}: give the line that the log is of"
        )
    return expected or (SOURCE_NAME, *_others(frame["entity"], SOURCE_NAME))


def _others(names: pl.Series, first: str) -> list[str]:
    return [name for name in names.unique(maintain_order=True).to_list() if name not in (None, first)]


def _numbered(names: pl.Series, known: Iterable[str], where: str, what: str) -> NDArray[np.int64]:
    """Index of every name, -1 for null. Raises InputError for a name that is not known."""
    known = tuple(known)
    numbers = names.replace_strict(known, range(len(known)), default=UNKNOWN, return_dtype=pl.Int64)
    foreign = (numbers == UNKNOWN) & names.is_not_null()
    if foreign.any():
        row = foreign.arg_max() or 0
        raise unknown(f"{where}: row {row + 1}: {what}", names[row], known)
    return numbers.fill_null(UNKNOWN).to_numpy()


def _check_values(frame: pl.DataFrame, path: str | Path) -> None:
    time, part, event = frame["time_min"], frame["part"], frame["event"]
    refuse_first(~(time.is_finite() & (time >= 0)).fill_null(value=False), time, path, "expected time_min ≥ 0")
    for column in ("event", "entity"):
        refuse_first(frame[column].is_null(), frame[column], path, f"expected {column} to be named")
    refuse_first((part < 0).fill_null(value=False), part, path, "expected part ≥ 0")
    refuse_first(
        event.is_in(PART_EVENTS) & part.is_null(), event, path, f"expected a part for {', '.join(PART_EVENTS)}"
    )
    machine = frame["entity"] != SOURCE_NAME
    refuse_first(event.is_in(AT_MACHINES) & ~machine, event, path, "expected a machine as the entity, not the source")


def _parts(
    part: NDArray[np.int64], event: NDArray[np.int64], path: str | Path, order: NDArray[np.intp]
) -> tuple[NDArray[np.int64], tuple[int, ...]]:
    """Parts numbered 0, 1, … by entering, and their own numbers (empty where these are the same)."""

    def refuse(bad: NDArray[np.bool_], say: Callable[[int], str]) -> None:
        if bad.any():
            row = int(bad.argmax())
            raise InputError(f"events: {path}: row {order[row] + 1}: {say(int(part[row]))} ({bad.sum()} such rows)")

    # Who is lost from a population begins again in the next row.
    back = np.zeros(len(part) + 1, dtype=bool)
    back[1:-1] = (event[:-1] == LOSE) & (event[1:] == ENTER) & (part[:-1] == part[1:])
    comes = (event == ENTER) & ~back[:-1]
    enters = np.flatnonzero(comes)
    numbers = part[enters]
    refuse(_again(part, comes), lambda one: f"part {one} enters a second time: give every part its own number")
    leaves = np.isin(event, LEAVING) & ~back[1:]
    refuse(_again(part, leaves), lambda one: f"part {one} leaves a second time: give every part its own number")
    sorter = np.argsort(numbers, kind="stable")
    place = np.minimum(np.searchsorted(numbers, part, sorter=sorter), max(len(numbers) - 1, 0))
    index = sorter[place] if len(numbers) else np.zeros(len(part), dtype=np.intp)
    concerned = part != NO_PART
    known = concerned & (numbers[index] == part) if len(numbers) else np.zeros(len(part), dtype=bool)
    refuse(
        concerned & ~known,
        lambda one: f"part {one} never enters: give it an enter row, at minute 0 if it was there already",
    )
    moves = leaves | (event == QUEUE)
    entered = np.full(len(part), -1)
    entered[known] = enters[index[known]]
    early = moves & known & (entered > np.arange(len(part)))
    refuse(early, lambda one: f"part {one} moves before it enters: check the clocks of the plant")
    dense = np.where(concerned, index, NO_PART)
    return dense, () if np.array_equal(numbers, np.arange(len(numbers))) else tuple(numbers.tolist())


def _again(part: NDArray[np.int64], rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of these rows name a part that an earlier one of them has named."""
    chosen = np.flatnonzero(rows)
    repeated = np.ones(len(chosen), dtype=bool)
    repeated[np.unique(part[chosen], return_index=True)[1]] = False
    result = np.zeros(len(part), dtype=bool)
    result[chosen[repeated]] = True
    return result


def _horizon(given: float | None, about: dict[str, float], last: float, path: str | Path) -> float:
    horizon = float(about.get("horizon", last)) if given is None else given
    if not (math.isfinite(horizon) and horizon >= last):
        raise InputError(
            f"events: {path}: horizon {horizon:g}: expected a minute from the last row's {last:g} on: leave it out to "
            "end there"
        )
    return horizon
