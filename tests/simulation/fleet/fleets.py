"""Small fleets whose answers theory knows: one component, driving and workshop day and night."""

from typing import Any

from twinloop.simulation.fleet.duty import Duty
from twinloop.simulation.fleet.vehicle import Component, Fleet, Kind, Vehicle
from twinloop.simulation.fleet.workshop import WEEK, Shift, Workshop
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.wear import Wear

ALWAYS = (Shift(days=WEEK, begins_min=0.0, ends_min=1440.0),)
DAY_AND_NIGHT = Duty(week=(1440.0,) * 7)
DAY = 1440.0


def wear(kind: str = "weibull", **values: Any) -> Wear:
    return Wear(**{"kind": kind, "mean_life_min": 40 * DAY, "cv": 0.3, **values})


def component(name: str = "pump", **values: Any) -> Component:
    plain = {
        "wear": wear(),
        "repair": Distribution(kind="deterministic", mean=1.0),
        "lead_days": 0.0,
        "visit": 100.0,
        "failure": 400.0,
    }
    return Component(**{"name": name, **plain, **values})


def workshop(bays: int = 50, **values: Any) -> Workshop:
    return Workshop(**{"bays": bays, "technicians": {"mechanic": bays}, "shifts": ALWAYS, **values})


def cars(count: int) -> tuple[Vehicle, ...]:
    return tuple(Vehicle(name=f"VEH{number:03d}", kind="van") for number in range(1, count + 1))


def fleet(*components: Component, vehicles: int | tuple[Vehicle, ...] = 10, **values: Any) -> Fleet:
    plain = {
        "components": components or (component(),),
        "kinds": (Kind(name="van", duty=DAY_AND_NIGHT),),
        "vehicles": cars(vehicles) if isinstance(vehicles, int) else vehicles,
        "workshop": workshop(),
        "notice_days": 0,
        "towing_min": 0.0,
        "downtime_hour": 0.0,
    }
    return Fleet(**{**plain, **values})
