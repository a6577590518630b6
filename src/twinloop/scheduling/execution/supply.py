"""People, tools, crews and materials on the floor: taken all at once or not at all, in the order of the plan.

Before its planned start an operation takes only what no earlier one of the plan still waits for; from then on, what
is there. So a calm floor never falls behind its plan, and one that stands still elsewhere does not hold up the rest.
Who takes units is an assignment: of an operation, or of the set-up before it. Where a pool has fewer units in some
shifts, whoever holds some gives them back at every change and takes them again, in the order of the plan; nobody begins
what could not go on after the next change. A crew that is done and waits for its operation leaves for all others.
"""

from bisect import bisect_right
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import simpy

from twinloop.contracts import Assignment
from twinloop.scheduling.execution.disruptions import NEVER
from twinloop.scheduling.problem import JobShop, Operation, Pool
from twinloop.scheduling.problem.calendar import PATIENCE
from twinloop.scheduling.problem.hours import Hours

Process = Generator[simpy.Event, Any, None]
Deliveries = Mapping[str, list[tuple[float, int]]]
Needs = tuple[tuple[tuple[str, str], int], ...]


class Levels:
    """Units of a pool that are there, by time."""

    def __init__(self, pool: Pool, begin: float) -> None:
        self._hours, self._begin, self._known = Hours.of_pool(pool), int(begin), int(begin)
        self._times: list[int] = []
        self._levels: list[int] = []

    def at(self, time: float) -> int:
        """Units at a time."""
        self._learn(time)
        return self._levels[bisect_right(self._times, time) - 1]

    def next(self, time: float) -> float:
        """When their number changes next; NEVER where it does not."""
        limit, until = max(time, self._hours.settled) + PATIENCE * self._hours.period, time
        while True:
            until += max(self._hours.period, 1)
            self._learn(until)
            place = bisect_right(self._times, time)
            if place < len(self._times):
                return self._times[place]
            if until > limit:
                return NEVER

    def during(self, start: float, end: float) -> Iterator[tuple[int, int]]:
        """(time, units from then on) of every change behind `start` and before `end`."""
        self._learn(end)
        for place in range(bisect_right(self._times, start), len(self._times)):
            if self._times[place] >= end:
                return
            yield self._times[place], self._levels[place]

    def _learn(self, until: float) -> None:
        if until >= self._known:
            self._known = max(int(until) + 1, self._begin + 2 * (self._known - self._begin), self._hours.settled) + 1
            steps = self._hours.steps(self._begin, self._known)
            self._times, self._levels = [time for time, _ in steps], [level for _, level in steps]


@dataclass
class _Stock:
    """What is free of one pool or material, and who is still to take from it, in the order of the plan.

    levels: of a pool whose shifts differ; `level` then counts all its units. holders: until when each should hold some.
    """

    level: int
    queue: list[Assignment]
    levels: Levels | None = None
    capacity: int = 0
    holders: dict[Assignment, tuple[int, float]] = field(default_factory=dict)

    def free(self, now: float) -> int:
        """Units that can be taken."""
        return self.level if self.levels is None else self.levels.at(now) - (self.capacity - self.level)

    def lasts(self, quantity: int, now: float, until: float) -> bool:
        """Whether so many units can be held until then beside those who should hold theirs longer."""
        if self.levels is None:
            return True
        for time, level in self.levels.during(now, until):
            others = sum(units for units, last in self.holders.values() if last > time and units <= level)
            if quantity <= level < quantity + others:
                return False
        return True


