"""The fields of a shop and what follows from them alone; what they say is checked where a `JobShop` is made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.problem.jobs import Job
from twinloop.scheduling.problem.resources import Changeover, Material, Operator, Pool, Window
from twinloop.scheduling.problem.weekly import Calendar


@dataclass(frozen=True)
class ShopData:
    """Machines, jobs and everything that limits a plan; `JobShop` says what each field means."""

    machines: tuple[str, ...]
    jobs: tuple[Job, ...]
    closed: Mapping[str, tuple[Window, ...]] = field(default_factory=dict)
    setups: Mapping[str, Mapping[tuple[str, str], int]] = field(default_factory=dict)
    transport: Mapping[tuple[str, str], int] = field(default_factory=dict)
    pools: tuple[Pool, ...] = ()
    materials: tuple[Material, ...] = ()
    power: Mapping[str, int] = field(default_factory=dict)
    frozen: tuple[Assignment, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    operators: tuple[Operator, ...] = ()
    ovens: Mapping[str, int] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    repeat: Mapping[str, int] = field(default_factory=dict)
    stops: Mapping[str, tuple[Window, ...]] = field(default_factory=dict)
    overtime: Mapping[str, tuple[Window, ...]] = field(default_factory=dict)
    changeovers: Mapping[str, Changeover] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether only machines, routes, releases, due dates and precedence limit the plan: a (flexible) job shop.

        Milestones make it none: they stand in no machine's row.
        """
        limits = (
            *(self.closed, self.calendars, self.stops, self.ovens),
            *(self.setups, self.transport, self.pools, self.materials, self.frozen),
        )
        operations = (operation for job in self.jobs for operation in job.operations)
        return not any(limits) and not any(o.milestone or o.longest_wait is not None for o in operations)

    @property
    def flexible(self) -> bool:
        """Whether some operation can run on more than one machine."""
        return any(operation.alternatives for job in self.jobs for operation in job.operations)

    @cached_property
    def by_name(self) -> Mapping[str, Job]:
        """Jobs by name."""
        return {job.name: job for job in self.jobs}

    @cached_property
    def optional(self) -> Mapping[str, tuple[str, ...]]:
        """By order that may be left out, its jobs: lots and itself. What has begun, and all before it, must be done."""
        members: dict[str, list[str]] = {job.name: [] for job in self.jobs if job.price is not None}
        for job in self.jobs:
            if job.order in members:
                members[job.order].append(job.name)
        must = [self.by_name[name].order for name in {a.job for a in self.frozen} & self.by_name.keys()]
        while must:
            for name in members.pop(must.pop(), ()):
                must += [self.by_name[other].order for other in self.by_name[name].after]
        return {order: tuple(names) for order, names in members.items()}

    @cached_property
    def required(self) -> tuple[Job, ...]:
        """Jobs that no plan leaves out."""
        return tuple(job for job in self.jobs if job.order not in self.optional)

    def left_out(self, plan: Plan) -> tuple[str, ...]:
        """The orders of which a plan has nothing, although it could."""
        planned = {a.job for a in plan} if self.optional else set[str]()
        return tuple(order for order, names in self.optional.items() if planned.isdisjoint(names))
