"""The days of a workshop as a shop: bays are machines, technicians are people with skills, parts are materials.

A visit is one operation: it holds a bay and a technician of every skill that it needs until all is done, as long as the
longest of their work takes. What cannot be finished within its day is told and left out, not begun and left standing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from twinloop.contracts import Plan
from twinloop.errors import InputError, nearest
from twinloop.scheduling.problem import Job, JobShop, Operation, Window
from twinloop.scheduling.problem.opening_checks import check_whole
from twinloop.scheduling.problem.resources import Material, Operator

BAYS = "bays"


@dataclass(frozen=True)
class Visit:
    """One asset in the workshop.

    minutes: of work by skill. arrives, leaves: earliest and latest minute of the shop's clock. parts: used up at its
    start. weight: how dear a minute is by which it is late.
    """

    asset: str
    minutes: Mapping[str, int]
    arrives: int
    leaves: int
    parts: Mapping[str, int] = field(default_factory=dict)
    weight: int = 1

    def __post_init__(self) -> None:
        where = f"visit of {self.asset}"
        if not self.minutes:
            raise InputError(f"{where}: expected minutes of a skill, got none")
        for skill, minutes in self.minutes.items():
            check_whole(minutes, 1, f"{where}: minutes of {skill}")
        check_whole(self.arrives, 0, f"{where}: arrives")
        check_whole(self.leaves, self.arrives + max(self.minutes.values()), f"{where}: leaves")


@dataclass(frozen=True)
class Garage:
    """bays by name; technicians by name with their skills; closed: windows of the clock in which nobody is there.

    parts: with their stock and deliveries; those that are not named are always there.
    """

    bays: tuple[str, ...]
    technicians: Mapping[str, tuple[str, ...]]
    closed: tuple[Window, ...] = ()
    parts: tuple[Material, ...] = ()

    def without(self, *absent: str) -> "Garage":
        """The same garage on a day on which some technicians are not there. Raises InputError for an unknown one."""
        for name in absent:
            if name not in self.technicians:
                raise InputError(f"garage: unknown technician {name!r}; {nearest(name, self.technicians)}")
        here = {name: skills for name, skills in self.technicians.items() if name not in absent}
        return replace(self, technicians=here)

    def shop(self, visits: Sequence[Visit]) -> JobShop:
        """The visits as jobs of one operation. Raises InputError for a skill that nobody has, as `JobShop` does."""
        known = {skill for skills in self.technicians.values() for skill in skills}
        for visit in visits:
            missing = [skill for skill in visit.minutes if skill not in known]
            if missing:
                skills = ", ".join(sorted(known)) or "none"
                raise InputError(f"visit of {visit.asset}: nobody has the skill {missing[0]!r}; known: {skills}")
        return JobShop(
            machines=self.bays,
            jobs=tuple(self.job(visit) for visit in visits),
            stops={bay: self.closed for bay in self.bays if self.closed},
            groups={BAYS: self.bays},
            operators=tuple(Operator(name, skills, stops=self.closed) for name, skills in self.technicians.items()),
            materials=self.parts,
        )

    def job(self, visit: Visit) -> Job:
        """A visit as a job of one operation."""
        stocked = {material.name for material in self.parts}
        operation = Operation(
            BAYS,
            max(visit.minutes.values()),
            skills=dict.fromkeys(visit.minutes, 1),
            materials={name: count for name, count in visit.parts.items() if name in stocked},
        )
        return Job(visit.asset, (operation,), release=visit.arrives, due=visit.leaves, weight=visit.weight)


class Day(NamedTuple):
    """A plan of those who are finished in time, its shop, and who is not: they have to come on another day."""

    shop: JobShop
    plan: Plan
    left: tuple[str, ...]


def day_plan(garage: Garage, visits: Sequence[Visit], *, seed: int = 1, **limit: Any) -> Day:
    """The visits in bays, with technicians, as few late as are found, and all back as early as can be.

    limit: as of `JobShop.solve`, by default 2 deterministic seconds. Raises InputError for no visits.
    """
    if not visits:
        raise InputError("visits: expected at least one, got none")
    leaves, left = {visit.asset: visit.leaves for visit in visits}, list[str]()
    while True:
        shop = garage.shop([visit for visit in visits if visit.asset not in left])
        solution = shop.solve("late_jobs", "completion", seed=seed, **(limit or {"deterministic": 2.0}))
        if solution.plan is None:
            raise InputError(f"visits: {solution.reason or solution.status}")
        late = [a.job for a in solution.plan if a.end > leaves[a.job]]
        if not late:
            return Day(shop, solution.plan, tuple(sorted(left)))
        left += late
        if len(left) == len(visits):
            return Day(shop, Plan.of([]), tuple(sorted(left)))
