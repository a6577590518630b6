"""What every solver is asked: the goal, when to stop, and where the search begins."""

import math
import time
from dataclasses import dataclass

from twinloop.contracts import Plan
from twinloop.errors import InputError
from twinloop.scheduling.objectives import Goal


@dataclass(frozen=True)
class Limit:
    """When a search stops: at the first that is reached.

    seconds: by the clock, for benchmarks and people who wait. deterministic: CP-SAT's own seconds, about one
    to three by the clock. iterations: moves, conflicts or neighbourhoods, whatever the solver counts.
    Limited by the last two, a search gives the same answer everywhere. Raises InputError for none or not above 0.
    """

    seconds: float | None = None
    deterministic: float | None = None
    iterations: int | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        if not given:
            raise InputError("limit: expected seconds, deterministic seconds or iterations, got none of them")
        for name, value in given.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (number and value > 0):
                raise InputError(f"limit: {name} = {value!r}: expected a number above 0")

    def __str__(self) -> str:
        named = {"seconds": "seconds", "deterministic": "deterministic seconds", "iterations": "iterations"}
        given = [f"{getattr(self, name):g} {unit}" for name, unit in named.items() if getattr(self, name) is not None]
        return " or ".join(given)

    def part(self, share: float) -> "Limit":
        """A share of it; of iterations at least one."""
        return Limit(
            seconds=None if self.seconds is None else share * self.seconds,
            deterministic=None if self.deterministic is None else share * self.deterministic,
            iterations=None if self.iterations is None else max(1, int(share * self.iterations)),
        )

    def until(self) -> float:
        """When these seconds, counted from now, are over, as `time.perf_counter` counts; infinite without any."""
        return math.inf if self.seconds is None else time.perf_counter() + self.seconds


def in_time(until: float) -> None:
    """Raise TimeoutError when `time.perf_counter` is past `until`: for long work that nobody should wait for."""
    if time.perf_counter() > until:
        raise TimeoutError


@dataclass(frozen=True)
class Question:
    """A goal and the limit of the search for it.

    seed: of every random choice. start: a plan to begin from; no answer is worse than a valid one. workers: threads
    that a solver may use.
    """

    goal: Goal
    limit: Limit
    seed: int = 1
    start: Plan | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        if isinstance(self.workers, bool) or not isinstance(self.workers, int) or self.workers < 1:
            raise InputError(f"workers = {self.workers!r}: expected a whole number of threads ≥ 1")
