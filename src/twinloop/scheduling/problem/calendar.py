"""When work of some length can begin and is done: the one answer for plans, executions and repairs.

Hours that repeat are worked out only as far as somebody asks.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from twinloop.scheduling.problem.data import ShopData
from twinloop.scheduling.problem.hours import NEVER, Hours, joined, machine_hours
from twinloop.scheduling.problem.jobs import Operation
from twinloop.scheduling.problem.resources import Changeover, Window
from twinloop.scheduling.problem.windows import Windows, opening, work_by, worked_until

__all__ = ["ALWAYS", "NEVER", "Closures", "OpenTime", "joined"]

# Repeating hours are kept as one list up to so many times their longest period, and by pieces of this length behind.
KEPT, PIECE = 1024, 4
# What has not opened for so many periods, behind all that happens only once, never does: a year of weeks.
PATIENCE = 54


class OpenTime:
    """The time that several hours leave open together; needed: units of each.

    Questions are answered by halving, in time that grows with the logarithm of the number of windows; windows are
    listed only up to the time asked for, and far behind only around it.
    """

    def __init__(self, hours: Iterable[tuple[Hours, int]]) -> None:
        self._hours = [(one, units) for one, units in hours if not one.always or units > one.capacity]
        self.period = max((one.period for one, _ in self._hours), default=0)
        self.settled = max((one.settled for one, _ in self._hours), default=0)
        self.gone = min((one.gone for one, _ in self._hours), default=NEVER)
        # Time after which all of them repeat exactly, for ever or between two changes of clocks; 0 where none does.
        exact = self.period and all(one.calendar is None or one.calendar.exact for one, _ in self._hours)
        self._round = math.lcm(*(one.period for one, _ in self._hours if one.period)) if exact else 0
        self._known = 0
        self._windows = Windows()
        self._lost: list[int] = [0]
        self._pieces: dict[int, list[Window]] = {}
        self._closed_in: list[int] = []
        if not self.period:
            self._learn(0)

    @property
    def always(self) -> bool:
        """Whether it is never closed."""
        return not self._hours

    def windows(self, until: int) -> Windows:
        """Closed windows: all that begin before `until`, and maybe some behind."""
        self._learn(until)
        return self._windows

    def first(self, time: float, duration: float, *, least: float | None = None) -> float:
        """Earliest start from `time` on of work that runs at least `least` before a pause (None: cannot pause).

        NEVER where no opening is long enough.
        """
        need = duration if least is None else min(least, duration)
        if not self.period:
            return min(opening(self._windows, time, need), NEVER)
        patience, until = max(time, self.settled) + PATIENCE * self.period + need, time + need
        while True:
            until = min(until + self.period, NEVER)
            start = opening(self._around(int(time), int(until) + 1), time, need)
            if start + need <= until:
                return start
            if until >= min(patience, NEVER):
                return NEVER

    def done(self, start: float, duration: float, *, least: float | None = None) -> float:
        """End of work that begins at `start`, in open time; NEVER where it finds no end."""
        need = duration if least is None else min(least, duration)
        until, left, since = start + duration, duration, max(start, self.settled)
        while True:
            windows = self._around(int(start), int(until) + 1)
            end = worked_until(windows, start, duration, need)
            if end <= until or end >= NEVER:
                return min(end, NEVER)
            # What does not get on for so long meets openings that are all too short for it.
            if (rest := max(0, end - windows.ends[-1])) < left:
                left, since = rest, until
            elif self.period and until > since + PATIENCE * self.period:
                return NEVER
            until = min(end + max(self.period, 1), NEVER)

    def closes(self, time: float) -> float:
        """When it closes next, at `time` or behind; NEVER where it does not."""
        patience, until = max(time, self.settled) + PATIENCE * self.period, time
        while True:
            until = min(until + max(self.period, 1), NEVER)
            windows = self._around(int(time), int(until) + 1)
            place = bisect_left(windows.starts, time)
            if place < len(windows) or until >= min(patience, NEVER):
                return windows.starts[place] if place < len(windows) else NEVER

    def worked(self, start: float, until: float, duration: float, *, least: float = 0) -> float:
        """How much of work that begins at `start` is done by `until`."""
        return min(duration, work_by(self._around(int(start), int(until) + 1), start, until, least))

    def between(self, start: int, end: int) -> int:
        """Open time during [start, end)."""
        return end - start - self._closed_before(end) + self._closed_before(start)

    def longest(self) -> int:
        """The longest opening between two closed windows, or between 0 and the first; NEVER where none is behind."""
        if not self._hours:
            return NEVER
        windows = self.windows(min(NEVER, self.settled + PATIENCE * self.period + 1))
        if not windows:
            return NEVER
        rooms = [start - end for start, end in zip(windows.starts, [0, *windows.ends], strict=False)]
        return max([*rooms, 0 if self.period or windows.ends[-1] >= NEVER else NEVER])

    def _closed_before(self, time: int) -> int:
        limit = KEPT * self.period if self.period else NEVER
        if time <= max(limit, self._known):
            self._learn(time)
            known = self._windows
            place = bisect_right(known.starts, time)
            if not place:
                return 0
            if place >= (counted := len(self._lost)):
                fresh = zip(known.starts[counted - 1 :], known.ends[counted - 1 :], strict=True)
                self._lost += accumulate((end - start for start, end in fresh), initial=self._lost.pop())
            return self._lost[place] - max(0, known.ends[place - 1] - time)
        if self._round and self.settled + self._round < limit and self._alike_until(self.settled) == NEVER:
            # Every round behind all that happens only once is like the others.
            rounds, rest = divmod(time - self.settled, self._round)
            before = self._closed_before(self.settled)
            each = self._closed_before(self.settled + self._round) - before
            return rounds * each + self._closed_before(self.settled + rest)
        length = PIECE * self.period
        piece, rest = divmod(time, length)
        while len(self._closed_in) <= piece:
            k = len(self._closed_in)
            before = self._closed_in[-1] if k else 0
            self._closed_in.append(before + _total(self._piece(k - 1)) if k else 0)
        return self._closed_in[piece] + sum(
            max(0, min(window.end, time) - window.start) for window in self._piece(piece) if rest
        )

    def _around(self, time: int, until: int) -> Windows:
        """Closed windows from before `time` to behind `until`."""
        if not self.period or until <= max(self._known, KEPT * self.period):
            self._learn(until)
            return self._windows
        length = PIECE * self.period
        pieces = range(max(0, time // length - 1), until // length + 2)
        return Windows.of(joined(window for k in pieces for window in self._piece(k)))

    def _piece(self, k: int) -> list[Window]:
        if k not in self._pieces:
            if len(self._pieces) > KEPT:
                self._pieces.clear()
            length = PIECE * self.period
            self._pieces[k] = self._closed(k * length, (k + 1) * length)
        return self._pieces[k]

    def _closed(self, start: int, end: int) -> list[Window]:
        return list(joined(window for one, units in self._hours for window in one.closed_for(units, start, end)))

    def _learn(self, until: int) -> None:
        """List all windows that begin before `until`, with their ends; what is known ends outside a window."""
        wanted = max(until + 1, 2 * self._known, PIECE * self.period) if self.period else NEVER
        # Where rounds are alike, one is listed, and the others are its copies.
        step = self._round or NEVER
        more = min(wanted, self._known + step)
        while self._known <= until and self._known < NEVER:
            if self._copied(wanted):
                more = min(wanted, self._known + step)
                continue
            more = min(more, NEVER)
            fresh = self._closed(self._known, min(more, max(self.gone, self._known + 1)))
            if more >= self.gone:
                start = fresh.pop().start if fresh and fresh[-1].end >= self.gone else max(self.gone, self._known)
                fresh += [Window(start, NEVER)] if self.gone < NEVER else []
                self._known = NEVER
            elif not fresh or fresh[-1].end < more:
                self._known = more
                more += step
            else:
                last = fresh.pop()
                if last.start == self._known and more - max(last.start, self.settled) > PATIENCE * self.period:
                    self.gone = last.start
                self._known = last.start
                more += PIECE * self.period
            for window in fresh:
                self._windows.add(window)

    def _copied(self, until: int) -> bool:
        """List windows up to less than a round before `until` as copies of one round; False where there are none."""
        begin, length = self._known, self._round
        if not length or begin < self.settled or self.gone < NEVER:
            return False
        rounds = (min(until, self._alike_until(begin)) - begin) // length
        if rounds < 2:
            return False
        one = Windows.of(self._closed(begin, begin + length))
        if one.ends and one.ends[-1] >= begin + length:
            return False
        self._known += rounds * length
        self._windows.copy(one, range(0, rounds * length, length))
        return True

    def _alike_until(self, time: int) -> int:
        """Until when all rounds from `time` on are alike, as far as that is due to clocks."""
        return min((one.calendar.alike_until(time) for one, _ in self._hours if one.calendar), default=NEVER)


ALWAYS = OpenTime(())


class Closures:
    """The open times of one shop, each made once: few machines, pools and hours serve many operations."""

    def __init__(self, shop: ShopData) -> None:
        self._machines = {machine: machine_hours(shop, machine) for machine in shop.machines}
        same: dict[Hours, str] = {}
        # By machine, the first one with the same hours: what is known of its windows serves all of them.
        self._like = {machine: same.setdefault(hours, machine) for machine, hours in self._machines.items()}
        self._pools = {pool.name: Hours.of_pool(pool) for pool in shop.pools}
        self._changeovers = shop.changeovers
        self._made: dict[tuple[str, tuple[tuple[str, int], ...]], OpenTime] = {}

    def of(self, operation: Operation, machine: str) -> OpenTime:
        """When `operation` can run on `machine`: while this is open and its people and tools are there.

        A milestone happens at any hour.
        """
        if operation.milestone:
            return ALWAYS
        return self.on(machine, {name: units for name, units in operation.pools.items() if name in self._pools})

    def on(self, machine: str, pools: Mapping[str, int] | None = None) -> OpenTime:
        """When a machine is open and so many units of pools are there."""
        return self._of([(self._machines[machine], 1)], self._like[machine], pools or {})

    def of_set_up(self, machine: str) -> OpenTime:
        """When a machine can be set up: while it is open, unless that goes on unattended, and the crew is there."""
        how = self._changeovers.get(machine, Changeover())
        crew = {} if how.crew is None else {how.crew: 1}
        return self._of([], "", crew) if how.unattended else self.on(machine, crew)

    def _of(self, hours: list[tuple[Hours, int]], name: str, pools: Mapping[str, int]) -> OpenTime:
        needed = [(pool, units) for pool, units in sorted(pools.items()) if not self._pools[pool].always]
        key = (name, tuple(needed))
        if key not in self._made:
            self._made[key] = OpenTime([*hours, *((self._pools[pool], units) for pool, units in needed)])
        return self._made[key]


def _total(windows: Sequence[Window]) -> int:
    return sum(window.end - window.start for window in windows)
