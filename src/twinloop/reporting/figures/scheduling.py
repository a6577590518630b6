"""A plan in pictures: what every machine does, every job against its due date, how the machines' time is spent."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from twinloop.contracts import Plan
from twinloop.files import write_text
from twinloop.numbers import percent
from twinloop.palette import BLUE, CLOSED, INK, PAPER
from twinloop.reporting.figures.data import shortened
from twinloop.reporting.style import Picture, drawn, single
from twinloop.scheduling.critical import CriticalPath, critical_path
from twinloop.scheduling.figures.colours import DIVISORS, DOWN, IDLE, LATE, SETUP, Unit, grouped
from twinloop.scheduling.frames import timeline
from twinloop.scheduling.objectives import job_ends
from twinloop.scheduling.problem import JobShop

BAR, PART, FULL = 0.72, 0.44, 0.94
# More rows cannot be read at half size.
MOST_JOBS = 40
# Of a legend's line.
LETTERS = 100
HATCHES = {"setup": "/////", "down": "xxxx"}


@drawn
def gantt(
    shop: JobShop,
    plan: Plan,
    *,
    groups: Mapping[str, str] | None = None,
    downtime: pl.DataFrame | None = None,
    planned: Plan | None = None,
    unit: Unit = "hours",
    title: str = "The plan",
) -> Picture:
    """Which machine works on which job, when; set-ups, closed windows, breakdowns and the critical path are marked.

    groups: job → what gives it its colour, such as its product. downtime: machine, start, end of breakdowns in the
    shop's time units. planned: where the operations should have been, shown below each bar. unit: of the axis; the
    shop counts in minutes where it is hours or minutes. A job that ends late has a red end.
    """
    figure, axes = single(7.8, 0.52 * len(shop.machines) + 1.9)
    group_of, colours = grouped(shop.by_name, groups)
    lane, divisor = {name: place for place, name in enumerate(shop.machines)}, DIVISORS[unit]

    def bars(rows: pl.DataFrame, height: float, **look: Any) -> None:
        boxes = [
            Rectangle((start / divisor, lane[machine] - height / 2), (end - start) / divisor, height)
            for machine, start, end in rows.select("machine", "start", "end").iter_rows()
        ]
        axes.add_collection(PatchCollection(boxes, **look))

    found = timeline(shop, plan)
    kinds = {str(kind): rows for (kind,), rows in found.group_by("kind")}
    if "closed" in kinds:
        bars(kinds["closed"], FULL, facecolor=CLOSED, edgecolor="none", zorder=1)
    for kind, height in (("pause", PART / 2), ("work", BAR)):
        of = kinds.get(kind, found.clear())
        for group, colour in colours.items():
            rows = of.filter(pl.col("job").replace_strict(group_of, return_dtype=pl.String) == group)
            bars(rows, height, facecolor=colour, edgecolor=PAPER, linewidth=0.6, zorder=2)
    if "setup" in kinds:
        bars(kinds["setup"], PART, facecolor=PAPER, edgecolor=SETUP, hatch=HATCHES["setup"], linewidth=0.6, zorder=2)
    if downtime is not None:
        broken = downtime.filter(pl.col("start") < plan.makespan)
        bars(broken, FULL, facecolor="none", edgecolor=DOWN, hatch=HATCHES["down"], linewidth=0.8, zorder=3)
    for a in planned or ():
        corner, width = (a.start / divisor, lane[a.machine] + 0.39), (a.end - a.start) / divisor
        axes.add_patch(Rectangle(corner, width, 0.11, facecolor=INK, edgecolor=PAPER, linewidth=0.7))
    path = critical_path(shop, plan)
    _critical(axes, path, lane, divisor)
    late = _late(shop, plan)
    for a in plan:
        if a.job in late and a.end == late[a.job]:
            axes.vlines(a.end / divisor, lane[a.machine] - 0.46, lane[a.machine] + 0.46, color=LATE, linewidth=3.4)
    _rows(axes, shop.machines, 20)
    axes.set_xlim(0, max([plan.makespan, 1, *(a.end for a in planned or ())]) * 1.01 / divisor)
    axes.set(xlabel=f"time ({unit})", title=title)
    handles: list[Patch | Line2D] = [Patch(color=colour, label=shortened(name, 24)) for name, colour in colours.items()]
    handles += [Patch(color=CLOSED, label="closed")] if "closed" in kinds else []
    if "setup" in kinds:
        handles.append(Patch(facecolor=PAPER, edgecolor=SETUP, hatch=HATCHES["setup"], label="set-up"))
    if downtime is not None:
        handles.append(Patch(facecolor=PAPER, edgecolor=DOWN, hatch=HATCHES["down"], label="down"))
    handles.append(Patch(facecolor=PAPER, edgecolor=INK, linewidth=1.8, label="critical path"))
    handles += [Line2D([], [], color=LATE, linewidth=3.4, label="ends late")] if late else []
    handles += [Line2D([], [], color=INK, linewidth=2.6, label="as planned")] if planned else []
    _legend(figure, handles)
    figure.alt = (
        f"Gantt chart: {len(plan)} operations on {len(shop.machines)} machines in {plan.makespan / divisor:.1f} "
        f"{unit}; jobs that end late: {len(late)}; the critical path has {len(path.steps)} operations, most time on "
        f"{next(iter(path.carried), 'no machine')}"
    )
    return figure


@drawn
def due_dates(
    shop: JobShop,
    plan: Plan,
    *,
    groups: Mapping[str, str] | None = None,
    unit: Unit = "hours",
    title: str = "Every job against its due date",
) -> Picture:
    """Each job from its first start to its end, its due date as a bar across, what is late in red.

    Of more than 40 jobs the latest are shown. Jobs without a due date are left out.
    """
    ends, late, divisor = job_ends(plan), _late(shop, plan), DIVISORS[unit]
    dated = [(job.due, job.name) for job in shop.jobs if job.due is not None and job.name in ends]
    jobs = sorted(sorted(dated, key=lambda pair: pair[0] - ends[pair[1]])[:MOST_JOBS])
    figure, axes = single(7.8, 0.21 * len(jobs) + 1.6)
    if not jobs:
        axes.text(0.5, 0.5, "no job has a due date", ha="center", va="center", transform=axes.transAxes)
    begins = {a.job: a.start / divisor for a in reversed(plan.assignments)}
    group_of, colours = grouped(shop.by_name, groups)
    for place, (due, name) in enumerate(jobs):
        end = ends[name] / divisor
        axes.barh(place, end - begins[name], left=begins[name], height=0.66, color=colours[group_of[name]])
        if name in late:
            for colour, width in ((PAPER, 4.6), (LATE, 2.6)):
                axes.plot([due / divisor, end], [place] * 2, color=colour, linewidth=width, solid_capstyle="butt")
        axes.vlines(due / divisor, place - 0.45, place + 0.45, color=INK, linewidth=2.6, zorder=4)
    _rows(axes, [name for _, name in jobs], 18)
    axes.tick_params(axis="y", labelsize=8.5)
    last = max([1, plan.makespan, *(due for due, _ in jobs if due < 1.3 * plan.makespan)])
    axes.set_xlim(0, last * 1.02 / divisor)
    axes.set(xlabel=f"time ({unit})", title=title + (f" (the {MOST_JOBS} latest)" if len(jobs) < len(dated) else ""))
    handles: list[Patch | Line2D] = [Patch(color=colour, label=shortened(name, 24)) for name, colour in colours.items()]
    handles.append(Line2D([], [], color=INK, marker="|", markersize=11, mew=2.6, linestyle="none", label="due date"))
    handles += [Line2D([], [], color=LATE, linewidth=2.6, label="late")] if late else []
    _legend(figure, handles)
    worst = max(late, key=lambda name: late[name] - (shop.by_name[name].due or 0), default=None)
    figure.alt = f"{len(jobs)} of {len(shop.jobs)} jobs against their due dates: {len(late)} end late"
    if worst is not None:
        figure.alt += f", the latest, {worst}, by {(late[worst] - (shop.by_name[worst].due or 0)) / divisor:.1f} {unit}"
    return figure


@drawn
def machine_load(load: pl.DataFrame, *, title: str = "How the machines' time is spent") -> Picture:
    """Work, set-up, closed and idle time of every machine as shares of the time until the plan ends.

    load: machine, work, setup, closed, idle in any unit (`scheduling.frames.load_frame`).
    """
    figure, axes = single(7.8, 0.46 * len(load) + 1.7)
    total = load.select(pl.sum_horizontal("work", "setup", "closed", "idle")).to_series().to_numpy()
    left, spoken = 0 * total, {name: list[str]() for name in load["machine"]}
    looks: dict[str, tuple[str, dict[str, Any]]] = {
        "work": ("work", {"color": BLUE}),
        "setup": ("set-up", {"facecolor": PAPER, "edgecolor": SETUP, "hatch": HATCHES["setup"]}),
        "closed": ("closed", {"color": CLOSED}),
        "idle": ("idle", {"facecolor": IDLE, "edgecolor": CLOSED}),
    }
    for kind, (label, look) in looks.items():
        shares = load[kind].to_numpy() / total.clip(1)
        if not shares.any():
            continue
        axes.barh(range(len(load)), 100 * shares, left=left, height=0.66, label=label, **look)
        for place, (name, share) in enumerate(zip(load["machine"], shares, strict=True)):
            spoken[name].append(f"{label} {percent(share, digits=0)}")
            if share >= 0.06:
                text = axes.text(left[place] + 50 * share, place, f"{100 * share:.0f}", ha="center", va="center")
                text.set(fontsize=9.5, color=PAPER if kind == "work" else INK)
                text.set_bbox({"facecolor": PAPER, "edgecolor": "none", "pad": 1.2} if kind == "setup" else None)
        left = left + 100 * shares
    _rows(axes, load["machine"].to_list(), 20)
    axes.set_xlim(0, 100)
    axes.set(xlabel="share of the time until the plan ends (%)", title=title)
    figure.legend(loc="outside lower center", ncols=4)
    figure.alt = f"{title}: " + "; ".join(f"{name}: {', '.join(parts)}" for name, parts in spoken.items())
    return figure


PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title></head>
<body>
<noscript><p>{title} is drawn by JavaScript, which is off here. The report's page on scheduling shows the same plan as a
picture.</p></noscript>
{chart}
</body>
</html>
"""


