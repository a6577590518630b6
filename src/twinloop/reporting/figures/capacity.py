"""How many a service holds: response times against users and against workers, what a turn takes, what would help."""

from collections.abc import Mapping, Sequence

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from twinloop.numbers import Interval, interval, number, quantity
from twinloop.palette import BLUE, GREEN, GREY, ORANGE, RED, SKY
from twinloop.reporting.figures.bars import interval_bars
from twinloop.reporting.figures.data import shortened
from twinloop.reporting.style import Picture, drawn, nothing, single

# Beyond so many targets a response time is only long.
TALLEST = 3.0


@drawn
def response_times(users: pl.DataFrame, *, target_s: float, held: Interval, share: str = "p95") -> Picture:
    """Response time against people at once with the band of its interval, the target, and how many are held.

    users: users, p95_s, low, high in the order of users. held: people at once, with an interval.
    """
    figure, axes = single(7.8, 4.3)
    _band(axes, users["users"].to_list(), users, label="95th percentile of a turn (band: 95 % interval)")
    _target(axes, target_s)
    label = f"held: {number(held.mean)} ({interval(held.low, held.high)})" if held.mean > 0 else "nobody is held"
    if held.mean > 0:
        axes.errorbar(
            [held.mean],
            [target_s],
            xerr=[[max(held.mean - held.low, 0)], [max(held.high - held.mean, 0)]],
            color=RED,
            marker="o",
            markersize=9,
            markeredgecolor="white",
            capsize=4,
            linewidth=2,
            linestyle="none",
            label=label,
            zorder=4,
        )
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="people who talk to it at once", ylabel="time from question to answer (s)")
    axes.set_title("Response time against people at once")
    figure.legend(loc="outside lower center", ncols=2)
    told = ", ".join(
        f"{row['users']} at once {number(row['p95_s'], digits=2)} s ({interval(row['low'], row['high'], digits=2)})"
        for row in users.iter_rows(named=True)
    )
    figure.alt = f"Response time ({share}) against people at once: {told}; target {target_s:g} s; {label}"
    return figure


@drawn
def workers(sizes: pl.DataFrame, *, target_s: float, people: int, currency: str) -> Picture:
    """Response time of so many people against workers, and what these cost an hour; green where they are enough.

    sizes: workers, p95_s, low, high, cost_hour, holds in the order of workers.
    """
    figure, axes = single(7.8, 4.0)
    places = list(range(len(sizes)))
    _band(axes, places, sizes, label="95th percentile of a turn (band: 95 % interval)", marker="")
    for holds, colour, marker, label in ((True, GREEN, "o", "enough"), (False, ORANGE, "X", "not enough")):
        own = [place for place, holding in zip(places, sizes["holds"], strict=True) if holding == holds]
        if own:
            times = [sizes["p95_s"][place] for place in own]
            axes.plot(own, times, marker, color=colour, markersize=9, label=label, zorder=3)
    _target(axes, target_s)
    rows = list(sizes.iter_rows(named=True))
    ticks = [f"{row['workers']}\n{quantity(row['cost_hour'], currency)}" for row in rows]
    axes.set_xticks(places, ticks)
    axes.set(xlabel=f"workers, and {currency} an hour for all", ylabel="time from question to answer (s)")
    axes.set_title(f"{people} people at once")
    figure.legend(loc="outside lower center", ncols=2)
    figure.alt = f"{people} people at once, target {target_s:g} s: " + "; ".join(
        f"{row['workers']} workers, {quantity(row['cost_hour'], currency)}/h: {number(row['p95_s'], digits=2)} s, "
        f"{'enough' if row['holds'] else 'not enough'}"
        for row in rows
    )
    return figure


@drawn
def levers(gains: Mapping[str, Interval]) -> Picture:
    """People more with one change at a time, most first, with intervals; grey where the interval holds zero."""
    if not gains:
        return nothing("No change was tried.")
    ordered = dict(sorted(gains.items(), key=lambda item: -item[1].mean))
    figure, axes = single(7.8, 0.42 * len(ordered) + 1.4)
    colours = [GREY if not one.excludes_zero else BLUE if one.mean > 0 else RED for one in ordered.values()]
    interval_bars(axes, ordered, colours=colours, letters=36)
    axes.margins(x=0.12)
    axes.set(xlabel="people more at once, each change alone (paired, 95 % interval)", title="What would make it more")
    figure.alt = "People more at once: " + "; ".join(
        f"{name} {number(one.mean, sign=True)} ({interval(one.low, one.high, sign=True)})"
        for name, one in ordered.items()
    )
    return figure


@drawn
def parts(seconds: pl.DataFrame, *, names: Sequence[str]) -> Picture:
    """What each part of a turn takes: mean work and mean waiting as bars, the 95th percentile of both as a mark.

    seconds: part, cpu_s, waiting_s, p95_s; names: of the parts, in their order.
    """
    figure, axes = single(7.8, 0.5 * len(seconds) + 1.7)
    for place, row in enumerate(seconds.iter_rows(named=True)):
        axes.barh(place, row["cpu_s"], color=BLUE, height=0.6)
        axes.barh(place, row["waiting_s"], left=row["cpu_s"], color=SKY, height=0.6)
        axes.plot([row["p95_s"]] * 2, [place - 0.36, place + 0.36], color=ORANGE, linewidth=3)
        text = f"{quantity(1000 * (row['cpu_s'] + row['waiting_s']), 'ms')}, p95 {quantity(1000 * row['p95_s'], 'ms')}"
        end = max(row["p95_s"], row["cpu_s"] + row["waiting_s"])
        axes.annotate(text, (end, place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9.5)
    axes.set_yticks(range(len(seconds)), [shortened(name, 22) for name in names])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.3)
    axes.set_xlim(left=0)
    axes.set(xlabel="seconds of a turn that is alone", title="What a turn takes")
    handles = [
        axes.barh([0], [0], color=BLUE, label="a core works (mean)"),
        axes.barh([0], [0], color=SKY, label="only waited (mean)"),
        axes.plot([], [], color=ORANGE, linewidth=3, label="95th percentile")[0],
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    figure.alt = "Seconds of a turn that is alone: " + "; ".join(
        f"{name} {number(row['cpu_s'])} worked, {number(row['waiting_s'])} waited, p95 {number(row['p95_s'])}"
        for name, row in zip(names, seconds.iter_rows(named=True), strict=True)
    )
    return figure


def _band(axes: Axes, places: Sequence[int], times: pl.DataFrame, *, label: str, marker: str = ".") -> None:
    axes.fill_between(places, times["low"], times["high"], color=SKY, alpha=0.35, linewidth=0)
    axes.plot(places, times["p95_s"], color=BLUE, marker=marker, label=label)


def _target(axes: Axes, target_s: float) -> None:
    """The target's line; what is far beyond it is cut off, so that what is near it can be seen."""
    axes.axhline(target_s, color=GREY, linestyle="--", linewidth=1.5, label=f"target {target_s:g} s")
    axes.set_ylim(0, max(min(axes.get_ylim()[1], TALLEST * target_s), 1.2 * target_s))
