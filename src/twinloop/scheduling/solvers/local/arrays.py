"""A plain shop as arrays of operations, and sequences of operations as plans.

Operations are numbered job by job. A solution is the machine of every operation and the operation before and
after it there (-1: none); times follow from these by longest paths.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError
from twinloop.scheduling.problem import JobShop

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]


class Layout(NamedTuple):
    """What never changes, as kernels take it: see `Arrays`. Kernels unpack it once; counting references costs time."""

    job: Ints
    job_before: Ints
    job_after: Ints
    release: Longs
    first_mode: Ints
    mode_machine: Ints
    mode_duration: Longs


class Rows(NamedTuple):
    """A solution: machine of every operation, its duration there, the operations before and after it; all [n]."""

    machine: Ints
    duration: Longs
    before: Ints
    after: Ints


@dataclass(frozen=True, eq=False)
class Arrays:
    """n operations, M machines; modes of operation v are rows first_mode[v] … first_mode[v + 1].

    job_before, job_after: [n] neighbours in the job, -1 where none. release: [n], that of the job for its first
    operation, else 0. job: [n] job numbers. ahead[first_ahead[v] … first_ahead[v + 1]]: last operations of the jobs
    that the job of v comes after, if v is its first one.
    """

    shop: JobShop
    job: Ints
    job_before: Ints
    job_after: Ints
    release: Longs
    first_mode: Ints
    mode_machine: Ints
    mode_duration: Longs
    first_ahead: Ints
    ahead: Ints

    @property
    def count(self) -> int:
        return len(self.job)

    @cached_property
    def layout(self) -> Layout:
        """The arrays as one record."""
        routes = (self.job, self.job_before, self.job_after, self.release)
        return Layout(*routes, self.first_mode, self.mode_machine, self.mode_duration)

    def rows(self, machine: Ints, before: Ints, after: Ints) -> Rows:
        """A solution as one record of these very arrays."""
        return Rows(machine, self.durations(machine), before, after)

    @classmethod
    def of(cls, shop: JobShop, *, assembly: bool = False) -> "Arrays":
        """The shop's arrays. Raises InputError for a shop that is not plain.

        assembly: the caller looks after jobs that come after others, which are refused otherwise.
        """
        if not shop.plain or (not assembly and any(job.after for job in shop.jobs)):
            raise InputError(
                "local search: expected a shop without calendars, set-ups, pools, materials, transport, no_wait, "
                f"frozen operations, milestones{'' if assembly else ', ovens'} and "
                f"{'ovens' if assembly else repr('after')}: use CP-SAT or auto"
            )
        number = {name: place for place, name in enumerate(shop.machines)}
        tips = dict(zip(shop.by_name, np.cumsum([len(item.operations) for item in shop.jobs]) - 1, strict=True))
        job: list[int] = []
        before: list[int] = []
        after: list[int] = []
        release: list[int] = []
        machines: list[int] = []
        durations: list[int] = []
        ahead: list[int] = []
        first, first_ahead = [0], [0]
        for j, item in enumerate(shop.jobs):
            for k, operation in enumerate(item.operations):
                v = len(job)
                job.append(j)
                before.append(v - 1 if k else -1)
                after.append(v + 1 if k + 1 < len(item.operations) else -1)
                release.append(0 if k else item.opens)
                machines += [number[mode.machine] for mode in operation.modes]
                durations += [mode.duration for mode in operation.modes]
                first.append(len(machines))
                ahead += [] if k else [tips[other] for other in dict.fromkeys(item.after)]
                first_ahead.append(len(ahead))
        return cls(
            shop,
            job=np.array(job, dtype=np.int32),
            job_before=np.array(before, dtype=np.int32),
            job_after=np.array(after, dtype=np.int32),
            release=np.array(release, dtype=np.int64),
            first_mode=np.array(first, dtype=np.int32),
            mode_machine=np.array(machines, dtype=np.int32),
            mode_duration=np.array(durations, dtype=np.int64),
            first_ahead=np.array(first_ahead, dtype=np.int32),
            ahead=np.array(ahead, dtype=np.int32),
        )

    def ahead_of(self, v: int) -> Ints:
        """Last operations of the jobs that must be finished before operation v."""
        return self.ahead[self.first_ahead[v] : self.first_ahead[v + 1]]

    @cached_property
    def table(self) -> Longs:
        """[n, M] duration of every operation on every machine, 0 where it cannot run."""
        found = np.zeros((self.count, len(self.shop.machines)), dtype=np.int64)
        rows = np.repeat(np.arange(self.count), np.diff(self.first_mode))
        found[rows, self.mode_machine] = self.mode_duration
        return found

    def durations(self, machine: Ints) -> Longs:
        """[n] duration of every operation on its machine."""
        return self.table[np.arange(self.count), machine]

    def plan(self, machine: Ints, starts: Longs) -> Plan:
        """The plan with these machines and starts."""
        names, durations = self.shop.machines, self.durations(machine)
        first = np.searchsorted(self.job, np.arange(len(self.shop.jobs)))
        return Plan.of(
            Assignment(
                self.shop.jobs[j].name,
                int(v - first[j]),
                names[machine[v]],
                int(starts[v]),
                int(starts[v] + durations[v]),
            )
            for v, j in enumerate(self.job)
        )

    def sequences(self, plan: Plan) -> tuple[Ints, Ints, Ints]:
        """Machine, operation before and after on the machine, of every operation of a complete plan."""
        place = {job.name: j for j, job in enumerate(self.shop.jobs)}
        first = np.searchsorted(self.job, np.arange(len(self.shop.jobs)))
        number = {name: k for k, name in enumerate(self.shop.machines)}
        machine, before, after = (np.full(self.count, -1, dtype=np.int32) for _ in range(3))
        last: dict[int, Any] = {}
        for a in plan:
            v, m = int(first[place[a.job]]) + a.operation, number[a.machine]
            machine[v] = m
            before[v] = last.get(m, -1)
            if before[v] >= 0:
                after[before[v]] = v
            last[m] = v
        return machine, before, after
