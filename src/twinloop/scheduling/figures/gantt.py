"""A plan as a chart that can be zoomed: what every machine does, and below it every job against its due date.

Set-ups, pauses, closed windows and downtime are bars of their own; the critical path is outlined and joined. Each is
an entry of the legend, so that it can be switched off. plotly is imported when it is drawn.
"""

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from twinloop.numbers import count, fixed
from twinloop.palette import CLOSED, INK
from twinloop.scheduling.clock import Clock, lasting
from twinloop.scheduling.figures.colours import DIVISORS, DOWN, LATE, SETUP, Unit, grouped

if TYPE_CHECKING:
    import plotly.graph_objects as go

Row = Mapping[str, Any]
# More rows than this cannot be read; then the jobs that are latest are shown.
MOST_JOBS = 60
MOST_NAMED = 6
BAR, PART = 0.72, 0.4
NO_LABEL = "\u00a0"
HELD = {
    "release": "its release",
    "job": "job",
    "machine": "machine",
    "pool": "pool",
    "material": "material",
    "frozen": "nothing: it is frozen",
}


def gantt(
    machines: Sequence[str],
    work: pl.DataFrame,
    operations: pl.DataFrame,
    jobs: pl.DataFrame,
    path: pl.DataFrame,
    *,
    groups: Mapping[str, str] | None = None,
    downtime: pl.DataFrame | None = None,
    left_out: Mapping[str, int] | None = None,
    unit: Unit = "hours",
    title: str = "The plan",
    clock: Clock | None = None,
) -> Any:
    """The chart of a complete plan as a plotly figure.

    machines: from top to bottom. work, operations, jobs, path: tables of the plan as `frames.TIMELINE`, `PLAN`, `JOBS`
    and `PATH`. groups: job → what gives it its colour, such as its product. downtime: machine, start, end of breakdowns
    in the shop's time units. left_out: price of each job that is not done, named in the title. unit: of the axis; the
    shop counts in minutes where it is hours or minutes. clock: when minute 0 is; then the axis shows dates, local ones.
    """
    from plotly.subplots import make_subplots

    chart = _Chart(machines, work, operations, jobs, path, groups, unit, clock)
    shown = chart.jobs_shown()
    heights = [60 + 40 * len(machines), 40 + 17 * len(shown)]
    if shown:
        figure = make_subplots(
            rows=2, shared_xaxes=True, vertical_spacing=60 / (sum(heights) + 120), row_heights=heights
        )
    else:
        heights, figure = heights[:1], make_subplots(rows=1)
    chart.draw_machines(figure, downtime)
    if shown:
        chart.draw_jobs(figure, shown)
    # What may come long after the plan's end must not squeeze the plan.
    last = max([chart.makespan, *(job["due"] for job in shown if job["due"] < 1.3 * chart.makespan)])
    figure.update_layout(
        barmode="overlay",
        template="plotly_white",
        title={"text": f"{html.escape(title)}{_without(left_out or {})}", "font": {"size": 15}},
        legend={"orientation": "h", "yanchor": "top", "y": -70 / sum(heights), "xanchor": "left", "x": 0},
        height=sum(heights) + 190,
        margin={"l": 20, "r": 20, "t": 60, "b": 20},
        hoverlabel={"align": "left"},
        uniformtext={"minsize": 9, "mode": "hide"},
    )
    if clock is not None:
        # Bars are lengths from a date on, which plotly takes for numbers.
        figure.update_xaxes(type="date", tickformat="%H:%M\n%a %-d %b")
    figure.update_xaxes(range=[chart.x(0), chart.x(max(last, 1) * 1.02)])
    figure.update_xaxes(title=f"time ({unit})" if clock is None else None, row=len(heights), col=1)
    return figure


def _without(left_out: Mapping[str, int]) -> str:
    """How to use the chart, and below it what is not in it."""
    zoom = ": drag to zoom, double-click to return"
    named = [f"{html.escape(job)} (price {count(price)})" for job, price in left_out.items()]
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return f"{zoom}<br><sup>left out: {', '.join(named[:MOST_NAMED])}{more}</sup>" if named else zoom


