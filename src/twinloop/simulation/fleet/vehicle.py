"""A fleet as it is described: vehicles of several kinds, the components that wear in them, and their workshop."""

import dataclasses
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from twinloop.config import parse_file, settings
from twinloop.errors import InputError, nearest
from twinloop.html import table
from twinloop.numbers import MINUTES_PER_HOUR, counted, fixed, percent
from twinloop.replication.streams import Streams
from twinloop.simulation.fleet.duty import MINUTES_PER_DAY, Dates, Duties, Duty, check_start
from twinloop.simulation.fleet.modes import Mode
from twinloop.simulation.fleet.workshop import Opening, Workshop
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.names import Name, Probability
from twinloop.simulation.model.wear import Wear

Floats = NDArray[np.float64]
Euro = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Text = Annotated[str, Field(min_length=1, max_length=80)]
Days = Annotated[float, Field(ge=0, le=1000)]


@settings
class Supplier:
    """Who makes a component; `share`: of its parts, in proportion to the others. life: factor of a part's mean life.

    batches: in how many batches its parts come, each as likely.
    """

    name: Text = "first"
    share: Share = 1.0
    life: Positive = 1.0
    batches: Annotated[int, Field(ge=1, le=1000)] = 8


@settings
class Component:
    """One thing in every vehicle that wears with the minutes it drives, and what renewing it takes and costs.

    skill: of the technician. repair: minutes of work; after a failure on the road `failed_factor` times as many.
    stock: spare parts that lie there; lead_days: from the order of a part to its arrival.
    visit: euro for renewing it as planned, failure: for all of a failure on the road (towing, repair, damage).
    damage: other components that its failure destroys with it → how likely; they are renewed in the same visit.
    """

    name: Name
    wear: Wear
    skill: Name = "mechanic"
    repair: Distribution = Distribution(kind="gamma", mean=120.0, cv=0.4)
    failed_factor: Annotated[float, Field(ge=1, le=100)] = 1.0
    stock: Annotated[int, Field(ge=0, le=10_000)] = 10
    lead_days: Days = 2.0
    visit: Euro = 500.0
    failure: Euro = 2000.0
    damage: dict[Name, Probability] = dataclasses.field(default_factory=dict)
    modes: Annotated[tuple[Mode, ...], Field(min_length=1)] = (Mode(name="worn"),)
    suppliers: Annotated[tuple[Supplier, ...], Field(min_length=1)] = (Supplier(),)

    def __post_init__(self) -> None:
        different("mode", (mode.name for mode in self.modes))
        different("supplier", (supplier.name for supplier in self.suppliers))


@settings
class Kind:
    """Vehicles of one use; stress: component → how many times as fast it wears in them; speed_kmh: their mean speed."""

    name: Name
    duty: Duty = Duty()
    stress: dict[Name, Positive] = dataclasses.field(default_factory=dict)
    speed_kmh: Annotated[float, Field(gt=0, le=200)] = 55.0


@settings
class Vehicle:
    """One vehicle: its name, its kind and who uses it."""

    name: Text
    kind: Name
    customer: Text = "own"


