"""Jobs and their operations. Operations are numbered from 0 within their job, as in `Plan`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from twinloop.config.schema import CONFIG


@dataclass(frozen=True)
class Alternative:
    """A machine that can do an operation, and how long it takes there."""

    __pydantic_config__: ClassVar[Any] = CONFIG  # read from a file, nothing unknown passes

    machine: str
    duration: int


@dataclass(frozen=True)
class Operation:
    """Occupies `machine` for `duration` time units, or one of its `alternatives`.

    family: what a set-up depends on; an operation without one needs none and leaves its machine set up as it was.
    pools: people or tools by pool, held while the operation runs. materials: quantities used up at its start.
    no_wait: starts the moment the operation before it ends (plus transport). resumable: may pause while its
    machine or a pool is closed; otherwise it has to fit between two closed windows. least_run: it works at least so
    long before a pause, so it begins in no opening, and uses none on its way, that is shorter (but to finish).
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
    least_run: int = 1

    @cached_property
    def modes(self) -> tuple[Alternative, ...]:
        """Every machine that can do it, the preferred one first."""
        return (Alternative(self.machine, self.duration), *self.alternatives)

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

    A job without `due` is never late. Lateness costs `weight` per time unit, ending early
    `earliness_weight`; a `firm` due date must be met.
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

    @cached_property
    def work(self) -> int:
        """Sum of the least durations."""
        return sum(operation.shortest for operation in self.operations)
