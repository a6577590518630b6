"""The event log of one replication, kept in columns.

Every change of a machine's state and every step of a part is one row; all KPIs are computed from these
rows alone. Rows are packed as they are known (29 bytes each, 0.1 µs): a breakdown of a waiting machine is
noted when its wait ends, so readers sort by time.
"""

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from twinloop.contracts.event import KIND, VERSION, EventKind
from twinloop.errors import InputError
from twinloop.files import atomic
from twinloop.simulation.model.entities import entities
from twinloop.simulation.model.line import Line

if TYPE_CHECKING:
    from twinloop.simulation.events.state import LineState

EVENTS = tuple(kind.value for kind in EventKind)
ENTER, SHIP, SCRAP, ACCEPT, REINSPECT, REJECT, QUEUE, JOIN, LOSE, DELIVER, SPAN = range(11)
STARVED, RUNNING, SETUP, BLOCKED, DOWN, IDLE, WARNING, MAINTENANCE = range(11, len(EVENTS))
STATES = EVENTS[STARVED:]
SOURCE = 0
LEAVING = (SHIP, SCRAP, JOIN, LOSE)
NO_PART = -1
NOTHING = float("nan")
UNKNOWN = -1
ROW = np.dtype(
    [("time", "f8"), ("event", "i1"), ("entity", "i2"), ("part", "i8"), ("condition", "i2"), ("value", "f8")]
)
PACKING = "=dbhqhd"
Row = tuple[float, int, int, int, int, float]


