"""Job shops in JobShopLib's JSON: matrices of durations and machines, with dates where the shop has them."""

from pathlib import Path
from typing import Any

from twinloop.errors import InputError
from twinloop.scheduling.files.reading import Reading
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation

DURATIONS, MACHINES = "duration_matrix", "machines_matrix"
RELEASES, DEADLINES, DUES = "release_dates_matrix", "deadlines_matrix", "due_dates_matrix"


def recognised(content: Any) -> bool:
    """Whether plain data has JobShopLib's matrices."""
    return isinstance(content, dict) and DURATIONS in content


def read_jobshoplib(content: dict[str, Any], path: Path) -> Reading:
    """The shop of plain data. Raises InputError with the place."""
    durations = _matrix(content, DURATIONS, path)
    visits = _like(content, MACHINES, durations, path)
    used = {m for row in visits for cell in row for m in _machines(cell, path)}
    count = max(used, default=0) + 1
    releases, deadlines, dues = (
        _like(content, name, durations, path) if content.get(name) is not None else None
        for name in (RELEASES, DEADLINES, DUES)
    )
    jobs = []
    for number, row in enumerate(durations):
        where = f"{path}: job {number}"
        operations = []
        for place, duration in enumerate(row):
            first, *others = (
                Alternative(f"machine_{m}", _whole(duration, where)) for m in _machines(visits[number][place], path)
            )
            operations.append(Operation(first.machine, first.duration, tuple(others)))
        release = _first(releases, number, where)
        due, firm = _last(dues, number, where, DUES), _last(deadlines, number, where, DEADLINES)
        if due is not None and firm is not None:
            raise InputError(f"{where}: a due date and a deadline: expected one of them")
        jobs.append(Job(str(number), tuple(operations), release, firm if due is None else due, firm=firm is not None))
    try:
        shop = JobShop(tuple(f"machine_{k}" for k in range(count)), tuple(jobs))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    notes = ["machines counted from 0"]
    if missing := sorted(set(range(count)) - used):
        notes.append(f"machines without work: {', '.join(f'machine_{m}' for m in missing)}")
    return Reading(shop, "job shop (JobShopLib)", tuple(notes))


def _matrix(content: dict[str, Any], name: str, path: Path) -> list[list[Any]]:
    value = content.get(name)
    if not (isinstance(value, list) and value and all(isinstance(row, list) and row for row in value)):
        raise InputError(f"{path}: {name}: expected a list of rows, one for each job")
    return value


def _like(content: dict[str, Any], name: str, durations: list[list[Any]], path: Path) -> list[list[Any]]:
    rows = _matrix(content, name, path)
    if [len(row) for row in rows] != [len(row) for row in durations]:
        raise InputError(f"{path}: {name}: expected as many rows and entries as in {DURATIONS}")
    return rows


def _machines(cell: Any, path: Path) -> list[int]:
    machines = cell if isinstance(cell, list) else [cell]
    if not machines or not all(isinstance(m, int) and not isinstance(m, bool) and 0 <= m < 10**6 for m in machines):
        raise InputError(f"{path}: {MACHINES}: expected whole numbers ≥ 0 or lists of them, got {cell!r}")
    return machines


def _whole(value: Any, where: str) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError(f"{where}: expected a whole number, got {value!r}: multiply all times so that they are whole")
    return value


def _first(rows: list[list[Any]] | None, number: int, where: str) -> int:
    """The release of a job; dates of later operations, which a job here does not have, are refused."""
    if rows is None:
        return 0
    first, *later = (_whole(value or 0, where) for value in rows[number])
    if any(value > first for value in later):
        raise InputError(f"{where}: {RELEASES}: later operations have dates of their own: expected one for the job")
    return first


def _last(rows: list[list[Any]] | None, number: int, where: str, name: str) -> int | None:
    if rows is None:
        return None
    *earlier, last = rows[number]
    if any(value is not None for value in earlier):
        raise InputError(f"{where}: {name}: earlier operations have dates of their own: expected one for the job")
    return None if last is None else _whole(last, where)