class _Chart:
    """Everything that is drawn, in units of the axis and escaped."""

    def __init__(
        self,
        machines: Sequence[str],
        work: pl.DataFrame,
        operations: pl.DataFrame,
        jobs: pl.DataFrame,
        path: pl.DataFrame,
        groups: Mapping[str, str] | None,
        unit: Unit,
        clock: Clock | None,
    ) -> None:
        self.unit, self.divisor, self.clock = unit, DIVISORS[unit], clock
        self.lane = {machine: place for place, machine in enumerate(machines)}
        self.work, self.path = work, path.rows(named=True)
        self.rows = {(row["job"], row["operation"]): row for row in operations.iter_rows(named=True)}
        self.jobs: Mapping[str, Row] = {row["job"]: row for row in jobs.iter_rows(named=True)}
        self.makespan = max((row["end"] for row in self.jobs.values()), default=0)
        self.groups, self.colours = grouped(self.jobs, groups)

    def time(self, value: float) -> str:
        """A time with as many decimals as tell something."""
        return fixed(value / self.divisor, 2 if self.divisor > 1 else 0)

    def x(self, value: float) -> Any:
        """Where a time stands on the axis."""
        return value / self.divisor if self.clock is None else self.clock.moment(value).replace(tzinfo=None)

    def width(self, start: float, end: float) -> float:
        """How long a bar is on the axis; on one of dates it counts in milliseconds."""
        if self.clock is None:
            return (end - start) / self.divisor
        return float((self.x(end) - self.x(start)).total_seconds() * 1000)

    def between(self, start: float, end: float) -> str:
        """From when to when, in words."""
        if self.clock is None:
            return f"{self.time(start)} … {self.time(end)} {self.unit}"
        return f"{self.clock.show(start)} … {self.clock.show(end)}"

    def long(self, value: float) -> str:
        """A length of time in words."""
        return f"{self.time(value)} {self.unit}" if self.clock is None else lasting(value)

    def at(self, value: float) -> str:
        """A moment in words."""
        return f"{self.time(value)} {self.unit}" if self.clock is None else self.clock.show(value)

    def jobs_shown(self) -> Sequence[Row]:
        """Jobs that have a due date, by date; of too many the latest."""
        dated = [job for job in self.jobs.values() if job["due"] is not None]
        if len(dated) > MOST_JOBS:
            dated = sorted(dated, key=lambda job: job["due"] - job["end"])[:MOST_JOBS]
        return sorted(dated, key=lambda job: (job["due"], job["job"]))

    def draw_machines(self, figure: "go.Figure", downtime: pl.DataFrame | None) -> None:
        """The upper panel."""
        closed, setups = (self.work.filter(pl.col("kind") == kind).rows(named=True) for kind in ("closed", "setup"))
        about = [f"{html.escape(row['machine'])} is closed" for row in closed]
        self._bars(figure, closed, about, name="closed", width=0.94, marker={"color": CLOSED})
        steps = {(step["job"], step["operation"]): step for step in self.path}
        work = self.work.filter(pl.col("kind").is_in(["work", "pause"])).rows(named=True)
        for group, colour in self.colours.items():
            chosen = [row for row in work if self.groups[row["job"]] == group]
            self._bars(
                figure,
                chosen,
                [self._operation(row["job"], row["operation"], steps) for row in chosen],
                name=html.escape(group),
                width=[BAR if row["kind"] == "work" else PART / 2 for row in chosen],
                marker={"color": colour, "line": {"color": "white", "width": 1}},
                text=[html.escape(row["job"]) if row["kind"] == "work" else "" for row in chosen],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                textfont={"size": 11},
            )
        about = [f"set-up of {html.escape(row['machine'])} for {html.escape(row['job'])}" for row in setups]
        hatched = {
            "color": "white",
            "pattern": {"shape": "/", "fgcolor": SETUP, "fgopacity": 1, "size": 5},
            "line": {"color": SETUP},
        }
        self._bars(figure, setups, about, name="set-up", width=PART, marker=hatched)
        broken = [] if downtime is None else downtime.filter(pl.col("start") < self.makespan).rows(named=True)
        about = [f"{html.escape(row['machine'])} is down" for row in broken]
        crossed = {
            "color": "rgba(255,255,255,0.55)",
            "pattern": {"shape": "x", "fgcolor": DOWN, "fgopacity": 1, "size": 6},
        }
        self._bars(figure, broken, about, name="down", width=0.94, marker=crossed | {"line": {"color": DOWN}})
        self._critical(figure)
        figure.update_yaxes(
            tickvals=list(self.lane.values()),
            ticktext=[html.escape(name) for name in self.lane],
            range=[len(self.lane) - 0.45, -0.55],
            showgrid=False,
            zeroline=False,
            row=1,
            col=1,
        )

    def draw_jobs(self, figure: "go.Figure", jobs: Sequence[Row]) -> None:
        """The lower panel: each job from its first start to its end, its due date, and what is late."""
        place = {job["job"]: k for k, job in enumerate(jobs)}
        begins, ends, due = ([job[moment] for job in jobs] for moment in ("start", "end", "due"))
        about = [self._job(job) for job in jobs]
        for since, name, width, colours in (
            (begins, "job at work", 0.64, [self.colours[self.groups[job["job"]]] for job in jobs]),
            (due, "late", 0.26, [LATE] * len(jobs)),
        ):
            kept = [k for k in place.values() if ends[k] > since[k]]
            if not kept:
                continue
            figure.add_bar(
                orientation="h",
                name=name,
                y=kept,
                base=[self.x(since[k]) for k in kept],
                x=[self.width(since[k], ends[k]) for k in kept],
                width=width,
                marker={"color": [colours[k] for k in kept]},
                hovertext=[about[k] for k in kept],
                hoverinfo="text",
                # plotly hides no label that is too long where another panel's bars have none.
                text=NO_LABEL,
                textposition="inside",
                # Its bars have the colours of the groups, which the legend shows already.
                showlegend=name == "late",
                row=2,
                col=1,
            )
        figure.add_scatter(
            x=[self.x(date) for date in due],
            y=list(place.values()),
            mode="markers",
            name="due date",
            marker={"symbol": "line-ns", "size": 13, "line": {"color": INK, "width": 3}},
            hovertext=about,
            hoverinfo="text",
            row=2,
            col=1,
        )
        figure.update_yaxes(
            tickvals=list(place.values()),
            ticktext=[html.escape(name) for name in place],
            range=[len(jobs) - 0.4, -0.6],
            showgrid=False,
            zeroline=False,
            tickfont={"size": 10},
            title="jobs by due date" if len(jobs) < MOST_JOBS else f"the {MOST_JOBS} latest jobs",
            row=2,
            col=1,
        )

    def _bars(
        self, figure: "go.Figure", rows: Sequence[Mapping[str, Any]], about: Sequence[str], *, name: str, **look: Any
    ) -> None:
        if not rows:
            return
        times = [f"<br>{self.between(row['start'], row['end'])}" for row in rows]
        figure.add_bar(
            orientation="h",
            name=name,
            y=[self.lane[row["machine"]] for row in rows],
            base=[self.x(row["start"]) for row in rows],
            x=[self.width(row["start"], row["end"]) for row in rows],
            hovertext=[first + when for first, when in zip(about, times, strict=True)],
            hoverinfo="text",
            row=1,
            col=1,
            **look,
        )

    def _operation(self, job: str, operation: int, steps: Mapping[tuple[str, int], Row]) -> str:
        row, count = self.rows[job, operation], self.jobs[job]["operations"]
        lines = [
            self._job(self.jobs[job]),
            f"operation {operation + 1} of {count} on {html.escape(row['machine'])}, "
            + self.between(row["start"], row["end"]),
        ]
        if row["setup"]:
            lines.append(f"set-up before it: {self.long(row['setup'])}")
        if row["paused"]:
            lines.append(f"closed in between: {self.long(row['paused'])}")
        if (job, operation) in steps:
            step = steps[job, operation]
            cause = "" if step["reason"] in ("release", "frozen") else f" {html.escape(step['cause'])}"
            lines.append(f"on the critical path, held by {HELD[step['reason']]}{cause}")
        return "<br>".join(lines) + "<br>this bar:"

    def _job(self, job: Row) -> str:
        name = html.escape(job["job"])
        if job["due"] is None:
            return f"{name}: no due date"
        delay = job["end"] - job["due"]
        verdict = f"{self.long(abs(delay))} {'late' if delay > 0 else 'early'}" if delay else "just in time"
        return f"{name}: due {self.at(job['due'])}, {verdict}"

    def _critical(self, figure: "go.Figure") -> None:
        """Outlines and joins as one line, broken where no step follows another."""
        x: list[Any] = []
        y: list[float | None] = []
        end: tuple[Any, float] | None = None
        for step in self.path:
            lane, half = self.lane[step["machine"]], BAR / 2
            left, right = self.x(step["start"]), self.x(step["end"])
            if end is not None:
                x += [end[0], left, None]
                y += [end[1], lane, None]
            x += [left, right, right, left, left, None]
            y += [lane - half, lane - half, lane + half, lane + half, lane - half, None]
            end = (right, lane)
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines",
            name="critical path",
            line={"color": INK, "width": 2.5},
            hoverinfo="skip",
            row=1,
            col=1,
        )
