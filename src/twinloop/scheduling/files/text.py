"""Job shops and flexible job shops as the benchmark collections write them, read and written.

Job shop (Beasley's OR-Library, 1990): a first line "jobs machines", then for each job pairs of machine and duration.
Flexible job shop (Brandimarte 1993): for each job the number of operations; each operation is its number of
alternatives and then their pairs. A job begins on a line of its own and may go on in the next. Machines are counted
from 0 or from 1, which their numbers have to show; their names are `machine_<number>` as in the file.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from twinloop.errors import InputError
from twinloop.files import write_text
from twinloop.scheduling.files.numeric import Document, Row, counts
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation

Modes = tuple[tuple[int, int], ...]


class Routing(NamedTuple):
    """A job's operations, each as (machine, duration) of its alternatives, and the line where it begins."""

    line: int
    operations: tuple[Modes, ...]


def pairs(doc: Document) -> list[Routing]:
    """The job shop in the numbers, whatever their values are. Raises InputError where their number does not fit."""
    jobs, machines = counts(doc)
    if len(doc.rows) == jobs:
        return [_in_pairs(row) for row in doc.rows]
    whole = [Row(rows[0].line, sum((row.numbers for row in rows), ())) for rows in _gathered(doc.rows, 2 * machines)]
    if len(whole) != jobs or any(len(row.numbers) != 2 * machines for row in whole):
        last = doc.rows[-1].line if doc.rows else doc.line
        raise InputError(f"{doc.at(last)}: expected {jobs} job lines after the first, found {len(doc.rows)}")
    routings = [_in_pairs(row) for row in whole]
    if not everywhere(routings, machines):
        raise InputError(
            f"{doc.at(whole[0].line)}: expected each job once on each of {machines} machines where lines are wrapped"
        )
    return routings


def _in_pairs(row: Row) -> Routing:
    """Odd numbers give a last operation without a duration, which `misfit` names."""
    numbers = row.numbers
    return Routing(row.line, tuple((tuple(numbers[k : k + 2]),) for k in range(0, len(numbers), 2)))  # type: ignore[misc]


def _gathered(rows: Sequence[Row], least: int) -> Iterator[list[Row]]:
    """Neighbouring rows together as soon as they hold `least` numbers."""
    gathered: list[Row] = []
    for row in rows:
        gathered.append(row)
        if sum(len(r.numbers) for r in gathered) >= least:
            yield gathered
            gathered = []
    if gathered:
        yield gathered


def everywhere(routings: Sequence[Routing], machines: int) -> bool:
    """Whether every job is once on every machine, counted from 0 or from 1: a classical job shop."""
    visited = [sorted(modes[0][0] for modes in routing.operations) for routing in routings]
    return any(all(row == list(range(base, machines + base)) for row in visited) for base in (0, 1))


def flexible(doc: Document) -> list[Routing]:
    """The flexible job shop in the numbers, whatever their values are. Raises InputError where they do not fit."""
    jobs, _ = counts(doc)
    routings: list[Routing] = []
    rows = iter(doc.rows)
    wrapped = len(doc.rows) != jobs
    for row in rows:
        name, numbers = len(routings), list(row.numbers)
        while True:
            try:
                operations = flexible_row(numbers, f"{doc.at(row.line)}: job {name}")
                break
            except InputError as error:
                more = next(rows, None) if wrapped and "the line ends" in str(error) else None
                if more is None:
                    raise
                numbers += more.numbers
        routings.append(Routing(row.line, operations))
    if len(routings) != jobs:
        last = doc.rows[-1].line if doc.rows else doc.line
        raise InputError(f"{doc.at(last)}: expected {jobs} job lines after the first, found {len(routings)}")
    return routings


def flexible_row(numbers: Sequence[int], where: str) -> tuple[Modes, ...]:
    """The operations of one job. Raises InputError where the numbers are too few or too many."""
    rest = iter(numbers)
    count = next(rest)
    if count < 1:
        raise InputError(f"{where}: expected at least one operation, got {count}")
    operations = []
    for number in range(count):
        place = f"{where} operation {number}"
        choices = _next(rest, place, "a number of alternatives")
        if choices < 1:
            raise InputError(f"{place}: expected at least one alternative, got {choices}")
        operations.append(
            tuple((_next(rest, place, "a machine"), _next(rest, place, "a duration")) for _ in range(choices))
        )
    if left := len(list(rest)):
        raise InputError(f"{where}: {left} numbers are left after its {count} operations and alternatives")
    return tuple(operations)


