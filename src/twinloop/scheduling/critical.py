"""Why a plan takes as long as it does: the chain of operations that explains its makespan, and what lies between them.

An operation is held by the one before it in its job or on its machine (with transport and set-up), by people or tools
that another one held, by a delivery, its release, or a freeze. The path is found backwards from the last end over the
holds that leave the least time unused (Dijkstra 1959), so it also explains plans with gaps, and executions.
"""

import heapq
import itertools
import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from twinloop.scheduling.problem import JobShop, Operation
from twinloop.scheduling.problem.calendar import Closures

Reason = Literal["release", "job", "machine", "pool", "material", "frozen"]
Key = tuple[str, int]
# Realised times are sums of floats: what differs by less is the same.
SAME = 1e-9


class Placed(Protocol):
    """An operation with its times, planned (`contracts.Assignment`) or realised."""

    @property
    def job(self) -> str: ...
    @property
    def operation(self) -> int: ...
    @property
    def machine(self) -> str: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...


@dataclass(frozen=True)
class Step:
    """An operation on the path and what it waited for; all times in the shop's units.

    It starts at (end of the step before, or 0) + lag + closed + idle − ahead. reason and cause: what held it (the
    name of the job, machine, pool or material). lag: set-up, transport, or the time of the release, delivery or
    freeze. closed: until the calendar had room for it; the steps before have that much slack. idle: what no limit
    explains. ahead: how much sooner it starts than the held operation of its job, which follows without waiting.
    paused: closed time inside it.
    """

    placed: Placed
    reason: Reason
    cause: str
    lag: float
    closed: float
    idle: float
    ahead: float
    paused: float


@dataclass(frozen=True)
class CriticalPath:
    """Steps in the order of time; without closed windows none can take longer without moving the plan's end."""

    steps: tuple[Step, ...]

    @property
    def keys(self) -> frozenset[Key]:
        """(job, operation) of every step."""
        return frozenset((step.placed.job, step.placed.operation) for step in self.steps)

    @property
    def parts(self) -> Mapping[str, float]:
        """What the makespan is made of: work, set-up, transport, pauses and so on; the sum is the makespan."""
        lengths: dict[str, float] = defaultdict(float)
        names = {"job": "transport", "machine": "set-up", "pool": "idle"}
        for step in self.steps:
            lengths["work"] += step.placed.end - step.placed.start - step.paused
            lengths[names.get(step.reason, step.reason)] += step.lag
            lengths["closed"] += step.closed + step.paused
            lengths["idle"] += step.idle
            lengths["overlap"] -= step.ahead
        return {name: time for name, time in lengths.items() if time}

    @property
    def carried(self) -> Mapping[str, float]:
        """By machine the time from the end of the step before to its own, the most first: the critical machine."""
        lengths: dict[str, float] = defaultdict(float)
        since = self.steps[0].placed.start if self.steps else 0
        for step in self.steps:
            lengths[step.placed.machine] += step.placed.end - since
            since = step.placed.end
        return dict(sorted(lengths.items(), key=lambda item: -item[1]))


class _Hold(NamedTuple):
    """`before` (nobody: None) lets an operation start at `time`; lag is the part of it after the end of `before`.

    closed: time in between in which a set-up could not go on.
    """

    reason: Reason
    cause: str
    lag: float
    time: float
    before: Key | None
    closed: float = 0


class _Trail(NamedTuple):
    step: Step
    behind: "_Trail | None"


def critical_path(shop: JobShop, plan: Iterable[Placed]) -> CriticalPath:
    """The path behind the last end of a valid plan (or of an execution of one); no steps for an empty one."""
    holds = _Holds(shop, plan)
    last = max((a.end for a in holds.placed.values()), default=0)
    # (idle, closed, tie, operation, steps behind it); the tie keeps entries apart and the answer the same.
    tie = itertools.count()
    waiting: list[tuple[float, float, int, Key | None, _Trail | None]] = [
        (0, 0, next(tie), key, None) for key, a in holds.placed.items() if a.end == last
    ]
    done: set[Key] = set()
    while waiting:
        idle, closed, _, key, behind = heapq.heappop(waiting)
        if key is None:
            steps = []
            while behind is not None:
                steps.append(behind.step)
                behind = behind.behind
            return CriticalPath(tuple(steps))
        if key not in done:
            done.add(key)
            for step, before in holds.steps(key):
                heapq.heappush(
                    waiting, (idle + step.idle, closed + step.closed, next(tie), before, _Trail(step, behind))
                )
    return CriticalPath(())