class Supply:
    """All pools and materials of a shop. call_away: told who has to leave, a crew that waits for its operation."""

    def __init__(
        self,
        env: simpy.Environment,
        shop: JobShop,
        deliveries: Deliveries,
        call_away: Callable[[Assignment], None],
    ) -> None:
        self._env, self._call_away = env, call_away
        self._stocks = {
            ("pool", pool.name): _Stock(
                pool.capacity,
                [],
                None if pool.calendar is None or pool.calendar.even(pool.capacity) else Levels(pool, env.now),
                pool.capacity,
            )
            for pool in shop.pools
        }
        self._stocks |= {("material", material.name): _Stock(material.initial, []) for material in shop.materials}
        self._differ = any(stock.levels is not None for stock in self._stocks.values())
        self._needs: dict[Assignment, Needs] = {}
        self._held: dict[Assignment, Needs] = {}
        self._away: dict[Assignment, Needs] = {}
        self._lingering: dict[Assignment, tuple[str, str]] = {}
        self._waiting: list[Assignment] = []
        self._change = env.event()
        self._sources: list[simpy.Process] = []
        self.expect(deliveries)

    def expect(self, deliveries: Deliveries) -> None:
        """What comes from now on; replaces what was expected before."""
        for process in self._sources:
            if process.is_alive:
                process.interrupt()
        coming = {name: [d for d in planned if d[0] >= self._env.now] for name, planned in deliveries.items()}
        self._sources = [self._env.process(self._source(name, planned)) for name, planned in coming.items() if planned]

    def plan(self, takers: Iterable[tuple[Assignment, Needs]]) -> None:
        """Who will take what, in the order of planned starts."""
        for stock in self._stocks.values():
            stock.queue = []
        self._needs = {}
        for who, needs in takers:
            if needs:
                self._needs[who] = needs
            for key, _ in needs:
                self._stocks[key].queue.append(who)
        self._announce()

    def take(self, who: Assignment, until: float, handing: Assignment | None = None, *, decided: bool = False) -> bool:
        """Take all that is needed, if it is there and its turn; until: how long it should be held.

        handing: the set-up before it, whose crew leaves in that moment. decided: it goes on, people or not.
        """
        needs = self._needs.get(who, ())
        if handing is not None:
            self._put_back(handing)
        granted = all(
            self._granted(who, key, n) and self._stocks[key].lasts(n, self._env.now, until) for key, n in needs
        )
        if not granted and decided and self.shifts(who):
            self._away[who] = tuple(need for need in needs if self._stocks[need[0]].levels is not None)
            needs = tuple(need for need in needs if need not in self._away[who])
            granted = all(self._granted(who, key, n) for key, n in needs)
            if not granted:
                del self._away[who]
        if not granted:
            if handing is not None:
                self._hold(handing, self._held[handing], self._env.now)
            if who.start <= self._env.now:
                self._claim(needs, handing)
            return False
        for key, _ in self._needs.get(who, ()):
            if who in self._stocks[key].queue:  # a set-up that is made once more has had its turn
                self._stocks[key].queue.remove(who)
        self._hold(who, needs, until)
        if handing is not None:
            self._leave(handing)
        if needs or handing is not None:
            self._announce()
        return True

    def take_again(self, who: Assignment, until: float) -> bool:
        """Take units that were given back by `give_way`, before all who have not begun."""
        needs = self._away[who]
        earlier = [b for b in self._waiting if b in self._away and b.start < who.start]
        if any(self._stocks[key].free(self._env.now) < n or self._wanted(key, earlier) for key, n in needs):
            self._claim(needs, None)
            return False
        del self._away[who]
        self._hold(who, needs, until)
        self._announce()
        return True

    def give_back(self, who: Assignment) -> None:
        """Release the pools that somebody holds."""
        self._away.pop(who, None)
        if who in self._held:
            self._put_back(who)
            self._leave(who)
            self._announce()

    def give_way(self, who: Assignment) -> None:
        """Release pools whose shifts differ, to take them again."""
        held = (*self._held.get(who, ()), *self._away.get(who, ()))
        kept = tuple(need for need in held if self._stocks[need[0]].levels is None)
        self._put_back(who)
        self._held.pop(who, None)
        self._away[who] = tuple(need for need in held if need not in kept)
        self._hold(who, kept, NEVER)
        self._announce()

    def lingers(self, who: Assignment) -> None:
        """The crew of a set-up is done, and waits for the operation."""
        ((key, _),) = self._held[who]
        self._lingering[who] = key
        self._stocks[key].holders.pop(who, None)
        if self._waiting:
            self._announce()

    def shifts(self, who: Assignment) -> bool:
        """Whether somebody needs or holds units of a pool whose shifts differ."""
        if not self._differ:
            return False
        needs = (*self._held.get(who, ()), *self._needs.get(who, ()), *self._away.get(who, ()))
        return any(self._stocks[key].levels is not None for key, _ in needs)

    def changes(self, who: Assignment) -> float:
        """When shifts change next of a pool that somebody holds or needs."""
        needs = {*self._held.get(who, ()), *self._needs.get(who, ()), *self._away.get(who, ())}
        levels = (self._stocks[key].levels for key, _ in needs)
        return min((one.next(self._env.now) for one in levels if one is not None), default=NEVER)

    def changed(self, who: Assignment) -> Process:
        """Wait until something is there for somebody, or the time from which it may go ahead of others."""
        self._waiting.append(who)
        until = min(self.changes(who), who.start if who.start > self._env.now else NEVER)
        try:
            if until < NEVER:
                yield self._change | self._env.timeout(until - self._env.now)
            else:
                yield self._change
        finally:
            self._waiting.remove(who)

    def step_aside(self) -> None:
        """Let others go ahead: somebody who waited could not have started anyhow."""
        if any(stock.queue for stock in self._stocks.values()):
            self._announce()

    def missing(self, who: Assignment) -> str:
        """What somebody waits for, in words."""
        short = [key for key, n in self._needs.get(who, ()) if not self._granted(who, key, n)]
        return " and ".join(f"{kind} {name}" for kind, name in short or [key for key, _ in self._needs.get(who, ())])

    def _granted(self, who: Assignment, key: tuple[str, str], quantity: int) -> bool:
        stock = self._stocks[key]
        if stock.free(self._env.now) < quantity or (self._away and self._wanted(key, self._waiting)):
            return False
        earlier = stock.queue[: stock.queue.index(who)] if who in stock.queue else []
        if who.start > self._env.now:
            return not earlier
        return not any(b in self._waiting for b in earlier)

    def _claim(self, needs: Needs, handing: Assignment | None) -> None:
        """Call crews away that only wait where there is too little."""
        for key, quantity in needs:
            if self._stocks[key].free(self._env.now) < quantity:
                for who in [who for who, other in self._lingering.items() if other == key and who != handing]:
                    del self._lingering[who]
                    self._call_away(who)

    def _wanted(self, key: tuple[str, str], waiting: Iterable[Assignment]) -> bool:
        """Whether somebody among those waiting would go on with units of a pool, as far as shifts let him."""
        there = (levels := self._stocks[key].levels) and levels.at(self._env.now)
        return any(key == other and n <= (there or 0) for who in waiting for other, n in self._away.get(who, ()))

    def _hold(self, who: Assignment, needs: Needs, until: float) -> None:
        held = [need for need in needs if need[0][0] == "pool"]
        for key, quantity in needs:
            stock = self._stocks[key]
            stock.level -= quantity
            if stock.levels is not None and who not in self._lingering:
                stock.holders[who] = (quantity, until)
        if held:
            known = self._held.get(who, ())
            self._held[who] = (*known, *(need for need in held if need not in known))

    def _put_back(self, who: Assignment) -> None:
        for key, quantity in self._held.get(who, ()):
            self._stocks[key].level += quantity
            self._stocks[key].holders.pop(who, None)

    def _leave(self, who: Assignment) -> None:
        self._held.pop(who, None)
        self._lingering.pop(who, None)

    def _source(self, name: str, deliveries: list[tuple[float, int]]) -> Process:
        try:
            for time, quantity in deliveries:
                yield self._env.timeout(time - self._env.now)
                self._stocks["material", name].level += quantity
                self._announce()
        except simpy.Interrupt:
            return

    def _announce(self) -> None:
        self._change.succeed()
        self._change = self._env.event()


def needs_of(operation: Operation) -> Needs:
    """Pools and materials of an operation, each with how much of it."""
    pools = ((("pool", name), quantity) for name, quantity in operation.pools.items())
    return (*pools, *((("material", name), quantity) for name, quantity in operation.materials.items()))
