"""A calendar of what is attended and what is missed: a row per day, hours along it."""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import NamedTuple

import polars as pl
from matplotlib.patches import Patch

from twinloop.numbers import counted
from twinloop.palette import BLUE, GREY, PAPER, SKY
from twinloop.reporting.figures.data import shortened
from twinloop.reporting.style import Picture, drawn, nothing, single

COLOURS = {"attended": BLUE, "preparation": SKY, "missed": GREY}
# Between two days, in lanes; letters that fit into the width, and those without which a bar has no name.
GAP = 0.5
LETTERS, FEWEST = 85, 4


class _Bar(NamedTuple):
    """Something on a local day, in hours from its midnight; lane: of an attender, from 0, or None where missed."""

    day: datetime
    start: float
    end: float
    kind: str
    lane: int | None
    name: str


@drawn
def agenda(meetings: pl.DataFrame, *, zone: tzinfo, title: str) -> Picture:
    """Every meeting at its local time, with its preparation; what is missed stands in grey below.

    meetings: meeting, attended, start, end, copy (who attends, from 1), prepared_by, prepared_from and prepared_until
    (null without preparation); times with a zone.
    """
    if meetings.is_empty():
        return nothing("No meeting was asked for.")
    bars = sorted(_bars(meetings, zone))
    lanes = 1 + max((bar.lane for bar in bars if bar.lane is not None), default=-1)
    places = dict(zip(bars, _lanes(bars, lanes), strict=True))
    height = 1 + max(places.values())
    days = sorted({bar.day for bar in bars})
    figure, axes = single(7.8, 0.3 * (height + GAP) * len(days) + 1.5)
    first, last = min(bar.start for bar in bars) - 0.25, max(bar.end for bar in bars) + 0.25
    for bar, lane in places.items():
        y = days.index(bar.day) * (height + GAP) + lane
        axes.barh(y, bar.end - bar.start, left=bar.start, height=0.85, color=COLOURS[bar.kind], edgecolor=PAPER)
        room = int(LETTERS * (bar.end - bar.start) / (last - first))
        if bar.kind != "preparation" and room >= FEWEST:
            text = shortened(bar.name, room)
            axes.text((bar.start + bar.end) / 2, y, text, ha="center", va="center", fontsize=8, color=PAPER)
    middles = [place * (height + GAP) + (height - 1) / 2 for place in range(len(days))]
    axes.set_yticks(middles, [f"{day:%a} {day.day} {day:%b}" for day in days])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(first, last)
    axes.set(xlabel="time of day (hours)", title=title)
    shown = [kind for kind in COLOURS if any(bar.kind == kind for bar in bars)]
    handles = [Patch(color=COLOURS[kind], label=kind) for kind in shown]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    gone = meetings.filter(~pl.col("attended"))["meeting"].to_list()
    named = f" ({', '.join(gone)})" if gone else ""
    figure.alt = f"{title}: {counted(len(meetings), 'meeting')}, {len(gone)} missed{named}"
    return figure


def _bars(meetings: pl.DataFrame, zone: tzinfo) -> Iterator[_Bar]:
    for row in meetings.iter_rows(named=True):
        kind, lane = ("attended", row["copy"] - 1) if row["attended"] else ("missed", None)
        yield _bar(row["start"], row["end"], zone, kind, lane, row["meeting"])
        if row["prepared_from"] is not None:
            span = row["prepared_from"], row["prepared_until"]
            yield _bar(*span, zone, "preparation", row["prepared_by"] - 1, row["meeting"])


def _bar(start: datetime, end: datetime, zone: tzinfo, kind: str, lane: int | None, name: str) -> _Bar:
    local = start.astimezone(zone)
    begins = local.hour + local.minute / 60
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return _Bar(day, begins, begins + (end - start).total_seconds() / 3600, kind, lane, name)


def _lanes(bars: list[_Bar], attenders: int) -> Iterator[int]:
    """The lane of each bar: of its attender, or below all of them the first that is free of other missed ones."""
    ends: dict[tuple[datetime, int], float] = {}
    for bar in bars:
        lane = bar.lane
        if lane is None:
            lane = attenders
            while ends.get((bar.day, lane), 0.0) > bar.start:
                lane += 1
            ends[bar.day, lane] = bar.end
        yield lane
