"""The factory's whole configuration held against itself before anything runs: what one section names, another has.

A stage sees its own sections only; a lever that fits no line would be noticed after the training that it follows. The
conf stage composes all of them, so here every name is looked up and every change is tried on the configured line.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

from twinloop.config import Invalid
from twinloop.config.schema import Fault, nearest
from twinloop.errors import TwinloopError
from twinloop.learning.spec import FORMATS
from twinloop.replication.settings import Knob
from twinloop.simulation.experiments.levers import CHOSEN, expanded
from twinloop.simulation.experiments.scenarios import BAND, THRESHOLD
from twinloop.simulation.experiments.settings import Lever, Scale

if TYPE_CHECKING:
    from twinloop.simulation import Line
    from twinloop.twins.factory.config import FactorySections


def check(factory: "FactorySections") -> None:
    """Raise Invalid with every place where one section asks for what another does not have."""
    faults = [*_levers(factory), *_knobs(factory), *_maintenance(factory), *_upkeep(factory), *_changes(factory)]
    if faults:
        raise Invalid(faults)


def _levers(factory: "FactorySections") -> list[Fault]:
    faults = []
    for number, lever in enumerate(factory.simulate.levers):
        place = ("factory", "simulate", "levers", number, "change")
        try:
            for one in expanded([lever], factory.line):
                faults += [
                    Fault((*place, path), change, expected)
                    for path, change in one.change.items()
                    if (expected := _misfit(factory.line, path, change))
                ]
        except TwinloopError as error:
            faults.append(Fault(place, _shown(lever), str(error)))
    return faults


def _misfit(line: "Line", path: str, change: Any) -> str:
    """What a lever's change should have been; empty where it fits."""
    if path == "model":
        return "" if change in FORMATS else f"expected one of {', '.join(FORMATS)}"
    if path == "errors":
        return "" if isinstance(change, Scale) else "expected {scale: 0.5} or the like"
    if path == THRESHOLD:
        number = isinstance(change, int | float) and not isinstance(change, bool) and 0 <= change <= 1
        return "" if number or change == CHOSEN else f"expected {CHOSEN!r} or a number in [0, 1]"
    return _fits(line, path, dataclasses.asdict(change) if dataclasses.is_dataclass(change) else change)  # type: ignore[arg-type]


def _fits(line: "Line", path: str, change: Any) -> str:
    try:
        line.with_({path: change})
    except TwinloopError as error:
        return f"expected a change that fits the line: {error}"
    return ""


def _knobs(factory: "FactorySections") -> list[Fault]:
    place = ("factory", "simulate", "optimise", "space")
    return [
        Fault((*place, path), value, expected)
        for path, knob in factory.simulate.optimise.space.items()
        if path not in (THRESHOLD, BAND)
        for value in _ends(knob)
        if (expected := _fits(factory.line, path, value))
    ]


def _ends(knob: Knob) -> tuple[Any, ...]:
    if knob.kind == "categorical":
        return tuple(knob.choices)
    return tuple(int(end) if knob.kind == "int" else end for end in (knob.low, knob.high) if end is not None)


def _maintenance(factory: "FactorySections") -> list[Fault]:
    names = [station.name for station in factory.line.stations]
    name, place = factory.maintenance.station, ("factory", "maintenance", "station")
    if name not in names:
        return [Fault(place, name, "expected a station of the line" + nearest(name, names))]
    if factory.line.stations[names.index(name)].repair is None:
        return [Fault(place, name, "expected a station that is repaired; this one has no repair time")]
    return []


def _upkeep(factory: "FactorySections") -> list[Fault]:
    machines = [machine.name for machine in factory.shop.machines]
    return [
        Fault(
            ("factory", "upkeep", "machines", number, "name"),
            worn.name,
            "expected a machine of factory.shop" + nearest(worn.name, machines),
        )
        for number, worn in enumerate(factory.upkeep.machines)
        if worn.name not in machines
    ]


def _changes(factory: "FactorySections") -> list[Fault]:
    machines = [machine.name for machine in factory.shop.machines]
    products = [product.name for product in factory.shop.products]
    faults = []
    for number, change in enumerate(factory.schedule.changes):
        place = ("factory", "schedule", "changes", number)
        if change.machine is not None and change.machine not in machines:
            faults.append(
                Fault(
                    (*place, "machine"),
                    change.machine,
                    "expected a machine of factory.shop" + nearest(change.machine, machines),
                )
            )
        if change.rush is not None and change.rush.product not in products:
            product = change.rush.product
            faults.append(
                Fault(
                    (*place, "rush", "product"),
                    product,
                    "expected a product of factory.shop" + nearest(product, products),
                )
            )
    return faults


def _shown(lever: Lever) -> str:
    return ", ".join(lever.change)
