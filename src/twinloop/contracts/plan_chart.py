"""How a plan looks in a notebook: a small Gantt chart as inline SVG, without scripts, every text escaped."""

import itertools
import re
from collections.abc import Iterator
from html import escape

import polars as pl

from twinloop.palette import GRID, GROUPS, INK, PAPER, SOFT

WIDTH, LEFT, RIGHT, LANE, BAR = 760, 110, 16, 24, 17
MOST_MACHINES, MOST_OPERATIONS = 40, 1500
LETTERS = 15
TEXT = 'font-family="system-ui, DejaVu Sans, sans-serif" font-size="12"'


def plan_svg(plan: pl.DataFrame) -> str:
    """Machines by name with a bar for every operation, its job as colour and all about it when pointed at.

    plan: rows in the order of their start, as `Plan.frame`. Above 1500 operations bars that touch are one; above 40
    machines the rest is counted.
    """
    if plan.is_empty():
        return "<p>A plan without operations.</p>"
    rows = {str(machine): row for (machine,), row in plan.group_by("machine", maintain_order=True)}
    machines = sorted(rows, key=_natural)[:MOST_MACHINES]
    # Jobs take the colours in turn.
    jobs = {job: k for k, job in enumerate(sorted(set(plan["job"])))}
    makespan = max(plan["end"])
    scale = (WIDTH - LEFT - RIGHT) / max(makespan, 1)
    height = LANE * len(machines) + 44
    more = f", {len(rows) - len(machines)} more machines" if len(rows) > len(machines) else ""
    about = f"{len(plan)} operations of {len(jobs)} jobs on {len(rows)} machines, ends at {makespan}{more}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img" '
        f'aria-label="{escape(about)}" style="max-width:100%;background:{PAPER}">',
        f'<text x="4" y="15" {TEXT} fill="{INK}">{escape(about)}</text>',
    ]
    for time in _ticks(makespan):
        x = LEFT + scale * time
        parts.append(f'<path d="M{x:.1f} 24V{height - 18}" stroke="{GRID}"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 5}" {TEXT} fill="{SOFT}" text-anchor="middle">{time}</text>')
    for lane, machine in enumerate(machines):
        y = 26 + LANE * lane
        name = machine if len(machine) <= LETTERS else f"{machine[: LETTERS - 5]}…{machine[-4:]}"
        parts.append(f'<text x="{LEFT - 8}" y="{y + 13}" {TEXT} fill="{INK}" text-anchor="end">{escape(name)}</text>')
        if len(plan) > MOST_OPERATIONS:
            parts += (_bar(start, end, y, scale, GROUPS[0], "") for start, end in _stretches(rows[machine]))
            continue
        for job, operation, start, end in rows[machine].select("job", "operation", "start", "end").iter_rows():
            title = f"{job}, operation {operation}: {machine} {start} … {end}"
            parts.append(_bar(start, end, y, scale, GROUPS[jobs[job] % len(GROUPS)], title))
    return "".join(parts) + "</svg>"


def _bar(start: int, end: int, y: int, scale: float, colour: str, title: str) -> str:
    x, width = LEFT + scale * start, max(scale * (end - start), 0.5)
    shape = f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{colour}" stroke="{PAPER}"'
    return f"{shape}><title>{escape(title)}</title></rect>" if title else f"{shape}/>"


def _stretches(row: pl.DataFrame) -> Iterator[tuple[int, int]]:
    (start, end), *others = row.select("start", "end").iter_rows()
    for next_start, next_end in others:
        if next_start > end:
            yield start, end
            start = next_start
        end = max(end, next_end)
    yield start, end


def _natural(name: str) -> list[str | int]:
    """m2 before m10: texts and numbers take turns."""
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"(\d+)", name))]


def _ticks(last: int) -> range:
    """At most eleven round times from 0 on."""
    steps = (factor * 10**power for power in itertools.count() for factor in (1, 2, 5))
    return range(0, last + 1, next(step for step in steps if last <= 10 * step))
