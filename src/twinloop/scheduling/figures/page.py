"""A plan as a page of its own: what is late and why, the Gantt chart, the load of machines; it asks nobody."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from twinloop.html import table
from twinloop.palette import GRID, INK, PAPER, SOFT
from twinloop.scheduling.clock import Clock
from twinloop.scheduling.figures.colours import Unit
from twinloop.scheduling.figures.gantt import gantt

STYLE = f"""
body {{ font-family: system-ui, "DejaVu Sans", sans-serif; color: {INK}; background: {PAPER};
  margin: 2rem auto; max-width: 1200px; padding: 0 1rem }}
table {{ border-collapse: collapse; margin: 1.5rem 0 }}
th, td {{ padding: .3rem .8rem; border-bottom: 1px solid {GRID}; vertical-align: top }}
caption {{ font-weight: 600; padding-bottom: .4rem }}
.read {{ color: {SOFT} }}
.late td:not(:last-child) {{ white-space: nowrap }}
.late td:last-child, .late th:last-child {{ text-align: left !important }}
"""


def plan_page(
    *,
    title: str,
    headline: str,
    read: str,
    notes: Sequence[str],
    late: Sequence[tuple[str, str, str, str, str]],
    left_out: Sequence[tuple[str, str, str]] = (),
    load: Sequence[tuple[str, ...]],
    chart: Mapping[str, Any],
    clock: Clock | None,
    unit: Unit,
) -> str:
    """HTML without outside requests, every text escaped.

    notes: what was assumed in reading. late: job, due, end, by how much, why. left_out: job, price, why. load: machine,
    work, set-up, closed and idle time, busy share. chart: tables for `figures.gantt.gantt`, which has clock and unit.
    """
    figure = gantt(**chart, clock=clock, unit=unit)
    drawn = figure.to_html(include_plotlyjs=True, full_html=False, config={"displaylogo": False}, div_id="gantt")
    because = table("Late", ("", "due", "ends", "late by", "because"), late)
    without = table("Left out", ("", "price", "because"), left_out)
    loads = table("Load until the end", ("", "work", "set-up", "closed", "idle", "busy of open time"), load)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1><p>{escape(headline)}</p>"
        f'<p class="read">{escape(read)}</p>{_listed(notes)}'
        + (f'<div class="late">{because}</div>' if late else "")
        + (f'<div class="late">{without}</div>' if left_out else "")
        + f"{drawn}{loads}</body></html>\n"
    )


def _listed(notes: Sequence[str]) -> str:
    lines = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f'<ul class="read">{lines}</ul>' if notes else ""
