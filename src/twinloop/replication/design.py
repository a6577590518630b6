"""How often a system is run, with which luck, and where. Checked once, then passed on.

`How` names the same fields as keywords, for functions that take them from the user.
"""

from dataclasses import dataclass
from typing import Literal, TypedDict, get_args

from twinloop.errors import InputError

Backend = Literal["processes", "dask"]


class How(TypedDict, total=False):
    """The fields of `Design` as keywords."""

    replications: int
    seed: int
    first: int
    confidence: float
    precision: float | None
    precision_of: str | None
    max_replications: int
    workers: int
    backend: Backend


@dataclass(frozen=True, kw_only=True)
class Design:
    """Systems of one design share their random numbers.

    seed: of every replication, taken up by whoever makes the runs, and of a search.
    first: number of the first replication; designs of one seed without a common number are independent.
    precision: replications go on in batches of `replications` until the half-width of `precision_of`, as a share of its
    mean, is at most this in every system, or there are `max_replications` (sequential stopping; Law, 5th ed., 9.4.1).
    precision_of: a key figure, the first of the table unless given.
    backend: processes of this machine, or a Dask cluster whose client exists; the results are the same.
    Raises InputError for what cannot be used.
    """

    replications: int = 10
    seed: int = 1
    first: int = 0
    confidence: float = 0.95
    precision: float | None = None
    precision_of: str | None = None
    max_replications: int = 1000
    workers: int = 1
    backend: Backend = "processes"

    def __post_init__(self) -> None:
        if self.replications < 2:
            raise self.refused("replications", "at least 2; one value has no interval")
        if self.seed < 0 or self.first < 0:
            raise self.refused("seed" if self.seed < 0 else "first", "an integer ≥ 0")
        if not 0.5 <= self.confidence < 1:
            raise self.refused("confidence", "a number in [0.5, 1), 0.95 for 95 %")
        if self.precision is not None and not 0 < self.precision < 1:
            raise self.refused("precision", "a number in (0, 1), 0.02 for ±2 % of the mean, or None")
        if self.precision is not None and self.max_replications < self.replications:
            raise self.refused("max_replications", f"at least the {self.replications} of a batch")
        if self.backend not in get_args(Backend):
            raise self.refused("backend", "processes or dask")
        if isinstance(self.workers, bool) or not isinstance(self.workers, int) or self.workers == 0:
            raise self.refused("workers", "a number of processes ≥ 1, or −1 for one per core")

    @property
    def most(self) -> int:
        """The most replications there can be."""
        return self.replications if self.precision is None else self.max_replications

    @property
    def spread(self) -> bool:
        """Whether other processes do the work."""
        return self.workers != 1 or self.backend != "processes"

    def refused(self, field: str, expected: str) -> InputError:
        """The error for a field whose value cannot be used."""
        return InputError(f"{type(self).__name__}.{field} = {getattr(self, field)!r}: expected {expected}")
