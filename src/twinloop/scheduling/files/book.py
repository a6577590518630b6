"""A shop as the sheets of an order book, which read back to the same shop; columns and sheets that say nothing go.

Times are minutes, and said to be. What an order book cannot hold is refused by name.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from twinloop.errors import InputError
from twinloop.scheduling.files.hours import ENDS
from twinloop.scheduling.files.resources import distinct
from twinloop.scheduling.files.words import EVERY
from twinloop.scheduling.problem import Changeover, JobShop, Shift, Window
from twinloop.scheduling.problem.hours import Hours, machine_hours
from twinloop.scheduling.problem.reduction import skill_pools
from twinloop.spreadsheets import as_read, as_text

Table = list[Sequence[Any]]
OF_JOB = ("release", "due", "weight", "earliness_weight", "firm", "after", "part_of", "price")
OF_OPERATION = ("family", "resumable", "least_run", "no_wait", "max_wait", "pools", "materials")
SILENT: Mapping[str, Any] = {
    **{"release": 0, "due": None, "weight": 1, "earliness_weight": 0, "firm": False, "after": (), "part_of": ""},
    **{"price": None, "optional": False},
    **{"family": None, "resumable": False, "least_run": 1, "no_wait": False, "max_wait": None, "pools": {}},
    "materials": {},
}
IN_MINUTES = ("release", "due")


def book_sheets(path: str | Path, shop: JobShop) -> dict[str, Table]:
    """Header and rows by sheet, without those that say nothing. Raises InputError for what they cannot say."""
    _sayable(path, shop)
    calendars = [hours.calendar for _, hours in _hours(shop) if hours.calendar is not None]
    groups = [(group, name) for group, names in shop.groups.items() for name in names]
    set_ups = [(m, *pair, time) for m, times in shop.setups.items() for pair, time in times.items()]
    sheets: dict[str, Table] = {
        "Start": [["start", "zone"], *([calendar.start, calendar.zone] for calendar in calendars[:1])],
        "Orders": order_table(shop),
        "Machines": _machines(shop),
        "Groups": [["group", "machine"], *groups],
        "Shifts": _shifts(shop),
        "Exceptions": _exceptions(shop),
        "Calendar": _windows(shop),
        "Setups": [["machine", "before", "after", "time (min)"], *set_ups],
        "Transport": [["from", "to", "time (min)"], *((*way, time) for way, time in shop.transport.items())],
        "Pools": [["pool", "capacity"], *((pool.name, pool.capacity) for pool in _pools(shop))],
        "Operators": [["operator", "skills"], *((person.name, person.skills) for person in shop.operators)],
        "Materials": [["material", "initial"], *((material.name, material.initial) for material in shop.materials)],
        "Deliveries": [
            ["material", "time (min)", "quantity"],
            *((m.name, time, quantity) for m in shop.materials for time, quantity in m.deliveries),
        ],
        "In progress": [
            ["job", "operation", "machine", "start (min)", "end (min)"],
            *((a.job, a.operation, a.machine, a.start, a.end) for a in shop.frozen),
        ],
    }
    return {
        name: [header, *([_cell(cell) for cell in row] for row in rows)]
        for name, (header, *rows) in sheets.items()
        if rows
    }


def order_table(shop: JobShop) -> Table:
    """The sheet Orders: a row for each machine that can do an operation."""
    rows = [
        {
            "job": job.name,
            "operation": number,
            "machine": mode.machine,
            "duration (min)": mode.duration,
            **{name: getattr(job, name) for name in OF_JOB},
            "optional": job.price is not None,
            **{name: getattr(operation, name) for name in OF_OPERATION},
        }
        for job in shop.jobs
        for number, operation in enumerate(job.operations)
        for mode in operation.modes
    ]
    names = [name for name in rows[0] if name not in SILENT or any(row[name] != SILENT[name] for row in rows)]
    header = [f"{name} (min)" if name in IN_MINUTES else name for name in names]
    return [header, *([row[name] for name in names] for row in rows)]


def _machines(shop: JobShop) -> Table:
    plain = Changeover()
    rows: Table = []
    for name in shop.machines:
        how = shop.changeovers.get(name, plain)
        unattended = how.unattended if name in shop.changeovers else None
        rows.append([name, shop.power.get(name), shop.ovens.get(name), how.initial, how.crew, unattended])
    header = ["machine", "power", "oven", "initial", "crew", "unattended"]
    kept = [k for k, _ in enumerate(header) if not k or any(row[k] is not None for row in rows)]
    return [[row[k] for k in kept] for row in (header, *rows)]


def _pools(shop: JobShop) -> list[Any]:
    """Pools but those that the sheet Operators makes again."""
    made = skill_pools(shop.operators)
    return [pool for pool in shop.pools if pool not in made]


def _hours(shop: JobShop) -> list[tuple[str, Hours]]:
    people = ((p.name, Hours(p.calendar, p.closed, p.repeat, p.overtime, p.stops)) for p in shop.operators)
    return [
        *((name, machine_hours(shop, name)) for name in shop.machines),
        *((pool.name, Hours.of_pool(pool)) for pool in _pools(shop)),
        *people,
    ]


def _shifts(shop: JobShop) -> Table:
    rows: Table = []
    for name, hours in _hours(shop):
        for shift in hours.calendar.shifts if hours.calendar is not None else ():
            assert hours.calendar is not None
            rows.append([name, shift.days, *_times(shift), hours.calendar.zone])
    return [["machine", "days", "start", "end", "capacity", "zone"], *rows]


def _exceptions(shop: JobShop) -> Table:
    rows: Table = []
    for name, hours in _hours(shop):
        for day in hours.calendar.exceptions if hours.calendar is not None else ():
            rows += [[name, day.date, *_times(shift)] for shift in day.shifts] or [[name, day.date, None, None, None]]
    return [["machine", "date", "start", "end", "capacity"], *rows]


def _times(shift: Shift) -> tuple[str, str, int | None]:
    return shift.start, shift.end, shift.capacity


def _windows(shop: JobShop) -> Table:
    rows: Table = []
    for name, hours in _hours(shop):
        repeat = hours.repeat if hours.repeat is not None else ENDS if hours.ends is not None else None
        kinds: list[tuple[str, Iterable[Window], Any]] = [
            ("stop", hours.stops, None),
            ("closed", hours.closed, repeat),
            ("overtime", hours.overtime, None),
        ]
        rows += [[name, w.start, w.end, kind, every] for kind, windows, every in kinds for w in windows]
    return [["machine", "start (min)", "end (min)", "kind", "repeat (min)"], *rows]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return as_text("; ".join(f"{name}: {number}" for name, number in value.items()))
    if isinstance(value, tuple):
        return as_text("; ".join(value))
    return as_text(value) if isinstance(value, str) else value


def _sayable(path: str | Path, shop: JobShop) -> None:
    calendars = [hours.calendar for _, hours in _hours(shop) if hours.calendar is not None]
    if any(calendar.unit_s != 60 for calendar in calendars):
        raise InputError(f"{path}: an order book counts in minutes, its calendars in other units: write JSON")
    listed = {name for job in shop.jobs for name in job.after}
    listed |= {name for job in shop.jobs for o in job.operations for name in (*o.pools, *o.materials)}
    listed |= {skill for person in shop.operators for skill in person.skills}
    if bad := sorted(name for name in listed if ";" in name or "," in name):
        raise InputError(f"{path}: name {bad[0]!r} stands in lists and has a comma or semicolon: write JSON")
    where = [*shop.machines, *(pool.name for pool in _pools(shop)), *(person.name for person in shop.operators)]
    jobs = [job.name for job in shop.jobs]
    families = {f for times in shop.setups.values() for pair in times for f in pair}
    families |= {o.family for job in shop.jobs for o in job.operations if o.family is not None}
    names = [*where, *jobs, *shop.groups, *sorted(families), *(m.name for m in shop.materials), *sorted(listed)]
    for name in names:
        if name != name.strip() or any(not c.isprintable() for c in name) or as_read(as_text(name)) != name:
            raise InputError(f"{path}: name {name!r}: spaces around it or signs that do not print: write JSON")
    if taken := [name for name in where if where.count(name) > 1 or name.lower() in EVERY or name in shop.groups]:
        raise InputError(f"{path}: {taken[0]!r} is the name of two things in an order book: write JSON")
    try:
        distinct(jobs, "orders", str(path))
        distinct((*where, *shop.groups), "machines, pools or people", str(path))
        distinct(sorted(families), "families", str(path))
    except InputError as error:
        raise InputError(f"{error}: or write JSON") from None