def job_paths(
    shop: JobShop, plan: Iterable[Placed], jobs: Iterable[str], *, most: int = 60
) -> Mapping[str, CriticalPath]:
    """What the last end of each of some jobs hangs on: back over the tightest hold of every step, `most` steps at most.

    Where no time is unused this is a `critical_path`; found without a search, it serves a whole order book.
    """
    holds = _Holds(shop, plan)
    tightest: dict[Key, tuple[Step, Key | None] | None] = {}
    last = {a.job: key for key, a in sorted(holds.placed.items(), key=lambda item: item[1].end)}
    paths = {}
    for job in jobs:
        steps: list[Step] = []
        key: Key | None = last[job]
        while key is not None and len(steps) < most:
            if key not in tightest:
                tightest[key] = min(holds.steps(key), key=lambda s: (s[0].idle, s[0].closed), default=None)
            hold = tightest[key]
            if hold is None:
                break
            steps.append(hold[0])
            key = hold[1]
        paths[job] = CriticalPath(tuple(reversed(steps)))
    return paths


class _Holds:
    """Everything that may have held an operation."""

    def __init__(self, shop: JobShop, plan: Iterable[Placed]) -> None:
        self._shop = shop
        self.placed = {(a.job, a.operation): a for a in plan}
        self._frozen = {(a.job, a.operation) for a in shop.frozen}
        self._closures = Closures(shop)
        rows: dict[str, list[Key]] = defaultdict(list)
        for key in sorted(self.placed, key=lambda key: (self.placed[key].start, self.placed[key].end)):
            if not self._operation(key).milestone:
                rows[self.placed[key].machine].append(key)
        self._on_machine = {after: before for row in rows.values() for before, after in itertools.pairwise(row)}
        self._setups = {
            key: time
            for machine, row in rows.items()
            for key, time in zip(
                row, shop.row_setups(machine, [self._operation(key).family for key in row]), strict=True
            )
            if time
        }
        for machine in shop.ovens:  # the charge before, not what is in the same one
            for key in rows[machine]:
                self._on_machine.pop(key, None)
                done = [other for other in rows[machine] if self.placed[other].end <= self.placed[key].start + SAME]
                if done:
                    self._on_machine[key] = max(done, key=lambda other: self.placed[other].end)
        self._from_pool = _handed_on(shop, self.placed)
        self._crew_free = _crews_free(shop, self.placed, self._setups)
        self._supplied = _supplied(shop, self.placed)

    def steps(self, key: Key) -> Iterator[tuple[Step, Key | None]]:
        """The operation as a step for each of its holds, and the operation before it; None where the path begins."""
        a, block = self.placed[key], tuple(self._block(key))
        for held in block:
            b = self.placed[held]
            for hold in self._of(held):
                if hold.before in block or hold.time > b.start + SAME:
                    continue
                opens = min(self._opens(held, hold.time), max(b.start, hold.time))
                step = Step(
                    placed=a,
                    reason=hold.reason,
                    cause=hold.cause,
                    lag=hold.lag,
                    closed=opens - hold.time + hold.closed,
                    idle=b.start - opens,
                    ahead=b.start - a.start,
                    paused=self._paused(key),
                )
                yield step, hold.before

    def _operation(self, key: Key) -> Operation:
        return self._shop.by_name[key[0]].operations[key[1]]

    def _block(self, key: Key) -> Iterator[Key]:
        """The operation and those that follow it and can wait no longer: what holds them holds it."""
        yield key
        job, number = key
        if key in self._frozen:
            return
        for other in range(number + 1, len(self._shop.by_name[job].operations)):
            patience = self._operation((job, other)).longest_wait
            if patience is None or (job, other) not in self.placed:
                return
            before, behind = self.placed[job, other - 1], self.placed[job, other]
            arrives = before.end + self._shop.transport.get((before.machine, behind.machine), 0)
            if behind.start + SAME < arrives + patience:
                return
            yield job, other

    def _of(self, key: Key) -> Iterator[_Hold]:
        a, (job, number) = self.placed[key], key
        if key in self._frozen:
            yield _Hold("frozen", job, a.start, a.start, None)
            return
        lag = self._setups.get(key, 0)
        if key in self._on_machine or lag:
            before_it = self._on_machine.get(key)
            free = 0 if before_it is None else self.placed[before_it].end
            done = self._set_up(a.machine, free, lag)
            yield _Hold("machine", a.machine, lag, done, before_it, done - free - lag)
        if key in self._crew_free:
            crew, free = self._crew_free[key]
            done = self._set_up(a.machine, free, lag)
            yield _Hold("pool", crew, done, done, None)
        if number and (job, number - 1) in self.placed:
            before = self.placed[job, number - 1]
            lag = self._shop.transport.get((before.machine, a.machine), 0)
            yield _Hold("job", job, lag, before.end + lag, (job, number - 1))
        if number == 0:
            release = self._shop.by_name[job].opens
            yield _Hold("release", job, release, release, None)
            for other in self._shop.by_name[job].after:
                last = (other, len(self._shop.by_name[other].operations) - 1)
                if last in self.placed:
                    yield _Hold("job", other, 0, self.placed[last].end, last)
        for pool, giver in self._from_pool.get(key, ()):
            yield _Hold("pool", pool, 0, self.placed[giver].end, giver)
        for material, time in self._supplied.get(key, ()):
            yield _Hold("material", material, time, time, None)

    def _set_up(self, machine: str, free: float, lag: float) -> float:
        """When a machine that is free from some time on is set up."""
        return self._closures.of_set_up(machine).first(free, lag) + lag if lag else free

    def _opens(self, key: Key, time: float) -> float:
        if key in self._frozen:
            return time
        operation, machine = self._operation(key), self.placed[key].machine
        duration = operation.on(machine)
        return self._closures.of(operation, machine).first(time, duration, least=operation.unbroken(duration))

    def _paused(self, key: Key) -> float:
        a, operation = self.placed[key], self._operation(key)
        if key in self._frozen or not operation.resumable:
            return 0
        windows = self._closures.of(operation, a.machine).windows(math.ceil(a.end)).within(a.start, a.end)
        return sum(max(0, min(w.end, a.end) - max(w.start, a.start)) for w in windows)


