"""The standard fleet: six components, most of which show their wear a little, and a workshop that is never quite free.

Policies are measured on it, so it may not be made easier: lives of 90 days of driving on average with spreads of 30 to
50 %, one component without any sign, sensor noise of 6 % of the wear range, a failure on the road that costs as much as
four visits, three days of notice, and an hour of driving that is missed dearer than one that is driven.
"""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.replication.streams import Streams
from twinloop.simulation.fleet.duty import Duty
from twinloop.simulation.fleet.modes import Mode
from twinloop.simulation.fleet.sensors import Sensing
from twinloop.simulation.fleet.vehicle import Component, Fleet, Kind, Supplier, Vehicle
from twinloop.simulation.fleet.workshop import Workshop
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.wear import Shocks, Wear

DRIVING_DAY_MIN = 250.0
LIFE_DAYS = 90.0
VISIT, FAILURE_VISITS = 500.0, 4.0
# A vehicle that stands is replaced by one rented for the day (about 100 € for four hours at the wheel), and driver and
# orders wait for that (35 € an hour of wages and margin). An hour of driving costs some 20 € of visits and failures: a
# price of no more than that would pay for standing.
DOWNTIME_HOUR = 60.0
# Shocks shorten lives: without them this component would live so much longer than it does.
SHOCKED = 1.263
SUPPLIERS = (Supplier(name="Nordteil", share=0.6, batches=6), Supplier(name="Sudparts", share=0.4, batches=4))


def _wear(kind: str, cv: float, *, factor: float = 1.0, shocks: Shocks | None = None) -> Wear:
    mean = factor * LIFE_DAYS * DRIVING_DAY_MIN
    return Wear(kind=kind, mean_life_min=mean, cv=cv, shocks=shocks)  # type: ignore[arg-type]


def _component(name: str, wear: Wear, skill: str, minutes: float, *modes: Mode) -> Component:
    return Component(
        name=name,
        wear=wear,
        skill=skill,
        repair=Distribution(kind="gamma", mean=minutes, cv=0.4),
        visit=VISIT,
        failure=FAILURE_VISITS * VISIT,
        modes=modes,
        suppliers=SUPPLIERS,
    )


COMPONENTS = (
    _component(
        "water_pump",
        _wear("gamma", 0.3),
        "mechanic",
        150.0,
        Mode(name="bearing", share=0.6, signs={"vibration": 3.0, "coolant_temperature": 8.0}),
        Mode(name="seal", share=0.4, signs={"coolant_temperature": 14.0}),
    ),
    _component(
        "brakes",
        _wear("gamma", 0.5),
        "mechanic",
        90.0,
        Mode(name="pads", share=0.8, signs={"brake_wear": 9.0}),
        Mode(name="disc", share=0.2, signs={"brake_wear": 6.0, "vibration": 1.5}),
    ),
    _component(
        "injectors",
        _wear("wiener", 0.3),
        "mechanic",
        180.0,
        Mode(name="clogged", share=0.7, signs={"fuel_rate": 2.5}),
        Mode(name="leaking", share=0.3, signs={"fuel_rate": 4.0, "oil_temperature": 5.0}),
    ),
    _component(
        "battery",
        _wear("wiener", 0.5),
        "electrician",
        60.0,
        Mode(name="sulphated", signs={"battery_voltage": -1.6}),
    ),
    _component(
        "tyres",
        _wear("gamma", 0.4, factor=SHOCKED, shocks=Shocks(every_min=20 * DRIVING_DAY_MIN, jump=0.05)),
        "mechanic",
        60.0,
        Mode(name="tread", share=0.7, signs={"tyre_pressure": -0.5, "vibration": 1.0}),
        Mode(name="sidewall", share=0.3, signs={"tyre_pressure": -0.9}),
    ),
    _component("control_unit", _wear("weibull", 0.5), "electrician", 120.0, Mode(name="solder_joint")),
)
KINDS = (
    Kind(
        name="delivery_van",
        duty=Duty(
            week=(250.0,) * 5 + (0.0, 0.0),
            season=(0.95, 0.95, 1.0, 1.0, 1.0, 1.0, 0.9, 0.9, 1.0, 1.05, 1.1, 1.15),
            cv=0.2,
            begins_min=360.0,
            load=0.45,
        ),
        speed_kmh=38.0,
    ),
    Kind(
        name="regional_truck",
        duty=Duty(week=(290.0,) * 5 + (100.0, 0.0), cv=0.15, begins_min=300.0, load=0.65),
        speed_kmh=62.0,
    ),
    Kind(
        name="service_car",
        duty=Duty(week=(200.0,) * 5 + (30.0, 0.0), cv=0.3, begins_min=450.0, load=0.35),
        speed_kmh=45.0,
    ),
)
CUSTOMERS = ("Adler Logistics", "Bergmann Services", "City Parcel", "Dorn Foods", "Elbe Facilities")


@settings
class StandardFleet:
    """The standard fleet with so many vehicles; kinds and customers take turns by chance.

    A bay for every `vehicles_per_bay` vehicles, with a mechanic for each and an electrician for every second one.
    sensing: what sensors add to what they measure.

    >>> StandardFleet(vehicles=2).fleet().names
    ('VEH001', 'VEH002')
    """

    vehicles: Annotated[int, Field(ge=1, le=10_000)] = 10
    vehicles_per_bay: Annotated[int, Field(ge=1, le=1000)] = 40
    components: tuple[Component, ...] = COMPONENTS
    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)] = KINDS
    customers: Annotated[tuple[str, ...], Field(min_length=1)] = CUSTOMERS
    notice_days: Annotated[int, Field(ge=0, le=365)] = 3
    downtime_hour: Annotated[float, Field(ge=0)] = DOWNTIME_HOUR
    start: str | None = None
    seed: Annotated[int, Field(ge=0)] = 1
    sensing: Sensing = Sensing()

    def fleet(self) -> Fleet:
        """The fleet it describes; vehicle n is the same however many there are."""
        streams = Streams(self.seed, 0)
        width = max(3, len(str(self.vehicles)))
        vehicles = []
        for number in range(1, self.vehicles + 1):
            kind, customer = streams.generator(f"vehicle {number}", "kind and customer").random(2).tolist()
            vehicles.append(
                Vehicle(
                    name=f"VEH{number:0{width}d}",
                    kind=self.kinds[int(kind * len(self.kinds))].name,
                    customer=self.customers[int(customer * len(self.customers))],
                )
            )
        bays = -(-self.vehicles // self.vehicles_per_bay)
        technicians = {"mechanic": bays, "electrician": -(-bays // 2)}
        return Fleet(
            name="standard fleet",
            components=self.components,
            kinds=self.kinds,
            vehicles=tuple(vehicles),
            workshop=Workshop(bays=bays, technicians=technicians),
            notice_days=self.notice_days,
            downtime_hour=self.downtime_hour,
            used=True,
            start=self.start,
        )
