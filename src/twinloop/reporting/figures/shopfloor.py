"""What happens on the line over time: who does what, who waits where, and which machine holds up the rest."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from twinloop.numbers import percent
from twinloop.palette import BLUE, GRID, ORANGE, SKY
from twinloop.reporting.figures.data import shortened
from twinloop.reporting.style import Picture, drawn, picture, single
from twinloop.simulation.figures.states import STATE_COLOURS, in_order, text_colour

Values = NDArray[np.float64]
MINUTES_PER_HOUR = 60
LETTERS = 20


@drawn
def station_states(shares: Mapping[str, Mapping[str, float]]) -> Picture:
    """How each machine spends its time: machine → state → share in [0, 1]."""
    states = in_order({state for row in shares.values() for state, share in row.items() if share > 0})
    figure, axes = single(7.8, 0.5 * len(shares) + 1.6)
    left = np.zeros(len(shares))
    for state in states:
        widths = np.array([100 * row.get(state, 0.0) for row in shares.values()])
        axes.barh(range(len(shares)), widths, left=left, color=STATE_COLOURS[state], height=0.66, label=state)
        for place, width in enumerate(widths):
            if width >= 5:
                middle = left[place] + width / 2
                axes.text(middle, place, f"{width:.0f}", ha="center", va="center", fontsize=9, color=text_colour(state))
        left += widths
    _lanes(axes, list(shares))
    axes.set_xlim(0, 100)
    axes.set(xlabel="share of time (%)", title="What the stations do")
    figure.legend(loc="outside lower center", ncols=min(max(len(states), 1), 5))
    figure.alt = "Station states in percent of time: " + "; ".join(
        f"{name}: " + ", ".join(f"{state} {100 * share:.0f}" for state, share in row.items() if share > 0)
        for name, row in shares.items()
    )
    return figure


@drawn
def state_gantt(
    stays: pl.DataFrame, *, machines: Sequence[str], start: float, end: float, title: str = "One day, minute by minute"
) -> Picture:
    """Which machine is in which state between two minutes, shown in hours from the first.

    stays: entity, state, start_min, end_min, as `events.intervals.state_intervals` gives them.
    """
    figure, axes = single(7.8, 0.42 * len(machines) + 1.8)
    lane = {name: place for place, name in enumerate(machines)}
    shown = stays.filter(pl.col("entity").is_in(list(lane)), pl.col("end_min") > start, pl.col("start_min") < end)
    states = in_order(set(shown["state"]))
    for state in states:
        for (name,), rows in shown.filter(pl.col("state") == state).group_by("entity", maintain_order=True):
            since = np.maximum(rows["start_min"].to_numpy(), start) - start
            until = np.minimum(rows["end_min"].to_numpy(), end) - start
            spans = np.column_stack([since, until - since]) / MINUTES_PER_HOUR
            axes.broken_barh(
                [(float(a), float(b)) for a, b in spans],
                (lane[str(name)] - 0.4, 0.8),
                facecolors=STATE_COLOURS[state],
                linewidth=0,
            )
    _lanes(axes, machines)
    axes.set_xlim(0, (end - start) / MINUTES_PER_HOUR)
    axes.set(xlabel="planned production time (hours)", title=title)
    handles = [Patch(color=STATE_COLOURS[state], label=state) for state in states]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(max(len(states), 1), 5))
    figure.alt = (
        f"{title}: states of {len(machines)} machines over {(end - start) / MINUTES_PER_HOUR:.1f} hours; seen are "
        f"{', '.join(states)}"
    )
    return figure


@drawn
def buffer_levels(
    levels: Mapping[str, tuple[Values, Values]], rooms: Mapping[str, float | None], *, start: float, end: float
) -> Picture:
    """How many parts wait before each station between two minutes, one below the other, in hours from the first.

    levels: station → (minutes, level from then on). rooms: station → room for waiting parts; None where there is no
    limit. The share is that of the time in which a queue is full or empty.
    """
    names = list(levels)
    figure = picture(7.8, 0.85 * max(len(names), 1) + 1.0)
    if not names:
        figure.text(0.5, 0.5, "no part waited anywhere", ha="center", va="center")
        figure.alt = "Waiting parts: no part waited anywhere"
        return figure
    panels = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    spoken = []
    for axes, name in zip(panels, names, strict=True):
        hours, parts = _window(*levels[name], start=start, end=end)
        room = rooms.get(name)
        axes.fill_between(hours, parts, step="post", color=SKY, alpha=0.6, linewidth=0)
        axes.step(hours, parts, where="post", color=BLUE, linewidth=0.5)
        if room is not None:
            axes.axhline(room, color=ORANGE, linewidth=1.3, linestyle="--")
        full = _share(hours, parts >= room) if room else 0.0
        empty = _share(hours, parts <= 0)
        note = f"full {percent(full, digits=0)}, " if room else ""
        note += f"empty {percent(empty, digits=0)} of the time"
        axes.set_title(f"before {shortened(name, LETTERS)}: {note}", fontsize=10, fontweight="normal")
        axes.set_ylim(0, 1.12 * max(float(parts.max(initial=1.0)), room or 0.0, 1.0))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
        axes.set_xlim(0, (end - start) / MINUTES_PER_HOUR)
        spoken.append(f"{name} {note}")
    panels[-1].set_xlabel("planned production time (hours); dashed: room of the queue")
    figure.supylabel("parts that wait (number)", fontsize=11)
    figure.alt = f"Waiting parts over {(end - start) / MINUTES_PER_HOUR:.1f} hours: " + "; ".join(spoken)
    return figure


@drawn
def bottlenecks(
    shares: pl.DataFrame, strip: pl.DataFrame, *, machines: Sequence[str], start: float, end: float
) -> Picture:
    """Which machine holds up the line: for how much of the time, and when on one day.

    shares: entity, sole, shifting over the whole run; strip: entity, kind, start_min, end_min (both of
    `events.bottleneck`), of which the minutes from `start` to `end` are drawn.
    """
    figure = picture(7.8, 0.42 * len(machines) + 1.9)
    bars, lanes = figure.subplots(1, 2, width_ratios=(1, 2), sharey=True)
    rows = {row["entity"]: row for row in shares.iter_rows(named=True)}
    nothing = {"sole": 0.0, "shifting": 0.0}
    lane = {name: place for place, name in enumerate(machines)}
    colours = {"sole": BLUE, "shifting": SKY}
    left = np.zeros(len(machines))
    for kind, colour in colours.items():
        widths = np.array([100 * rows.get(name, nothing)[kind] for name in machines])
        bars.barh(range(len(machines)), widths, left=left, color=colour, height=0.66)
        left += widths
    for place, total in enumerate(left):
        if total >= 0.5:
            bars.annotate(
                f"{total:.0f}", (total, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9
            )
    shown = strip.filter(pl.col("end_min") > start, pl.col("start_min") < end, pl.col("entity").is_in(list(lane)))
    for name, kind, since, until in shown.select("entity", "kind", "start_min", "end_min").iter_rows():
        since, until = max(since, start) - start, min(until, end) - start
        lanes.barh(
            lane[name],
            (until - since) / MINUTES_PER_HOUR,
            left=since / MINUTES_PER_HOUR,
            height=0.66 if kind == "sole" else 0.4,
            color=colours[kind],
            linewidth=0,
        )
    _lanes(bars, machines)
    lanes.grid(axis="y", visible=False)
    lanes.set_xlim(0, (end - start) / MINUTES_PER_HOUR)
    bars.set_xlim(0, max(1.18 * float(left.max(initial=0.0)), 5.0))
    bars.set(xlabel="share of time (%)", title="Bottleneck: how often")
    lanes.set(xlabel="planned production time (hours)", title="and when, on one day")
    handles = [
        Patch(color=BLUE, label="the only bottleneck"),
        Patch(color=SKY, label="shifts between two machines"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    figure.alt = "Bottleneck by the active period method: " + "; ".join(
        f"{row['entity']} alone {percent(row['sole'])}, shifting {percent(row['shifting'])} of the time"
        for row in shares.iter_rows(named=True)
    )
    return figure


@drawn
def work_in_progress(hours: Values, parts: Values, *, warm_up_h: float = 0.0) -> Picture:
    """Parts on the line over time, as steps; the warm-up that no figure counts is shaded."""
    figure, axes = single(7.8, 2.7)
    if warm_up_h > 0:
        axes.axvspan(0, warm_up_h, color=GRID, linewidth=0, label="warm-up, not counted")
    axes.step(hours, parts, where="post", color=BLUE, linewidth=1.0, label="parts on the line")
    axes.set_xlim(0, float(hours.max(initial=0.0)))
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="planned production time (hours)", ylabel="parts on the line (number)", title="Work in progress")
    figure.legend(loc="outside lower center", ncols=2)
    figure.alt = f"Parts on the line over {hours.max(initial=0.0):.0f} hours, at most {parts.max(initial=0.0):.0f}"
    return figure


def _lanes(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [shortened(name, LETTERS) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)


def _window(minutes: Values, level: Values, *, start: float, end: float) -> tuple[Values, Values]:
    """Steps between two minutes, in hours from the first, with their value at both ends."""
    before = int(np.searchsorted(minutes, start, side="right"))
    inside = slice(before, int(np.searchsorted(minutes, end, side="left")))
    first = float(level[before - 1]) if before else 0.0
    parts = np.concatenate([[first], level[inside].astype(float)])
    times = np.concatenate([[start], minutes[inside], [end]]) - start
    return times / MINUTES_PER_HOUR, np.append(parts, parts[-1])


def _share(hours: Values, holds: NDArray[np.bool_]) -> float:
    spans = np.diff(hours)
    return float(spans[holds[:-1]].sum() / spans.sum())
