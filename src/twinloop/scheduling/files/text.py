"""The standard text formats of the benchmark collections, read and written.

Job shop (Beasley's OR-Library, 1990): a first line "jobs machines"; each further line is one job: pairs of
machine (from 0) and duration. Flexible job shop (Brandimarte 1993): each further line opens with the number
of operations; each operation is its number of alternatives and then their pairs. Lines that start with # are
comments. Job names are their numbers from 0, machines are `machine_<number>`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from twinloop.errors import InputError
from twinloop.files import write_text
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation

Row = tuple[int, list[str]]
MOST = 100_000


def read_jsp(path: str | Path) -> JobShop:
    """Read a job shop. Raises InputError with file:row."""
    return _read(path, _jsp_job)


def read_fjsp(path: str | Path) -> JobShop:
    """Read a flexible job shop. Raises InputError with file:row."""
    return _read(path, _fjsp_job)


def read_instance(path: str | Path) -> JobShop:
    """Read either format: a file whose every row can be a flexible job is one. Raises InputError with file:row."""
    try:
        return read_fjsp(path)
    except InputError as flexible:
        try:
            return read_jsp(path)
        except InputError as plain:
            # Rows of a flexible shop begin with a count: a job shop's error would speak of the wrong numbers.
            raise (flexible if "alternative" in str(flexible) and "pairs" in str(plain) else plain) from None


def write_jsp(path: str | Path, shop: JobShop) -> None:
    """Write a plain job shop, machines by their position. Raises InputError for what the format cannot say."""
    if not shop.plain or shop.flexible:
        raise InputError(f"{path}: the job-shop format knows no alternatives, calendars and set-ups: write JSON")
    number = {name: place for place, name in enumerate(shop.machines)}
    rows = [" ".join(f"{number[o.machine]} {o.duration}" for o in job.operations) for job in shop.jobs]
    write_text(path, "\n".join([f"{len(shop.jobs)} {len(shop.machines)}", *rows]) + "\n")


def write_fjsp(path: str | Path, shop: JobShop) -> None:
    """Write a flexible job shop, machines by their position. Raises InputError for what the format cannot say."""
    if not shop.plain:
        raise InputError(f"{path}: the flexible job-shop format knows no calendars, set-ups and resources: write JSON")
    number = {name: place for place, name in enumerate(shop.machines)}
    rows = []
    for job in shop.jobs:
        words = [str(len(job.operations))]
        for operation in job.operations:
            words.append(str(len(operation.modes)))
            words += [f"{number[mode.machine]} {mode.duration}" for mode in operation.modes]
        rows.append(" ".join(words))
    write_text(path, "\n".join([f"{len(shop.jobs)} {len(shop.machines)}", *rows]) + "\n")


def _read(path: str | Path, job_of: Callable[[str, list[int], int, str], Job]) -> JobShop:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    rows: list[Row] = [
        (number, line.split())
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not rows:
        raise InputError(f"{path}:1: expected a first line 'jobs machines', got an empty file")
    count, machines = _sizes(rows[0], path)
    if len(rows) - 1 != count:
        raise InputError(f"{path}:{rows[-1][0]}: expected {count} job lines after the first, found {len(rows) - 1}")
    jobs = tuple(
        job_of(str(k), _whole_numbers(words, f"{path}:{row}"), machines, f"{path}:{row}")
        for k, (row, words) in enumerate(rows[1:])
    )
    try:
        return JobShop(tuple(f"machine_{k}" for k in range(machines)), jobs)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _sizes(row: Row, path: str | Path) -> tuple[int, int]:
    # Flexible instances often give the mean number of alternatives as a third number; it says nothing new.
    number, words = row
    sizes = _whole_numbers(words[:2], f"{path}:{number}")
    if len(words) not in (2, 3) or len(sizes) != 2 or min(sizes) < 1:
        raise InputError(f"{path}:{number}: expected two numbers ≥ 1, 'jobs machines', got {' '.join(words)!r}")
    if max(sizes) > MOST:
        raise InputError(f"{path}:{number}: expected at most {MOST} jobs and machines, got {' '.join(words)!r}")
    return sizes[0], sizes[1]


def _jsp_job(name: str, numbers: list[int], machines: int, where: str) -> Job:
    if len(numbers) % 2:
        raise InputError(f"{where}: expected pairs 'machine duration', got {len(numbers)} numbers")
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return Job(
        name,
        tuple(
            Operation(*_pair(machine, duration, machines, f"{where}: job {name} operation {number}"))
            for number, (machine, duration) in enumerate(pairs)
        ),
    )


def _fjsp_job(name: str, numbers: list[int], machines: int, where: str) -> Job:
    rest = iter(numbers)
    count = next(rest)
    operations = []
    for number in range(count):
        place = f"{where}: job {name} operation {number}"
        choices = _next(rest, place, "a number of alternatives")
        if choices < 1:
            raise InputError(f"{place}: expected at least one alternative, got {choices}")
        modes = [
            _pair(_next(rest, place, "a machine"), _next(rest, place, "a duration"), machines, place)
            for _ in range(choices)
        ]
        operations.append(Operation(*modes[0], alternatives=tuple(Alternative(*mode) for mode in modes[1:])))
    if left := len(list(rest)):
        raise InputError(f"{where}: job {name}: {left} numbers are left after its {count} operations and alternatives")
    return Job(name, tuple(operations))


def _next(rest: Iterator[int], place: str, what: str) -> int:
    for value in rest:
        return value
    raise InputError(f"{place}: expected {what} of its alternatives, the line ends")


def _pair(machine: int, duration: int, machines: int, place: str) -> tuple[str, int]:
    if not 0 <= machine < machines:
        raise InputError(f"{place}: expected a machine from 0 to {machines - 1}, got {machine}")
    if duration < 1:
        raise InputError(f"{place}: expected a duration ≥ 1, got {duration}")
    return f"machine_{machine}", duration


def _whole_numbers(words: list[str], where: str) -> list[int]:
    try:
        return [int(word) for word in words]
    except ValueError:
        raise InputError(f"{where}: expected whole numbers, got {' '.join(words)[:60]!r}") from None
