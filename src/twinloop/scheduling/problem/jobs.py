"""Jobs and their operations. Operations are numbered from 0 within their job, as in `Plan`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from twinloop.config.schema import CONFIG


@dataclass(frozen=True)
class Alternative:
    """A machine that can do an operation, and how long it takes there: `duration`, and `piece_time` for each piece."""

    __pydantic_config__: ClassVar[Any] = CONFIG  # read from a file, nothing unknown passes

    machine: str
    duration: int
    piece_time: float = 0.0


@dataclass(frozen=True)
class Operation:
    """Occupies `machine` for `duration` time units, or one of its `alternatives`; a machine may be a group of them.

    piece_time: more time for each piece of the job, rounded up altogether. skills: people by skill, held while it runs.

    family: what a set-up depends on; an operation without one needs none and leaves its machine set up as it was.
    pools: people or tools by pool, held while the operation runs. materials: quantities used up at its start.
    no_wait: starts the moment the operation before it ends (plus transport); max_wait: so many time units later at
    most. resumable: may pause while its machine or a pool is closed; otherwise it has to fit between two closed
    windows. least_run: it works at least so long before a pause, so it begins in no opening, and uses none on its way,
    that is shorter (but to finish). A duration of 0 on all machines makes a milestone: it happens at any hour and
    occupies none of them.
    """

    __pydantic_config__: ClassVar[Any] = CONFIG  # read from a file, nothing unknown passes

    machine: str
    duration: int
    alternatives: tuple[Alternative, ...] = ()
    family: str | None = None
    pools: Mapping[str, int] = field(default_factory=dict)
    materials: Mapping[str, int] = field(default_factory=dict)
    no_wait: bool = False
    resumable: bool = False
    max_wait: int | None = None
    piece_time: float = 0.0
    skills: Mapping[str, int] = field(default_factory=dict)
    least_run: int = 1

    @cached_property
    def modes(self) -> tuple[Alternative, ...]:
        """Every machine that can do it, the preferred one first."""
        return (Alternative(self.machine, self.duration), *self.alternatives)

    @cached_property
    def milestone(self) -> bool:
        """Whether it takes no time, and so occupies no machine."""
        return not any(mode.duration for mode in self.modes)

    @property
    def longest_wait(self) -> int | None:
        """Time it may lie before its machine when the operation before it has ended; None for any."""
        return 0 if self.no_wait else self.max_wait

    @property
    def shortest(self) -> int:
        """Least duration over all modes."""
        return min(mode.duration for mode in self.modes)

    @property
    def longest(self) -> int:
        """Largest duration over all modes."""
        return max(mode.duration for mode in self.modes)

    def unbroken(self, duration: int) -> int:
        """Least time in one piece before a pause, where it takes `duration`: all of it if it cannot pause."""
        return min(self.least_run, duration) if self.resumable else duration

    def on(self, machine: str) -> int:
        """Duration on `machine`; KeyError for one that cannot do it."""
        for mode in self.modes:
            if mode.machine == machine:
                return mode.duration
        raise KeyError(machine)


@dataclass(frozen=True)
class Job:
    """Operations in their order; `after` names jobs that must be finished before this one starts.

    Time 0 is now: an order may have been released before, and its due date may have passed. A job without `due` is
    never late. Lateness costs `weight` per time unit, ending early `earliness_weight`; a `firm` due date must be met.

    price: what leaving it out costs; a job without one must be done. Its lots are left out with it, and what comes
    after it as well. One that has begun is not left out any more.

    quantity: pieces. lot: so many of them go on to the next operation together; a shop makes each lot a job of its own,
    `part_of` this one, which then is the milestone behind them. The fixed `duration` is needed for every lot: a set-up
    once for all of them belongs into the shop's set-ups by family.
    """

    __pydantic_config__: ClassVar[Any] = CONFIG  # read from a file, nothing unknown passes

    name: str
    operations: tuple[Operation, ...]
    release: int = 0
    due: int | None = None
    weight: int = 1
    earliness_weight: int = 0
    firm: bool = False
    after: tuple[str, ...] = ()
    quantity: int = 1
    lot: int | None = None
    part_of: str = ""
    price: int | None = None

    @property
    def order(self) -> str:
        """The order that it is, or is a lot of."""
        return self.part_of or self.name

    @property
    def opens(self) -> int:
        """Earliest start: its release, or now where that has passed."""
        return max(0, self.release)

    @cached_property
    def work(self) -> int:
        """Sum of the least durations."""
        return sum(operation.shortest for operation in self.operations)
