"""One station: its machines, how long they take, how they fail, and what they need to work."""

import dataclasses
from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.maintenance import Maintenance
from twinloop.simulation.model.names import Name, Probability
from twinloop.simulation.model.wear import Wear


@settings
class Station:
    """`servers` equal machines that take parts from one place.

    failure: time to failure, of operation or of the calendar (`failure_clock`); it needs `repair`.
    setup: time to change the variant. inspects: the station's cycle is one look of the camera.
    queue: room for waiting parts on a routed line (null: without limit). next: on a routed line, station →
    probability that a part goes there afterwards; with the rest of 1 it leaves.
    batch: parts worked on together in one cycle; after `batch_wait_min` it starts with fewer (null: never).
    assembles: variant → number taken from the inlet and joined to one part of the first variant named.
    materials: material → quantity per part. repair_priority: who is repaired first when the crew is short (0 first).
    wear: what degrades in place of `failure`. maintenance: what is done before it breaks.
    """

    name: Name
    cycle: Distribution
    servers: Annotated[int, Field(ge=1)] = 1
    setup: Distribution | None = None
    failure: Distribution | None = None
    failure_clock: Literal["operation", "calendar"] = "operation"
    repair: Distribution | None = None
    repair_priority: Annotated[int, Field(ge=0)] = 0
    inspects: bool = False
    queue: Annotated[int, Field(ge=0)] | None = None
    next: dict[str, Probability] = dataclasses.field(default_factory=dict)
    batch: Annotated[int, Field(ge=1)] = 1
    batch_wait_min: Annotated[float, Field(ge=0)] | None = None
    assembles: dict[str, Annotated[int, Field(ge=1)]] = dataclasses.field(default_factory=dict)
    materials: dict[str, Annotated[float, Field(gt=0)]] = dataclasses.field(default_factory=dict)
    wear: Wear | None = None
    maintenance: Maintenance | None = None

    def __post_init__(self) -> None:
        if (self.failure is None) != (self.repair is None):
            raise ValueError("expected failure and repair together, or neither")

    @property
    def downtime_factor(self) -> float:
        """By how much breakdowns lengthen the mean time per part; 1 without them."""
        return 1 + self.repair.average / self.failure.average if self.failure and self.repair else 1.0
