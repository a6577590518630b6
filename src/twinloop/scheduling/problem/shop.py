"""The shop: machines, jobs and what limits them. Everything is checked here, before any solver sees it.

CP-SAT would only say MODEL_INVALID to a negative duration and INFEASIBLE to a cycle. Times are whole
numbers (minutes in the twins); all closed windows and deliveries lie on the same clock, which starts at 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.problem import checks
from twinloop.scheduling.problem.checks import LARGEST_COST, LARGEST_TIME
from twinloop.scheduling.problem.jobs import Job
from twinloop.scheduling.problem.resources import Material, Pool, Window

if TYPE_CHECKING:
    from twinloop.scheduling.solution import Solution

__all__ = ["LARGEST_COST", "LARGEST_TIME", "JobShop"]


@dataclass(frozen=True)
class JobShop:
    """A complete, valid problem. Raises InputError that names job and operation.

    closed: windows of the calendar by machine. setups: by machine, time between two consecutive operations by
    (family before, family after); pairs that are not named need none. transport: time a job needs from one
    machine to another, by (from, to); pairs that are not named need none. power: watts while working, by machine.
    frozen: operations that are already decided (running, or too near to change) and keep machine and times.

    >>> from twinloop.scheduling.problem import Operation
    >>> JobShop(("mill",), (Job("a", (Operation("mill", 3),), due=2),)).horizon
    3
    """

    machines: tuple[str, ...]
    jobs: tuple[Job, ...]
    closed: Mapping[str, tuple[Window, ...]] = field(default_factory=dict)
    setups: Mapping[str, Mapping[tuple[str, str], int]] = field(default_factory=dict)
    transport: Mapping[tuple[str, str], int] = field(default_factory=dict)
    pools: tuple[Pool, ...] = ()
    materials: tuple[Material, ...] = ()
    power: Mapping[str, int] = field(default_factory=dict)
    frozen: tuple[Assignment, ...] = ()

    def __post_init__(self) -> None:
        checks.check_shop(self)

    @property
    def plain(self) -> bool:
        """Whether only machines, routings, releases, due dates and precedence limit the plan: a (flexible) job shop."""
        limits = (self.closed, self.setups, self.transport, self.pools, self.materials, self.frozen)
        return not any(limits) and not any(operation.no_wait for job in self.jobs for operation in job.operations)

    @property
    def flexible(self) -> bool:
        """Whether some operation can run on more than one machine."""
        return any(operation.alternatives for job in self.jobs for operation in job.operations)

    @cached_property
    def by_name(self) -> Mapping[str, Job]:
        """Jobs by name."""
        return {job.name: job for job in self.jobs}

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Job names, each behind all it comes after."""
        return checks.ordered(self.jobs)

    @cached_property
    def followers(self) -> Mapping[str, tuple[str, ...]]:
        """By job, the jobs that come after it."""
        found: dict[str, list[str]] = {name: [] for name in self.by_name}
        for job in self.jobs:
            for other in dict.fromkeys(job.after):
                found[other].append(job.name)
        return {name: tuple(names) for name, names in found.items()}

    @cached_property
    def horizon(self) -> int:
        """No sensible plan is longer: everything in turn after the last release, delivery and closed window."""
        last = [job.release for job in self.jobs]
        last += [window.end for windows in self.closed.values() for window in windows]
        last += [window.end for pool in self.pools for window in pool.closed]
        last += [time for material in self.materials for time, _ in material.deliveries]
        last += [a.end for a in self.frozen]
        setup = {machine: max(times.values(), default=0) for machine, times in self.setups.items()}
        move = max(self.transport.values(), default=0)
        work = sum(
            max(mode.duration + setup.get(mode.machine, 0) for mode in operation.modes) + move
            for job in self.jobs
            for operation in job.operations
        )
        return max(last, default=0) + work

    @cached_property
    def heads(self) -> Mapping[str, tuple[int, ...]]:
        """Earliest start of every operation when machines are never busy and always open, by job."""
        found: dict[str, tuple[int, ...]] = {}
        for name in self.order:
            job = self.by_name[name]
            start = max([job.release, *(self._end(found, other) for other in job.after)])
            starts = []
            for operation in job.operations:
                starts.append(start)
                start += operation.shortest
            found[name] = tuple(starts)
        return found

    def _end(self, heads: Mapping[str, tuple[int, ...]], name: str) -> int:
        return heads[name][-1] + self.by_name[name].operations[-1].shortest

    def shortest(self, name: str) -> int:
        """Earliest possible end of a job."""
        return self._end(self.heads, name)

    def setup(self, machine: str, before: str | None, after: str | None) -> int:
        """Set-up time on `machine` between operations of two families."""
        if before is None or after is None:
            return 0
        return self.setups.get(machine, {}).get((before, after), 0)

    def weighted_tardiness(self, ends: Mapping[str, float]) -> float:
        """Σ weight × max(0, end − due) for job ends by name; exact for whole numbers."""
        return sum(job.weight * max(0, ends[job.name] - job.due) for job in self.jobs if job.due is not None)

    @classmethod
    def read(cls, path: Path | str) -> "JobShop":
        """A shop from a file: the project's JSON, a table (CSV), or a JSP or FJSP instance. Raises InputError."""
        from twinloop.scheduling.files.problem import read_problem

        return read_problem(Path(path))

    def solve(
        self, *objective: Any, seed: int = 1, workers: int = 1, start: Plan | None = None, **limit: Any
    ) -> "Solution":
        """The best plan that all methods together (`solvers.portfolio.solve_auto`) find within the limit.

        objective: levels of a goal, the most important first (`objectives.Goal.of`); without one the makespan. limit:
        seconds, deterministic or iterations (`solution.Limit`). Raises InputError.

        >>> from twinloop.scheduling.problem import Job, Operation
        >>> JobShop(("mill",), (Job("a", (Operation("mill", 3),)),)).solve("makespan", iterations=10).objective
        3
        """
        from twinloop.scheduling.objectives import Goal
        from twinloop.scheduling.solution import Limit
        from twinloop.scheduling.solvers.portfolio import solve_auto

        goal = Goal.of(*objective or ("makespan",))
        return solve_auto(self, goal, limit=Limit(**limit), seed=seed, start=start, workers=workers)

    def gantt(self, plan: Plan, **look: Any) -> Any:
        """A complete plan of this shop as a chart that can be zoomed (`figures.gantt.gantt`, which names `look`)."""
        from twinloop.scheduling.figures.gantt import gantt

        return gantt(self, plan, **look)

    def _repr_html_(self) -> str:
        from twinloop.scheduling.figures.faces import shop_face

        return shop_face(self)