class EventLog:
    """Rows of (time, event, entity, part, condition, value), in memory as numbers.

    entities: names by entity number, 0 is the source. classes: names by condition. horizon: end of the log in minutes.
    numbers: the numbers outside of parts 0, 1, …, where these differ; parts that enter later count on from
    `next_number`. notes: what was put right when a plant's file was read. silent: whether nothing is kept.
    record(time, event, entity, part, condition, value) appends one row, the last three where they say something.
    """

    def __init__(
        self,
        entities: tuple[str, ...],
        classes: tuple[str, ...],
        horizon: float,
        *,
        numbers: Sequence[int] = (),
        next_number: int | None = None,
        notes: tuple[str, ...] = (),
        silent: bool = False,
    ) -> None:
        self.entities, self.classes, self.horizon = entities, classes, horizon
        self.numbers = tuple(numbers)
        self.next_number = len(self.numbers) if next_number is None else next_number
        self.notes, self.silent = notes, silent
        self._rows = bytearray()
        self._columns: tuple[int, dict[str, NDArray[Any]]] = (-1, {})
        self.record = _nothing if silent else _recorder(self._rows)

    @classmethod
    def of(
        cls,
        entities: tuple[str, ...],
        classes: tuple[str, ...],
        horizon: float,
        columns: Mapping[str, ArrayLike],
        *,
        numbers: Sequence[int] = (),
        next_number: int | None = None,
        notes: tuple[str, ...] = (),
    ) -> Self:
        """A log of given columns [rows]: time, event, entity, part, condition, value."""
        log = cls(entities, classes, horizon, numbers=numbers, next_number=next_number, notes=notes)
        rows = np.empty(len(np.asarray(columns["time"])), dtype=ROW)
        for name in ROW.names or ():
            rows[name] = columns[name]
        log.extend(rows)
        return log

    def extend(self, records: NDArray[Any]) -> None:
        """Append records of ROW."""
        self._rows += records.tobytes()

    def __len__(self) -> int:
        return len(self._rows) // ROW.itemsize

    @property
    def records(self) -> NDArray[Any]:
        """[rows] all columns as records of ROW, a copy."""
        return np.frombuffer(bytearray(self._rows), dtype=ROW)

    def _column(self, name: str) -> NDArray[Any]:
        if self._columns[0] != len(self._rows):
            rows = self.records
            self._columns = (len(self._rows), {name: np.ascontiguousarray(rows[name]) for name in ROW.names or ()})
        return self._columns[1][name]

    @property
    def time(self) -> NDArray[np.float64]:
        """[rows] minutes from the start."""
        return self._column("time")

    @property
    def event(self) -> NDArray[np.int8]:
        """[rows] index into EVENTS."""
        return self._column("event")

    @property
    def entity(self) -> NDArray[np.int16]:
        """[rows] index into entities."""
        return self._column("entity")

    @property
    def part(self) -> NDArray[np.int64]:
        """[rows] part by the order of entering, -1 where no part is concerned."""
        return self._column("part")

    @property
    def condition(self) -> NDArray[np.int16]:
        """[rows] class of the part at that moment, -1 where it is not told."""
        return self._column("condition")

    @property
    def value(self) -> NDArray[np.float64]:
        """[rows] what the event says beyond that, NaN where nothing."""
        return self._column("value")

    def noted(self, first: int = 0) -> list[Row]:
        """The rows from number `first` on as they were noted, parts by their numbers outside."""
        rows: list[Row] = list(struct.iter_unpack(PACKING, self._rows[first * ROW.itemsize :]))
        if self.next_number == 0:
            return rows
        number = [*self.part_numbers().tolist(), NO_PART]
        return [(time, event, entity, number[part], *rest) for time, event, entity, part, *rest in rows]

    def order(self) -> NDArray[np.intp]:
        """[rows] row numbers sorted by time; rows of one minute stay as they came."""
        return np.argsort(self.time, kind="stable")

    def part_numbers(self) -> NDArray[np.int64]:
        """[parts] the number each part has outside."""
        later = int(self.part.max(initial=NO_PART)) + 1 - len(self.numbers)
        known = np.array(self.numbers, dtype=np.int64)
        return np.concatenate([known, self.next_number + np.arange(max(later, 0))])

    def until(self, minute: float) -> "EventLog":
        """What was known at `minute`: the rows before it, and `minute` as the horizon."""
        before = self.time < minute
        columns = {name: self._column(name)[before] for name in ROW.names or ()}
        return EventLog.of(
            self.entities, self.classes, minute, columns, numbers=self.numbers, next_number=self.next_number
        )

    def check_line(self, line: Line) -> None:
        """Raises InputError unless the log is of the machines of `line`, in their order."""
        if self.entities != (expected := entities(line)):
            raise InputError(
                f"events: the log is of {', '.join(self.entities[1:])}, {line.name} has {', '.join(expected[1:])}: "
                "load it with its line (EventLog.load(path, line=line))"
            )

    def replay(self, line: Line, *, at: float | None = None) -> "LineState":
        """The state of the line at minute `at`, from these rows alone; see events.mirror.replay."""
        from twinloop.simulation.events.mirror import replay

        return replay(self, line, at=at)

    def utilisation(self, line: Line, *, start: float = 0.0) -> pl.DataFrame:
        """How busy operators and vehicles were from minute `start` on; see events.resources.utilisation_frame."""
        from twinloop.simulation.events.resources import utilisation_frame

        return utilisation_frame(self, line, start=start)

    def stocks(self, line: Line, *, start: float = 0.0) -> pl.DataFrame:
        """What was delivered, used and out of stock from minute `start` on; see events.resources.stocks_frame."""
        from twinloop.simulation.events.resources import stocks_frame

        return stocks_frame(self, line, start=start)

    def orders(self, line: Line) -> pl.DataFrame:
        """How every order of the line's source went; see events.orders.orders_frame."""
        from twinloop.simulation.events.orders import orders_frame

        return orders_frame(self, line.source)

    def time_in_states(self, start: float = 0.0) -> NDArray[np.float64]:
        """[entities, STATES] minutes between `start` and the horizon; each machine's row sums to horizon - start."""
        rows = np.flatnonzero(self.event >= STARVED)
        rows = rows[np.lexsort((rows, self.time[rows], self.entity[rows]))]
        time, entity = self.time[rows], self.entity[rows].astype(np.int64)
        last = np.append(entity[1:] != entity[:-1], True) if len(rows) else np.empty(0, dtype=bool)
        until = np.where(last, self.horizon, np.append(time[1:], self.horizon)[: len(time)])
        minutes = np.maximum(np.minimum(until, self.horizon) - np.maximum(time, start), 0.0)
        cells = entity * len(STATES) + (self.event[rows] - STARVED)
        size = len(self.entities) * len(STATES)
        totals = np.bincount(cells, weights=minutes, minlength=size).astype(np.float64)
        return totals.reshape(len(self.entities), len(STATES))

    def frame(self) -> pl.DataFrame:
        """Rows sorted by time: time_min, event, entity, part, condition, value; null where there is none."""
        order = self.order()
        part, value = self.part[order], pl.Series(self.value[order])
        outside = np.append(self.part_numbers(), NO_PART)[part] if self.next_number else part
        return pl.DataFrame(
            {
                "time_min": self.time[order],
                "event": _named(self.event[order], EVENTS),
                "entity": _named(self.entity[order], self.entities),
                "part": pl.Series(outside).set(pl.Series(part == NO_PART), None),
                "condition": _named(self.condition[order], self.classes),
                "value": value.fill_nan(None),
            }
        )

    def save(self, path: str | Path) -> None:
        """Write `frame` as Parquet that `load` gives back."""
        about = {"entities": self.entities, "classes": self.classes, "horizon": self.horizon}
        with atomic(path) as temporary:
            self.frame().write_parquet(
                temporary, metadata={KIND: str(VERSION), f"{KIND}.log": json.dumps(about, ensure_ascii=False)}
            )

    @classmethod
    def load(cls, path: str | Path, *, line: Line | None = None, horizon: float | None = None) -> "EventLog":
        """Read what `save` wrote, or a real plant's log in the same schema (contracts/event.py), Parquet or CSV.

        A plant's log needs its `line` wherever machines are told apart (KPIs, states); its horizon is its last row
        unless given. Raises InputError for another kind, version or schema, and for rows that cannot be true.
        """
        from twinloop.simulation.events.reading import read_log

        return read_log(path, line=line, horizon=horizon)


def _recorder(rows: bytearray) -> Callable[..., None]:
    pack = struct.Struct(PACKING).pack

    def record(
        time: float, event: int, entity: int, part: int = NO_PART, condition: int = UNKNOWN, value: float = NOTHING
    ) -> None:
        nonlocal rows
        rows += pack(time, event, entity, part, condition, value)

    return record


def _nothing(
    time: float, event: int, entity: int, part: int = NO_PART, condition: int = UNKNOWN, value: float = NOTHING
) -> None:
    """A silent log's record."""


def _named(indices: NDArray[np.signedinteger[Any]], names: Sequence[str]) -> pl.Series:
    table = pl.Series([*names, None], dtype=pl.String)
    return table.gather(np.where(indices < 0, len(names), indices))
