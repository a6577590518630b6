"""The job shop: machines, jobs with a linear routing, release and due dates, precedence between jobs.

Times are whole numbers (minutes in the twins). Everything is checked here, before any solver sees it:
CP-SAT would only say MODEL_INVALID to a negative duration and INFEASIBLE to a cycle. Jobs are named;
operations are numbered from 0 within their job, as in `Plan`.
"""

import graphlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from twinloop.errors import InputError

# Sums of times stay within 32 bits and weighted sums within a double, so no solver can overflow.
LARGEST_TIME = 2**31 - 1
LARGEST_COST = 2**53


@dataclass(frozen=True)
class Operation:
    """Occupies `machine` for `duration` time units, without interruption in the plan."""

    machine: str
    duration: int


@dataclass(frozen=True)
class Job:
    """Operations in their order; `after` names jobs that must be finished before this one starts.

    A job without `due` is never late. Lateness costs `weight` per time unit; a `firm` due date must be met.
    """

    name: str
    operations: tuple[Operation, ...]
    release: int = 0
    due: int | None = None
    weight: int = 1
    firm: bool = False
    after: tuple[str, ...] = ()

    @property
    def work(self) -> int:
        """Sum of the durations."""
        return sum(operation.duration for operation in self.operations)


@dataclass(frozen=True)
class JobShop:
    """A complete, valid problem. Raises InputError that names job and operation.

    >>> JobShop(("mill",), (Job("a", (Operation("mill", 3),), due=2),)).horizon
    3
    """

    machines: tuple[str, ...]
    jobs: tuple[Job, ...]

    def __post_init__(self) -> None:
        _check_names(self.machines, "machine")
        _check_names([job.name for job in self.jobs], "job")
        machines = frozenset(self.machines)
        for job in self.jobs:
            _check_job(job, machines)
        self._check_precedence()
        if self.horizon > LARGEST_TIME:
            raise InputError(
                f"shop: expected all releases and durations to add up to at most {LARGEST_TIME}, got {self.horizon}: "
                "use a coarser time unit"
            )
        if self.horizon * sum(job.weight for job in self.jobs) > LARGEST_COST:
            raise InputError(f"shop: expected weights × horizon of at most {LARGEST_COST}: use smaller weights")

    def _check_precedence(self) -> None:
        names = {job.name for job in self.jobs}
        for job in self.jobs:
            for other in job.after:
                if other not in names:
                    raise InputError(f"job {job.name}: comes after {other!r}, which is no job of this shop")
        try:
            _ = self.order
        except graphlib.CycleError as error:
            raise InputError(
                f"jobs {' → '.join(error.args[1])} wait for each other in a circle: remove one 'after'"
            ) from None

    @cached_property
    def by_name(self) -> Mapping[str, Job]:
        """Jobs by name."""
        return {job.name: job for job in self.jobs}

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Job names, each behind all it comes after."""
        return tuple(graphlib.TopologicalSorter({job.name: job.after for job in self.jobs}).static_order())

    @cached_property
    def horizon(self) -> int:
        """No sensible plan is longer: the last release, then everything in turn."""
        return max((job.release for job in self.jobs), default=0) + sum(job.work for job in self.jobs)

    @cached_property
    def heads(self) -> Mapping[str, tuple[int, ...]]:
        """Earliest start of every operation when machines are never busy, by job."""
        found: dict[str, tuple[int, ...]] = {}
        for name in self.order:
            job = self.by_name[name]
            start = max([job.release, *(self._end(found, other) for other in job.after)])
            starts = []
            for operation in job.operations:
                starts.append(start)
                start += operation.duration
            found[name] = tuple(starts)
        return found

    def _end(self, heads: Mapping[str, tuple[int, ...]], name: str) -> int:
        return heads[name][-1] + self.by_name[name].operations[-1].duration

    def shortest(self, name: str) -> int:
        """Earliest possible end of a job."""
        return self._end(self.heads, name)

    def weighted_tardiness(self, ends: Mapping[str, float]) -> float:
        """Σ weight × max(0, end − due) for job ends by name; exact for whole numbers."""
        return sum(job.weight * max(0, ends[job.name] - job.due) for job in self.jobs if job.due is not None)


def _check_names(names: Iterable[str], kind: str) -> None:
    seen: set[str] = set()
    for name in names:
        if not isinstance(name, str) or not name:
            raise InputError(f"shop: expected a {kind} name (a text), got {name!r}")
        if name in seen:
            raise InputError(f"shop: {kind} {name!r} is there twice: give each {kind} its own name")
        seen.add(name)
    if not seen:
        raise InputError(f"shop: expected at least one {kind}, got none")


def _check_job(job: Job, machines: frozenset[str]) -> None:
    where = f"job {job.name}"
    if not job.operations:
        raise InputError(f"{where}: expected at least one operation, got none")
    _check_whole(job.release, 0, f"{where}: release")
    _check_whole(job.weight, 0, f"{where}: weight")
    if job.due is not None:
        _check_whole(job.due, 0, f"{where}: due date")
        if job.due < job.release:
            raise InputError(f"{where}: due date {job.due} lies before its release {job.release}")
    elif job.firm:
        raise InputError(f"{where}: expected a due date, because it is firm, got none")
    for number, operation in enumerate(job.operations):
        if operation.machine not in machines:
            raise InputError(
                f"{where} operation {number}: unknown machine {operation.machine!r}; "
                f"known: {', '.join(sorted(machines))}"
            )
        _check_whole(operation.duration, 1, f"{where} operation {number}: duration")


def _check_whole(value: object, least: int, what: str) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not (whole and least <= value <= LARGEST_TIME):  # type: ignore[operator]
        raise InputError(f"{what} = {value!r}: expected a whole number from {least} to {LARGEST_TIME}")
