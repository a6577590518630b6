"""A shop with everything it can have as tables of whole numbers, for compiled schedule generation.

Operations are numbered job by job; columns have names, so that kernels read like the problem. Pools and
materials are both profiles: what is free over time, taken from a pool until the end of an operation and from a
material for good. Operations joined by no_wait or a longest wait make a block, which is placed as a whole; one of no
duration, a milestone, stands in no machine's row and no calendar.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError
from twinloop.scheduling.problem import Job, JobShop
from twinloop.scheduling.problem.calendar import joined
from twinloop.scheduling.problem.checks import without_ovens

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

# After every plan. Sums of it and of times stay within 64 bits.
FAR = 1 << 60

# Columns of `operations`. LINKED: starts at most WAIT after the operation before it has arrived. REST: least
# time of it and all behind it in the job. LENGTH: operations in the block that begins here, 0 inside and if frozen.
# FIXED: mode of a frozen operation, else -1. DEADLINE: start of the first frozen operation behind it, else FAR.
(JOB, RESUMABLE, LINKED, FIRST_MODE, END_MODE, FIRST_NEED, END_NEED) = range(7)
(REST, LENGTH, FIXED, FIXED_START, FIXED_END, DEADLINE, WAIT, OPERATION_COLUMNS) = range(7, 15)
# Columns of `modes`. FAMILY: number of the operation's family among those of the machine's set-ups, else -1.
MACHINE, DURATION, FIRST_WINDOW, END_WINDOW, FAMILY = range(5)
# Columns of `jobs`. WAITS: how many jobs must be finished before it. PROMISE, URGENCY: due date and weight that rules
# go by: its own, or of a job without a date the first of those that come after it.
(FIRST, END, RELEASE, DUE, WEIGHT, EARLINESS, FIRM, WAITS, FIRST_FOLLOWER, END_FOLLOWER, PROMISE, URGENCY) = range(12)
# Columns of `machines`; a set-up is at FIRST_SETUP + FAMILIES × family before + family behind.
FIRST_ROW, FIRST_SETUP, FAMILIES, POWER = range(4)
# Columns of `needs`, `windows` and `profiles`.
PROFILE, QUANTITY = range(2)
CLOSES, OPENS = range(2)
FIRST_STEP, FOR_GOOD, STEPS = range(3)


class Layout(NamedTuple):
    """What never changes during a search; columns are named above.

    followers: job numbers; setups: times; transport: [M, M] times; step_time, step_level: what profiles hold before
    anything is taken, with room for all that can be taken.
    """

    operations: Longs
    modes: Longs
    needs: Longs
    windows: Longs
    jobs: Longs
    followers: Longs
    machines: Longs
    setups: Longs
    transport: Longs
    profiles: Longs
    step_time: Longs
    step_level: Longs


class State(NamedTuple):
    """A schedule in the making: start, end and mode of each operation (-1: not placed), rows and profiles.

    row: operations on each machine by their start, `row_count` of them from FIRST_ROW; step_time, step_level: what is
    free from that time on, `step_count` of them from FIRST_STEP. job_ready: when a job may start; job_next: its next
    block, END when done, -1 while it waits for `job_waits` other jobs. behind: [M] the operation of each row behind
    which the next has to stay, -1 where gaps are used.
    """

    start: Longs
    end: Longs
    mode: Longs
    row: Longs
    row_count: Longs
    step_time: Longs
    step_level: Longs
    step_count: Longs
    job_ready: Longs
    job_next: Longs
    job_waits: Longs
    behind: Longs


@dataclass(frozen=True, eq=False)
class Tables:
    """A shop and its layout, with the ways from plans to numbers and back."""

    shop: JobShop
    layout: Layout

    @classmethod
    def of(cls, shop: JobShop) -> "Tables":
        """The shop's tables; those of the shop asked about last are at hand, as rules and repairs ask again."""
        tables = next((known for known in _LATEST if known.shop is shop), None)
        if tables is None:
            if shop.ovens:
                raise InputError(without_ovens("rules, annealing, genetic search, repair", shop))
            tables = cls(shop, _Builder(shop).layout())
            _LATEST[:] = [tables]
        return tables

    @property
    def count(self) -> int:
        """Number of operations."""
        return len(self.layout.operations)

    @cached_property
    def number(self) -> Mapping[tuple[str, int], int]:
        """Number of an operation by job and place."""
        return {(job.name, k): v for v, (job, k) in enumerate(_each(self.shop))}

    @cached_property
    def _machine(self) -> Mapping[str, int]:
        return {name: m for m, name in enumerate(self.shop.machines)}

    def mode(self, v: int, machine: str) -> int:
        """Row in `modes` of operation v on a machine; ValueError for one that cannot do it."""
        first, end = (int(column) for column in self.layout.operations[v, [FIRST_MODE, END_MODE]])
        return first + int(self.layout.modes[first:end, MACHINE].tolist().index(self._machine[machine]))

    def state(self) -> State:
        """Room for one schedule."""
        count, steps, jobs = self.count, len(self.layout.step_time), len(self.layout.jobs)
        machines, profiles = len(self.layout.machines), len(self.layout.profiles)
        sizes = (
            count,
            count,
            count,
            len(self.layout.modes),
            machines,
            steps,
            steps,
            profiles,
            jobs,
            jobs,
            jobs,
            machines,
        )
        return State(*(np.zeros(size, dtype=np.int64) for size in sizes))

    def plan(self, state: State) -> Plan:
        """The finished schedule as a plan."""
        names = self.shop.machines
        machine = self.layout.modes[state.mode, MACHINE].tolist()
        rows = zip(_each(self.shop), machine, state.start.tolist(), state.end.tolist(), strict=True)
        return Plan.of(Assignment(job.name, k, names[m], start, end) for (job, k), m, start, end in rows)

    def columns(self, plan: Plan) -> tuple[Longs, Longs]:
        """Mode and start of every operation in a plan; -1 for one that is not there."""
        mode, start = np.full(self.count, -1, dtype=np.int64), np.full(self.count, -1, dtype=np.int64)
        for a in plan:
            v = self.number[a.job, a.operation]
            mode[v], start[v] = self.mode(v, a.machine), a.start
        return mode, start