@settings
class Fleet:
    """Vehicles and their workshop. The YAML of a fleet is exactly this.

    notice_days: a visit must be agreed so many days ahead. towing_min: minutes of the calendar from a failure on the
    road to the workshop. downtime_hour: euro per planned hour of driving that a vehicle stands instead.
    used: whether every first part has a share of its life behind it, any as likely, instead of being new.
    start: midnight at which day 0 begins, ISO 8601 with its zone; without it day 0 is a Monday in January. All days
    have 1440 minutes, as on a clock that is never put forward or back.
    """

    name: Text = "fleet"
    components: tuple[Component, ...]
    kinds: tuple[Kind, ...]
    vehicles: tuple[Vehicle, ...]
    workshop: Workshop
    notice_days: Annotated[int, Field(ge=0, le=365)] = 3
    towing_min: Annotated[float, Field(ge=0, le=100_000)] = 180.0
    downtime_hour: Euro = 20.0
    used: bool = False
    start: str | None = None

    def __post_init__(self) -> None:
        # Not as bounds of the fields: a list whose only entry is wrong would be called empty first.
        for what in ("components", "kinds", "vehicles"):
            if not getattr(self, what):
                raise ValueError(f"{what}: expected at least one, got none")
        components, kinds = [c.name for c in self.components], [kind.name for kind in self.kinds]
        different("component", components)
        different("kind", kinds)
        different("vehicle", (vehicle.name for vehicle in self.vehicles))
        check_start(self.start)
        for vehicle in self.vehicles:
            _known(f"vehicle {vehicle.name}: kind", vehicle.kind, kinds)
        for component in self.components:
            _known(f"component {component.name}: skill", component.skill, self.workshop.technicians)
            others = [name for name in components if name != component.name]
            for other in component.damage:
                _known(f"component {component.name}: damage", other, others)
        for kind in self.kinds:
            for name in kind.stress:
                _known(f"kind {kind.name}: stress", name, components)

    @classmethod
    def from_yaml(cls, path: str | Path) -> "Fleet":
        """Read a fleet's YAML file. Raises InputError for a missing file or an invalid fleet."""
        return parse_file(cls, path, name="fleet", remedy="give the path of its YAML")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the vehicles, in order."""
        return tuple(vehicle.name for vehicle in self.vehicles)

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """Names of the components, in order."""
        return tuple(component.name for component in self.components)

    def _repr_html_(self) -> str:
        rows = [
            (
                component.name,
                f"{component.wear.kind}, {fixed(component.wear.mean_life_min / MINUTES_PER_HOUR, 0)} h ± "
                f"{percent(component.wear.cv, digits=0)}",
                component.skill,
                f"{component.repair}",
                fixed(component.visit, 0),
                fixed(component.failure, 0),
            )
            for component in self.components
        ]
        kinds = Counter(vehicle.kind for vehicle in self.vehicles)
        used = ", ".join(f"{number} × {kind}" for kind, number in kinds.items())
        workshop = f"{counted(self.workshop.bays, 'bay')}, visits {counted(self.notice_days, 'day')} ahead"
        header = ("component", "wear", "skill", "repair (min)", "visit (€)", "failure (€)")
        return table(f"{self.name}: {used}; {workshop}", header, rows)

    def vehicle(self, name: str) -> int:
        """Place of a vehicle. Raises InputError for a name that does not exist."""
        if name not in self.names:
            raise InputError(f"fleet: unknown vehicle {name!r}; {_few(name, self.names)}")
        return self.names.index(name)

    def component(self, name: str) -> int:
        """Place of a component. Raises InputError for a name that does not exist."""
        if name not in self.parts:
            raise InputError(f"fleet: unknown component {name!r}; {_few(name, self.parts)}")
        return self.parts.index(name)

    def kind_of(self, vehicle: int) -> Kind:
        """The kind of the vehicle at a place."""
        return next(kind for kind in self.kinds if kind.name == self.vehicles[vehicle].kind)

    def dates(self, days: int, *, warmup_days: int = 0) -> Dates:
        """Weekdays and months of a run's days; its warm-up lies before day 0."""
        return Dates.of(days + warmup_days, start=self.start, first=-warmup_days)

    def opening_minutes(self, first: int, days: int) -> Floats:
        """[days] minutes that the workshop is open on each day from number `first` on."""
        # With a week more it opens at least once, also where these days are all closed.
        closed = [day for day in self.workshop.closed if day < first + days]
        workshop = dataclasses.replace(self.workshop, closed=tuple(closed))
        opening = Opening(workshop, Dates.of(days + 7, start=self.start, first=first), first=first)
        return np.diff([opening.passed(day * MINUTES_PER_DAY) for day in range(days + 1)])

    def driving_hours(self, first: int, days: int) -> Floats:
        """[vehicles, days + 1] hours of driving that are usual from day number `first` on until each day begins."""
        dates = Dates.of(days, start=self.start, first=first)
        usual = {kind.name: np.append(0.0, kind.duty.usual(dates).cumsum()) / MINUTES_PER_HOUR for kind in self.kinds}
        return np.array([usual[vehicle.kind] for vehicle in self.vehicles])

    def duties(self, streams: Streams, days: int, *, warmup_days: int = 0) -> Duties:
        """The planned driving of one replication, the same under every policy."""
        dates = self.dates(days, warmup_days=warmup_days)
        kinds = [self.kind_of(place) for place in range(len(self.vehicles))]
        minutes = [
            kind.duty.minutes(dates, streams.generator(vehicle.name, "duty"))
            for kind, vehicle in zip(kinds, self.vehicles, strict=True)
        ]
        return Duties(np.array(minutes), np.array([kind.duty.begins_min for kind in kinds]))


def different(what: str, names: Iterable[str]) -> None:
    """Raise ValueError where a name comes twice."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"expected different {what} names, {twice[0]!r} comes twice: rename one")


def _known(where: str, name: str, known: Iterable[str]) -> None:
    known = list(known)
    if name not in known:
        raise ValueError(f"{where}: unknown name {name!r}; {_few(name, known)}")


def _few(name: str, known: Iterable[str]) -> str:
    """The nearest name, or the first of many."""
    known = list(known)
    said = nearest(name, known)
    return said if said.startswith("did") or len(known) <= 6 else f"known: {', '.join(known[:5])}, … ({len(known)})"
