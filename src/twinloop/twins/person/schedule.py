"""Which meetings the twin attends, as one and as several, and what it would still miss."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from twinloop.dialogue.datasets.stored import load
from twinloop.files import atomic, write_json
from twinloop.numbers import counted
from twinloop.twins.person import paths
from twinloop.twins.person.appointments import TABLE, Attendance, attend, events_of
from twinloop.twins.person.config import PersonConfig
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop person schedule"
COPIES = {name: pl.Int64() for name in ("copies", "attended", "missed", "missed_meetings")}


def run(stage: Stage[PersonConfig]) -> str:
    """Write attendance, what more copies would miss, and the stage's metrics; returns the summary line."""
    settings, out = stage.config.person.schedule, stage.root / paths.SCHEDULE
    calendar = load(stage.root / paths.DATASET).events
    attended: dict[int, Attendance] = {}
    zone = _zone(calendar)
    if len(calendar):
        # As somebody sees it who looks at it when its first day begins.
        first: datetime = calendar["start"].sort()[0]
        begin = first.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        events = events_of(calendar, begin=begin, end=begin + timedelta(days=settings.days))
        for copies in sorted({*range(1, settings.most_copies + 1), settings.copies}):
            attended[copies] = attend(events, now=begin, copies=copies, seed=stage.config.seed, limit=settings.limit)
    table = attended[settings.copies].table if attended else pl.DataFrame(schema=TABLE)
    rows = [(copies, *_counts(one)) for copies, one in attended.items()]
    frames = {"attendance": table, "copies": pl.DataFrame(rows, schema=COPIES, orient="row")}
    for name, frame in frames.items():
        with atomic(out / f"{name}.parquet") as temporary:
            frame.write_parquet(temporary)
    prepared = table.select((pl.col("prepared_until") - pl.col("prepared_from")).dt.total_minutes().sum()).item()
    missed = int((~table["attended"]).sum())
    metrics = {
        "meetings": len(table),
        "attended": len(table) - missed,
        "missed": attended[settings.copies].missed if attended else 0,
        "missed_meetings": missed,
        "preparation_min": float(prepared or 0),
        "copies": settings.copies,
        "zone": zone.key,
    }
    write_json(stage.root / paths.metrics("schedule"), metrics)
    return (
        f"{metrics['attended']} of {counted(len(table), 'meeting')} attended; "
        f"{counted(missed, 'meeting')} missed, worth {metrics['missed']}"
    )


def _zone(calendar: pl.DataFrame) -> ZoneInfo:
    """The clock by which most events are; of equals the first by name."""
    zones = calendar["zone"].drop_nulls().sort()
    return ZoneInfo(str(zones.mode(maintain_order=True)[0])) if len(zones) else ZoneInfo("UTC")


def _counts(attendance: Attendance) -> tuple[int, int, int]:
    """Meetings attended, what those missed are worth, and how many they are."""
    there = attendance.table["attended"]
    return int(there.sum()), attendance.missed, int((~there).sum())
