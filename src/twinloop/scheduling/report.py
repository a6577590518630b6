"""A plan as people get it: what was read, what is late and why, how machines are loaded, and all of it as files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from twinloop.contracts import Plan
from twinloop.errors import InputError
from twinloop.files import atomic, write_json, write_text
from twinloop.numbers import count, percent
from twinloop.scheduling.clock import Clock
from twinloop.scheduling.figures.page import plan_page
from twinloop.scheduling.files.ics import write_ics
from twinloop.scheduling.files.reading import Reading
from twinloop.scheduling.files.workbook import save_sheets
from twinloop.scheduling.frames import chart_frames, load_frame, plan_frame
from twinloop.scheduling.lateness import Late, LeftOut, jobs_left_out, late_frame, late_jobs, left_out_frame
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.solution import Solution
from twinloop.spreadsheets import as_text, as_texts

SPENT = ("work", "setup", "closed", "idle")
DATES = {"start": "start_at", "end": "end_at", "due": "due_at"}


@dataclass(frozen=True)
class PlanReport:
    """A shop as it was read, and its solution, which has a plan; made: when, for calendars."""

    name: str
    reading: Reading
    solution: Solution
    made: datetime

    @property
    def shop(self) -> JobShop:
        """What was planned."""
        return self.reading.shop

    @property
    def clock(self) -> Clock | None:
        """When minute 0 is, where that is known."""
        return self.reading.clock

    @cached_property
    def plan(self) -> Plan:
        """The plan. Raises InputError for a solution without one."""
        if self.solution.plan is None:
            raise InputError(f"plan: {self.solution.status}: {self.solution.reason}")
        return self.solution.plan

    @cached_property
    def late(self) -> tuple[Late, ...]:
        """Late jobs with their reasons."""
        return late_jobs(self.shop, self.plan, self.reading.say)

    @cached_property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Jobs that are not done, with their prices and reasons."""
        return jobs_left_out(self.shop, self.plan, self.reading.say)

    @cached_property
    def load(self) -> pl.DataFrame:
        """`frames.load_frame`, the share of open time that is work or set-up as `busy`."""
        busy = (pl.col("work") + pl.col("setup")) / (pl.col("work") + pl.col("setup") + pl.col("idle"))
        return load_frame(self.shop, self.plan).with_columns(busy.fill_nan(0.0).alias("busy"))

    @cached_property
    def operations(self) -> pl.DataFrame:
        """`frames.plan_frame`."""
        return plan_frame(self.shop, self.plan)

    @property
    def headline(self) -> str:
        """How many are on time, how many are left out, and when all is done."""
        gone = {one.job: one.price for one in self.left_out}
        # A lot is part of an order, which has the date.
        orders = [job for job in self.shop.jobs if not job.part_of and job.name not in gone]
        dated = sum(job.due is not None for job in orders)
        on_time = f"{dated - len(self.late)} on time, {len(self.late)} late" if dated else "no due dates"
        undated = f", {len(orders) - dated} without a due date" if 0 < dated < len(orders) else ""
        without = f", {len(gone)} left out at a price of {count(sum(gone.values()))}" if gone else ""
        return f"{on_time}{undated}{without}; ends {self.reading.say.when(self.plan.makespan)}"

    def record(self) -> dict[str, Any]:
        """Everything as JSON-like data; dates beside minutes where the clock is known."""
        return {
            "read": str(self.reading),
            "start": None if self.clock is None else self.clock.moment(0).isoformat(),
            "status": self.solution.status,
            "values": list(self.solution.values or ()),
            "bound": self.solution.bound,
            "makespan": self.plan.makespan,
            "operations": self._dated(self.operations).to_dicts(),
            "late": [
                {**row, "chain": list(one.chain)}
                for row, one in zip(self._dated(late_frame(self.late)).to_dicts(), self.late, strict=True)
            ],
            **({"left_out": left_out_frame(self.left_out).to_dicts()} if self.shop.optional else {}),
            "load": self.load.to_dicts(),
        }

    def _dated(self, frame: pl.DataFrame) -> pl.DataFrame:
        clock = self.clock
        if clock is None:
            return frame
        return frame.with_columns(
            pl.Series(
                name,
                [None if t is None else clock.moment(t).isoformat(timespec="minutes") for t in frame[column]],
                dtype=pl.String,
            )
            for column, name in DATES.items()
            if column in frame.columns
        )

    def save(self, path: Path) -> None:
        """Write the plan, its form by the ending: .html, .csv, .xlsx, .ics or .json. Raises InputError."""
        check_ending(path)
        SAVED[path.suffix.lower()](self, path)

    def _save_html(self, path: Path) -> None:
        say = self.reading.say
        page = plan_page(
            title=f"Plan of {self.name}",
            headline=self.headline,
            read=self.reading.head,
            notes=self.reading.notes,
            late=[
                (one.job, say.until(one.due), say.when(one.end), say.long(one.late), "; ".join(one.chain))
                for one in self.late
            ],
            left_out=[(one.job, count(one.price), one.reason) for one in self.left_out],
            load=[
                (row["machine"], *(say.long(row[name]) for name in SPENT), percent(row["busy"]))
                for row in self.load.iter_rows(named=True)
            ],
            chart=chart_frames(self.shop, self.plan),
            clock=self.clock,
            unit="hours" if self.reading.minutes else "time units",
        )
        write_text(path, page)

    def _save_csv(self, path: Path) -> None:
        with atomic(path) as temporary:
            as_texts(self._dated(self.operations)).write_csv(temporary)

    def _save_xlsx(self, path: Path) -> None:
        about = [["read", str(self.reading)], ["plan", self.headline], ["status", self.solution.status]]
        sheets: dict[str, Sequence[Sequence[Any]]] = {
            "Plan": self._sheet(self.operations),
            "Late": self._sheet(late_frame(self.late)),
            **({"Left out": self._sheet(left_out_frame(self.left_out))} if self.left_out else {}),
            "Load": self._sheet(self.load),
            "About": [["what", "is"], *([as_text(cell) for cell in row] for row in about)],
        }
        save_sheets(path, sheets)

    def _sheet(self, frame: pl.DataFrame) -> list[list[Any]]:
        """Header and rows; dates as a spreadsheet has them, local and without a zone."""
        clock = self.clock
        rows = [list(row) for row in as_texts(frame).iter_rows()]
        header = list(frame.columns)
        for column, name in DATES.items() if clock is not None else ():
            if column in frame.columns and clock is not None:
                header.append(name)
                for row, time in zip(rows, frame[column], strict=True):
                    row.append(None if time is None else clock.moment(time).replace(tzinfo=None))
        return [header, *rows]

    def _save_ics(self, path: Path) -> None:
        if self.clock is None:
            raise InputError(f"{path}: a calendar needs dates: say when minute 0 is, as start")
        write_ics(path, self.operations, self.clock, stamp=self.made)

    def _save_json(self, path: Path) -> None:
        write_json(path, self.record())


SAVED: Mapping[str, Callable[[PlanReport, Path], None]] = {
    ".html": PlanReport._save_html,
    ".csv": PlanReport._save_csv,
    ".xlsx": PlanReport._save_xlsx,
    ".ics": PlanReport._save_ics,
    ".json": PlanReport._save_json,
}


def check_ending(path: Path) -> None:
    """Raise InputError unless a plan can be saved under that name."""
    if path.suffix.lower() not in SAVED:
        raise InputError(f"plan: {path}: expected a file name that ends in {', '.join(SAVED)}")