def _next(rest: Iterator[int], place: str, what: str) -> int:
    for value in rest:
        return value
    raise InputError(f"{place}: expected {what} of its alternatives, the line ends")


def misfit(doc: Document, routings: Sequence[Routing], base: int) -> str:
    """Why the numbers are no machines counted from `base` with durations, with its place; empty where they are."""
    _, machines = counts(doc)
    for name, routing in enumerate(routings):
        if any(len(mode) % 2 for modes in routing.operations for mode in modes):
            odd = 2 * len(routing.operations) - 1
            return f"{doc.at(routing.line)}: expected pairs 'machine duration', got {odd} numbers"
        for number, modes in enumerate(routing.operations):
            place = f"{doc.at(routing.line)}: job {name} operation {number}"
            for machine, duration in modes:
                if not base <= machine < machines + base:
                    return f"{place}: expected a machine from {base} to {machines + base - 1}, got {machine}"
                if duration < 0:
                    return f"{place}: expected a duration ≥ 0, got {duration}"
    return ""


def shop_of(routings: Sequence[Routing], machines: int, base: int) -> JobShop:
    """The shop of numbers that fit. Raises InputError for what makes it no valid shop."""
    return JobShop(
        tuple(f"machine_{k}" for k in range(base, machines + base)),
        tuple(
            Job(
                str(name),
                tuple(
                    Operation(
                        f"machine_{modes[0][0]}",
                        modes[0][1],
                        tuple(Alternative(f"machine_{machine}", duration) for machine, duration in modes[1:]),
                    )
                    for modes in routing.operations
                ),
            )
            for name, routing in enumerate(routings)
        ),
    )


def write_jsp(path: str | Path, shop: JobShop) -> None:
    """Write a plain job shop, machines by their position. Raises InputError for what the format cannot say."""
    if not shop.plain or shop.flexible or _dated(shop):
        raise InputError(f"{path}: the job-shop format knows no alternatives, calendars, dates and set-ups: write JSON")
    number = {name: place for place, name in enumerate(shop.machines)}
    _write(path, shop, lambda job: [f"{number[o.machine]} {o.duration}" for o in job.operations])


def write_fjsp(path: str | Path, shop: JobShop) -> None:
    """Write a flexible job shop, machines by their position. Raises InputError for what the format cannot say."""
    if not shop.plain or _dated(shop):
        raise InputError(
            f"{path}: the flexible job-shop format knows no calendars, dates, set-ups and resources: write JSON"
        )
    number = {name: place for place, name in enumerate(shop.machines)}

    def words(job: Job) -> list[str]:
        row = [str(len(job.operations))]
        for operation in job.operations:
            row += [str(len(operation.modes)), *(f"{number[m.machine]} {m.duration}" for m in operation.modes)]
        return row

    _write(path, shop, words)


def _write(path: str | Path, shop: JobShop, words: Callable[[Job], list[str]]) -> None:
    rows = [" ".join(words(job)) for job in shop.jobs]
    write_text(path, "\n".join([f"{len(shop.jobs)} {len(shop.machines)}", *rows]) + "\n")


def _dated(shop: JobShop) -> bool:
    return bool(shop.optional) or any(job.release or job.due is not None or job.after for job in shop.jobs)


def unlike_plain(doc: Document, routings: Sequence[Routing]) -> Row | None:
    """The row that speaks against a plain job shop: half of the rows or more read as jobs of a flexible one.

    None where every job is on every machine, which no broken flexible shop is by chance.
    """
    if everywhere(routings, counts(doc)[1]):
        return None
    odd = [row for row in doc.rows if not reads_flexible(row)]
    return odd[0] if odd and 2 * len(odd) <= len(doc.rows) else None


def reads_flexible(row: Row) -> bool:
    try:
        flexible_row(row.numbers, "")
    except InputError:
        return False
    return True


def chunks(numbers: Sequence[int], size: int) -> list[tuple[int, ...]]:
    """Numbers cut into rows of `size`."""
    return [tuple(numbers[k : k + size]) for k in range(0, len(numbers), size)]


def flat(rows: Sequence[Row]) -> list[int]:
    """All numbers of rows."""
    return list(itertools.chain.from_iterable(row.numbers for row in rows))
