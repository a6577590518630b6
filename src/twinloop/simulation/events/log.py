"""The event log of one replication, kept in columns.

Every change of a machine's state and every step of a part is one row; all KPIs are computed from these
rows alone. Rows are appended in the order in which they are known: a breakdown of an idle machine is
noted when its wait ends, so readers sort by time.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.files import atomic

EVENTS = (
    "enter",
    "ship",
    "scrap",
    "accept",
    "re-inspect",
    "reject",
    "queue",
    "join",
    "deliver",
    "starved",
    "running",
    "setup",
    "blocked",
    "down",
    "idle",
    "warning",
    "maintenance",
)
ENTER, SHIP, SCRAP, ACCEPT, REINSPECT, REJECT, QUEUE, JOIN, DELIVER = range(9)
STARVED, RUNNING, SETUP, BLOCKED, DOWN, IDLE, WARNING, MAINTENANCE = range(9, len(EVENTS))
STATES = EVENTS[STARVED:]
SOURCE = 0
NO_PART = -1
NOTHING = float("nan")
UNKNOWN = -1


@dataclass(eq=False)
class EventLog:
    """Columns of equal length; entity 0 is the source, condition is the part's class index (-1 where it says nothing).

    value: the variant of a part that enters, the health of a machine in a warning, the quantity delivered; else NaN.
    queue: a part waits before the station of `entity` (its first machine). join: a part is built into another.

    entities: names by entity number. classes: names by condition. horizon: end of the simulation in minutes.
    """

    entities: tuple[str, ...]
    classes: tuple[str, ...]
    horizon: float
    _time: "array[float]" = field(default_factory=lambda: array("d"))
    _event: "array[int]" = field(default_factory=lambda: array("b"))
    _entity: "array[int]" = field(default_factory=lambda: array("h"))
    _part: "array[int]" = field(default_factory=lambda: array("q"))
    _condition: "array[int]" = field(default_factory=lambda: array("h"))
    _value: "array[float]" = field(default_factory=lambda: array("d"))

    def record(
        self,
        time: float,
        event: int,
        entity: int,
        part: int = NO_PART,
        condition: int = UNKNOWN,
        value: float = NOTHING,
    ) -> None:
        """Append one row; `time` in minutes."""
        self._time.append(time)
        self._event.append(event)
        self._entity.append(entity)
        self._part.append(part)
        self._condition.append(condition)
        self._value.append(value)

    def __len__(self) -> int:
        return len(self._time)

    @property
    def time(self) -> NDArray[np.float64]:
        """[rows] minutes from the start."""
        return np.frombuffer(self._time, dtype=np.float64)

    @property
    def event(self) -> NDArray[np.int8]:
        """[rows] index into EVENTS."""
        return np.frombuffer(self._event, dtype=np.int8)

    @property
    def entity(self) -> NDArray[np.int16]:
        """[rows] index into entities."""
        return np.frombuffer(self._entity, dtype=np.int16)

    @property
    def part(self) -> NDArray[np.int64]:
        """[rows] part number, -1 where no part is concerned."""
        return np.frombuffer(self._part, dtype=np.int64)

    @property
    def condition(self) -> NDArray[np.int16]:
        """[rows] class of the part at that moment, -1 where it is not told."""
        return np.frombuffer(self._condition, dtype=np.int16)

    @property
    def value(self) -> NDArray[np.float64]:
        """[rows] what the event says beyond that, NaN where nothing."""
        return np.frombuffer(self._value, dtype=np.float64)

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
        order = np.lexsort((np.arange(len(self)), self.time))
        part, value = pl.Series(self.part[order]), pl.Series(self.value[order])
        return pl.DataFrame(
            {
                "time_min": self.time[order],
                "event": _named(self.event[order], EVENTS),
                "entity": _named(self.entity[order], self.entities),
                "part": part.set(part == NO_PART, None),
                "condition": _named(self.condition[order], self.classes),
                "value": value.fill_nan(None),
            }
        )

    def save(self, path: str | Path) -> None:
        """Write `frame` as Parquet."""
        with atomic(path) as temporary:
            self.frame().write_parquet(temporary)


def _named(indices: NDArray[np.signedinteger[Any]], names: Sequence[str]) -> pl.Series:
    table = pl.Series([*names, None], dtype=pl.String)
    return table.gather(np.where(indices < 0, len(names), indices))
