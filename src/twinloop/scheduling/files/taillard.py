"""Matrices of processing times: Taillard's job shops and flow shops (1993), and unrelated parallel machines.

A job shop has a matrix of times and one of machines (from 1), a row per job. A flow shop under its title "processing
times" has a row per machine. Without a title a matrix may be a flow shop or unrelated machines: somebody has to say.
"""

from collections.abc import Sequence

from twinloop.errors import InputError
from twinloop.scheduling.files.numeric import Document, counts
from twinloop.scheduling.files.text import Routing, chunks, flat
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation

TIMES, MACHINES, PROCESSING = "times", "machines", "processing times"


def titled(doc: Document) -> tuple[str, ...]:
    """The titles between rows, without a colon."""
    return tuple(title.rstrip(" :") for _, title in doc.titles)


def two_matrices(doc: Document) -> list[Routing]:
    """Taillard's job shop: times, then machines. Raises InputError where the numbers are not these two matrices."""
    jobs, machines = counts(doc)
    numbers, size = flat(doc.rows), jobs * machines
    if len(numbers) != 2 * size:
        raise InputError(
            f"{doc.path}: expected two matrices of {jobs} × {machines}, times and machines, got {len(numbers)} numbers"
        )
    split = len(doc.rows) // 2
    if sum(len(row.numbers) for row in doc.rows[:split]) != size:
        raise InputError(f"{doc.path}: expected as many lines of times as of machines")
    titles = titled(doc)
    if titles and (titles != (TIMES, MACHINES) or [place for place, _ in doc.titles] != [0, split]):
        raise InputError(f"{doc.path}: expected the titles Times and Machines before their matrices, got {titles}")
    times, visits = chunks(numbers[:size], machines), chunks(numbers[size:], machines)
    for base in (0, 1):
        if all(sorted(row) == list(range(base, machines + base)) for row in visits):
            lines = [row.line for row in doc.rows[split:]]
            return [
                Routing(
                    lines[job * len(lines) // jobs],
                    tuple(((machine, time),) for machine, time in zip(visits[job], times[job], strict=True)),
                )
                for job in range(jobs)
            ]
    raise InputError(f"{doc.path}: expected each job once on each of {machines} machines in the second matrix")


def times_by_job(doc: Document) -> list[tuple[int, ...]]:
    """One matrix of times, a row for each job. Raises InputError where the numbers are no such matrix."""
    jobs, machines = counts(doc)
    shape = {len(row.numbers) for row in doc.rows}
    by_machine, by_job = (len(doc.rows) == n and shape == {k} for n, k in ((machines, jobs), (jobs, machines)))
    titles = titled(doc)
    if titles and titles != (PROCESSING,):
        raise InputError(f"{doc.path}: expected the title 'processing times', got {titles}")
    if titles and not by_machine:
        raise InputError(f"{doc.path}: expected a line for each of {machines} machines with {jobs} times")
    if not (by_machine or by_job):
        raise InputError(f"{doc.path}: expected a matrix of times for {jobs} jobs and {machines} machines")
    if by_machine and by_job and not titles and jobs > 1:
        raise InputError(
            f"{doc.path}: as many jobs as machines: a row may be either; give the title 'processing times' and a row "
            "per machine"
        )
    for row in doc.rows:
        if min(row.numbers) < 1:
            raise InputError(f"{doc.at(row.line)}: expected times ≥ 1, got {min(row.numbers)}")
    rows = [row.numbers for row in doc.rows]
    return list(zip(*rows, strict=True)) if by_machine else rows


def flow_shop(times: Sequence[Sequence[int]]) -> JobShop:
    """Every job on machine_1, then machine_2, and so on; jobs may overtake each other."""
    machines = tuple(f"machine_{k}" for k in range(1, len(times[0]) + 1))
    return JobShop(
        machines,
        tuple(Job(str(name), tuple(map(Operation, machines, row))) for name, row in enumerate(times)),
    )


def unrelated_machines(times: Sequence[Sequence[int]]) -> JobShop:
    """Every job is one operation, on any machine, in the time that it takes there."""
    machines = tuple(f"machine_{k}" for k in range(1, len(times[0]) + 1))
    return JobShop(
        machines,
        tuple(
            Job(str(name), (Operation(machines[0], row[0], tuple(map(Alternative, machines[1:], row[1:]))),))
            for name, row in enumerate(times)
        ),
    )
