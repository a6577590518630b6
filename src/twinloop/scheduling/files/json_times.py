"""Times in the project's JSON as people write them: dates become minutes from the start, 30.0 becomes 30."""

from collections.abc import Iterator
from typing import Any

from twinloop.errors import InputError
from twinloop.scheduling.clock import Clock
from twinloop.scheduling.files.cells import Cells


def in_minutes(content: Any, clock: Clock | None, where: str) -> Any:
    """The same plain data with whole numbers for dates of jobs, closed windows and deliveries.

    Raises InputError for a date without a start, and for what is nested without end.
    """
    cells = Cells(clock)
    try:
        content = _whole(content)
    except RecursionError:
        raise InputError(f"{where}: expected JSON of a shop, got one nested far too deep") from None
    for record, name, last in _dated(content):
        if isinstance(record[name], str):
            record[name] = cells.instant(record[name], str(name), where, None, last=last)
    return content


def _whole(value: Any) -> Any:
    """Floating-point numbers without a fraction as whole ones, everywhere."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _dated(content: Any) -> Iterator[tuple[Any, Any, bool]]:
    """Every place where a moment stands, and whether it is the last one of something."""
    for job in _records(content, "jobs"):
        for name in ("release", "due"):
            if name in job:
                yield job, name, name == "due"
    lists: list[Any] = []
    for kind in ("closed", "stops", "overtime"):
        by_machine = content.get(kind) if isinstance(content, dict) else None
        lists += by_machine.values() if isinstance(by_machine, dict) else []
        lists += [owner.get(kind) for name in ("pools", "operators") for owner in _records(content, name)]
    for window in (w for windows in lists if isinstance(windows, list) for w in windows if isinstance(w, dict)):
        for name in ("start", "end"):
            if name in window:
                yield window, name, False
    for material in _records(content, "materials"):
        deliveries = material.get("deliveries")
        for delivery in deliveries if isinstance(deliveries, list) else ():
            if isinstance(delivery, list) and delivery:
                yield delivery, 0, False


def _records(content: Any, name: str) -> list[dict[str, Any]]:
    rows = content.get(name) if isinstance(content, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
