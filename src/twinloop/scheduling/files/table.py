"""A shop as a table (CSV), the form in which order books come: one row for each alternative of each operation.

Columns job, operation (from 0), machine, duration; optional release, due, weight, family, which belong to the
job (the family to the operation) and are given in its first row or repeated.
"""

from pathlib import Path
from typing import Any

import polars as pl

from twinloop.errors import InputError
from twinloop.files import atomic
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation

SCHEMA = {
    "job": pl.String,
    "operation": pl.Int64,
    "machine": pl.String,
    "duration": pl.Int64,
    "release": pl.Int64,
    "due": pl.Int64,
    "weight": pl.Int64,
    "family": pl.String,
}
REQUIRED = ("job", "operation", "machine", "duration")


def write_table(path: str | Path, shop: JobShop) -> None:
    """Write CSV. Raises InputError for a shop with more than machines, alternatives, families and dates."""
    if not shop.plain:
        raise InputError(f"{path}: a table knows no calendars, pools and materials: write JSON")
    rows = [
        (job.name, number, mode.machine, mode.duration, job.release, job.due, job.weight, operation.family)
        for job in shop.jobs
        for number, operation in enumerate(job.operations)
        for mode in operation.modes
    ]
    with atomic(path) as temporary:
        pl.DataFrame(rows, schema=SCHEMA, orient="row").write_csv(temporary)


def read_table(path: str | Path) -> JobShop:
    """Read CSV. Raises InputError with file:row for what cannot be read."""
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: cannot be read as CSV: {str(error).splitlines()[0]}") from None
    missing = [name for name in REQUIRED if name not in frame.columns]
    unknown = [name for name in frame.columns if name not in SCHEMA]
    if missing or unknown:
        problem = f"{missing[0]} missing" if missing else f"unknown column {unknown[0]!r}"
        raise InputError(f"{path}:1: {problem}; known: {', '.join(SCHEMA)}")
    rows = [_row(row, f"{path}:{number}") for number, row in enumerate(frame.iter_rows(named=True), start=2)]
    jobs: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        jobs.setdefault(row["job"], []).append(row)
    try:
        return JobShop(
            tuple(dict.fromkeys(row["machine"] for row in rows)),
            tuple(_job(name, mine, f"{path}") for name, mine in jobs.items()),
        )
    except InputError as error:
        raise error if str(error).startswith(str(path)) else InputError(f"{path}: {error}") from None


def _row(row: dict[str, str | None], where: str) -> dict[str, Any]:
    read: dict[str, Any] = {"where": where}
    for name, kind in SCHEMA.items():
        text = row.get(name)
        if not text:
            if name in REQUIRED:
                raise InputError(f"{where}: {name} is empty")
            read[name] = None
        elif kind == pl.Int64:
            try:
                read[name] = int(text)
            except ValueError:
                raise InputError(f"{where}: {name} = {text!r}: expected a whole number") from None
        else:
            read[name] = text
    return read


def _job(name: str, rows: list[dict[str, Any]], where: str) -> Job:
    operations: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        operations.setdefault(row["operation"], []).append(row)
    if sorted(operations) != list(range(len(operations))):
        raise InputError(
            f"{rows[0]['where']}: job {name}: expected operations 0 to {len(operations) - 1}, got {sorted(operations)}"
        )
    extra = {key: _one(rows, key, f"job {name}") for key in ("release", "due", "weight")}
    return Job(
        name,
        tuple(
            Operation(
                mine[0]["machine"],
                mine[0]["duration"],
                tuple(Alternative(row["machine"], row["duration"]) for row in mine[1:]),
                family=_one(mine, "family", f"job {name} operation {number}"),
            )
            for number, mine in sorted(operations.items())
        ),
        **{key: value for key, value in extra.items() if value is not None},
    )


def _one(rows: list[dict[str, Any]], key: str, what: str) -> Any:
    given = {row[key]: row["where"] for row in rows if row[key] is not None}
    if len(given) > 1:
        raise InputError(f"{list(given.values())[1]}: {what}: {key} is {' and '.join(map(str, given))}: give it once")
    return next(iter(given), None)
