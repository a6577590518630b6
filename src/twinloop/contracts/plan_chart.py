"""How a plan looks in a notebook: a small Gantt chart as inline SVG, without scripts, every text escaped."""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinloop.contracts.plan import Assignment, Plan

# Okabe and Ito (2008) without vermilion, which means late elsewhere; jobs take them in turn.
COLOURS = ("#0072B2", "#F0E442", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
INK, SOFT, GRID = "#1F2933", "#52606D", "#E4E7EB"
WIDTH, LEFT, RIGHT, LANE, BAR = 760, 110, 16, 24, 17
MOST_MACHINES, MOST_OPERATIONS = 40, 1500
LETTERS = 15
TEXT = 'font-family="system-ui, DejaVu Sans, sans-serif" font-size="12"'


def plan_svg(plan: "Plan") -> str:
    """Machines by name with a bar for every operation, its job as colour and all about it when pointed at.

    Above 1500 operations bars that touch are one; above 40 machines the rest is counted.
    """
    if not len(plan):
        return "<p>A plan without operations.</p>"
    rows: dict[str, list[Assignment]] = defaultdict(list)
    for a in plan:
        rows[a.machine].append(a)
    machines = sorted(rows, key=_natural)[:MOST_MACHINES]
    jobs = {job: k for k, job in enumerate(sorted({a.job for a in plan}))}
    scale = (WIDTH - LEFT - RIGHT) / max(plan.makespan, 1)
    height = LANE * len(machines) + 44
    more = f", {len(rows) - len(machines)} more machines" if len(rows) > len(machines) else ""
    about = f"{len(plan)} operations of {len(jobs)} jobs on {len(rows)} machines, ends at {plan.makespan}{more}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img" '
        f'aria-label="{escape(about)}" style="max-width:100%;background:#FFFFFF">',
        f'<text x="4" y="15" {TEXT} fill="{INK}">{escape(about)}</text>',
    ]
    for time in _ticks(plan.makespan):
        x = LEFT + scale * time
        parts.append(f'<path d="M{x:.1f} 24V{height - 18}" stroke="{GRID}"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 5}" {TEXT} fill="{SOFT}" text-anchor="middle">{time}</text>')
    for lane, machine in enumerate(machines):
        y = 26 + LANE * lane
        name = machine if len(machine) <= LETTERS else f"{machine[: LETTERS - 5]}…{machine[-4:]}"
        parts.append(f'<text x="{LEFT - 8}" y="{y + 13}" {TEXT} fill="{INK}" text-anchor="end">{escape(name)}</text>')
        if len(plan) > MOST_OPERATIONS:
            parts += (_bar(start, end, y, scale, COLOURS[0], "") for start, end in _stretches(rows[machine]))
            continue
        for a in rows[machine]:
            title = f"{a.job}, operation {a.operation}: {a.machine} {a.start} … {a.end}"
            parts.append(_bar(a.start, a.end, y, scale, COLOURS[jobs[a.job] % len(COLOURS)], title))
    return "".join(parts) + "</svg>"


def _bar(start: int, end: int, y: int, scale: float, colour: str, title: str) -> str:
    x, width = LEFT + scale * start, max(scale * (end - start), 0.5)
    shape = f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{colour}" stroke="#FFFFFF"'
    return f"{shape}><title>{escape(title)}</title></rect>" if title else f"{shape}/>"


def _stretches(row: "Sequence[Assignment]") -> Iterator[tuple[int, int]]:
    start, end = row[0].start, row[0].end
    for a in row[1:]:
        if a.start > end:
            yield start, end
            start = a.start
        end = max(end, a.end)
    yield start, end


def _natural(name: str) -> list[str | int]:
    """m2 before m10: texts and numbers take turns."""
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"(\d+)", name))]


def _ticks(last: int) -> range:
    """At most eleven round times from 0 on."""
    steps = (factor * 10**power for power in itertools.count() for factor in (1, 2, 5))
    return range(0, last + 1, next(step for step in steps if last <= 10 * step))
