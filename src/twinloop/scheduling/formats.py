"""Job shops in files: the project's JSON, and the standard JSP text format of the benchmark collections.

The text format (Beasley's OR-Library, 1990) opens with "jobs machines"; each further line is one job:
pairs of machine (from 0) and duration. Lines that start with # are comments.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

from twinloop.errors import InputError
from twinloop.files import write_json
from twinloop.scheduling.problem import Job, JobShop, Operation

VERSION = 1


def write_shop(path: str | Path, shop: JobShop) -> None:
    """Write JSON that `read_shop` reads back to an equal shop."""
    write_json(
        path, {"version": VERSION, "machines": shop.machines, "jobs": [dataclasses.asdict(j) for j in shop.jobs]}
    )


def read_shop(path: str | Path) -> JobShop:
    """Read JSON: {version, machines: [name], jobs: [{name, operations: [{machine, duration}], release, due, …}]}.

    Raises InputError that names the file and the place.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: expected JSON: {error.msg}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    content = _mapping(content, f"{path}", {"version", "machines", "jobs"}, required={"version", "machines", "jobs"})
    if content["version"] != VERSION:
        raise InputError(f"{path}: expected version {VERSION}, found {content['version']!r}")
    jobs = [_job(item, f"{path}: job {row}") for row, item in enumerate(_list(content["jobs"], f"{path}: jobs"))]
    try:
        return JobShop(tuple(_list(content["machines"], f"{path}: machines")), tuple(jobs))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _job(item: Any, where: str) -> Job:
    known = {field.name for field in dataclasses.fields(Job)}
    content = dict(_mapping(item, where, known, required={"name", "operations"}))
    operations = _list(content.pop("operations"), f"{where}: operations")
    content["after"] = tuple(_list(content.get("after", []), f"{where}: after"))
    parts = [
        _mapping(part, f"{where} operation {number}", {"machine", "duration"}, required={"machine", "duration"})
        for number, part in enumerate(operations)
    ]
    return Job(operations=tuple(Operation(**part) for part in parts), **content)


def _mapping(value: Any, where: str, known: set[str], *, required: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{where}: expected an object with {', '.join(sorted(required))}, got {type(value).__name__}")
    if missing := required - value.keys():
        raise InputError(f"{where}: {', '.join(sorted(missing))} missing")
    if unknown := value.keys() - known:
        raise InputError(f"{where}: unknown {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise InputError(f"{where}: expected a list, got {type(value).__name__}")
    return value


def read_jsp(path: str | Path) -> JobShop:
    """Read the standard text format; job names are their numbers from 0, machines are `machine_<number>`.

    Raises InputError with file:row.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    rows = [
        (number, line.split())
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not rows:
        raise InputError(f"{path}:1: expected a first line 'jobs machines', got an empty file")
    sizes = _whole_numbers(rows[0][1], f"{path}:{rows[0][0]}")
    if len(sizes) != 2 or min(sizes) < 1:
        raise InputError(
            f"{path}:{rows[0][0]}: expected two numbers ≥ 1, 'jobs machines', got {' '.join(rows[0][1])!r}"
        )
    count, machines = sizes
    if len(rows) - 1 != count:
        raise InputError(f"{path}:{rows[-1][0]}: expected {count} job lines after the first, found {len(rows) - 1}")
    jobs = tuple(_text_job(str(k), words, machines, f"{path}:{row}") for k, (row, words) in enumerate(rows[1:]))
    try:
        return JobShop(tuple(f"machine_{k}" for k in range(machines)), jobs)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _text_job(name: str, words: list[str], machines: int, where: str) -> Job:
    numbers = _whole_numbers(words, where)
    if len(numbers) % 2:
        raise InputError(f"{where}: expected pairs 'machine duration', got {len(numbers)} numbers")
    operations = []
    for number, (machine, duration) in enumerate(zip(numbers[::2], numbers[1::2], strict=True)):
        if not 0 <= machine < machines:
            raise InputError(
                f"{where}: job {name} operation {number}: expected a machine from 0 to {machines - 1}, got {machine}"
            )
        if duration < 1:
            raise InputError(f"{where}: job {name} operation {number}: expected a duration ≥ 1, got {duration}")
        operations.append(Operation(f"machine_{machine}", duration))
    return Job(name, tuple(operations))


def _whole_numbers(words: list[str], where: str) -> list[int]:
    try:
        return [int(word) for word in words]
    except ValueError:
        raise InputError(f"{where}: expected whole numbers, got {' '.join(words)[:60]!r}") from None
