"""What happens on a line, one row per event: the schema that simulated and real plants share.

A file is Parquet or CSV with the columns of SCHEMA; `condition` and `value` may be missing. In place of
`time_min` a plant may give `timestamp`, ISO 8601 with a zone: without one, an hour comes twice a year.
A log begins with every part's `enter`; parts that were there already enter at its first minute.
"""

import enum
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from twinloop.errors import InputError

VERSION = 1
KIND = "twinloop.events"
SCHEMA: dict[str, pl.DataType] = {
    "time_min": pl.Float64(),
    "event": pl.String(),
    "entity": pl.String(),
    "part": pl.Int64(),
    "condition": pl.String(),
    "value": pl.Float64(),
}
OPTIONAL = ("condition", "value")
TIMESTAMP = "timestamp"
SECONDS_PER_MINUTE = 60


class EventKind(enum.StrEnum):
    """Steps of a part, then states of a machine, which hold until its next one.

    queue: a part waits before the station of `entity` (its first machine). join: a part is built into another
    and leaves (`value`: that part). lose: a part leaves unserved, turned away where there is no room (`entity`: the
    source, or the span that is full) or out of patience before a station; of a population it enters again at once.
    span: a part has been through a span (`entity`) and took so many minutes (`value`). deliver: a material comes or,
    below 0, is taken (`value`: how much; `entity`: the material). idle: nobody is there to work. starved with a part:
    it is there, other parts or material are missing.
    Operators and vehicles have states like machines: running while they are busy (a vehicle with its part), else idle;
    a material is starved while a machine waits for it.
    """

    ENTER = "enter"
    SHIP = "ship"
    SCRAP = "scrap"
    ACCEPT = "accept"
    REINSPECT = "re-inspect"
    REJECT = "reject"
    QUEUE = "queue"
    JOIN = "join"
    LOSE = "lose"
    DELIVER = "deliver"
    SPAN = "span"
    STARVED = "starved"
    RUNNING = "running"
    SETUP = "setup"
    BLOCKED = "blocked"
    DOWN = "down"
    IDLE = "idle"
    WARNING = "warning"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class Event:
    """One row as an object.

    entity: the machine, or "source". part: its number, None where no part is concerned. condition: the part's true
    class where it is told. value: the variant of a part that enters, a machine's health, a quantity; else None.

    >>> Event(12.5, EventKind.DOWN, "press").kind
    <EventKind.DOWN: 'down'>
    """

    time_min: float
    kind: EventKind
    entity: str
    part: int | None = None
    condition: str | None = None
    value: float | None = None


def read_events(path: str | Path) -> tuple[pl.DataFrame, dict[str, str]]:
    """The file's rows as SCHEMA in the file's order, and what it says of itself (empty for a plant's file).

    Raises InputError for a file of another kind or version, missing columns, and a value of the wrong type.
    """
    path = Path(path)
    frame, metadata = _opened(path)
    if metadata and metadata.get(KIND) != str(VERSION):
        kinds = ", ".join(f"{name.removeprefix('twinloop.')} {value}" for name, value in metadata.items())
        raise InputError(f"events: {path}: expected events version {VERSION}, found {kinds}: write it again")
    if TIMESTAMP in frame.columns and "time_min" not in frame.columns:
        frame = frame.with_columns(_minutes(frame[TIMESTAMP], path).alias("time_min"))
    missing = [name for name in SCHEMA if name not in frame.columns and name not in OPTIONAL]
    if missing:
        raise InputError(
            f"events: {path}: expected columns {', '.join(SCHEMA)} ({', '.join(OPTIONAL)} may be missing), "
            f"found {', '.join(frame.columns) or 'none'}: add {', '.join(missing)}"
        )
    return pl.DataFrame({name: _column(frame, name, path) for name in SCHEMA}), metadata


def _opened(path: Path) -> tuple[pl.DataFrame, dict[str, str]]:
    try:
        if path.suffix == ".csv":
            return pl.read_csv(path, infer_schema=False), {}
        metadata = {
            name: value for name, value in pl.read_parquet_metadata(path).items() if name.startswith("twinloop.")
        }
        return pl.read_parquet(path), metadata
    except FileNotFoundError:
        raise InputError(f"events: {path}: no such file: give the path of an event log") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"events: {path}: expected a Parquet or CSV file of events ({reason})") from None


def _column(frame: pl.DataFrame, name: str, path: Path) -> pl.Series:
    kind = SCHEMA[name]
    if name not in frame.columns:
        return pl.Series(name, [None] * len(frame), dtype=kind)
    given = frame[name]
    expected = f"expected {name} to be {'a whole number' if name == 'part' else 'a number'}"
    if kind == pl.String:
        expected = f"expected {name} to be a text"
    if given.dtype.is_nested() or given.dtype in (pl.Binary, pl.Object):
        raise InputError(f"events: {path}: {expected}, found a column of {given.dtype}: write it again")
    try:
        cast = given.cast(kind, strict=False)
    except pl.exceptions.PolarsError:
        raise InputError(f"events: {path}: {expected}, found a column of {given.dtype}: write it again") from None
    refuse_first(cast.is_null() & given.is_not_null(), given, path, expected)
    return cast


def _minutes(given: pl.Series, path: Path) -> pl.Series:
    expected = "expected a timestamp with its zone, as 2026-03-01T06:00:00+01:00"
    if given.dtype == pl.String:
        found = given.str.to_datetime("%+", time_zone="UTC", strict=False)
        refuse_first(found.is_null(), given, path, expected)
    elif isinstance(given.dtype, pl.Datetime) and given.dtype.time_zone:
        found = given
    else:
        raise InputError(f"events: {path}: {expected}, found {given.dtype}: give the column a zone")
    elapsed: pl.Series = (found - found.min()).dt.total_microseconds() / (SECONDS_PER_MINUTE * 1e6)
    return elapsed


def refuse_first(bad: pl.Series, given: pl.Series, path: str | Path, expectation: str) -> None:
    """Raise InputError for the first bad row, counted from 1 without the header."""
    if bad.any():
        row = bad.arg_max() or 0
        raise InputError(f"events: {path}: row {row + 1}: {expectation}, got {given[row]!r} ({bad.sum()} such rows)")
