"""A shop from an order book: the sheets of a workbook or a folder, or one table of orders.

Orders has a row for each machine that can do an operation: job, operation, machine, duration (or piece_time), and what
belongs to the job (release, due, weight, firm, after, quantity, lot), in its first row or in each. One that is said to
be optional has a price for leaving it out; any other price is not read. With a sheet Operations it has a row for each
job. Everything else has a sheet of its own (`words.ROLES`): what there is
(`resources`), and when (`hours`). In progress names what has begun, Start the moment of minute 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from twinloop.contracts import Assignment
from twinloop.errors import InputError, near, nearest
from twinloop.numbers import counted
from twinloop.scheduling.clock import Clock
from twinloop.scheduling.files.cells import Cells, items
from twinloop.scheduling.files.hours import Names, read_hours
from twinloop.scheduling.files.reading import Reading
from twinloop.scheduling.files.resources import (
    distinct,
    read_machines,
    read_materials,
    read_pools,
    read_setups,
    read_transport,
)
from twinloop.scheduling.files.sheets import Form, Record, Sheet, records, words_of
from twinloop.scheduling.files.words import ROLES, UNIT_NAMES
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation

REQUIRED = ("job", "operation", "machine")
OF_JOB = ("release", "due", "weight", "earliness_weight", "firm", "after", "quantity", "lot", "part_of", "price")
OF_OPERATION = (
    *("family", "resumable", "least_run", "no_wait", "max_wait"),
    *("pools", "skills", "components"),
)
OF_MODE = ("duration", "piece_time", "unit")
REFUSED = {
    **dict.fromkeys(
        ("setup_time", "setup", "rüstzeit", "ruestzeit"),
        "give it as duration, and the time for each piece as piece_time; between families in a sheet Setups",
    ),
    "group": "give it as machine, and name the group of each machine in the sheet Machines",
    **dict.fromkeys(
        ("priority", "prio", "priorität"), "is 1 urgent or idle? give it as weight, the larger the more urgent"
    ),
    "deadline": "give it as due, with yes in a column firm where it must be met",
}
ORDERS = Form((*REQUIRED, *OF_MODE, *OF_JOB, "optional", *OF_OPERATION), REQUIRED, refused=REFUSED)
JOBS = Form(("job", *OF_JOB, "optional"), ("job",), refused=REFUSED)
OPERATIONS = Form((*REQUIRED, *OF_MODE, *OF_OPERATION), REQUIRED, refused=REFUSED)
PROGRESS = Form((*REQUIRED, "start", "end"), (*REQUIRED, "start", "end"))
START = Form(("start", "zone"), ("start",), {"date": "start", "minute_0": "start"})
PRICES = "prices not read: they count where a column optional says yes, as what leaving that order out costs"
MANY = "Setups"
NUMBERED_IN_TENS = 5


def read_book(sheets: Sequence[Sheet], path: Path, clock: Clock | None) -> Reading:
    """The shop of an order book. Raises InputError with the place of what cannot be read."""
    notes: list[str] = []
    roles, setups = _roles(sheets, path, notes)
    clock = _clock(roles["Start"], clock, notes) if "Start" in roles else clock
    cells = Cells(clock)
    rows = _rows(roles, cells, notes)
    if not rows:
        raise InputError(f"{path}: expected at least one machine and job, got no rows below the header")
    machines = read_machines(roles, [(row["machine"], row["where"]) for row in rows], cells, notes)
    pools, people = read_pools(roles, cells, notes)
    names = Names(machines.names, machines.groups, (*(p.name for p in pools), *(p.name for p in people)))
    distinct([row["job"] for row in rows], "orders", str(path))
    distinct((*names.machines, *names.groups, *names.others), "machines, pools or people", str(path))
    hours = read_hours(roles, names, cells, notes)
    times = read_setups(setups, machines, cells, notes)
    _note_families(rows, times, machines.ovens, notes, str(path))
    jobs: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        jobs.setdefault(row["job"], []).append(row)
    numbers = {name: _numbers(name, own) for name, own in jobs.items()}
    begun = _begun(roles["In progress"], numbers, cells, notes) if "In progress" in roles else ()
    try:
        shop = JobShop(
            machines.names,
            tuple(_job(name, own, numbers[name]) for name, own in jobs.items()),
            setups=times,
            transport=read_transport(roles.get("Transport"), machines, cells, notes),
            pools=tuple(replace(pool, **hours.of(pool.name)) for pool in pools),
            materials=read_materials(roles, cells, notes),
            power=machines.power,
            frozen=begun,
            groups=machines.groups,
            operators=tuple(replace(person, **hours.of(person.name)) for person in people),
            ovens=machines.ovens,
            changeovers=machines.changeovers,
            **hours.at(machines.names),
        )
    except InputError as error:
        raise error if str(error).startswith(str(path)) else InputError(f"{path}: {error}") from None
    if late := [job.name for job in shop.jobs if job.due is not None and job.release and job.due < job.release]:
        notes.append(f"due before {'its' if len(late) == 1 else 'their'} release: {_few(late)}")
    if overdue := [job.name for job in shop.jobs if job.due is not None and job.due < 0]:
        notes.append(f"overdue at the start: {_few(overdue)}")
    if clock is not None:
        notes.append(f"minute 0 is {clock.show(0)}")
    form = f"order book ({', '.join(dict.fromkeys([*roles, *['Setups'] * bool(setups)]))})"
    return Reading(
        shop,
        form if len(sheets) > 1 else "order book (a table)",
        (*notes, *cells.notes()),
        machines.breakdowns,
        clock=clock,
        minutes=True,
    )


def _roles(sheets: Sequence[Sheet], path: Path, notes: list[str]) -> tuple[dict[str, Sheet], list[Sheet]]:
    """Sheets by their role, and those with set-up times, of which there may be one for each machine."""
    if len(sheets) == 1:
        return {"Orders": sheets[0]}, []
    roles: dict[str, Sheet] = {}
    setups: list[Sheet] = []
    for sheet in sheets:
        name = words_of(sheet.name)
        role = ROLES.get(name)
        if role is None and any(name.startswith(f"{word}_") for word, known in ROLES.items() if known == MANY):
            role = MANY
        if role is None and (guess := near(name, ROLES)):
            raise InputError(f"{path}: unknown sheet {sheet.name!r}: did you mean {guess!r}? (or begin it with a _)")
        if role is None:
            notes.append(f"sheet not read: {sheet.name}")
        elif role == MANY:
            setups.append(sheet)
        elif role in roles:
            raise InputError(f"{path}: {roles[role].name!r} and {sheet.name!r} are both {role}: keep one")
        else:
            roles[role] = sheet
    if "Orders" not in roles:
        names = ", ".join(sheet.name for sheet in sheets) or "none"
        raise InputError(f"{path}: expected a sheet or table called Orders, got {names}")
    return roles, setups


def _clock(sheet: Sheet, given: Clock | None, notes: list[str]) -> Clock:
    """When minute 0 is by the sheet Start, which must not say otherwise than the user. Raises InputError."""
    rows = list(records(sheet, START, notes))
    if len(rows) != 1:
        raise InputError(f"{sheet.where}: expected one row with start and zone, got {len(rows)}")
    (record,) = rows
    cell = record.get("start")
    start = cell if isinstance(cell, datetime) else str(cell)
    try:
        own = Clock.of(start, record.name("zone"))
    except InputError as error:
        raise InputError(f"{record.where}: {error}") from None
    if given is None:
        return own
    if given.start != own.start:
        raise InputError(
            f"{record.where}: the book starts {own.start.isoformat()}, --start says {given.start.isoformat()}: keep one"
        )
    return own if isinstance(given.zone, timezone) else given


def _rows(roles: Mapping[str, Sheet], cells: Cells, notes: list[str]) -> list[dict[str, Any]]:
    if "Operations" not in roles:
        return [_row(record, cells, notes) for record in records(roles["Orders"], ORDERS, notes)]
    orders = {}
    for record in records(roles["Orders"], JOBS, notes):
        order = _row(record, cells, notes, required=("job",))
        if order["job"] in orders:
            raise InputError(
                f"{record.where}: order {order['job']!r} comes twice: expected a row for each, as Operations has theirs"
            )
        orders[order["job"]] = order
    rows = []
    for record in records(roles["Operations"], OPERATIONS, notes):
        read = _row(record, cells, notes)
        if read["job"] not in orders:
            raise InputError(f"{record.where}: order {read['job']!r} is not in Orders: {nearest(read['job'], orders)}")
        rows.append({**orders[read["job"]], **{k: v for k, v in read.items() if k not in OF_JOB}})
    idle = [name for name in orders if name not in {row["job"] for row in rows}]
    if idle:
        raise InputError(f"{orders[idle[0]]['where']}: order {idle[0]!r} has no rows in Operations")
    # In the order of the orders, not of their operations.
    place = {name: k for k, name in enumerate(orders)}
    return sorted(rows, key=lambda row: place[row["job"]])


def _row(record: Record, cells: Cells, notes: list[str], required: Sequence[str] = REQUIRED) -> dict[str, Any]:
    where, units = record.where, record.units
    record.need(*required)
    optional = record.get("optional") is not None and cells.yes(record.get("optional"), "optional", where)
    if optional and record.get("price") is None:
        raise InputError(f"{where}: optional, but price is empty: give what leaving the order out costs")
    if record.get("price") is not None and "optional" not in record.cells and PRICES not in notes:
        notes.append(PRICES)
    if "operation" in required and record.get("duration") is None and record.get("piece_time") is None:
        raise InputError(f"{where}: duration is empty: expected a duration, a piece_time, or both")
    unit = units.get("duration")
    if record.get("unit") is not None:
        named = UNIT_NAMES.get(str(record.get("unit")).lower())
        if named is None or unit not in (None, named):
            raise InputError(f"{where}: unit = {record.get('unit')!r}: expected min, h, s or d, and one unit alone")
        unit = named
    read: dict[str, Any] = {"where": where, **dict.fromkeys(ORDERS.known)}
    for name, cell in record.cells.items():
        if cell is None or name in ("unit", "optional") or (name == "price" and not optional):
            continue
        match name:
            case "job" | "machine" | "family" | "part_of":
                read[name] = record.name(name)
            case "after":
                read[name] = tuple(items(cell))
            case "pools" | "skills" | "components":
                read[name] = cells.amounts(cell, name, where)
            case "duration":
                read[name] = cells.length(cell, name, where, unit)
            case "piece_time":
                read[name] = cells.time(cell, name, where, units.get(name) or unit)
            case "max_wait" | "least_run":
                read[name] = cells.length(cell, name, where, units.get(name))
            case "release" | "due":
                read[name] = cells.instant(cell, name, where, units.get(name), last=name == "due")
            case "firm" | "resumable" | "no_wait":
                read[name] = cells.yes(cell, name, where)
            case _:
                read[name] = cells.whole(cell, name, where)
    return read


def _note_families(
    rows: Sequence[Mapping[str, Any]],
    setups: Mapping[str, Mapping[tuple[str, str], int]],
    ovens: Mapping[str, int],
    notes: list[str],
    where: str,
) -> None:
    """A family in one sheet alone may be misspelt: it is said."""
    ordered = list(dict.fromkeys(row["family"] for row in rows if row["family"] is not None))
    timed = list(dict.fromkeys(family for times in setups.values() for pair in times for family in pair))
    distinct([*ordered, *timed], "families", where)
    if timed and (bare := [family for family in ordered if family not in timed]):
        notes.append(f"families without set-up times: {_few(bare)}")
    if timed and (idle := [family for family in timed if family not in ordered]):
        notes.append(f"families of no order: {_few(idle)}")
    if ordered and not timed and not ovens:
        notes.append("families without any set-up times change nothing")


def _few(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 5 else f"{', '.join(names[:4])} and {counted(len(names) - 4, 'other')}"


def _begun(
    sheet: Sheet, numbers: Mapping[str, Sequence[int]], cells: Cells, notes: list[str]
) -> tuple[Assignment, ...]:
    """What is decided already, its operations by their numbers in Orders; lots have those of their order."""
    begun = []
    for record in records(sheet, PROGRESS, notes):
        record.need("operation", "start", "end")
        job, where, units = record.text("job"), record.where, record.units
        own = numbers.get(job) or numbers.get(job.rpartition("/")[0])
        if own is None:
            raise InputError(f"{where}: order {job!r} is not in Orders: {nearest(job, numbers)}")
        number = cells.whole(record.get("operation"), "operation", where)
        if number not in own:
            raise InputError(f"{where}: order {job} has no operation {number}; known: {', '.join(map(str, own))}")
        start, end = (
            cells.instant(record.get(name), name, where, units.get(name), until=name == "end")
            for name in ("start", "end")
        )
        if end <= 0 and end < start:
            raise InputError(f"{where}: {job} runs from {record.get('start')} to {record.get('end')}: swapped?")
        begun.append(Assignment(job, own.index(number), record.text("machine"), start, end))
    return tuple(begun)


def _numbers(name: str, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """The numbers of a job's operations, in order. Raises InputError for those that leave one out."""
    numbers = sorted({row["operation"] for row in rows})
    # Whoever counts in tens leaves gaps for what comes between.
    if numbers[0] not in (0, 1) and numbers[0] < NUMBERED_IN_TENS:
        raise InputError(
            f"{rows[0]['where']}: job {name}: expected operations from 0, 1 or 10 on, got {_shown(numbers)}"
        )
    expected = list(range(numbers[0], numbers[0] + len(numbers)))
    if numbers[0] in (0, 1) and numbers != expected:
        raise InputError(
            f"{rows[0]['where']}: job {name}: expected operations {expected[0]} to {expected[-1]}, got "
            f"{_shown(numbers)}"
        )
    return numbers


