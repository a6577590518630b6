"""How an experiment is run: how long, how often, with which luck, on which engine. Checked once, then passed on.

`How` names the same fields as keywords, for functions that take them from the user.
"""

import math
from dataclasses import dataclass, field
from typing import Literal, Required, TypedDict, get_args

from twinloop.errors import InputError
from twinloop.simulation.events.kpi import KPIS
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.overlay import unknown

PROFIT = "profit_per_day"
Engine = Literal["auto", "simpy", "compiled"]
Backend = Literal["processes", "dask"]


class How(TypedDict, total=False):
    """The fields of `Design` as keywords."""

    days: Required[float]
    warmup_days: float
    replications: int
    seed: int
    first: int
    economy: Economy
    confidence: float
    precision: float | None
    precision_of: str
    max_replications: int
    engine: Engine
    workers: int
    backend: Backend


@dataclass(frozen=True, kw_only=True)
class Design:
    """`days` are counted after `warmup_days`; scenarios of one design share their random numbers.

    first: number of the first replication; designs of one seed without a common number are independent.
    precision: replications go on in batches of `replications` until the half-width of `precision_of`, as a share of its
    mean, is at most this in every scenario, or there are `max_replications` (sequential stopping; Law, 5th ed., 9.4.1).
    engine: auto takes the compiled engine for lines it supports, SimPy for all others.
    backend: processes of this machine, or a Dask cluster whose client exists; the results are the same.
    Raises InputError for what cannot be used.
    """

    days: float
    warmup_days: float = 1.0
    replications: int = 10
    seed: int = 1
    first: int = 0
    economy: Economy = field(default_factory=Economy)
    confidence: float = 0.95
    precision: float | None = None
    precision_of: str = PROFIT
    max_replications: int = 1000
    engine: Engine = "auto"
    workers: int = 1
    backend: Backend = "processes"

    def __post_init__(self) -> None:
        if not (self.days > 0 and math.isfinite(self.days)):
            raise _refused("days", self.days, "a number > 0; days are counted after the warm-up")
        if not (self.warmup_days >= 0 and math.isfinite(self.warmup_days)):
            raise _refused("warmup_days", self.warmup_days, "a number ≥ 0")
        if self.replications < 2:
            raise _refused("replications", self.replications, "at least 2; one value has no interval")
        if self.seed < 0 or self.first < 0:
            name = "seed" if self.seed < 0 else "first"
            raise _refused(name, getattr(self, name), "an integer ≥ 0")
        if not 0.5 <= self.confidence < 1:
            raise _refused("confidence", self.confidence, "a number in [0.5, 1), 0.95 for 95 %")
        if self.precision is not None and not 0 < self.precision < 1:
            raise _refused("precision", self.precision, "a number in (0, 1), 0.02 for ±2 % of the mean, or None")
        if self.precision_of not in KPIS:
            raise unknown("simulate: precision_of", self.precision_of, KPIS)
        if self.precision is not None and self.max_replications < self.replications:
            raise _refused("max_replications", self.max_replications, f"at least the {self.replications} of a batch")
        if self.engine not in get_args(Engine):
            raise _refused("engine", repr(self.engine), "auto, simpy or compiled")
        if self.backend not in get_args(Backend):
            raise _refused("backend", repr(self.backend), "processes or dask")
        if self.workers == 0:
            raise _refused("workers", self.workers, "a number of processes ≥ 1, or −1 for one per core")

    @property
    def spread(self) -> bool:
        """Whether other processes do the work."""
        return self.workers != 1 or self.backend != "processes"


def _refused(name: str, value: object, expected: str) -> InputError:
    return InputError(f"simulate: {name} = {value}: expected {expected}")
