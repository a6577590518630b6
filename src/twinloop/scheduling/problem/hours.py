"""When one machine or pool is there: its weekly calendar or closed windows, what comes on top, and what comes behind.

The rule for a list of closed windows: one is a single closure; several are a calendar, which repeats where `repeat`
says so and otherwise ends with its last window. Behind the end it is closed, never silently open.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from twinloop.scheduling.problem.data import ShopData
from twinloop.scheduling.problem.resources import Pool, Window
from twinloop.scheduling.problem.weekly import NEVER, Calendar

__all__ = ["NEVER", "Hours", "joined", "machine_hours"]


class Hours(NamedTuple):
    """Open by `calendar`, or else but for `closed`; then open during `overtime`; then closed during `stops`.

    repeat: period of the closed windows, which then lie within the first one. capacity: units while it is open.
    """

    calendar: Calendar | None = None
    closed: tuple[Window, ...] = ()
    repeat: int | None = None
    overtime: tuple[Window, ...] = ()
    stops: tuple[Window, ...] = ()
    capacity: int = 1

    @classmethod
    def of_pool(cls, pool: Pool) -> "Hours":
        """Those of a pool."""
        return cls(pool.calendar, pool.closed, pool.repeat, pool.overtime, pool.stops, pool.capacity)

    @property
    def always(self) -> bool:
        """Whether nothing is ever closed."""
        return self.calendar is None and not self.closed and not self.stops

    @property
    def period(self) -> int:
        """Time after which the hours repeat; 0 where they do not."""
        if self.calendar is not None:
            return self.calendar.period
        return self.repeat or 0

    @property
    def ends(self) -> int | None:
        """When a list of closed windows ends without a word on what comes behind; None for all other hours.

        One window alone is such a list where it never ends.
        """
        if self.calendar is not None or self.repeat is not None or not self.closed:
            return None
        last = max(window.end for window in self.closed)
        return last if last >= NEVER or len(joined(self.closed)) > 1 else None

    @property
    def settled(self) -> int:
        """A time behind which nothing happens only once."""
        once = [*self.overtime, *self.stops, *(() if self.repeat else self.closed)]
        last = max((window.end for window in once if window.end < NEVER), default=0)
        last = max([last, *(window.start for window in once if window.end >= NEVER)])
        return max(last, self.calendar.last_exception) if self.calendar is not None else last

    @property
    def gone(self) -> int:
        """When it closes for good; NEVER for what never does."""
        for_good = [window.start for window in joined(self.stops) if window.end >= NEVER]
        ends = self.ends
        if ends is not None:
            for_good.append(max([joined(self.closed)[-1].start, *(window.end for window in self.overtime)]))
        return min(for_good, default=NEVER)

    def steps(self, start: int, end: int) -> list[tuple[int, int]]:
        """(time, units there from then on) during [start, end), in order, the first at `start`."""
        changes = [(start, 0, 0)]
        for kind, windows in enumerate((self._shut(start, end), self.overtime, self.stops)):
            for window in windows:
                if window.start < end and window.end > start:
                    changes += [(max(start, window.start), kind, 1), (window.end, kind, -1)]
        if self.calendar is not None:
            for opening in self.calendar.openings(start, end):
                units = self.capacity if opening.capacity is None else opening.capacity
                changes += [(max(start, opening.start), 3, units), (opening.end, 3, -units)]
        shut, opened, stopped, units = counts = [0, 0, 0, 0 if self.calendar is not None else self.capacity]
        steps: list[tuple[int, int]] = []
        for time, kind, change in sorted(changes):
            if time >= end:
                break
            counts[kind] += change
            shut, opened, stopped, units = counts
            level = 0 if stopped or (shut and not opened) else self.capacity if opened else min(units, self.capacity)
            if steps and steps[-1][0] == time:
                steps.pop()
            if not steps or steps[-1][1] != level:
                steps.append((time, level))
        return steps

    def closed_for(self, units: int, start: int, end: int) -> Iterator[Window]:
        """Windows within [start, end) in which fewer than so many units are there."""
        if self.calendar is None and not self.overtime and not self.stops and units <= self.capacity:
            # The common case: nothing lies on top, and over a long horizon there are very many windows.
            for window in self._shut(start, end):
                if window.start < end and window.end > start:
                    inside = start <= window.start and window.end <= end
                    yield window if inside else Window(max(start, window.start), min(end, window.end))
            return
        steps = self.steps(start, end)
        for (time, level), until in zip(steps, [*(time for time, _ in steps[1:]), end], strict=True):
            if level < units:
                yield Window(time, until)

    def _shut(self, start: int, end: int) -> Iterator[Window]:
        if self.repeat is None or self.calendar is not None:
            yield from self.closed
            if (ends := self.ends) is not None:
                yield Window(ends, NEVER)
            return
        spans = [(window.start, window.end) for window in joined(self.closed)]
        for shift in range(start // self.repeat * self.repeat, end, self.repeat):
            for first, last in spans:
                yield Window(first + shift, last + shift)


def joined(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same closed times as windows that neither overlap nor touch, in order."""
    merged: list[Window] = []
    for window in sorted(windows, key=_start):
        if merged and window.start <= merged[-1].end:
            merged[-1] = Window(merged[-1].start, max(merged[-1].end, window.end))
        else:
            merged.append(window)
    return tuple(merged)


def _start(window: Window) -> int:
    return window.start


def machine_hours(shop: ShopData, machine: str) -> Hours:
    """Those of a machine."""
    return Hours(
        shop.calendars.get(machine),
        tuple(shop.closed.get(machine, ())),
        shop.repeat.get(machine),
        tuple(shop.overtime.get(machine, ())),
        tuple(shop.stops.get(machine, ())),
    )
