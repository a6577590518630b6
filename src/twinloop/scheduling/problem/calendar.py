"""When work of some length can begin and is done: the one answer for plans, executions and repairs.

Work that pauses works in every opening it meets that is as long as its least run, or long enough to finish; work that
cannot pause has a least run as long as itself. Its elapsed time depends on its start; between two changes it is
constant, which makes a `Stretch`. Hours that repeat are worked out only as far as somebody asks.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from twinloop.scheduling.problem.data import ShopData
from twinloop.scheduling.problem.hours import NEVER, Hours, joined, machine_hours
from twinloop.scheduling.problem.jobs import Operation
from twinloop.scheduling.problem.resources import Changeover, Window

__all__ = ["ALWAYS", "NEVER", "Closures", "OpenTime", "Stretch", "joined", "opening", "stretches", "worked_until"]

# Repeating hours are kept as one list up to so many times their longest period, and by pieces of this length behind.
KEPT, PIECE = 1024, 4
# What has not opened for so many periods, behind all that happens only once, never does: a year of weeks.
PATIENCE = 54


class Stretch(NamedTuple):
    """Starts from `first` to `last` (both included), each with the same elapsed time, pauses included."""

    first: int
    last: int
    elapsed: int


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
        self._windows: list[Window] = []
        self._lost: list[int] = [0]
        self._pieces: dict[int, list[Window]] = {}
        self._closed_in: list[int] = []
        if not self.period:
            self._learn(0)

    @property
    def always(self) -> bool:
        """Whether it is never closed."""
        return not self._hours

    def windows(self, until: int) -> Sequence[Window]:
        """Closed windows, joined and in order: all that begin before `until`, and maybe some behind."""
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
            if (rest := max(0, end - windows[-1].end)) < left:
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
            place = bisect_left(windows, time, key=lambda window: window.start)
            if place < len(windows) or until >= min(patience, NEVER):
                return windows[place].start if place < len(windows) else NEVER

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
        ends = [0, *(window.end for window in windows)]
        rooms = [window.start - end for window, end in zip(windows, ends, strict=False)]
        return max([*rooms, 0 if self.period or windows[-1].end >= NEVER else NEVER])

    def _closed_before(self, time: int) -> int:
        limit = KEPT * self.period if self.period else NEVER
        if time <= max(limit, self._known):
            self._learn(time)
            place = bisect_right(self._windows, time, key=lambda window: window.start)
            if not place:
                return 0
            return self._lost[place] - max(0, self._windows[place - 1].end - time)
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

    def _around(self, time: int, until: int) -> Sequence[Window]:
        """Closed windows from before `time` to behind `until`."""
        if not self.period or until <= max(self._known, KEPT * self.period):
            self._learn(until)
            return self._windows
        length = PIECE * self.period
        return joined(
            window for k in range(max(0, time // length - 1), until // length + 2) for window in self._piece(k)
        )

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
            self._add(fresh)

    def _copied(self, until: int) -> bool:
        """List windows up to less than a round before `until` as copies of one round; False where there are none."""
        begin, length = self._known, self._round
        if not length or begin < self.settled or self.gone < NEVER:
            return False
        rounds = (min(until, self._alike_until(begin)) - begin) // length
        if rounds < 2:
            return False
        one = self._closed(begin, begin + length)
        if one and one[-1].end >= begin + length:
            return False
        self._known += rounds * length
        shifts = range(0, rounds * length, length)
        self._add([Window(window.start + shift, window.end + shift) for shift in shifts for window in one])
        return True

    def _alike_until(self, time: int) -> int:
        """Until when all rounds from `time` on are alike, as far as that is due to clocks."""
        return min((one.calendar.alike_until(time) for one, _ in self._hours if one.calendar), default=NEVER)

    def _add(self, fresh: list[Window]) -> None:
        self._windows += fresh
        self._lost += accumulate((window.end - window.start for window in fresh), initial=self._lost.pop())


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


def stretches(windows: Sequence[Window], duration: int, *, least: int, opens: int, closes: int) -> tuple[Stretch, ...]:
    """Every start from `opens` on that ends by `closes`, in order; windows must be joined.

    >>> stretches((Window(8, 10),), 6, least=1, opens=0, closes=20)
    (Stretch(first=0, last=2, elapsed=6), Stretch(first=3, last=7, elapsed=8), Stretch(first=10, last=14, elapsed=6))
    """
    open_stretches: list[Stretch] = []
    for behind in range(bisect_right(windows, opens, key=lambda window: window.start), len(windows) + 1):
        start = max(opens, windows[behind - 1].end) if behind else opens
        if start + duration > closes:
            break
        open_stretches += _from_gap(windows, behind, duration, least=least, opens=start, closes=closes)
    return tuple(open_stretches)


def _from_gap(
    windows: Sequence[Window], behind: int, duration: int, *, least: int, opens: int, closes: int
) -> Iterable[Stretch]:
    """Starts between `opens` and the window number `behind` (none: for ever)."""
    if behind == len(windows):
        yield Stretch(opens, closes - duration, duration)
        return
    closing = windows[behind].start
    last = min(closing, closes) - duration
    if opens <= last:
        yield Stretch(opens, last, duration)
    if least >= duration or closing - least < opens:
        return
    # `used` is the work done between the first window met and the last one, `most` what could have been finished.
    used = most = 0
    for k in range(behind, len(windows)):
        room = windows[k + 1].start - windows[k].end if k + 1 < len(windows) else duration
        elapsed = duration + windows[k].end - closing - used
        # More than `most` and at most used + room of the work is left when the last window ends.
        first = max(opens, closing - duration + most + 1)
        last = min(closing - least, closing - duration + used + room, closes - elapsed)
        if first <= last:
            yield Stretch(first, last, elapsed)
        most = max(most, used + room)
        used += room if room >= least else 0
        if most >= duration or windows[k].end > closes:
            return


def opening(windows: Sequence[Window], time: float, least: float) -> float:
    """Earliest time from `time` on at which it stays open for `least`; windows must be joined.

    >>> opening((Window(8, 10),), 5, 4)
    10
    """
    for window in windows[bisect_right(windows, time, key=lambda window: window.end) :]:
        if window.start > time and time + least <= window.start:
            break
        time = max(time, window.end)
    return time


def worked_until(windows: Sequence[Window], start: float, duration: float, least: float = 0) -> float:
    """End of work that starts in open time and pauses in every window it meets; windows must be joined.

    Openings shorter than `least` are not used on the way, but to finish.

    >>> worked_until((Window(8, 10),), 5, 4)
    11
    """
    time, left = start, duration
    for k in range(bisect_left(windows, True, key=lambda window: window.end > start), len(windows)):
        room = windows[k].start - time
        if room >= left:
            break
        left -= room if room >= least else 0
        time = windows[k].end
    return time + left


def work_by(windows: Sequence[Window], start: float, until: float, least: float = 0) -> float:
    """Work done between `start` and `until` as `worked_until` does it, if it is not finished by then."""
    time, done = start, 0.0
    for k in range(bisect_left(windows, True, key=lambda window: window.end > start), len(windows)):
        if windows[k].start >= until:
            break
        room = windows[k].start - time
        done += room if room >= least else 0
        time = windows[k].end
    return done + max(0, until - time)


def _total(windows: Sequence[Window]) -> int:
    return sum(window.end - window.start for window in windows)
