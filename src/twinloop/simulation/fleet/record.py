"""What one run of a fleet leaves: visits, lives, lost driving, and the key figures counted from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.replication.kpi import Kpi
from twinloop.simulation.fleet.duty import MINUTES_PER_DAY
from twinloop.simulation.fleet.ledger import Ledger
from twinloop.simulation.fleet.lives import Unit
from twinloop.simulation.fleet.world import World

Floats = NDArray[np.float64]
Reason = Literal["failure", "planned", "damage", "in service"]
DAYS_PER_YEAR = 365.0
COST = "cost_per_vehicle_day"
KPIS: Mapping[str, Kpi] = {
    COST: Kpi("Cost", "€/vehicle-day", least=0.0),
    "availability": Kpi("Availability", least=0.0, most=1.0),
    "failures": Kpi("Roadside failures", "per vehicle-year", least=0.0),
    "visits": Kpi("Visits", "per vehicle-year", least=0.0),
    "renewals": Kpi("Components renewed", "per vehicle-year", least=0.0),
    "waiting_hours": Kpi("Wait for a bay", "h/visit", least=0.0),
    "bay_utilisation": Kpi("Bay utilisation", least=0.0, most=1.0),
    "cost_per_hour": Kpi("Cost", "€/h driven", least=0.0),
}


class Stay(NamedTuple):
    """One vehicle's stay: it stops driving, arrives, is ready when its parts are there, and is served in a bay.

    Times are minutes from the start of the warm-up. roadside: it failed. components: places, each with its reason.
    busy_min: opening minutes in the bay. lost_min: planned driving it missed within the time that is counted.
    cost: euro, its downtime included.
    """

    vehicle: int
    roadside: bool
    off: float
    arrived: float
    ready: float
    start: float
    done: float
    bay: int
    busy_min: float
    components: tuple[tuple[int, Reason], ...]
    lost_min: float
    cost: float


class Service(NamedTuple):
    """One part's time in a vehicle, by the clock and by the vehicle's minutes of driving; reason: what ended it."""

    vehicle: int
    component: int
    number: int
    begin: float
    end: float
    begin_odometer: float
    end_odometer: float
    reason: Reason
    unit: Unit


@dataclass(frozen=True, eq=False)
class Record:
    """One run.

    stays: in the order in which vehicles became ready; one that was not by the end begins never, in bay -1.
    services: in the order in which they ended. ledger: what was counted after the warm-up. odometer: [vehicles] minutes
    driven in all.
    """

    world: World
    stays: tuple[Stay, ...]
    services: tuple[Service, ...]
    ledger: Ledger
    odometer: Floats

    def driven(self, vehicle: int, time: Floats) -> tuple[NDArray[np.bool_], Floats]:
        """Whether a vehicle stands at each of these times from the warm-up's start on, and its odometer there."""
        duties = self.world.duties
        stays = [stay for stay in self.stays if stay.vehicle == vehicle]
        begins = np.array([stay.off for stay in stays] + [np.inf])
        ends = np.array([stay.done for stay in stays])
        lost = np.array([duties.work(vehicle, stay.done) - duties.work(vehicle, stay.off) for stay in stays])
        over = np.searchsorted(ends, time, side="right")
        standing = time >= begins[over]
        moved = np.minimum(time, begins[over])
        day = np.minimum((moved // MINUTES_PER_DAY).astype(np.int64), duties.days - 1)
        today = np.clip(moved - day * MINUTES_PER_DAY - duties.begins[vehicle], 0.0, duties.minutes[vehicle, day])
        return standing, duties.until[vehicle, day] + today - np.append(0.0, lost.cumsum())[over]

    def figures(self) -> dict[str, float]:
        """The key figures of KPIS."""
        world, counted = self.world, self.ledger
        vehicles, days = len(world.fleet.vehicles), world.days
        planned = float(world.duties.minutes[:, world.warmup_days : world.warmup_days + days].sum())
        years = vehicles * days / DAYS_PER_YEAR
        opening, bays = world.opening, world.fleet.workshop.bays
        first, last = opening.passed(world.begin_min), opening.passed(world.end_min)
        busy = 0.0
        for stay in self.stays:
            end = opening.passed(stay.done)
            busy += max(min(end, last) - max(end - stay.busy_min, first), 0.0)
        begun = (stay for stay in self.stays if stay.ready >= world.begin_min and np.isfinite(stay.start))
        waits = [stay.start - stay.ready for stay in begun]
        return {
            COST: counted.cost / (vehicles * days),
            "availability": 1 - counted.lost_min / planned if planned else 1.0,
            "failures": counted.failures / years,
            "visits": counted.visits / years,
            "renewals": counted.renewals / years,
            "waiting_hours": float(np.mean(waits)) / MINUTES_PER_HOUR if waits else 0.0,
            "bay_utilisation": busy / (bays * (last - first)) if last > first else 0.0,
            "cost_per_hour": counted.cost / max((planned - counted.lost_min) / MINUTES_PER_HOUR, 1e-9),
        }