_LATEST: list[Tables] = []


def _each(shop: JobShop) -> Iterator[tuple[Job, int]]:
    return ((job, k) for job in shop.jobs for k in range(len(job.operations)))


class _Builder:
    """Fills the tables of one shop."""

    def __init__(self, shop: JobShop) -> None:
        self.shop = shop
        self._machine = {name: m for m, name in enumerate(shop.machines)}
        profiles = [*shop.pools, *shop.materials]
        self._profile = {item.name: p for p, item in enumerate(shop.pools)}
        self._material = {item.name: len(shop.pools) + p for p, item in enumerate(shop.materials)}
        self._users = [0] * len(profiles)
        self._calendars: dict[tuple[str, tuple[str, ...]], tuple[int, int]] = {}
        self._windows: list[tuple[int, int]] = []
        self._families = {
            machine: {name: k for k, name in enumerate(dict.fromkeys(name for pair in times for name in pair))}
            for machine, times in shop.setups.items()
        }
        self._closing_pools = {pool.name for pool in shop.pools if pool.closed}

    def layout(self) -> Layout:
        operations, modes, needs = self._operations()
        jobs, followers = self._jobs()
        self._links(operations, modes, jobs, followers)
        machines, setups = self._machines(modes)
        transport = np.zeros((len(self._machine), len(self._machine)), dtype=np.int64)
        for (start, end), time in self.shop.transport.items():
            transport[self._machine[start], self._machine[end]] = time
        windows = _table(self._windows, 2)
        return Layout(
            operations, modes, needs, windows, jobs, followers, machines, setups, transport, *self._profiles()
        )

    def _operations(self) -> tuple[Longs, Longs, Longs]:
        fixed = {(a.job, a.operation): a for a in self.shop.frozen}
        rows: list[list[int]] = []
        modes: list[tuple[int, ...]] = []
        needs: list[tuple[int, int]] = []
        for j, job in enumerate(self.shop.jobs):
            rest = job.work
            for k, operation in enumerate(job.operations):
                row = [0] * OPERATION_COLUMNS
                row[JOB], row[RESUMABLE], row[REST] = j, operation.resumable, rest
                row[LINKED], row[WAIT] = operation.longest_wait is not None, operation.longest_wait or 0
                rest -= operation.shortest
                row[FIRST_MODE], row[FIRST_NEED] = len(modes), len(needs)
                closing = tuple(sorted(self._closing_pools & operation.pools.keys()))
                row[FIXED], row[DEADLINE] = -1, FAR
                frozen = fixed.get((job.name, k))
                for mode in operation.modes:
                    if frozen and frozen.machine == mode.machine:
                        row[FIXED], row[FIXED_START], row[FIXED_END] = len(modes), frozen.start, frozen.end
                    family, calendar = -1, (0, 0)
                    if not operation.milestone:
                        families = self._families.get(mode.machine, {})
                        family = -1 if operation.family is None else families.get(operation.family, -1)
                        calendar = self._calendar(mode.machine, closing)
                    modes.append((self._machine[mode.machine], mode.duration, *calendar, family))
                for names, quantities in ((self._profile, operation.pools), (self._material, operation.materials)):
                    for name, quantity in quantities.items():
                        needs.append((names[name], quantity))
                        self._users[names[name]] += 1
                row[END_MODE], row[END_NEED] = len(modes), len(needs)
                rows.append(row)
        return _table(rows, OPERATION_COLUMNS), _table(modes, 5), _table(needs, 2)

    def _calendar(self, machine: str, pools: tuple[str, ...]) -> tuple[int, int]:
        if (machine, pools) not in self._calendars:
            windows = list(self.shop.closed.get(machine, ()))
            windows += [window for pool in self.shop.pools if pool.name in pools for window in pool.closed]
            first = len(self._windows)
            self._windows += [(window.start, window.end) for window in joined(windows)]
            self._calendars[machine, pools] = first, len(self._windows)
        return self._calendars[machine, pools]

    def _jobs(self) -> tuple[Longs, Longs]:
        place = {job.name: j for j, job in enumerate(self.shop.jobs)}
        behind: dict[str, list[int]] = defaultdict(list)
        for job in self.shop.jobs:
            for other in set(job.after):
                behind[other].append(place[job.name])
        promises: dict[str, tuple[int, int]] = {}
        for name in reversed(self.shop.order):
            job = self.shop.by_name[name]
            own = (FAR if job.due is None else job.due, job.weight)
            awaited = [promises[other] for other in self.shop.followers[name]] if job.due is None else []
            promises[name] = min([own, *awaited], key=lambda promise: promise[0])
        rows, followers, first = [], list[int](), 0
        for job in self.shop.jobs:
            end, row = first + len(job.operations), len(followers)
            followers += behind[job.name]
            due = FAR if job.due is None else job.due
            weights = (job.weight, job.earliness_weight, job.firm, len(set(job.after)))
            rows.append((first, end, job.opens, due, *weights, row, len(followers), *promises[job.name]))
            first = end
        return _table(rows, 12), np.array(followers, dtype=np.int64)

    def _links(self, operations: Longs, modes: Longs, jobs: Longs, followers: Longs) -> None:
        """Blocks, and deadlines along routes and job precedence from what is frozen."""
        number = {job.name: j for j, job in enumerate(self.shop.jobs)}
        for j in (number[name] for name in reversed(self.shop.order)):
            first, end = jobs[j, FIRST], jobs[j, END]
            deadline = min(
                (
                    _deadline(operations, jobs[f, FIRST])
                    for f in followers[slice(*jobs[j, FIRST_FOLLOWER : END_FOLLOWER + 1])]
                ),
                default=FAR,
            )
            length = 0
            for v in range(end - 1, first - 1, -1):
                operations[v, DEADLINE] = deadline
                deadline = _deadline(operations, v)
                length += 1
                linked = v > first and operations[v, LINKED] and operations[v - 1, FIXED] < 0
                if operations[v, FIXED] >= 0:
                    length = 0
                elif not linked:
                    operations[v, LENGTH] = length
                    length = 0

    def _machines(self, modes: Longs) -> tuple[Longs, Longs]:
        users = np.bincount(modes[:, MACHINE], minlength=len(self._machine))
        rows, setups = [], list[int]()
        for name, m in self._machine.items():
            families = self._families.get(name, {})
            first, times = len(setups), [0] * len(families) ** 2
            for (before, behind), time in self.shop.setups.get(name, {}).items():
                times[families[before] * len(families) + families[behind]] = time
            setups += times
            rows.append((int(users[:m].sum()), first, len(families), self.shop.power.get(name, 0)))
        return _table(rows, 4), np.array(setups, dtype=np.int64)

    def _profiles(self) -> tuple[Longs, Longs, Longs]:
        """Step profiles with room for two more steps for each operation that takes something."""
        # Work in progress has begun before time 0.
        began = min([0, *(a.start for a in self.shop.frozen)])
        starts: list[list[tuple[int, int]]] = [[(began, pool.capacity)] for pool in self.shop.pools]
        for material in self.shop.materials:
            stock, levels = material.initial, {began: material.initial}
            for time, quantity in sorted(material.deliveries):
                stock += quantity
                levels[time] = stock
            starts.append(list(levels.items()))
        rows, steps = [], list[tuple[int, int]]()
        for p, known in enumerate(starts):
            rows.append((len(steps), int(p >= len(self.shop.pools)), len(known)))
            steps += known + [(0, 0)] * (2 * self._users[p] + 2)
        time, level = _table(steps, 2).T.copy()
        return _table(rows, 3), time, level


def _deadline(operations: Longs, v: int) -> int:
    return int(operations[v, FIXED_START] if operations[v, FIXED] >= 0 else operations[v, DEADLINE])


def _table(rows: Iterable[Iterable[int]], columns: int) -> Longs:
    return np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, columns)