def write_interactive(figure: Any, path: Path) -> None:
    """Write a plotly figure as one page that carries plotly.js with it and asks nobody."""
    figure.update_layout(showlegend=True)
    heading = figure.layout.title.text or "The plan"
    # Plotly's texts are escaped already, for it reads them as markup.
    title = heading.partition(":")[0]
    chart = figure.to_html(include_plotlyjs=True, full_html=False, config={"displaylogo": False}, div_id="gantt")
    write_text(path, PAGE.format(title=title, chart=chart))


def _critical(axes: Axes, path: CriticalPath, lane: Mapping[str, int], divisor: int) -> None:
    """Outlines of the operations on the critical path, and lines from each to the next."""
    before: tuple[float, int] | None = None
    for step in path.steps:
        a, place = step.placed, lane[step.placed.machine]
        corner, width = (a.start / divisor, place - BAR / 2), (a.end - a.start) / divisor
        axes.add_patch(Rectangle(corner, width, BAR, facecolor="none", edgecolor=INK, linewidth=1.8, zorder=4))
        if before is not None:
            axes.plot([before[0], corner[0]], [before[1], place], color=INK, linewidth=1.4, zorder=4)
        before = (corner[0] + width, place)


def _late(shop: JobShop, plan: Plan) -> dict[str, int]:
    """Ends of the jobs that end after their due date."""
    ends = job_ends(plan)
    due = {job.name: job.due for job in shop.jobs if job.due is not None}
    return {name: end for name, end in ends.items() if name in due and end > due[name]}


def _legend(figure: Picture, handles: Sequence[Patch | Line2D]) -> None:
    """Below the axes, in as many even rows as the longest label asks for."""
    in_a_row = max(1, min(len(handles), LETTERS // (max(len(str(handle.get_label())) for handle in handles) + 6)))
    rows = math.ceil(len(handles) / in_a_row)
    figure.legend(handles=handles, loc="outside lower center", ncols=math.ceil(len(handles) / rows))


def _rows(axes: Axes, names: Sequence[str], letters: int) -> None:
    axes.set_yticks(range(len(names)), [shortened(name, letters) for name in names])
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.grid(axis="y", visible=False)
