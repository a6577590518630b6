"""Which meetings are attended, and what more copies would miss, for the page on capacity."""

from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from twinloop.numbers import count, quantity
from twinloop.reporting.tables import Table
from twinloop.twins.person.results.base import PersonOutputs

# Days that are drawn; of missed meetings, how many are listed.
DAYS, LISTED = 7, 12
# What a meeting's name says of its time, which the figure shows by its place.
TIMED = r", \w{3} \d+ \w{3} \d\d:\d\d.*$"


class Agenda(PersonOutputs):
    """What schedule left."""

    @cached_property
    def zone(self) -> ZoneInfo:
        """The clock by which most events are."""
        return ZoneInfo(self.metrics("schedule")["zone"])

    @cached_property
    def attendance(self) -> pl.DataFrame:
        """One row per meeting (`appointments.TABLE`)."""
        return self.schedule("attendance")

    def figure(self) -> dict[str, Any]:
        """Arguments of `figures.appointments.agenda`: the first days."""
        table = self.attendance
        title = "Meetings attended and missed"
        if len(table):
            local = table["start"].dt.convert_time_zone(self.zone.key).dt.date()
            days = local.unique().sort()[:DAYS]
            title += f", the first {len(days)} of {local.n_unique()} days" if local.n_unique() > DAYS else ""
            table = table.filter(local.is_in(days.implode())).with_columns(pl.col("meeting").str.replace(TIMED, ""))
        return {"meetings": table, "zone": self.zone, "title": title}

    def summary(self) -> Table:
        """What is attended."""
        found = self.metrics("schedule")
        rows = [
            ("meetings", count(found["meetings"])),
            ("attended", count(found["attended"])),
            ("missed", f"{count(found['missed_meetings'])}, worth {count(found['missed'])}"),
            ("preparation", quantity(found["preparation_min"] / 60, "h")),
        ]
        return Table.of(("", f"{count(found['copies'])} at once"), rows)

    def copies(self) -> Table:
        """What as many copies attend, and what they still miss."""
        rows = [
            (count(row["copies"]), count(row["attended"]), count(row["missed_meetings"]), count(row["missed"]))
            for row in self.schedule("copies").iter_rows(named=True)
        ]
        headers = ("copies", "meetings attended", "missed", "what those are worth")
        return Table.of(headers, rows or [("none", "", "", "")], numeric=(0, 1, 2, 3))

    def missed(self) -> Table:
        """The missed meetings that are worth most, and why they are missed."""
        missed = self.attendance.filter(~pl.col("attended")).sort("priority", "start", descending=[True, False])
        rows = [(row["meeting"], count(row["priority"]), row["because"]) for row in missed.iter_rows(named=True)]
        headers = ("meeting", "worth", "missed because")
        return Table.of(headers, rows[:LISTED] or [("none", "", "")], numeric=(1,))
