"""How an experiment with a line is run: a replication's design, how long, at which prices, on which engine.

`How` names the same fields as keywords, for functions that take them from the user.
"""

import math
from dataclasses import dataclass, field
from typing import Literal, Required, get_args

from twinloop.replication import design as replication
from twinloop.simulation.model.economy import Economy

PROFIT = "profit_per_day"
Engine = Literal["auto", "simpy", "compiled"]


class How(replication.How, total=False):
    """The fields of `Design` as keywords."""

    days: Required[float]
    warmup_days: float
    economy: Economy
    engine: Engine


@dataclass(frozen=True, kw_only=True)
class Design(replication.Design):
    """`days` are counted after `warmup_days`; scenarios of one design share their random numbers.

    An order book has a start and an end: it is measured from minute 0, without a warm-up, until its last part has left,
    and `days` are the most that it is given.

    engine: auto takes the compiled engine for lines it supports, SimPy for all others. The other fields are those of
    every replicated experiment. Raises InputError for what cannot be used.
    """

    days: float
    warmup_days: float = 1.0
    economy: Economy = field(default_factory=Economy)
    engine: Engine = "auto"

    def __post_init__(self) -> None:
        if not (self.days > 0 and math.isfinite(self.days)):
            raise self.refused("days", "a number > 0; days are counted after the warm-up")
        if not (self.warmup_days >= 0 and math.isfinite(self.warmup_days)):
            raise self.refused("warmup_days", "a number ≥ 0")
        super().__post_init__()
        if self.engine not in get_args(Engine):
            raise self.refused("engine", "auto, simpy or compiled")
