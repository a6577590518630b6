"""A shop from an order book: the sheets Orders, Machines and Calendar of a workbook or a folder, or one table.

Orders has a row for each machine that can do an operation: job, operation, machine, duration (or piece_time), and what
belongs to the job (release, due, weight, firm, after, quantity, lot), in its first row or in each. With a sheet
Operations it has a row for each job. Machines names all machines, with group, mttf, mttr and power where they are
known; Calendar says when which is closed, each window once.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twinloop.errors import InputError, nearest
from twinloop.numbers import counted
from twinloop.scheduling.clock import Clock
from twinloop.scheduling.files.cells import Cells
from twinloop.scheduling.files.reading import Reading
from twinloop.scheduling.files.sheets import UNIT_NAMES, Cell, Sheet, records, text_of
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation, Window
from twinloop.scheduling.problem.calendar import joined

REQUIRED = ("job", "operation", "machine")
OF_JOB = ("release", "due", "weight", "earliness_weight", "firm", "after", "quantity", "lot")
OF_OPERATION = ("family", "resumable", "no_wait", "max_wait")
OF_MODE = ("duration", "piece_time", "unit")
ORDERS = (*REQUIRED, *OF_MODE, *OF_JOB, *OF_OPERATION)
MACHINES = ("machine", "group", "mttf", "mttr", "power")
CALENDAR = ("machine", "start", "end")
ROLES = {
    **dict.fromkeys(("orders", "order book", "jobs"), "Orders"),
    **dict.fromkeys(("operations", "routings", "steps"), "Operations"),
    **dict.fromkeys(("machines", "resources"), "Machines"),
    **dict.fromkeys(("calendar", "calendars", "closed"), "Calendar"),
}
EVERY = ("", "*", "all")
NUMBERED_IN_TENS = 5
REFUSED = {
    **dict.fromkeys(("setup_time", "setup"), "give it as duration, and the time for each piece as piece_time"),
    "group": "give it as machine, and name the group of each machine in the sheet Machines",
    "priority": "is 1 urgent or idle? give it as weight, the larger the more urgent",
    "deadline": "give it as due, with yes in a column firm where it must be met",
}


def read_book(sheets: Sequence[Sheet], path: Path, clock: Clock | None) -> Reading:
    """The shop of an order book. Raises InputError with the place of what cannot be read."""
    notes: list[str] = []
    roles = _roles(sheets, path, notes)
    cells = Cells(clock)
    rows = _rows(roles, cells, notes)
    if not rows:
        raise InputError(f"{path}: expected at least one machine and job, got no rows below the header")
    machines, groups, power, breakdowns = _machines(roles.get("Machines"), rows, cells, notes)
    jobs: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        jobs.setdefault(row["job"], []).append(row)
    try:
        shop = JobShop(
            machines,
            tuple(_job(name, own, cells) for name, own in jobs.items()),
            stops=windows_of(roles["Calendar"], machines, cells, notes) if "Calendar" in roles else {},
            power=power,
            groups=groups,
        )
    except InputError as error:
        raise error if str(error).startswith(str(path)) else InputError(f"{path}: {error}") from None
    if clock is not None:
        notes.append(f"minute 0 is {clock.show(0)}")
    elif len(roles) == 1 and path.suffix.lower() not in (".xlsx", ".xlsm"):
        notes.append("times in minutes")
    form = f"order book ({', '.join(roles)})" if len(sheets) > 1 else "order book (a table)"
    return Reading(shop, form, (*notes, *cells.notes()), breakdowns, minutes=True)


def _roles(sheets: Sequence[Sheet], path: Path, notes: list[str]) -> dict[str, Sheet]:
    if len(sheets) == 1:
        return {"Orders": sheets[0]}
    roles: dict[str, Sheet] = {}
    for sheet in sheets:
        role = ROLES.get(sheet.name.lower().strip())
        if role is None:
            notes.append(f"sheet not read: {sheet.name}")
        elif role in roles:
            raise InputError(f"{path}: {roles[role].name!r} and {sheet.name!r} are both {role}: keep one")
        else:
            roles[role] = sheet
    if "Orders" not in roles:
        names = ", ".join(sheet.name for sheet in sheets) or "none"
        raise InputError(f"{path}: expected a sheet or table called Orders, got {names}")
    return roles


def _rows(roles: Mapping[str, Sheet], cells: Cells, notes: list[str]) -> list[dict[str, Any]]:
    if "Operations" not in roles:
        return [
            _row(where, row, units, cells)
            for where, row, units in records(roles["Orders"], ORDERS, REQUIRED, REFUSED, notes)
        ]
    orders = {}
    for where, row, units in records(roles["Orders"], ("job", *OF_JOB), ("job",), REFUSED, notes):
        order = _row(where, row, units, cells, required=("job",))
        if order["job"] in orders:
            raise InputError(
                f"{where}: order {order['job']!r} comes twice: expected a row for each, as Operations has theirs"
            )
        orders[order["job"]] = order
    rows = []
    known = (*REQUIRED, *OF_MODE, *OF_OPERATION)
    for where, row, units in records(roles["Operations"], known, REQUIRED, REFUSED, notes):
        read = _row(where, row, units, cells)
        if read["job"] not in orders:
            raise InputError(f"{where}: order {read['job']!r} is not in Orders: {nearest(read['job'], orders)}")
        rows.append({**orders[read["job"]], **{k: v for k, v in read.items() if k not in OF_JOB}})
    idle = [name for name in orders if name not in {row["job"] for row in rows}]
    if idle:
        raise InputError(f"{orders[idle[0]]['where']}: order {idle[0]!r} has no rows in Operations")
    # In the order of the orders, not of their operations.
    place = {name: k for k, name in enumerate(orders)}
    return sorted(rows, key=lambda row: place[row["job"]])


def _row(
    where: str,
    row: Mapping[str, Cell],
    units: Mapping[str, str],
    cells: Cells,
    required: Sequence[str] = REQUIRED,
) -> dict[str, Any]:
    for name in required:
        if row.get(name) is None:
            raise InputError(f"{where}: {name} is empty")
    if "operation" in required and row.get("duration") is None and row.get("piece_time") is None:
        raise InputError(f"{where}: duration is empty: expected a duration, a piece_time, or both")
    unit = units.get("duration")
    if row.get("unit") is not None:
        named = UNIT_NAMES.get(str(row["unit"]).lower())
        if named is None or unit not in (None, named):
            raise InputError(f"{where}: unit = {row['unit']!r}: expected min, h, s or d, and one unit alone")
        unit = named
    read: dict[str, Any] = {"where": where, **dict.fromkeys(ORDERS)}
    for name, cell in row.items():
        if cell is None or name == "unit":
            continue
        match name:
            case "job" | "machine" | "family" | "after":
                read[name] = text_of(cell)
            case "duration":
                read[name] = cells.length(cell, name, where, unit)
            case "piece_time":
                read[name] = cells.time(cell, name, where, units.get(name) or unit)
            case "max_wait":
                read[name] = cells.length(cell, name, where, units.get(name))
            case "release" | "due":
                read[name] = cells.instant(cell, name, where, units.get(name), last=name == "due")
            case "firm" | "resumable" | "no_wait":
                read[name] = cells.yes(cell, name, where)
            case _:
                read[name] = cells.whole(cell, name, where)
    return read


def _machines(
    sheet: Sheet | None, rows: Sequence[Mapping[str, Any]], cells: Cells, notes: list[str]
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]], dict[str, int], dict[str, tuple[float, float]]]:
    """Names, groups, power and breakdowns; without a sheet the machines are those that orders name."""
    if sheet is None:
        return tuple(dict.fromkeys(row["machine"] for row in rows)), {}, {}, {}
    machines: list[str] = []
    groups = dict[str, tuple[str, ...]]()
    power, breakdowns = dict[str, int](), dict[str, tuple[float, float]]()
    for where, row, units in records(sheet, MACHINES, ("machine",), {}, notes):
        name = text_of(row["machine"])
        if name is None:
            raise InputError(f"{where}: machine is empty")
        machines.append(name)
        for group in (text_of(row.get("group")) or "").replace(",", ";").split(";"):
            if group.strip():
                groups[group.strip()] = (*groups.get(group.strip(), ()), name)
        if row.get("power") is not None:
            power[name] = cells.whole(row["power"], "power", where)
        means = [
            cells.length(row[key], key, where, units.get(key)) if row.get(key) is not None else None
            for key in ("mttf", "mttr")
        ]
        if None in means and any(means):
            raise InputError(f"{where}: machine {name}: expected mttf and mttr, or neither")
        if means[0] is not None and means[1] is not None:
            breakdowns[name] = (means[0], means[1])
    for order in rows:
        if order["machine"] not in (*machines, *groups):
            hint = nearest(order["machine"], (*machines, *groups))
            raise InputError(f"{order['where']}: machine {order['machine']!r} is not in {sheet.name}: {hint}")
    return tuple(machines), groups, power, breakdowns


def windows_of(sheet: Sheet, machines: Sequence[str], cells: Cells, notes: list[str]) -> dict[str, tuple[Window, ...]]:
    """Single closures by machine from the sheet Calendar: machine (empty, * or all: every one), start, end."""
    closed: dict[str, list[Window]] = {}
    over = 0
    for where, row, units in records(sheet, CALENDAR, ("start", "end"), {}, notes):
        for name in ("start", "end"):
            if row[name] is None:
                raise InputError(f"{where}: {name} is empty")
        start, end = (cells.instant(row[name], name, where, units.get(name)) for name in ("start", "end"))
        if end <= start:
            raise InputError(f"{where}: closed from {row['start']} to {row['end']}: expected its end after its start")
        machine = text_of(row.get("machine")) or ""
        if machine.lower() not in EVERY and machine not in machines:
            raise InputError(f"{where}: machine {machine!r} is in no order: {nearest(machine, machines)}")
        if end <= 0:
            over += 1
            continue
        for name in machines if machine.lower() in EVERY else (machine,):
            closed.setdefault(name, []).append(Window(max(0, start), end))
    if over:
        notes.append(f"{counted(over, 'closed window')} before the start left out")
    if closed:
        notes.append("each closed window happens once: machines are open behind the last one")
    return {name: joined(windows) for name, windows in closed.items()}


def _job(name: str, rows: Sequence[Mapping[str, Any]], cells: Cells) -> Job:
    operations: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        operations.setdefault(row["operation"], []).append(row)
    numbers = sorted(operations)
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
    extra = {key: _one(rows, key, f"job {name}") for key in OF_JOB}
    if extra["release"] is not None and extra["release"] < 0:
        cells.early += 1
        extra["release"] = 0
    if extra["after"] is not None:
        extra["after"] = tuple(part.strip() for part in extra["after"].replace(",", ";").split(";") if part.strip())
    return Job(
        name,
        tuple(
            Operation(
                own[0]["machine"],
                own[0]["duration"] or 0,
                tuple(Alternative(row["machine"], row["duration"] or 0, row["piece_time"] or 0.0) for row in own[1:]),
                piece_time=own[0]["piece_time"] or 0.0,
                **{
                    key: value
                    for key in OF_OPERATION
                    if (value := _one(own, key, f"job {name} operation {number}")) is not None
                },
            )
            for number, own in sorted(operations.items())
        ),
        **{key: value for key, value in extra.items() if value is not None},
    )


def _shown(numbers: Sequence[int]) -> str:
    return str(list(numbers)) if len(numbers) <= 8 else f"[{', '.join(map(str, numbers[:7]))}, …]"


def _one(rows: Sequence[Mapping[str, Any]], key: str, what: str) -> Any:
    given = {row[key]: row["where"] for row in rows if row[key] is not None}
    if len(given) > 1:
        raise InputError(f"{list(given.values())[1]}: {what}: {key} is {' and '.join(map(str, given))}: give it once")
    return next(iter(given), None)
