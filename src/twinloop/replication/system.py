"""What is run many times: a callable from a replication's number to its key figures, under a name.

A replication is a pure function of its number, so chunks of them may be done anywhere and in any order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.replication.kpi import Kpis

Floats = NDArray[np.float64]
Run = Callable[[int], Mapping[str, float]]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Of some replications in order: figures [n, kpis], and what else has the same shape in each of them.

    profile: [n, ...] of which the mean over replications is kept (minutes in states, lengths of queues).
    asides: name → [n] what is told of every replication beside the key figures (steady_state.EARLY and LATE, for one).
    """

    figures: Floats
    profile: Floats | None = None
    asides: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class System:
    """A system by name: `run(number)` gives the key figures of one replication.

    run: takes its luck from its number (`Streams(seed, number)`), so that systems which are compared share it. Other
    processes get it pickled: a function of a module or an instance of a class, not a lambda.
    estimate: the same replication with the estimate of a measured model where `run` uses one of its draws; None where
    nothing was measured. The interval then holds what is not known about the model (replication.statistics).
    A system that does many replications faster in a row, or tells a profile, has a `chunk` of its own.
    """

    name: str
    run: Run
    estimate: Run | None = None

    def chunk(self, numbers: range, kpis: Kpis, *, drawn: bool) -> Callable[[], Outcomes]:
        """Some replications in a row, ready to be done by one process."""
        run = self.run if drawn or self.estimate is None else self.estimate
        return Chunk(self.name, run, numbers, tuple(kpis))

    def prepare(self) -> None:
        """What is done once before other processes begin; nothing."""


@dataclass(frozen=True)
class Chunk:
    """Replications that one process does in a row, one by one."""

    name: str
    run: Run
    numbers: range
    kpis: tuple[str, ...]

    def __call__(self) -> Outcomes:
        return Outcomes(np.array([self._row(number) for number in self.numbers], dtype=np.float64))

    def _row(self, number: int) -> list[float]:
        figures = self.run(number)
        missing = [kpi for kpi in self.kpis if kpi not in figures]
        if missing:
            raise InputError(
                f"{self.name}: expected the key figures {', '.join(self.kpis)} of every replication, replication "
                f"{number} has no {missing[0]}: let the run tell it or take it out of the table"
            )
        return [figures[kpi] for kpi in self.kpis]
