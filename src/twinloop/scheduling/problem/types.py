"""Is everything in a shop of its kind? A text where names are expected would be taken for its letters otherwise."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from twinloop.config.schema import brief
from twinloop.contracts import Assignment
from twinloop.errors import InputError
from twinloop.scheduling.problem.data import ShopData
from twinloop.scheduling.problem.jobs import Alternative, Job, Operation
from twinloop.scheduling.problem.resources import Changeover, Material, Operator, Pool, Window
from twinloop.scheduling.problem.weekly import Calendar, Day, Shift


def check_types(shop: ShopData) -> None:
    """Raise InputError for the first field that holds something else than it says; numbers are checked elsewhere."""
    _all(shop.machines, str, "shop: machines")
    for number, job in enumerate(_all(shop.jobs, Job, "shop: jobs")):
        where = f"job {job.name if isinstance(job.name, str) else number}"
        _all(job.after, str, f"{where}: after")
        for place, operation in enumerate(_all(job.operations, Operation, f"{where}: operations")):
            _all(operation.alternatives, Alternative, f"{where} operation {place}: alternatives")
            _mapping(operation.pools, f"{where} operation {place}: pools")
            _mapping(operation.materials, f"{where} operation {place}: materials")
            _mapping(operation.skills, f"{where} operation {place}: skills")
    for kind in ("closed", "stops", "overtime"):
        for machine, windows in _mapping(getattr(shop, kind), f"shop: {kind}"):
            _all(windows, Window, f"machine {machine}: {kind}")
    for machine, calendar in _mapping(shop.calendars, "shop: calendars"):
        _calendar(calendar, f"machine {machine}: calendar")
    _mapping(shop.repeat, "shop: repeat")
    for machine, changeover in _mapping(shop.changeovers, "shop: changeovers"):
        if not isinstance(changeover, Changeover):
            raise InputError(f"changeovers of {machine}: expected a Changeover, got {brief(changeover)}")
    for group, members in _mapping(shop.groups, "shop: groups"):
        _all(members, str, f"group {group}")
    _mapping(shop.ovens, "shop: ovens")
    for machine, times in _mapping(shop.setups, "shop: setups"):
        _pairs((pair for pair, _ in _mapping(times, f"setups of {machine}")), f"setups of {machine}", "(before, after)")
    _pairs((pair for pair, _ in _mapping(shop.transport, "shop: transport")), "shop: transport", "(from, to)")
    _mapping(shop.power, "shop: power")
    for pool in _all(shop.pools, Pool, "shop: pools"):
        _hours(pool, f"pool {pool.name}")
    for operator in _all(shop.operators, Operator, "shop: operators"):
        _all(operator.skills, str, f"operator {operator.name}: skills")
        _hours(operator, f"operator {operator.name}")
    for material in _all(shop.materials, Material, "shop: materials"):
        _pairs(material.deliveries, f"material {material.name}: deliveries", "(time, quantity)")
    _all(shop.frozen, Assignment, "shop: frozen")


def _hours(owner: Pool | Operator, where: str) -> None:
    for kind in ("closed", "stops", "overtime"):
        _all(getattr(owner, kind), Window, f"{where}: {kind}")
    if owner.calendar is not None:
        _calendar(owner.calendar, f"{where}: calendar")


def _calendar(value: Any, where: str) -> None:
    if not isinstance(value, Calendar):
        raise InputError(f"{where}: expected a Calendar, got {brief(value)}")
    for day in _all(value.exceptions, Day, f"{where}: exceptions"):
        _all(day.shifts, Shift, f"{where}: shifts of {day.date}")
    for shift in _all(value.shifts, Shift, f"{where}: shifts"):
        _all(shift.days, str, f"{where}: days of a shift")


def _all(values: Any, kind: type, where: str) -> Sequence[Any]:
    name = "names" if kind is str else f"{kind.__name__} objects"
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise InputError(f"{where}: expected a tuple of {name}, got {brief(values)}")
    for value in values:
        if not isinstance(value, kind):
            raise InputError(f"{where}: expected {name}, got {brief(value)}")
    return values


def _mapping(value: Any, where: str) -> Iterable[tuple[Any, Any]]:
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: expected a mapping, got {brief(value)}")
    return value.items()


def _pairs(values: Any, where: str, what: str) -> None:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InputError(f"{where}: expected pairs {what}, got {brief(values)}")
    for value in values:
        if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 2:
            raise InputError(f"{where}: expected pairs {what}, got {brief(value)}")
