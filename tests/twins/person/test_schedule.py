"""The schedule stage: a prepared calendar, what is attended of it, and what more copies would miss."""

import json
from pathlib import Path

import polars as pl

from tests.twins.person.load.test_capacity import stage
from tests.twins.person.test_appointments import CALENDAR
from twinloop.dialogue.datasets.calendars import read
from twinloop.dialogue.datasets.corpus import Corpus
from twinloop.dialogue.datasets.settings import CalendarSettings, CorpusSettings
from twinloop.dialogue.datasets.stored import save
from twinloop.twins.person import paths, schedule


def test_meetings_are_attended_by_one_and_by_two(tmp_path: Path):
    (tmp_path / "calendar.ics").write_text(CALENDAR.replace("\n", "\r\n"))
    save(
        read([tmp_path / "calendar.ics"], CorpusSettings(calendar=CalendarSettings(zone="Europe/Berlin"))),
        tmp_path / paths.DATASET,
    )
    line = schedule.run(stage(tmp_path))
    table = pl.read_parquet(tmp_path / paths.SCHEDULE / "attendance.parquet")
    copies = pl.read_parquet(tmp_path / paths.SCHEDULE / "copies.parquet")
    metrics = json.loads((tmp_path / paths.metrics("schedule")).read_text())
    # The team meets at the time of the board; the last of its three lies beside nothing.
    assert line == "3 of 5 meetings attended; 2 meetings missed, worth 6"
    assert copies.rows() == [(1, 3, 6, 2), (2, 5, 0, 0)]
    assert (metrics["meetings"], metrics["attended"], metrics["missed"]) == (5, 3, 6)
    assert (metrics["preparation_min"], metrics["zone"]) == (30.0, "Europe/Berlin")
    assert set(table.filter(~pl.col("attended"))["meeting"].str.slice(0, 12)) == {"Team meeting"}


def test_a_person_without_a_calendar_misses_nothing(tmp_path: Path):
    save(Corpus("none"), tmp_path / paths.DATASET)
    schedule.run(stage(tmp_path))
    metrics = json.loads((tmp_path / paths.metrics("schedule")).read_text())
    assert (metrics["meetings"], metrics["missed"]) == (0, 0)
    assert pl.read_parquet(tmp_path / paths.SCHEDULE / "attendance.parquet").is_empty()
