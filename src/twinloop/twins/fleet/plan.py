"""From what is known of the assets to what is simulated and booked: the fleet, its repairs, and what failures cost.

A simulated fleet is described by its configuration. Of a recorded one the components are those of its lives, each with
the Weibull law that fits them; costs, repairs and driving are as configured for a component of that name, or usual.
"""

import dataclasses
import math
import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from twinloop.contracts import AlertCurve
from twinloop.errors import InputError
from twinloop.files import read_json, replacing, write_json
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.prognostics.inference.risks import Consequence
from twinloop.prognostics.models.weibull import Weibull, fit_weibull
from twinloop.prognostics.prepared import Prepared
from twinloop.simulation.fleet import Component, Fleet
from twinloop.simulation.fleet.duty import MINUTES_PER_DAY
from twinloop.simulation.model.wear import Wear
from twinloop.twins.fleet.config import FleetSections

INDEX = "index.json"
# A spread beyond these is a sign of too few lives, and no law of wear.
SPREADS = (0.05, 3.0)
MOST_SEVERE, LEAST_SEVERE = 10, 1


def component_name(text: str) -> str:
    """A component's name as the simulation takes it: letters, digits, _ and -.

    >>> component_name("water pump (front)")
    'water_pump_front'
    """
    name = re.sub(r"\W+", "_", text).strip("_") or "component"
    return name if name[0].isalpha() else f"c_{name}"


def described(sections: FleetSections, prepared: Prepared, *, vehicles: int) -> Fleet:
    """The fleet that is simulated, with so many vehicles. Raises InputError where no component ever failed."""
    standard = dataclasses.replace(sections.fleet, vehicles=vehicles)
    if sections.data.kind == "simulated":
        return standard.fleet()
    usual = standard.fleet()
    share = work_share(usual) if prepared.clock == "calendar" else 1.0
    components: list[Component] = []
    taken: dict[str, str] = {}
    for name in prepared.about["components"]:
        other = taken.setdefault(component_name(name), name)
        if other != name:
            raise InputError(
                f"fleet: components {other!r} and {name!r} would both be simulated as {component_name(name)}: give "
                "them names that differ by letters or digits in the data"
            )
        lives = prepared.lives().filter((pl.col("component") == name) & (pl.col("end_min") > pl.col("begin_min")))
        if lives["failed"].any():
            hours = (lives["end_min"] - lives["begin_min"]).to_numpy() / MINUTES_PER_HOUR * share
            components.append(_component(sections, name, fit_weibull(hours, lives["failed"].to_numpy())))
    if not components:
        raise InputError("fleet: no component ever failed: there is nothing to simulate; watch the assets for longer")
    return dataclasses.replace(standard, components=tuple(components)).fleet()


def work_share(fleet: Fleet) -> float:
    """Minutes of driving per minute of the calendar, as they are usual over a year."""
    days = 364
    return float(fleet.driving_hours(0, days)[:, -1].mean() * MINUTES_PER_HOUR / (days * MINUTES_PER_DAY))


def consequences(sections: FleetSections, prepared: Prepared) -> dict[str, Consequence]:
    """What a failure of each component costs, how severe that is beside the others, and what to do about its risk."""
    known = {name: _known(sections, name) for name in prepared.about["components"]}
    dearest = max(component.failure for component in known.values())
    return {
        name: Consequence(
            severity=max(LEAST_SEVERE, round(MOST_SEVERE * component.failure / max(dearest, 1.0))),
            cost=component.failure,
            action=f"renew {name}: {component.skill}, {component.repair.average:.0f} min",
        )
        for name, component in known.items()
    }


def repairs(sections: FleetSections, prepared: Prepared) -> dict[str, Component]:
    """What renewing each component takes, by its name in the data."""
    return {name: _known(sections, name) for name in prepared.about["components"]}


def save_curves(curves: Mapping[str, AlertCurve], folder: Path) -> None:
    """One file per component, by number: names come from data."""
    with replacing(folder) as fresh:
        files = {name: f"{place:02d}.parquet" for place, name in enumerate(curves)}
        for name, file in files.items():
            curves[name].save(fresh / file)
        write_json(fresh / INDEX, files)


def load_curves(folder: Path) -> dict[str, AlertCurve]:
    """What `save_curves` wrote, by component."""
    path = folder / INDEX
    if not path.is_file():
        raise InputError(f"fleet: {path}: expected alert curves, found none: run the evaluate stage first")
    files: Mapping[str, str] = read_json(path)
    return {name: AlertCurve.load(folder / file) for name, file in files.items()}


def _known(sections: FleetSections, name: str) -> Component:
    """The configured component of that name, or the first one's costs and repair under this name."""
    configured = {component.name: component for component in sections.fleet.components}
    own = component_name(name)
    return configured.get(own) or dataclasses.replace(sections.fleet.components[0], name=own)


def _component(sections: FleetSections, name: str, law: Weibull) -> Component:
    first = math.gamma(1 + 1 / law.shape)
    spread = math.sqrt(max(math.gamma(1 + 2 / law.shape) / first**2 - 1, 0.0))
    low, high = SPREADS
    wear = Wear(
        kind="weibull",
        mean_life_min=law.scale * first * MINUTES_PER_HOUR,
        cv=min(max(spread, low), high),
    )
    return dataclasses.replace(_known(sections, name), wear=wear)
