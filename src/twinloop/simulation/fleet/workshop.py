"""A workshop: bays, technicians by skill, opening hours and spare parts; vehicles are served as they come.

A vehicle takes a bay when its parts are there and keeps it until its last repair is done; for each repair in turn a
technician of the skill is taken. Both are given in the order in which vehicles are ready, so that when each is free
next is all that need be known (Kiefer and Wolfowitz, 1955), counted on the clock of opening minutes.
"""

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field

from twinloop.config import settings
from twinloop.simulation.fleet.duty import MINUTES_PER_DAY, Dates
from twinloop.simulation.model.names import Name

Weekday = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
WEEK: tuple[Weekday, ...] = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
Count = Annotated[int, Field(ge=1, le=10_000)]


@settings
class Shift:
    """Opening hours on some weekdays, from minute `begins_min` to minute `ends_min` of the day."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = WEEK[:5]
    begins_min: Annotated[float, Field(ge=0, lt=MINUTES_PER_DAY)] = 420.0
    ends_min: Annotated[float, Field(gt=0, le=MINUTES_PER_DAY)] = 1140.0

    def __post_init__(self) -> None:
        if self.ends_min <= self.begins_min:
            raise ValueError(f"expected begins_min < ends_min, got {self.begins_min:g} and {self.ends_min:g}")


@settings
class Workshop:
    """bays: vehicles that can be served at once. technicians: skill → how many. shifts: opening hours, overlaps count
    once. closed: numbers of days, from 0, on which it stays closed."""

    bays: Count = 2
    technicians: Annotated[dict[Name, Count], Field(min_length=1)]
    shifts: Annotated[tuple[Shift, ...], Field(min_length=1)] = (Shift(),)
    closed: tuple[Annotated[int, Field(ge=0)], ...] = ()


class Opening:
    """The opening hours of some days as a clock: opening minutes that have passed at a minute of the calendar."""

    def __init__(self, workshop: Workshop, dates: Dates, *, first: int = 0) -> None:
        spans: list[tuple[float, float]] = []
        closed = {day - first for day in workshop.closed}
        for day, weekday in enumerate(dates.weekday.tolist()):
            if day in closed:
                continue
            hours = sorted((s.begins_min, s.ends_min) for s in workshop.shifts if WEEK[weekday] in s.days)
            for begin, end in hours:
                begin, end = begin + day * MINUTES_PER_DAY, end + day * MINUTES_PER_DAY
                if spans and begin <= spans[-1][1]:
                    spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
                else:
                    spans.append((begin, end))
        self.begins = [begin for begin, _ in spans]
        self.ends = [end for _, end in spans]
        lengths = np.cumsum([end - begin for begin, end in spans])
        self._before: list[float] = [0.0, *lengths.tolist()]

    def passed(self, time: float) -> float:
        """Opening minutes until a minute of the calendar."""
        place = bisect_right(self.begins, time) - 1
        if place < 0:
            return 0.0
        return self._before[place] + min(time, self.ends[place]) - self.begins[place]

    def begin(self, passed: float) -> float:
        """The calendar minute at which work begins that can begin after so many opening minutes; infinite beyond."""
        place = bisect_right(self._before, passed) - 1
        return self._moment(place, passed)

    def end(self, passed: float) -> float:
        """The calendar minute at which work ends that needs so many opening minutes; infinite beyond the last."""
        place = max(bisect_left(self._before, passed) - 1, 0)
        return self._moment(place, passed)

    def _moment(self, place: int, passed: float) -> float:
        if place >= len(self.begins):
            return float("inf")
        return self.begins[place] + passed - self._before[place]

    def opens(self, time: float) -> float:
        """The first minute of the calendar from `time` on at which it is open; infinite where there is none."""
        place = bisect_right(self.begins, time) - 1
        if place >= 0 and time < self.ends[place]:
            return time
        return self.begins[place + 1] if place + 1 < len(self.begins) else float("inf")


class Job(NamedTuple):
    """One repair: which skill it needs, and minutes of work."""

    skill: str
    minutes: float


class Slot(NamedTuple):
    """When and where a vehicle is served, in minutes of the calendar; busy_min: opening minutes in its bay."""

    start: float
    done: float
    bay: int
    busy_min: float


class Floor:
    """The workshop during one run: whom the vehicles that are ready, told in the order of time, get when."""

    def __init__(self, workshop: Workshop, opening: Opening) -> None:
        self.opening = opening
        self._bays = [(0.0, bay) for bay in range(workshop.bays)]
        self._technicians = {skill: [0.0] * count for skill, count in workshop.technicians.items()}

    def serve(self, ready: float, jobs: Sequence[Job]) -> Slot:
        """Bay and technicians for a vehicle that is ready at this minute of the calendar."""
        free, bay = heapq.heappop(self._bays)
        begin = now = max(free, self.opening.passed(ready))
        for skill, minutes in jobs:
            technicians = self._technicians[skill]
            now = max(now, technicians[0]) + minutes
            heapq.heapreplace(technicians, now)
        heapq.heappush(self._bays, (now, bay))
        return Slot(max(self.opening.begin(begin), ready), self.opening.end(now), bay, now - begin)


@dataclass(frozen=True)
class Stock:
    """Spare parts of one component: how many lie there, and minutes from an order to its arrival."""

    count: int
    lead_min: float


class Store:
    """Spare parts by component: whoever takes one orders the next (base stock); without stock, one is ordered."""

    def __init__(self, stocks: Mapping[int, Stock]) -> None:
        self._lead = {component: stock.lead_min for component, stock in stocks.items()}
        self._arrivals = {component: [0.0] * stock.count for component, stock in stocks.items()}

    def take(self, component: int, time: float) -> float:
        """The minute of the calendar at which the part asked for at `time` is there."""
        arrival = time + self._lead[component]
        arrivals = self._arrivals[component]
        return max(heapq.heapreplace(arrivals, arrival), time) if arrivals else arrival
