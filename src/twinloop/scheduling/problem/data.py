"""The fields of a shop and what follows from them alone; what they say is checked where a `JobShop` is made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from twinloop.contracts import Assignment
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
