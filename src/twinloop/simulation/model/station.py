"""One station: its machines, how long they take, how they fail, and what they need to work."""

import dataclasses
import math
from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.maintenance import Maintenance
from twinloop.simulation.model.names import Name, Probability
from twinloop.simulation.model.wear import Wear


@settings
class BatchCycle:
    """How long a batch of so many parts takes, without a variant's factor."""

    parts: Annotated[int, Field(ge=1)]
    cycle: Distribution


@settings
class Station:
    """`servers` machines that take parts from one place; who has waited longest for one is next.

    unlimited: no machines, but room for everybody at once: a part begins when it comes, and only time passes (a delay:
    cooling, thinking, whatever is done elsewhere).
    speeds: per machine, by which its cycle times are divided (empty: all 1). cycles: variant → cycle time in place of
    `cycle` and the variant's factor. setups: variant → next variant → time of that change, where not all take `setup`.
    patience: how long a part waits in the queue in front before it leaves the line, lost (null: as long as it takes).
    failure: time to failure, of operation or of the calendar (`failure_clock`); it needs `repair`.
    setup: time to change the variant. inspects: the station's cycle is one look of the camera.
    queue: on a routed line, and before the first station of a serial one, room for waiting parts (null: without
    limit); who finds it full is blocked, or waits outside the line, or is lost (`Source.when_full`). next: on a routed
    line, station → probability that a part goes there afterwards; with the rest of 1 it leaves.
    batch: parts worked on together in one cycle (of the slowest of them, set up for it); they wait in front of the
    station until so many are there, or the first has waited `batch_wait_min` (null: however long it takes; 0: whoever
    is there goes at once). batch_cycles: what batches of so many parts take in place of `cycle`; other sizes take as
    long as the next larger one.
    assembles: variant → number that one piece of work takes; all are joined to the first part of the first variant,
    which goes on alone. materials: material → quantity per part. repair_priority: who is repaired first when the crew
    is short (0 first). wear: what degrades in place of `failure`. maintenance: what is done before it breaks.
    """

    name: Name
    cycle: Distribution
    servers: Annotated[int, Field(ge=1)] = 1
    unlimited: bool = False
    setup: Distribution | None = None
    failure: Distribution | None = None
    failure_clock: Literal["operation", "calendar"] = "operation"
    repair: Distribution | None = None
    repair_priority: Annotated[int, Field(ge=0)] = 0
    inspects: bool = False
    speeds: tuple[Annotated[float, Field(gt=0)], ...] = ()
    cycles: dict[str, Distribution] = dataclasses.field(default_factory=dict)
    setups: dict[str, dict[str, Distribution]] = dataclasses.field(default_factory=dict)
    patience: Distribution | None = None
    queue: Annotated[int, Field(ge=0)] | None = None
    next: dict[str, Probability] = dataclasses.field(default_factory=dict)
    batch: Annotated[int, Field(ge=1)] = 1
    batch_wait_min: Annotated[float, Field(ge=0)] | None = None
    batch_cycles: tuple[BatchCycle, ...] = ()
    assembles: dict[str, Annotated[int, Field(ge=1)]] = dataclasses.field(default_factory=dict)
    materials: dict[str, Annotated[float, Field(gt=0)]] = dataclasses.field(default_factory=dict)
    wear: Wear | None = None
    maintenance: Maintenance | None = None

    def __post_init__(self) -> None:
        if self.failure and self.wear:
            raise ValueError("expected failure or wear, not both: wear takes the place of failure")
        if (self.failure is None and self.wear is None) != (self.repair is None):
            raise ValueError("expected failure and repair together, or neither; wear needs repair too")
        if self.maintenance and self.wear is None:
            raise ValueError("maintenance expects wear: without it a machine has no age and no health")
        if self.speeds and len(self.speeds) != self.servers:
            raise ValueError(
                f"station {self.name}: expected a speed for each of {self.servers} servers, got {len(self.speeds)}"
            )
        if self.patience and (self.batch > 1 or self.assembles):
            raise ValueError(f"station {self.name}: patience is of parts that wait singly: not with batch or assembles")
        if self.batch > 1 and (self.inspects or self.assembles):
            verb = "inspects" if self.inspects else "assembles"
            raise ValueError(
                f"station {self.name}: expected batch 1 at a station that {verb}, got {self.batch}: "
                "gather the batch at a station of its own"
            )
        if self.batch == 1 and self.batch_wait_min is not None:
            raise ValueError(f"station {self.name}: batch_wait_min needs a batch of 2 or more")
        sizes = [one.parts for one in self.batch_cycles]
        if sizes and (self.cycles or max(sizes) != self.batch or len(set(sizes)) < len(sizes)):
            raise ValueError(
                f"station {self.name}: batch_cycles: expected different sizes up to batch {self.batch}, no cycles of "
                f"variants beside them, got {', '.join(map(str, sorted(sizes)))}"
            )
        if self.unlimited:
            self._check_unlimited()

    def _check_unlimited(self) -> None:
        of_machines = {
            "servers": self.servers > 1,
            "speeds": self.speeds,
            "queue": self.queue is not None,
            "failure": self.failure,
            "wear": self.wear,
            "setup": self.setup or self.setups,
            "inspects": self.inspects,
            "batch": self.batch > 1,
            "assembles": self.assembles,
            "materials": self.materials,
            "patience": self.patience,
        }
        given = [name for name, value in of_machines.items() if value]
        if given:
            raise ValueError(
                f"station {self.name}: unlimited does not go with {', '.join(given)}: it has no machines, nobody waits"
            )

    def padded(self, size: int) -> int:
        """The size in `batch_cycles` whose cycle a batch of `size` parts takes: its own, or the next larger."""
        return min(one.parts for one in self.batch_cycles if one.parts >= size)

    @property
    def mean_cycle_min(self) -> float:
        """Mean minutes of one cycle, of a full batch where cycles differ by size, without a variant's factor."""
        full = [one.cycle for one in self.batch_cycles if one.parts == self.batch]
        return full[0].average if full else self.cycle.average

    @property
    def speed(self) -> float:
        """Of all machines together, those of speed 1 counting 1; infinite where everybody is served at once."""
        if self.unlimited:
            return math.inf
        return sum(self.speeds) if self.speeds else self.servers

    @property
    def downtime_factor(self) -> float:
        """By how much breakdowns lengthen the mean time per part; 1 without them."""
        life = self.wear.mean_life_min if self.wear else self.failure.average if self.failure else None
        return 1 + self.repair.average / life if self.repair and life else 1.0