def _handed_on(shop: JobShop, placed: Mapping[Key, Placed]) -> dict[Key, list[tuple[str, Key]]]:
    """By operation, (pool, operation that had one of its people or tools before); the longest free ones go first.

    Whoever takes units that have rested longest is held by a pool only where no other units were free.
    """
    givers: dict[Key, list[tuple[str, Key]]] = defaultdict(list)
    for pool in shop.pools:
        free: list[tuple[float, int, Key | None]] = [(-math.inf, 0, None)] * pool.capacity
        users = [key for key in placed if pool.name in shop.by_name[key[0]].operations[key[1]].pools]
        for place, key in enumerate(sorted(users, key=lambda key: (placed[key].start, placed[key].end)), start=1):
            needed = shop.by_name[key[0]].operations[key[1]].pools[pool.name]
            for _ in range(needed):
                _, _, giver = heapq.heapreplace(free, (placed[key].end, place, key))
                if giver not in (None, key) and (pool.name, giver) not in givers[key]:
                    givers[key].append((pool.name, giver))
    return givers


def _crews_free(
    shop: JobShop, placed: Mapping[Key, Placed], setups: Mapping[Key, float]
) -> dict[Key, tuple[str, float]]:
    """By operation that a crew sets up for, the crew and since when so many of its people were free."""
    free_since: dict[Key, tuple[str, float]] = {}
    for pool in shop.pools:
        crewed = {machine for machine, how in shop.changeovers.items() if how.crew == pool.name}
        users: list[tuple[float, float, int, Key | None]] = [
            (placed[key].start - time, placed[key].start, 1, key)
            for key, time in setups.items()
            if placed[key].machine in crewed
        ]
        if not users:
            continue
        users += [
            (a.start, a.end, needed, None)
            for key, a in placed.items()
            if (needed := shop.by_name[key[0]].operations[key[1]].pools.get(pool.name, 0))
        ]
        free = [-math.inf] * pool.capacity
        for _, end, needed, key in sorted(users, key=lambda user: user[:3]):
            for _ in range(needed):
                since = heapq.heapreplace(free, end)
                if key is not None and since > 0:
                    free_since[key] = pool.name, since
    return free_since


def _supplied(shop: JobShop, placed: Mapping[Key, Placed]) -> dict[Key, list[tuple[str, float]]]:
    """By operation, (material, when enough had come for it and all that started by then)."""
    supply_times: dict[Key, list[tuple[str, float]]] = defaultdict(list)
    for material in shop.materials:
        needs = [
            (placed[key].start, quantity, key)
            for key in placed
            if (quantity := shop.by_name[key[0]].operations[key[1]].materials.get(material.name))
        ]
        needs.sort()
        starts, taken = [need[0] for need in needs], list(itertools.accumulate(need[1] for need in needs))
        deliveries = sorted(material.deliveries)
        supply = list(itertools.accumulate((quantity for _, quantity in deliveries), initial=material.initial))
        for start, _, key in needs:
            enough = bisect_left(supply, taken[bisect_right(starts, start) - 1])
            if 0 < enough < len(supply):
                supply_times[key].append((material.name, deliveries[enough - 1][0]))
    return supply_times