def _job(name: str, rows: Sequence[Mapping[str, Any]], numbers: Sequence[int]) -> Job:
    extra = {key: _one(rows, key, f"job {name}") for key in OF_JOB}
    operations = []
    for number in numbers:
        first, *others = own = [row for row in rows if row["operation"] == number]
        given = {key: _one(own, key, f"job {name} operation {number}") for key in OF_OPERATION}
        given |= {key: dict(given[key]) for key in ("pools", "skills", "components") if given[key] is not None}
        given["materials"] = given.pop("components")
        operations.append(
            Operation(
                first["machine"],
                first["duration"] or 0,
                tuple(Alternative(row["machine"], row["duration"] or 0, row["piece_time"] or 0.0) for row in others),
                piece_time=first["piece_time"] or 0.0,
                **{key: value for key, value in given.items() if value is not None},
            )
        )
    return Job(name, tuple(operations), **{key: value for key, value in extra.items() if value is not None})


def _shown(numbers: Sequence[int]) -> str:
    return str(list(numbers)) if len(numbers) <= 8 else f"[{', '.join(map(str, numbers[:7]))}, …]"


def _one(rows: Sequence[Mapping[str, Any]], key: str, what: str) -> Any:
    given = {row[key]: row["where"] for row in rows if row[key] is not None}
    if len(given) > 1:
        raise InputError(f"{list(given.values())[1]}: {what}: {key} is {' and '.join(map(str, given))}: give it once")
    return next(iter(given), None)
