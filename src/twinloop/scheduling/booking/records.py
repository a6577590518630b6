"""A workshop's book as plain values for JSON, and back: what keeps it between two mornings, or serves it elsewhere."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import polars as pl

from twinloop.errors import InputError
from twinloop.scheduling.booking.bookings import Bookings
from twinloop.scheduling.booking.days import VISITS, DayPlan
from twinloop.scheduling.booking.slots import Candidate, Task, Workshop, check
from twinloop.scheduling.question import Limit

FORMAT = 1


def book_record(bookings: Bookings) -> dict[str, Any]:
    """Plain values; `book_of` reads them."""
    plan = bookings.plan
    return {
        "format": FORMAT,
        "candidates": [dataclasses.asdict(candidate) for candidate in bookings.candidates.values()],
        "workshop": dataclasses.asdict(bookings.workshop),
        "plan": {"cost": plan.cost, "bound": plan.bound, "visits": plan.frame.to_dicts()},
        "today": bookings.today,
        "answer_days": bookings.answer_days,
        "stability": bookings.stability,
        "offers": dict(bookings.offers),
        "declined": {asset: list(days) for asset, days in bookings.declined.items()},
        "limit": dataclasses.asdict(bookings.limit),
        "seed": bookings.seed,
    }


def book_of(record: Any, where: str) -> Bookings:
    """The book of a record. Raises InputError for anything else; `where` names its place."""
    if not isinstance(record, Mapping) or record.get("format") != FORMAT:
        raise InputError(f"book: {where}: expected a book of format {FORMAT}: write it again")
    try:
        candidates = [_candidate(row) for row in record["candidates"]]
        workshop = _workshop(record["workshop"])
        frame = pl.DataFrame(record["plan"]["visits"], schema=VISITS)
        visits = {
            row["asset"]: (row["day"], tuple(row["components"]))
            for row in frame.iter_rows(named=True)
            if row["day"] is not None
        }
        known = {candidate.asset: candidate for candidate in candidates}
        check(candidates, workshop)
        return Bookings(
            known,
            workshop,
            DayPlan(visits, record["plan"]["cost"], record["plan"]["bound"], frame),
            today=record["today"],
            answer_days=record["answer_days"],
            stability=record["stability"],
            offers=record["offers"],
            declined={asset: tuple(days) for asset, days in record["declined"].items()},
            limit=Limit(**record["limit"]),
            seed=record["seed"],
        )
    except (KeyError, TypeError, AttributeError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError(f"book: {where}: its record is damaged ({error!r}): write it again") from None


def _candidate(row: Mapping[str, Any]) -> Candidate:
    tasks = tuple(Task(**{**task, **_days(task)}) for task in row["tasks"])
    lists = {name: None if row[name] is None else tuple(row[name]) for name in ("days", "agreed")}
    return Candidate(**{**row, **lists, "tasks": tasks})


def _days(task: Mapping[str, Any]) -> dict[str, Any]:
    since = task["since_by_day"]
    return {"cost_by_day": tuple(task["cost_by_day"]), "since_by_day": None if since is None else tuple(since)}


def _workshop(row: Mapping[str, Any]) -> Workshop:
    minutes, parts = ({name: tuple(days) for name, days in row[kind].items()} for kind in ("minutes", "parts"))
    return Workshop(minutes, tuple(row["bays"]), parts, row["reserve"])
