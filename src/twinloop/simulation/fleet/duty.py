"""How long vehicles drive on which day: a week, seasons and day-to-day spread, per kind of vehicle.

A driving day is one stretch of minutes from a fixed minute on. Work and calendar meet here alone: `Duties` says how
much work was planned until a minute of the calendar, and when an amount of work would be done.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from twinloop.config import settings
from twinloop.errors import InputError

Floats = NDArray[np.float64]
MINUTES_PER_DAY = 1440.0
Minutes = Annotated[float, Field(ge=0, le=MINUTES_PER_DAY)]
Factor = Annotated[float, Field(ge=0, le=3)]


@settings
class Duty:
    """Minutes of driving by day.

    week: on Monday to Sunday. season: factor of each month from January on. cv: day-to-day spread, standard deviation
    over mean (lognormal). begins_min: minute of the day at which driving begins. load: mean engine load, a share.
    """

    week: Annotated[tuple[Minutes, ...], Field(min_length=7, max_length=7)] = (250.0,) * 5 + (0.0, 0.0)
    season: Annotated[tuple[Factor, ...], Field(min_length=12, max_length=12)] = (1.0,) * 12
    cv: Annotated[float, Field(ge=0, le=2)] = 0.0
    begins_min: Annotated[float, Field(ge=0, lt=MINUTES_PER_DAY)] = 0.0
    load: Annotated[float, Field(gt=0, le=1)] = 0.5

    def __post_init__(self) -> None:
        if not any(self.week) or not any(self.season):
            raise ValueError("expected minutes of driving on some day of the week in some month: all are 0")
        latest = MINUTES_PER_DAY - self.begins_min
        if max(self.week) * max(self.season) > latest:
            raise ValueError(
                f"expected the driving of a day to end within it: {max(self.week) * max(self.season):g} minutes from "
                f"minute {self.begins_min:g} on do not: begin earlier or drive less"
            )

    def usual(self, dates: "Dates") -> Floats:
        """[days] minutes of driving without the day-to-day spread."""
        usual: Floats = np.array(self.week)[dates.weekday] * np.array(self.season)[dates.month]
        return usual

    def minutes(self, dates: "Dates", rng: np.random.Generator) -> Floats:
        """[days] minutes of driving; what the spread adds never goes beyond the end of the day."""
        planned = self.usual(dates)
        if self.cv:
            variance = np.log1p(self.cv**2)
            planned = planned * np.exp(np.sqrt(variance) * rng.standard_normal(len(planned)) - variance / 2)
        minutes: Floats = np.minimum(planned, MINUTES_PER_DAY - self.begins_min)
        return minutes


@dataclass(frozen=True, eq=False)
class Dates:
    """Weekday (Monday is 0) and month (January is 0) of every day, [days] each."""

    weekday: NDArray[np.int64]
    month: NDArray[np.int64]

    @classmethod
    def of(cls, days: int, *, start: str | None = None, first: int = 0) -> "Dates":
        """From day number `first` on; day 0 is that of `start`, without one a Monday in January."""
        begin = datetime.fromisoformat(start) if start else datetime(2029, 1, 1)
        dates = [begin + timedelta(days=first + day) for day in range(days)]
        weekday, month = [date.weekday() for date in dates], [date.month - 1 for date in dates]
        return cls(np.array(weekday, np.int64), np.array(month, np.int64))


def check_start(start: str | None) -> None:
    """Raise ValueError unless `start` is midnight of a day, ISO 8601 with its zone, or none."""
    if start is None:
        return
    try:
        moment = datetime.fromisoformat(start)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or (moment.hour, moment.minute, moment.second) != (0, 0, 0):
        raise ValueError(f"start = {start!r}: expected midnight with its zone, as 2026-03-01T00:00:00+01:00")


@dataclass(frozen=True, eq=False)
class Duties:
    """The planned driving of a fleet: minutes [vehicles, days], from minute begins [vehicles] of each day on."""

    minutes: Floats
    begins: Floats

    def __post_init__(self) -> None:
        if not np.isfinite(self.minutes).all() or (self.minutes < 0).any():
            raise InputError("duty: expected finite minutes of driving ≥ 0 on every day")

    @property
    def days(self) -> int:
        """Number of days planned."""
        return int(self.minutes.shape[1])

    @cached_property
    def until(self) -> Floats:
        """[vehicles, days + 1] minutes of work planned before each midnight."""
        return np.pad(self.minutes.cumsum(axis=1), ((0, 0), (1, 0)))

    @cached_property
    def _rows(self) -> list[list[float]]:
        # Single values are asked for by the event: lists answer ten times as fast as arrays.
        rows: list[list[float]] = self.until.tolist()
        return rows

    @cached_property
    def _begins(self) -> list[float]:
        begins: list[float] = self.begins.tolist()
        return begins

    def work(self, vehicle: int, time: float) -> float:
        """Minutes of work planned until minute `time` of the calendar."""
        row = self._rows[vehicle]
        if time >= (len(row) - 1) * MINUTES_PER_DAY:
            return row[-1]
        day = int(time // MINUTES_PER_DAY)
        driven = time - day * MINUTES_PER_DAY - self._begins[vehicle]
        return row[day] + min(max(driven, 0.0), row[day + 1] - row[day])

    def when(self, vehicle: int, work: float) -> float:
        """The minute of the calendar at which so much of the planned work is done; infinite beyond the last day."""
        row = self._rows[vehicle]
        if work > row[-1]:
            return float("inf")
        day = max(bisect_left(row, work) - 1, 0)
        return day * MINUTES_PER_DAY + self._begins[vehicle] + (work - row[day])
