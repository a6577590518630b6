"""What happens to a fleet on top of chance, by name and day, as YAML: a pump that begins to fail, a sensor stuck."""

from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field

from twinloop.config import parse_file, settings
from twinloop.errors import InputError, nearest
from twinloop.simulation.fleet.modes import SENSORS
from twinloop.simulation.fleet.onset import Onset
from twinloop.simulation.fleet.sensor_faults import SensorFault
from twinloop.simulation.fleet.vehicle import Fleet, Positive, Text
from twinloop.simulation.model.names import Name

Day = Annotated[int, Field(ge=0, le=100_000)]


@settings
class Fault:
    """A vehicle's component begins to fail on `day` and fails after the planned driving of about `days` days."""

    vehicle: Text
    component: Name
    day: Day
    days: Annotated[int, Field(ge=1, le=1000)] = 14


@settings
class BadBatch:
    """Parts of one batch, numbered from 0, live `life` times as long as their kind does."""

    component: Name
    supplier: Text
    batch: Annotated[int, Field(ge=0)]
    life: Positive


@settings
class Scenario:
    """The YAML of a scenario is exactly this:

    name: VEH003 develops a failing water pump
    faults: [{vehicle: VEH003, component: water_pump, day: 40, days: 14}]
    sensor_faults: [{vehicle: VEH005, sensor: vibration, kind: stuck, day: 60, days: 20}]
    batches: [{component: battery, supplier: Nordteil, batch: 2, life: 0.4}]
    """

    name: Text = "as usual"
    faults: tuple[Fault, ...] = ()
    sensor_faults: tuple[SensorFault, ...] = ()
    batches: tuple[BadBatch, ...] = ()

    @classmethod
    def from_yaml(cls, path: str | Path) -> "Scenario":
        """Read a scenario. Raises InputError for a missing file or what is no scenario."""
        return parse_file(cls, path, name="scenario", remedy="give the path of its YAML")

    def check(self, fleet: Fleet, days: int) -> None:
        """Raise InputError for an unknown name, a day beyond the last, and what is told twice of one part or batch."""
        where = f"scenario {self.name!r}"
        begins = [(event.vehicle, event.day) for event in self.faults]
        begins += [(event.vehicle, event.day) for event in self.sensor_faults]
        for vehicle, day in begins:
            if day >= days:
                raise InputError(f"{where}: {vehicle}: day {day}: expected a day from 0 to {days - 1}")
        self._check_once(where)
        try:
            for fault in self.faults:
                fleet.vehicle(fault.vehicle), fleet.component(fault.component)
            for broken in self.sensor_faults:
                fleet.vehicle(broken.vehicle)
            for batch in self.batches:
                self._check_batch(fleet, batch)
        except InputError as error:
            raise InputError(f"{where}: {str(error).removeprefix('fleet: ')}") from None
        for broken in self.sensor_faults:
            if broken.sensor is not None and broken.sensor not in SENSORS:
                raise InputError(f"{where}: unknown sensor {broken.sensor!r}; {nearest(broken.sensor, SENSORS)}")

    def _check_once(self, where: str) -> None:
        by_part = sorted(self.faults, key=lambda fault: (fault.vehicle, fault.component, fault.day))
        for one, other in pairwise(by_part):
            same = (one.vehicle, one.component) == (other.vehicle, other.component)
            if same and other.day < one.day + one.days:
                raise InputError(
                    f"{where}: {one.vehicle}: {one.component} fails until day {one.day + one.days} already: expected "
                    f"its next fault from then on, got day {other.day}"
                )
        if len(self.batch_life) < len(self.batches):
            raise InputError(f"{where}: batches: expected each batch of a supplier's component once")

    @staticmethod
    def _check_batch(fleet: Fleet, bad: BadBatch) -> None:
        component = fleet.components[fleet.component(bad.component)]
        suppliers = {supplier.name: supplier for supplier in component.suppliers}
        if bad.supplier not in suppliers:
            raise InputError(f"{bad.component}: unknown supplier {bad.supplier!r}; {nearest(bad.supplier, suppliers)}")
        batches = suppliers[bad.supplier].batches
        if bad.batch >= batches:
            raise InputError(f"{bad.component}: {bad.supplier}: batch {bad.batch}: expected 0 to {batches - 1}")

    def onsets(self, fleet: Fleet) -> tuple[Onset, ...]:
        """Its faults as the engine takes them."""
        return tuple(Onset(fleet.vehicle(f.vehicle), fleet.component(f.component), f.day, f.days) for f in self.faults)

    @property
    def batch_life(self) -> dict[tuple[str, str, int], float]:
        """(component, supplier, batch) → factor of the mean life."""
        return {(bad.component, bad.supplier, bad.batch): bad.life for bad in self.batches}
