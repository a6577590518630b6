"""The shop: machines, jobs and what limits them. Everything is checked here, before any solver sees it.

CP-SAT would only say MODEL_INVALID to a negative duration and INFEASIBLE to a cycle. Times are whole
numbers (minutes in the twins); all closed windows and deliveries lie on the same clock, which starts at 0.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinloop.contracts import Plan
from twinloop.progress import say
from twinloop.scheduling.figures.faces import shop_face
from twinloop.scheduling.figures.gantt import gantt
from twinloop.scheduling.problem.checks import check_shop, check_size, ordered
from twinloop.scheduling.problem.data import ShopData
from twinloop.scheduling.problem.horizon import horizon
from twinloop.scheduling.problem.hours import joined
from twinloop.scheduling.problem.reduction import reduced
from twinloop.scheduling.problem.resources import Window
from twinloop.scheduling.problem.summary import jobs_frame, limits, machines_frame
from twinloop.scheduling.problem.types import check_types

if TYPE_CHECKING:
    from twinloop.scheduling.solution import Solution


@dataclass(frozen=True)
class JobShop(ShopData):
    """A complete, valid problem. Raises InputError that names job and operation.

    closed: closed windows by machine; several without `repeat`, their period, are a calendar that ends: behind its
    last window the machine is closed. calendars: weekly hours by machine, which never end; closed windows come on
    top. overtime: windows in which it is open all the same. stops: single closures on top of everything, which say
    nothing of what comes behind. setups: by machine, time between two consecutive operations by (family before,
    family after); pairs that are not named need none. changeovers: by machine how it is set up. transport: time a
    job needs from one machine to another, by (from, to); pairs that are not named need none. power: watts while
    working, by machine. frozen: operations that are already decided (running, or too near to change) and keep
    machine and times; only they may have begun before time 0, which is now. groups: machines under one name, which
    operations may ask for. operators: people with skills, which become pools. ovens: machines that take up to so many
    operations of one family at once.

    >>> from twinloop.scheduling.problem import Job, Operation
    >>> JobShop(("mill",), (Job("a", (Operation("mill", 3),), due=2),)).horizon
    3
    """

    def __post_init__(self) -> None:
        check_types(self)
        for name, value in reduced(self).items():
            object.__setattr__(self, name, value)
        check_shop(self)
        check_size(self, self.horizon)

    @cached_property
    def horizon(self) -> int:
        """No sensible plan is longer: everything in turn after the last release, delivery and closed window."""
        return horizon(self)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Job names, each behind all it comes after."""
        return ordered(self.jobs)

    @cached_property
    def followers(self) -> Mapping[str, tuple[str, ...]]:
        """By job, the jobs that come after it."""
        behind: dict[str, list[str]] = {name: [] for name in self.by_name}
        for job in self.jobs:
            for other in dict.fromkeys(job.after):
                behind[other].append(job.name)
        return {name: tuple(names) for name, names in behind.items()}

    @cached_property
    def heads(self) -> Mapping[str, tuple[int, ...]]:
        """Earliest start of every operation when machines are never busy and always open, by job."""
        heads: dict[str, tuple[int, ...]] = {}
        for name in self.order:
            job = self.by_name[name]
            start = max([job.opens, *(self._end(heads, other) for other in job.after)])
            starts = []
            for operation in job.operations:
                starts.append(start)
                start += operation.shortest
            heads[name] = tuple(starts)
        return heads

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

    def doing(self, orders: Collection[str]) -> "JobShop":
        """The shop with these of the orders that may be left out, which now must be done, and without the others.

        Raises InputError where one of them comes after another that is not there, and where no job is left.
        """
        gone = {name for order, names in self.optional.items() if order not in orders for name in names}
        return replace(self, jobs=tuple(replace(job, price=None) for job in self.jobs if job.name not in gone))

    def done_by(self, plan: Plan) -> "JobShop":
        """The shop of the jobs that a plan does, which all must be done; itself where none may be left out."""
        if not self.optional:
            return self
        return self.doing(self.optional.keys() - self.left_out(plan))

    def stopped(self, windows: Mapping[str, Iterable[Window]]) -> "JobShop":
        """The same shop with single closures by machine on top of its hours: a breakdown, maintenance."""
        more = {machine: joined([*self.stops.get(machine, ()), *added]) for machine, added in windows.items()}
        return replace(self, stops={**self.stops, **{machine: added for machine, added in more.items() if added}})

    def row_setups(self, machine: str, families: Iterable[str | None]) -> list[int]:
        """Set-up time before each operation of a machine's row, given by families.

        One without a family needs none and leaves the machine set up as it was.
        """
        state = self.changeovers[machine].initial if machine in self.changeovers else None
        times = []
        for family in families:
            times.append(self.setup(machine, state, family))
            state = state if family is None else family
        return times

    def weighted_tardiness(self, ends: Mapping[str, float]) -> float:
        """Σ weight × max(0, end − due) for ends by name of the jobs that are done; exact for whole numbers."""
        return sum(
            job.weight * max(0, ends[job.name] - job.due)
            for job in self.jobs
            if job.due is not None and job.name in ends
        )

    @classmethod
    def read(cls, path: Path | str, **how: Any) -> "JobShop":
        """A shop from a file: JSON, an order book (CSV, XLSX, a folder), or a text format of the collections.

        how: kind, first_machine, start and zone, where the file does not tell them (`files.problem.read_problem`). What
        the file was taken for is said on stderr. Raises InputError for what cannot be read, or fits two formats.
        """
        from twinloop.scheduling.files.problem import read_problem

        reading = read_problem(path, **how)
        say(f"{Path(path).name}: {reading}")
        return reading.shop

    def write(self, path: Path | str) -> None:
        """The shop as a file that `read` reads, its form by the ending. Raises InputError for what that cannot say."""
        from twinloop.scheduling.files.problem import write_problem

        write_problem(Path(path), self)

    def solve(
        self,
        *objective: Any,
        method: str = "auto",
        seed: int = 1,
        workers: int = 1,
        start: Plan | None = None,
        **limit: Any,
    ) -> "Solution":
        """The best plan that a method finds within the limit; "auto" takes all of them together.

        objective: levels of a goal, the most important first (`objectives.Goal.of`); without one the makespan. method:
        one of `methods.METHODS`. limit: seconds, deterministic or iterations (`question.Limit`). Jobs with a price may
        be left out, which every goal counts (`Goal.on`). Raises InputError.

        >>> from twinloop.scheduling.problem import Job, Operation
        >>> JobShop(("mill",), (Job("a", (Operation("mill", 3),)),)).solve("makespan", iterations=10).objective
        3
        """
        from twinloop.scheduling.methods import answer

        return answer(self, *objective, method=method, seed=seed, workers=workers, start=start, **limit)

    def gantt(self, plan: Plan, **look: Any) -> Any:
        """A complete plan of this shop as a chart that can be zoomed (`figures.gantt.gantt`, which names `look`)."""
        from twinloop.scheduling.frames import chart_frames

        return gantt(**chart_frames(self, plan), **look)

    def _repr_html_(self) -> str:
        return shop_face(machines_frame(self), jobs_frame(self), limits(self))
