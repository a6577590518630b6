"""A shop with everything it can have as tables of whole numbers, for compiled schedule generation.

Operations are numbered job by job; columns have names, so that kernels read like the problem. Pools and
materials are both profiles: what is free over time, taken from a pool until the end of an operation and from a
material for good. Operations joined by no_wait or a longest wait make a block, which is placed as a whole; one of no
duration, a milestone, stands in no machine's row and no calendar.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError
from twinloop.scheduling.problem import Changeover, Job, JobShop, Window
from twinloop.scheduling.problem.calendar import NEVER, Closures, OpenTime, joined
from twinloop.scheduling.problem.checks import without_ovens
from twinloop.scheduling.problem.hours import Hours
from twinloop.scheduling.problem.windows import Windows

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

# After every plan. Sums of it and of times stay within 64 bits.
FAR = 1 << 60

# Columns of `operations`. LINKED: starts at most WAIT after the operation before it has arrived. REST: least
# time of it and all behind it in the job. LENGTH: operations in the block that begins here, 0 inside and if frozen.
# FIXED: mode of a frozen operation, else -1. DEADLINE: start of the first frozen operation behind it, else FAR.
(JOB, LINKED, FIRST_MODE, END_MODE, FIRST_NEED, END_NEED) = range(6)
(REST, LENGTH, FIXED, FIXED_START, FIXED_END, DEADLINE, WAIT, OPERATION_COLUMNS) = range(6, 14)
# Columns of `modes`. FAMILY: number of the operation's family on a machine with set-ups, else -1. LEAST: time it runs
# at least before a pause, its duration if it cannot pause.
MACHINE, DURATION, FIRST_WINDOW, END_WINDOW, FAMILY, LEAST = range(6)
# Columns of `jobs`. WAITS: how many jobs must be finished before it. PROMISE, URGENCY: due date and weight that rules
# go by: its own, or of a job without a date the first of those that come after it.
(FIRST, END, RELEASE, DUE, WEIGHT, EARLINESS, FIRM, WAITS, FIRST_FOLLOWER, END_FOLLOWER, PROMISE, URGENCY) = range(12)
# Columns of `machines`; a set-up is at FIRST_SETUP + FAMILIES × family before + family behind. INITIAL: family at time
# 0, else -1. FIRST_SHUT, END_SHUT: windows in which it cannot be set up. CREW: profile a set-up takes one of, else -1.
FIRST_ROW, FIRST_SETUP, FAMILIES, POWER, INITIAL, FIRST_SHUT, END_SHUT, CREW = range(8)
# Columns of `needs`, `windows` and `profiles`. FIRST_AWAY, END_AWAY: windows in which the pool has too few for the
# need, which then pauses and takes nothing; none where the pool only ever has all or nothing.
PROFILE, QUANTITY, FIRST_AWAY, END_AWAY = range(4)
CLOSES, OPENS = range(2)
FIRST_STEP, FOR_GOOD, STEPS, CAPACITY = range(4)


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

    prepared: [n] time before the start in which a crew sets the machine up for it. row: operations on each machine
    by their start, `row_count` of them from FIRST_ROW; step_time, step_level: what is free from that time on,
    `step_count` of them from FIRST_STEP. job_ready: when a job may start; job_next: its next block, END when done,
    -1 while it waits for `job_waits` other jobs. behind: [M] the operation of each row behind which the next has to
    stay, -1 where gaps are used.
    """

    start: Longs
    end: Longs
    mode: Longs
    prepared: Longs
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
        self._closures = Closures(shop)
        self._rows_of: dict[int, tuple[int, int]] = {}
        self._shut_rows: dict[tuple[str, int], tuple[int, int]] = {}
        self._windows: list[Longs] = []
        self._listed_windows = 0
        # Families that no set-up names are one: they need none, but the machine is set up for something else.
        self._families = {
            machine: {name: k for k, name in enumerate(dict.fromkeys(name for pair in times for name in pair))}
            for machine, times in shop.setups.items()
            if any(times.values())
        }
        # Due dates may have passed, and a shop of milestones has a horizon of 0.
        last_due = max([0, *(job.due for job in shop.jobs if job.due is not None)])
        self._reach = min(NEVER, 1 + 2 * shop.horizon + last_due)
        self._hours = {pool.name: Hours.of_pool(pool) for pool in shop.pools}
        # Work in progress has begun before time 0.
        self._began = min([0, *(a.start for a in shop.frozen)])
        self._levels = {pool.name: _levels(self._hours[pool.name], self._began, self._reach) for pool in shop.pools}

    def layout(self) -> Layout:
        operations, modes, needs = self._operations()
        jobs, followers = self._jobs()
        self._links(operations, modes, jobs, followers)
        machines, setups = self._machines(modes)
        transport = np.zeros((len(self._machine), len(self._machine)), dtype=np.int64)
        for (start, end), time in self.shop.transport.items():
            transport[self._machine[start], self._machine[end]] = time
        windows = np.concatenate([np.empty((0, 2), dtype=np.int64), *self._windows])
        return Layout(
            operations, modes, needs, windows, jobs, followers, machines, setups, transport, *self._profiles()
        )

    def _operations(self) -> tuple[Longs, Longs, Longs]:
        fixed = {(a.job, a.operation): a for a in self.shop.frozen}
        rows: list[list[int]] = []
        modes: list[tuple[int, ...]] = []
        needs: list[tuple[int, int, int, int]] = []
        for j, job in enumerate(self.shop.jobs):
            rest = job.work
            for k, operation in enumerate(job.operations):
                row = [0] * OPERATION_COLUMNS
                row[JOB], row[REST] = j, rest
                row[LINKED], row[WAIT] = operation.longest_wait is not None, operation.longest_wait or 0
                rest -= operation.shortest
                row[FIRST_MODE], row[FIRST_NEED] = len(modes), len(needs)
                row[FIXED], row[DEADLINE] = -1, FAR
                frozen = fixed.get((job.name, k))
                for mode in operation.modes:
                    if frozen and frozen.machine == mode.machine:
                        row[FIXED], row[FIXED_START], row[FIXED_END] = len(modes), frozen.start, frozen.end
                    calendar = self._calendar(self._closures.of(operation, mode.machine))
                    family = -1 if operation.milestone else self._family(mode.machine, operation.family)
                    least = operation.unbroken(mode.duration)
                    modes.append((self._machine[mode.machine], mode.duration, *calendar, family, least))
                for name, quantity in operation.pools.items():
                    needs.append((self._profile[name], quantity, *self._away(name, quantity)))
                    self._users[self._profile[name]] += 1
                for name, quantity in operation.materials.items():
                    needs.append((self._material[name], quantity, 0, 0))
                    self._users[self._material[name]] += 1
                for machine in {mode.machine for mode in operation.modes} & self.shop.changeovers.keys():
                    if (crew := self.shop.changeovers[machine].crew) is not None:
                        self._users[self._profile[crew]] += 1
                row[END_MODE], row[END_NEED] = len(modes), len(needs)
                rows.append(row)
        return _table(rows, OPERATION_COLUMNS), _table(modes, 6), _table(needs, 4)

    def _family(self, machine: str, family: str | None) -> int:
        families = self._families.get(machine)
        return -1 if family is None or families is None else families.get(family, len(families))

    def _calendar(self, hours: OpenTime) -> tuple[int, int]:
        """Rows of its closed windows; of hours that repeat as far as plans reach, which counts as their end."""
        if id(hours) not in self._rows_of:
            known = hours.windows(self._reach)
            count = bisect_left(known.starts, self._reach)
            windows = Windows(known.starts[:count], known.ends[:count])
            if hours.period and windows.ends and windows.ends[-1] >= self._reach:
                windows.ends[-1] = NEVER
            elif hours.period:
                windows.add(Window(self._reach, NEVER))
            self._rows_of[id(hours)] = self._listed(windows)
        return self._rows_of[id(hours)]

    def _listed(self, windows: Windows) -> tuple[int, int]:
        """Their rows."""
        self._windows.append(np.array([windows.starts, windows.ends], dtype=np.int64).T)
        first = self._listed_windows
        self._listed_windows += len(windows)
        return first, self._listed_windows

    def _away(self, pool: str, quantity: int) -> tuple[int, int]:
        """Rows of the windows in which a pool whose units vary has fewer than the quantity."""
        return (0, 0) if len(self._levels[pool]) == 1 else self._shut(pool, quantity)

    def _shut(self, pool: str, quantity: int) -> tuple[int, int]:
        """Rows of the windows in which a pool has fewer units than the quantity."""
        if (pool, quantity) not in self._shut_rows:
            windows = Windows.of(joined(self._hours[pool].closed_for(quantity, 0, self._reach)))
            self._shut_rows[pool, quantity] = self._listed(windows)
        return self._shut_rows[pool, quantity]

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
            count = len(families) + 1 if families else 0
            first, times = len(setups), [0] * count**2
            for (before, behind), time in self.shop.setups.get(name, {}).items():
                if families:
                    times[families[before] * count + families[behind]] = time
            setups += times
            changeover = self.shop.changeovers.get(name, Changeover())
            shut, crew = (0, 0), -1
            if changeover.crew is not None:
                crew = self._profile[changeover.crew]
            if families and not changeover.unattended:
                needed = {} if changeover.crew is None else {changeover.crew: 1}
                shut = self._calendar(self._closures.on(name, needed))
            elif families and changeover.crew is not None:
                shut = self._shut(changeover.crew, 1)
            power, initial = self.shop.power.get(name, 0), self._family(name, changeover.initial)
            rows.append((int(users[:m].sum()), first, count, power, initial, *shut, crew))
        return _table(rows, 8), np.array(setups, dtype=np.int64)

    def _profiles(self) -> tuple[Longs, Longs, Longs]:
        """Step profiles with room for two more steps for each operation that takes something."""
        starts = [self._levels[pool.name] for pool in self.shop.pools]
        for material in self.shop.materials:
            stock, levels = material.initial, {self._began: material.initial}
            for time, quantity in sorted(material.deliveries):
                stock += quantity
                levels[time] = stock
            starts.append(list(levels.items()))
        rows, steps = [], list[tuple[int, int]]()
        for p, known in enumerate(starts):
            capacity = self.shop.pools[p].capacity if p < len(self.shop.pools) else 0
            rows.append((len(steps), int(p >= len(self.shop.pools)), len(known), capacity))
            steps += known + [(0, 0)] * (2 * self._users[p] + 2)
        time, level = _table(steps, 2).T.copy()
        return _table(rows, 4), time, level


def _levels(hours: Hours, began: int, reach: int) -> list[tuple[int, int]]:
    """Units of a pool from each time on; one step where it has all of them whenever it has any."""
    if hours.calendar is None or hours.calendar.even(hours.capacity):
        return [(began, hours.capacity)]
    (_, level), *steps = hours.steps(0, reach)
    return [(began, level), *steps]


def _deadline(operations: Longs, v: int) -> int:
    return int(operations[v, FIXED_START] if operations[v, FIXED] >= 0 else operations[v, DEADLINE])


def _table(rows: Iterable[Iterable[int]], columns: int) -> Longs:
    return np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, columns)
