"""A fleet's history as its owner has it: telemetry, parts, maintenance and workshop tables; and apart, what was true.

Made to tell a story of ten vehicles or to learn from three hundred. What a predictor may see is in `telemetry`,
`vehicles`, `parts`, `maintenance` and `workshop`; `lives` and `sensor_faults` say what really happened, to judge it by.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from twinloop.contracts import Telemetry
from twinloop.html import table
from twinloop.numbers import count, counted
from twinloop.simulation.fleet.engine import simulate
from twinloop.simulation.fleet.gantt import stays_gantt
from twinloop.simulation.fleet.policies.interval import FixedInterval
from twinloop.simulation.fleet.policies.policy import Policy
from twinloop.simulation.fleet.record import Record, Service
from twinloop.simulation.fleet.scenario import Scenario
from twinloop.simulation.fleet.sensor_faults import SensorFault
from twinloop.simulation.fleet.sensors import Sensing, sensor_faults, telemetry
from twinloop.simulation.fleet.vehicle import Fleet
from twinloop.simulation.fleet.world import World

Schema = Mapping[str, Any]
TEXT, NUMBER, WHOLE = pl.String(), pl.Float64(), pl.Int64()
# Times are minutes from midnight of day 0 on, below 0 before it; odometers and ages are minutes of driving.
# One row per vehicle.
VEHICLES: Schema = {"asset": TEXT, "kind": TEXT, "customer": TEXT}
# One row per part that was in service after day 0, from the minute on at which it was installed; the first ones were
# there when the warm-up began.
PARTS: Schema = {
    "asset": TEXT,
    "component": TEXT,
    "number": WHOLE,
    "supplier": TEXT,
    "batch": WHOLE,
    "begin_min": NUMBER,
    "begin_odometer_min": NUMBER,
}
# One row per component renewed: when its vehicle stopped, why (failure, planned, damage), the way it failed where it
# did, and its cost in euro without downtime.
MAINTENANCE: Schema = {
    "asset": TEXT,
    "component": TEXT,
    "number": WHOLE,
    "time_min": NUMBER,
    "odometer_min": NUMBER,
    "age_min": NUMBER,
    "reason": TEXT,
    "mode": TEXT,
    "supplier": TEXT,
    "batch": WHOLE,
    "cost": NUMBER,
}
# One row per stay in the workshop; start, done and bay are null where it had not begun by the end.
WORKSHOP: Schema = {
    "asset": TEXT,
    "roadside": pl.Boolean(),
    "off_min": NUMBER,
    "arrived_min": NUMBER,
    "ready_min": NUMBER,
    "start_min": NUMBER,
    "done_min": NUMBER,
    "bay": WHOLE,
    "busy_min": NUMBER,
    "lost_min": NUMBER,
    "cost": NUMBER,
    "components": pl.List(pl.String()),
}
# One row per part as in PARTS: its way to fail, how it ended (failure, planned, damage, in service), and the minutes of
# driving that it had or would have had.
LIVES: Schema = {
    "asset": TEXT,
    "component": TEXT,
    "number": WHOLE,
    "mode": TEXT,
    "begin_min": NUMBER,
    "end_min": NUMBER,
    "begin_odometer_min": NUMBER,
    "end_odometer_min": NUMBER,
    "reason": TEXT,
    "life_min": NUMBER,
}
# One row per fault of a sensor; a gap has no sensor.
SENSOR_FAULTS: Schema = {
    "asset": TEXT,
    "sensor": TEXT,
    "kind": TEXT,
    "begin_min": NUMBER,
    "end_min": NUMBER,
}


@dataclass(frozen=True, eq=False)
class FleetHistory:
    """What a fleet went through in some days; tables have the columns of the schemas of this module.

    faults: of the sensors, by vehicle.
    """

    record: Record
    scenario: Scenario
    sensing: Sensing
    faults: Mapping[str, list[SensorFault]]

    @property
    def fleet(self) -> Fleet:
        """Whose history it is."""
        return self.record.world.fleet

    @cached_property
    def telemetry(self) -> Telemetry:
        """A row per minute of driving, made when it is first asked for."""
        return telemetry(self.record, self.sensing, faults=self.faults)

    @cached_property
    def vehicles(self) -> pl.DataFrame:
        """Columns as in VEHICLES."""
        rows = [(vehicle.name, vehicle.kind, vehicle.customer) for vehicle in self.fleet.vehicles]
        return pl.DataFrame(rows, schema=VEHICLES, orient="row")

    @cached_property
    def parts(self) -> pl.DataFrame:
        """Columns as in PARTS."""
        rows = ((*self._named(s), *self._made(s), s.begin - self._zero, s.begin_odometer) for s in self._services())
        return _ordered(rows, PARTS, "asset", "component", "number")

    @cached_property
    def maintenance(self) -> pl.DataFrame:
        """Columns as in MAINTENANCE."""
        rows = []
        for s in self._services():
            if s.reason != "in service":
                component, failed = self.fleet.components[s.component], s.reason == "failure"
                mode = component.modes[s.unit.mode].name if failed else None
                times = s.end - self._zero, s.end_odometer, s.end_odometer - s.begin_odometer
                cost = component.failure if failed else component.visit
                rows.append((*self._named(s), *times, s.reason, mode, *self._made(s), cost))
        return _ordered(rows, MAINTENANCE, "time_min", "asset", "component")

    @cached_property
    def workshop(self) -> pl.DataFrame:
        """Columns as in WORKSHOP."""
        rows = []
        for stay in self.record.stays:
            if stay.off >= self._zero:
                begun = stay.bay >= 0
                times = [time - self._zero for time in (stay.off, stay.arrived, stay.ready)]
                times += [time - self._zero if begun else None for time in (stay.start, stay.done)]  # type: ignore[misc]
                names = [self.fleet.parts[place] for place, _ in stay.components]
                numbers = (stay.bay if begun else None, stay.busy_min, stay.lost_min, stay.cost)
                rows.append((self.fleet.names[stay.vehicle], stay.roadside, *times, *numbers, names))
        return _ordered(rows, WORKSHOP, "off_min", "asset")

    @cached_property
    def lives(self) -> pl.DataFrame:
        """Columns as in LIVES."""
        rows = []
        for s in self._services():
            mode = self.fleet.components[s.component].modes[s.unit.mode].name
            times = s.begin - self._zero, s.end - self._zero, s.begin_odometer, s.end_odometer
            rows.append((*self._named(s), mode, *times, s.reason, s.unit.path.life_min))
        return _ordered(rows, LIVES, "asset", "component", "number")

    @cached_property
    def sensor_faults(self) -> pl.DataFrame:
        """Columns as in SENSOR_FAULTS."""
        rows = [
            (name, fault.sensor, fault.kind, fault.day * 1440.0, (fault.day + fault.days) * 1440.0)
            for name, faults in self.faults.items()
            for fault in faults
        ]
        return _ordered(rows, SENSOR_FAULTS, "asset", "begin_min", "kind")

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """All tables by name."""
        names = ("vehicles", "parts", "maintenance", "workshop", "lives", "sensor_faults")
        return {name: getattr(self, name) for name in names}

    def gantt(self, *, most: int = 30) -> Any:
        """A plotly figure of when vehicles stand and why; of more than `most`, those that stand longest."""
        lost = self.workshop.group_by("asset").agg(pl.col("lost_min").sum()).sort("lost_min", "asset", descending=True)
        names = list(self.fleet.names)
        if len(names) > most:
            names = sorted(lost["asset"].head(most).to_list())
        stays = self.workshop.filter(pl.col("asset").is_in(names))
        return stays_gantt(stays, vehicles=names, days=self.record.world.days, title=self.fleet.name)

    @property
    def _zero(self) -> float:
        return self.record.world.begin_min

    def _services(self) -> list[Service]:
        return [service for service in self.record.services if service.end >= self._zero]

    def _named(self, service: Service) -> tuple[str, str, int]:
        return self.fleet.names[service.vehicle], self.fleet.parts[service.component], service.number

    def _made(self, service: Service) -> tuple[str, int]:
        suppliers = self.fleet.components[service.component].suppliers
        return suppliers[service.unit.supplier].name, service.unit.batch

    def _repr_html_(self) -> str:
        fleet, world = self.fleet, self.record.world
        rows = []
        for place, component in enumerate(fleet.parts):
            reasons = [s.reason for s in self._services() if s.component == place]
            cells = (count(reasons.count(reason)) for reason in ("failure", "planned", "damage", "in service"))
            rows.append((component, *cells))
        caption = (
            f"{fleet.name}: {counted(len(fleet.names), 'vehicle')} over {counted(world.days, 'day')}, "
            f"{self.scenario.name}; {counted(len(self.workshop), 'stay')} in the workshop"
        )
        return table(caption, ("component", "failed", "renewed as planned", "damaged", "in service"), rows)


def simulate_history(
    fleet: Fleet,
    *,
    days: int = 180,
    warmup_days: int = 60,
    scenario: Scenario | None = None,
    policy: Policy | None = None,
    sensing: Sensing | None = None,
    seed: int = 1,
    replication: int = 0,
) -> FleetHistory:
    """What the fleet goes through in `days` days after a warm-up, which no table shows.

    policy: by which it was maintained; without one, every component is renewed after its mean life of driving, so that
    about half of them fail. Raises InputError for a scenario that does not fit.
    """
    scenario, sensing = scenario or Scenario(), sensing or Sensing()
    scenario.check(fleet, days)
    if policy is None:
        policy = FixedInterval({component.name: component.wear.mean_life_min for component in fleet.components})
    world = World.of(
        fleet,
        days=days,
        warmup_days=warmup_days,
        seed=seed,
        replication=replication,
        batch_life=scenario.batch_life,
    )
    record = simulate(world, policy, onsets=scenario.onsets(fleet))
    faults = sensor_faults(record, sensing, extra=scenario.sensor_faults)
    return FleetHistory(record, scenario, sensing, faults)


def _ordered(rows: Iterable[tuple[Any, ...]], schema: Schema, *by: str) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dict(schema), orient="row").sort(*by)
