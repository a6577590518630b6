"""What may be booked and what there is to book: visits with their price by day, and the workshop's minutes by day."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from twinloop.errors import InputError, nearest
from twinloop.scheduling.problem.opening_checks import check_whole


@dataclass(frozen=True)
class Task:
    """One component's work within a visit.

    skill, minutes: whose work it is and how long it takes. cost_by_day: [days] euro that are expected if it is done on
    that day: risk until then, the work itself, and the risk of the new part behind it. cost_without: euro expected if
    it is not done at all. parts: how many of which are used up. since_by_day: [days] the day from which the asset then
    waits, the day itself where it does not; None where nobody waits. Raises InputError for values out of range.
    """

    component: str
    skill: str
    minutes: int
    cost_by_day: tuple[float, ...]
    cost_without: float
    parts: Mapping[str, int] = field(default_factory=dict)
    since_by_day: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        where = f"booking: {self.component}"
        check_whole(self.minutes, 1, f"{where}: minutes")
        for part, count in self.parts.items():
            check_whole(count, 1, f"{where}: {part}")
        for cost in (*self.cost_by_day, self.cost_without):
            if not math.isfinite(cost):
                raise InputError(f"{where}: expected every cost to be a number, got {cost}")

    def since(self, day: int) -> int:
        """The day on which its asset comes when the work is done on this one."""
        return day if self.since_by_day is None else self.since_by_day[day]

    def saving(self, day: int) -> float:
        """Euro that doing it on this day saves against not doing it, without what the visit itself costs."""
        return self.cost_without - self.cost_by_day[day]


@dataclass(frozen=True)
class Candidate:
    """An asset that may come once, with the tasks of which each may be done while it is there.

    days: those on which its customer can come, all where None. visit_cost: euro of the visit itself (bay, drive, a
    vehicle that is missed), however much is done. fixed: the day that was agreed, or None; agreed: the components that
    are done then, all where None.
    """

    asset: str
    tasks: tuple[Task, ...]
    days: tuple[int, ...] | None = None
    visit_cost: float = 0.0
    fixed: int | None = None
    agreed: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        where = f"booking: {self.asset}"
        if not self.tasks:
            raise InputError(f"{where}: expected a task to do: leave the asset out or give it one")
        names = [task.component for task in self.tasks]
        if len(set(names)) < len(names):
            raise InputError(f"{where}: expected every component once, got {', '.join(names)}")
        unknown = [name for name in self.agreed or () if name not in names]
        if unknown or self.agreed == ():
            raise InputError(
                f"{where}: agreed: expected some of {', '.join(names)}, got {', '.join(unknown) or 'none'}"
            )
        if not math.isfinite(self.visit_cost) or self.visit_cost < 0:
            raise InputError(f"{where}: visit_cost = {self.visit_cost}: expected a number of at least 0")

    def allowed(self, days: int) -> Sequence[int]:
        """The days on which its customer can come, of so many."""
        return range(days) if self.days is None else self.days

    @property
    def promised(self) -> tuple[Task, ...]:
        """The tasks of an agreed visit."""
        return tuple(task for task in self.tasks if self.agreed is None or task.component in self.agreed)


@dataclass(frozen=True)
class Workshop:
    """What there is by day, from day 0 on.

    minutes: skill → [days] minutes of work. bays: [days] minutes of all bays together. parts: name → [days] how many
    have come by that day, altogether; parts that are not named are always there. reserve: skill → share of its minutes
    in [0, 1) that is kept for what nobody booked. Raises InputError for rows of unequal length, negative values, and a
    workshop that can do nothing.
    """

    minutes: Mapping[str, tuple[int, ...]]
    bays: tuple[int, ...]
    parts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    reserve: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.minutes or not self.bays:
            raise InputError("workshop: expected a skill and a day with their minutes, got none")
        rows = {**{f"minutes of {name}": row for name, row in self.minutes.items()}, "bays": self.bays}
        rows |= {f"parts {name}": row for name, row in self.parts.items()}
        for name, row in rows.items():
            if len(row) != self.days:
                raise InputError(f"workshop: {name}: expected {self.days} days as bays have, got {len(row)}")
            for value in row:
                check_whole(value, 0, f"workshop: {name}")
        for name, arrived in self.parts.items():
            if list(arrived) != sorted(arrived):
                raise InputError(f"workshop: parts {name}: expected how many have come by each day, which cannot fall")
        if not any(self.bays) or not any(any(row) for row in self.minutes.values()):
            raise InputError("workshop: it has no capacity on any day: give it minutes of a bay and of a skill")
        for name, share in self.reserve.items():
            if name not in self.minutes:
                raise InputError(f"workshop: reserve: unknown skill {name!r}; {nearest(name, self.minutes)}")
            if not 0 <= share < 1:
                raise InputError(f"workshop: reserve of {name} = {share}: expected a share from 0 to below 1")

    @property
    def days(self) -> int:
        """How many there are."""
        return len(self.bays)

    def bookable(self, skill: str) -> tuple[int, ...]:
        """[days] minutes of a skill without its reserve."""
        kept = self.reserve.get(skill, 0.0)
        return tuple(math.floor(minutes * (1 - kept) + 1e-9) for minutes in self.minutes[skill])


def check(candidates: Sequence[Candidate], workshop: Workshop) -> None:
    """Raise InputError for an asset that comes twice, an unknown skill, and days that are not the workshop's."""
    assets: set[str] = set()
    for candidate in candidates:
        where = f"booking: {candidate.asset}"
        if candidate.asset in assets:
            raise InputError(f"{where}: comes twice: put what is to be done into one visit")
        assets.add(candidate.asset)
        for task in candidate.tasks:
            if task.skill not in workshop.minutes:
                raise InputError(
                    f"{where}: {task.component}: unknown skill {task.skill!r}; {nearest(task.skill, workshop.minutes)}"
                )
            if len(task.cost_by_day) != workshop.days:
                raise InputError(
                    f"{where}: {task.component}: expected a cost for each of {workshop.days} days, "
                    f"got {len(task.cost_by_day)}"
                )
        for day in (*(candidate.days or ()), *(() if candidate.fixed is None else (candidate.fixed,))):
            if isinstance(day, bool) or not isinstance(day, int) or not 0 <= day < workshop.days:
                raise InputError(
                    f"{where}: day {day!r}: expected one from 0 to {workshop.days - 1}; earlier ones are past"
                )
            if not workshop.bays[day]:
                raise InputError(f"{where}: day {day}: the workshop is closed: choose a day on which it has a bay")
