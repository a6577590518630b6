"""What operations share or use up, from the sheets of an order book: machines, set-ups, pools, people, stocks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from twinloop.errors import InputError, nearest
from twinloop.scheduling.files.cells import Cells, items
from twinloop.scheduling.files.sheets import Form, Sheet, column_of, headed, name_of, plain, records
from twinloop.scheduling.files.words import EVERY
from twinloop.scheduling.problem import Changeover, Material, Operator, Pool

MACHINES = Form(
    ("machine", "group", "mttf", "mttr", "power", "oven", "initial", "crew", "unattended"),
    ("machine",),
    {"name": "machine", "family": "initial"},
    {"capacity": "machines that are alike have a row each and one group; what an oven takes at once is its oven"},
)
GROUPS = Form(("group", "machine"), ("group", "machine"), {"name": "group"})
POOLS = Form(("pool", "capacity"), ("pool",), {"pools": "pool", "name": "pool", "crew": "pool", "quantity": "capacity"})
OPERATORS = Form(("operator", "skills"), ("operator", "skills"), {"name": "operator"})
MATERIALS = Form(
    ("material", "initial"),
    ("material",),
    {"name": "material", "components": "material", "stock": "initial", "bestand": "initial", "quantity": "initial"},
)
DELIVERIES = Form(
    ("material", "time", "quantity"),
    ("material", "time", "quantity"),
    {"components": "material", "date": "time", "due": "time", "name": "material"},
)
SETUPS = Form(
    ("machine", "before", "after", "time"),
    ("before",),
    {
        **dict.fromkeys(("start", "family", "from_family", "family_before"), "before"),
        **dict.fromkeys(("end", "to_family", "family_after"), "after"),
        **dict.fromkeys(("duration", "setup_time", "set_up_time", "rüstzeit", "setup"), "time"),
        "group": "machine",
    },
)
TRANSPORT = Form(("start", "end", "time"), ("start", "end", "time"), {"after": "end", "duration": "time"})


@dataclass
class Machines:
    """What the sheets Machines and Groups say; without them the machines are those that orders name."""

    names: tuple[str, ...]
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    power: dict[str, int] = field(default_factory=dict)
    ovens: dict[str, int] = field(default_factory=dict)
    changeovers: dict[str, Changeover] = field(default_factory=dict)
    breakdowns: dict[str, tuple[float, float]] = field(default_factory=dict)


def distinct(names: Iterable[str], kind: str, where: str) -> None:
    """Raise InputError for names that differ in capitals and spaces alone: they may be one thing."""
    known = dict[str, str]()
    for name in names:
        other = known.setdefault(" ".join(name.casefold().split()), name)
        if other != name:
            raise InputError(
                f"{where}: {kind} {other!r} and {name!r} differ in capitals and spaces alone: one, or two? write the "
                "same, or other names"
            )


def read_machines(
    sheets: Mapping[str, Sheet], ordered: Sequence[tuple[str, str]], cells: Cells, notes: list[str]
) -> Machines:
    """Machines of a book; ordered: those that orders name, with their places. Raises InputError."""
    sheet = sheets.get("Machines")
    machines = Machines(()) if sheet is None else _listed(sheet, cells, notes)
    if "Groups" in sheets:
        for record in records(sheets["Groups"], GROUPS, notes):
            group, machine = record.text("group"), record.text("machine")
            if machine in machines.groups.get(group, ()):
                raise InputError(f"{record.where}: {machine} is in {group} already: name it once")
            if sheet is not None and machine not in machines.names:
                raise InputError(
                    f"{record.where}: machine {machine!r} is not in {sheet.name}: {nearest(machine, machines.names)}"
                )
            machines.groups[group] = (*machines.groups.get(group, ()), machine)
    if sheet is None:
        members = [name for group in machines.groups.values() for name in group]
        named = [name for name, _ in ordered if name not in machines.groups]
        machines.names = tuple(dict.fromkeys([*named, *members]))
        return machines
    for name, where in ordered:
        if name not in (*machines.names, *machines.groups):
            hint = nearest(name, (*machines.names, *machines.groups))
            raise InputError(f"{where}: machine {name!r} is not in {sheet.name}: {hint}")
    return machines


def _listed(sheet: Sheet, cells: Cells, notes: list[str]) -> Machines:
    machines, names = Machines(()), list[str]()
    for record in records(sheet, MACHINES, notes):
        name, where, units = record.text("machine"), record.where, record.units
        if name in names:
            raise InputError(f"{where}: machine {name!r} is there twice: expected a row for each")
        names.append(name)
        for group in items(record.get("group")):
            machines.groups[group] = (*machines.groups.get(group, ()), name)
        for key, into in (("power", machines.power), ("oven", machines.ovens)):
            if record.get(key) is not None:
                into[name] = cells.whole(record.get(key), key, where)
        means = [
            None if record.get(key) is None else cells.length(record.get(key), key, where, units.get(key))
            for key in ("mttf", "mttr")
        ]
        if (means[0] is None) != (means[1] is None):
            raise InputError(f"{where}: machine {name}: expected mttf and mttr, or neither")
        if means[0] is not None and means[1] is not None:
            if min(means[0], means[1]) <= 0:
                raise InputError(f"{where}: machine {name}: expected mttf and mttr above 0")
            machines.breakdowns[name] = (means[0], means[1])
        given = {key: record.name(key) for key in ("initial", "crew") if record.get(key) is not None}
        unattended = record.get("unattended")
        if given or unattended is not None:
            attended = unattended is None or not cells.yes(unattended, "unattended", where)
            machines.changeovers[name] = Changeover(given.get("initial"), given.get("crew"), not attended)
    machines.names = tuple(names)
    return machines


def read_setups(
    sheets: Sequence[Sheet], machines: Machines, cells: Cells, notes: list[str]
) -> dict[str, dict[tuple[str, str], int]]:
    """Set-up times by machine: a row for each pair of families, or a matrix with the family before in each row.

    A row without a machine is for all; a sheet called like "Setups mill" is for that one. Raises InputError.
    """
    setups: dict[str, dict[tuple[str, str], int]] = {}
    for sheet in sheets:
        of_sheet = _machine_of(sheet, machines)
        for where, machine, before, after, time in _pairs(headed(sheet, SETUPS), cells, notes):
            if machine is not None and of_sheet is not None and machine != of_sheet:
                raise InputError(f"{where}: machine {machine!r} in a sheet of {of_sheet}: keep one of them")
            for name in _chosen(machine or of_sheet, machines, where):
                times = setups.setdefault(name, {})
                if times.setdefault((before, after), time) != time:
                    raise InputError(
                        f"{where}: set-up on {name} from {before} to {after} is {times[before, after]} and {time}: "
                        "give it once"
                    )
    return setups


def _machine_of(sheet: Sheet, machines: Machines) -> str | None:
    known = (*machines.names, *machines.groups)
    return next(
        (name for name in known if sheet.name.lower().replace("_", " ").endswith(f" {name.lower().replace('_', ' ')}")),
        None,
    )


def _chosen(machine: str | None, machines: Machines, where: str) -> tuple[str, ...]:
    if machine is None or machine.lower() in EVERY:
        return machines.names
    if machine in machines.groups:
        return machines.groups[machine]
    if machine not in machines.names:
        raise InputError(f"{where}: machine {machine!r} is in no order: {nearest(machine, machines.names)}")
    return (machine,)


def _pairs(sheet: Sheet, cells: Cells, notes: list[str]) -> Iterable[tuple[str, str | None, str, str, int]]:
    """(place, machine, family before, family after, minutes) of a list or a matrix."""
    columns = [SETUPS.aliases.get(column_of(header).name, column_of(header).name) for header in sheet.header]
    if "time" in columns:
        for record in records(sheet, Form(SETUPS.known, ("before", "after", "time"), SETUPS.aliases), notes):
            record.need("time")
            time = cells.length(record.get("time"), "time", record.where, record.units.get("time"))
            yield record.where, record.name("machine"), record.text("before"), record.text("after"), time
        return
    if "after" in columns:
        raise InputError(f"{sheet.where}: time missing; known: {', '.join(SETUPS.known)}, or a matrix of families")
    if "before" not in columns:
        # A matrix has anything, or nothing, in its corner.
        columns[columns[0] == "machine"] = "before"
    if len(columns) < 2 + ("machine" in columns):
        raise InputError(
            f"{sheet.where}: expected families before and after, with times, got {sheet.header[0]!r} alone"
        )
    unit = next((column_of(h).unit for h, c in zip(sheet.header, columns, strict=True) if c == "before"), None)
    for row in sheet.rows:
        given = {c: plain(cell) for c, cell in zip(columns, row.cells, strict=True) if c in ("machine", "before")}
        if all(plain(cell) is None for cell in row.cells):
            continue
        if given["before"] is None:
            raise InputError(f"{row.where}: before is empty: expected the family that is set up before")
        for header, column, cell in zip(sheet.header, columns, row.cells, strict=True):
            if column in ("machine", "before") or plain(cell) is None or plain(cell) in ("-", "–", "x"):
                continue
            if not header:
                raise InputError(f"{row.where}: a set-up time below no family: name it in the header")
            machine = given.get("machine")
            time = cells.length(plain(cell), f"set-up to {header}", row.where, unit)
            before = name_of(given["before"], "before", row.where)
            yield row.where, name_of(machine, "machine", row.where), str(before), header, time


def read_pools(sheets: Mapping[str, Sheet], cells: Cells, notes: list[str]) -> tuple[list[Pool], list[Operator]]:
    """Pools and people, without their hours. Raises InputError."""
    pools = list[Pool]()
    if "Pools" in sheets:
        for record in records(sheets["Pools"], POOLS, notes):
            size = record.get("capacity")
            pools.append(Pool(record.text("pool"), 1 if size is None else cells.whole(size, "capacity", record.where)))
    people = list[Operator]()
    if "Operators" in sheets:
        for record in records(sheets["Operators"], OPERATORS, notes):
            people.append(Operator(record.text("operator"), tuple(items(record.get("skills")))))
    return pools, people


def read_materials(sheets: Mapping[str, Sheet], cells: Cells, notes: list[str]) -> tuple[Material, ...]:
    """Stocks and deliveries. Raises InputError."""
    stocks = dict[str, int]()
    coming = dict[str, list[tuple[int, int]]]()
    if "Materials" in sheets:
        for record in records(sheets["Materials"], MATERIALS, notes):
            name, cell = record.text("material"), record.get("initial")
            if name in stocks:
                raise InputError(f"{record.where}: material {name!r} is there twice: give its stock once")
            stocks[name] = 0 if cell is None else cells.whole(cell, "initial", record.where)
    if "Deliveries" in sheets:
        for record in records(sheets["Deliveries"], DELIVERIES, notes):
            record.need("time", "quantity")
            name, where = record.text("material"), record.where
            time = cells.instant(record.get("time"), "time", where, record.units.get("time"))
            if time < 0:
                raise InputError(f"{where}: a delivery before the start: count it in the stock, or give its new time")
            if "Materials" in sheets and name not in stocks:
                raise InputError(
                    f"{where}: material {name!r} is not in {sheets['Materials'].name}: {nearest(name, stocks)}"
                )
            stocks.setdefault(name, 0)
            coming.setdefault(name, []).append((time, cells.whole(record.get("quantity"), "quantity", where)))
    return tuple(Material(name, initial, tuple(coming.get(name, ()))) for name, initial in stocks.items())


def read_transport(
    sheet: Sheet | None, machines: Machines, cells: Cells, notes: list[str]
) -> dict[tuple[str, str], int]:
    """Minutes from one machine to another. Raises InputError."""
    ways: dict[tuple[str, str], int] = {}
    for record in records(sheet, TRANSPORT, notes) if sheet is not None else ():
        record.need("time")
        time = cells.length(record.get("time"), "time", record.where, record.units.get("time"))
        for start in _chosen(record.text("start"), machines, record.where):
            for end in _chosen(record.text("end"), machines, record.where):
                if start == end and record.get("start") != record.get("end"):
                    continue
                if ways.setdefault((start, end), time) != time:
                    raise InputError(
                        f"{record.where}: from {start} to {end} is {ways[start, end]} and {time}: give it once"
                    )
    return ways
