"""What scheduling hands to execution: which operation runs on which machine, from when to when."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from twinloop.contracts.plan_chart import plan_svg
from twinloop.errors import InputError
from twinloop.files import atomic

VERSION = 1
SCHEMA = {"job": pl.String, "operation": pl.Int64, "machine": pl.String, "start": pl.Int64, "end": pl.Int64}


@dataclass(frozen=True)
class Assignment:
    """Operation number `operation` (from 0) of `job` occupies `machine` during [start, end), in time units."""

    job: str
    operation: int
    machine: str
    start: int
    end: int


@dataclass(frozen=True)
class Plan:
    """Assignments of a whole shop, ordered by start, then machine.

    >>> Plan.of([Assignment("a", 0, "mill", 0, 3), Assignment("a", 1, "press", 3, 5)]).makespan
    5
    """

    assignments: tuple[Assignment, ...]

    @classmethod
    def of(cls, assignments: Iterable[Assignment]) -> "Plan":
        return cls(tuple(sorted(assignments, key=lambda a: (a.start, a.machine, a.job, a.operation))))

    def __iter__(self) -> Iterator[Assignment]:
        return iter(self.assignments)

    def __len__(self) -> int:
        return len(self.assignments)

    def _repr_html_(self) -> str:
        return plan_svg(self.frame())

    @property
    def makespan(self) -> int:
        """End of the last operation; 0 for an empty plan."""
        return max((a.end for a in self), default=0)

    def frame(self) -> pl.DataFrame:
        """One row per operation: job, operation, machine, start, end."""
        return pl.DataFrame([asdict(a) for a in self], schema=SCHEMA)

    def save(self, path: str | Path) -> None:
        """Write Parquet."""
        with atomic(path) as temporary:
            self.frame().write_parquet(temporary, metadata={"twinloop.plan": str(VERSION)})

    @classmethod
    def load(cls, path: str | Path) -> "Plan":
        """Read what `save` wrote. Raises InputError for a file of another kind or version."""
        version = pl.read_parquet_metadata(path).get("twinloop.plan")
        if version != str(VERSION):
            raise InputError(f"plan: {path}: expected plan version {VERSION}, got {version}: plan the shop again")
        return cls.of(Assignment(**row) for row in pl.read_parquet(path).iter_rows(named=True))
