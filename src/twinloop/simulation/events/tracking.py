"""What a mirror keeps of every machine, part and queue while it follows the rows of a log."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from itertools import chain

from twinloop.simulation.events.log import DOWN, EVENTS, RUNNING, SETUP, STARVED, WARNING
from twinloop.simulation.events.state import Look, MachineState, PartState

AT_WORK = frozenset((RUNNING, WARNING, SETUP))
WEARING = frozenset((RUNNING, WARNING))


@dataclass(slots=True, eq=False)
class Machine:
    """A machine, or a resource, which is no station's."""

    name: str
    station: int | None  # of a vehicle: where it goes; of other resources None
    calendar: bool = False
    reworks: bool = False
    gathers: bool = False
    resource: bool = False
    state: int = STARVED
    since: float = 0.0
    lasting: int = STARVED  # the last state that took any time
    part: int | None = None
    others: list[int] = field(default_factory=list)
    done: bool = False
    sets_up: bool = False
    variant: str | None = None
    worked: float = 0.0
    down_since: float = 0.0
    life: float = 0.0
    looks: int = 0
    health: float | None = None
    maintained: float | None = None

    def worked_at(self, time: float) -> float:
        """Minutes of the present operation or set-up until `time`."""
        return self.worked + (time - self.since if self.state in AT_WORK else 0.0)

    def life_at(self, time: float) -> float:
        """Minutes since the last breakdown until `time`, by the station's failure clock."""
        counts = self.state != DOWN if self.calendar else self.state in WEARING
        return self.life + (time - self.since if counts else 0.0)

    @property
    def takes_when_repaired(self) -> bool:
        """Whether it broke down while it waited for a part: it is given the next one, which waits for the repair."""
        return self.state == DOWN and self.lasting == STARVED and self.part is None

    def shown(self, at: float) -> MachineState:
        """The machine at minute `at`, which lies in its present state."""
        return MachineState(
            name=self.name,
            state=EVENTS[self.state],
            since_min=self.since,
            part=self.part,
            others=tuple(self.others),
            done=self.done and self.part is not None,
            variant=self.variant,
            worked_min=self.worked_at(at),
            down_min=at - self.down_since if self.state == DOWN else 0.0,
            life_min=self.life_at(at),
            looks=self.looks,
            health=self.health,
            last_maintenance_min=self.maintained,
        )

    def resume(self, known: MachineState, at: float) -> None:
        """Take over what was known at minute `at`. Times so far are counted up to then, so they go on from there."""
        self.state, self.since, self.part = EVENTS.index(known.state), known.since_min, known.part
        self.lasting, self.done, self.variant, self.looks = self.state, known.done, known.variant, known.looks
        self.worked = known.worked_min - self.worked_at(at)
        self.life = known.life_min - self.life_at(at)
        self.down_since = at - known.down_min
        self.health, self.maintained = known.health, known.last_maintenance_min


@dataclass(slots=True)
class Part:
    """A part on the line; its fields are those of PartState."""

    number: int
    variant: str | None
    entered_min: float
    condition: str | None
    looks: tuple[Look, ...] = ()
    reworks: int = 0
    repaired: bool = False
    rejected: bool = False
    steps: int = 0

    @classmethod
    def of(cls, known: PartState) -> "Part":
        return cls(**{one.name: getattr(known, one.name) for one in fields(cls)})

    def shown(self) -> PartState:
        """The part as it is now."""
        return PartState(**{one.name: getattr(self, one.name) for one in fields(self)})


@dataclass(slots=True)
class Waiting:
    """Parts before a station: handed to a machine that is down, in its queue, and those it has no room for."""

    handed: dict[int, None] = field(default_factory=dict)
    queued: dict[int, None] = field(default_factory=dict)
    outside: dict[int, None] = field(default_factory=dict)

    def parts(self) -> Iterator[int]:
        """All of them, first the next."""
        return chain(self.handed, self.queued, self.outside)

    def remove(self, number: int) -> None:
        """The part waits here no more."""
        for group in (self.handed, self.queued, self.outside):
            group.pop(number, None)


@dataclass(slots=True)
class Counts:
    """What has entered and left, and when the last part came in a lot of which variant."""

    entered: int = 0
    shipped: int = 0
    scrapped: int = 0
    joined: int = 0
    lost: int = 0
    next_number: int = 0
    lot: tuple[str | None, int] = (None, 0)
    last_entry: float | None = None
