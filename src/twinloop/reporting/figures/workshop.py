"""What a workshop will have to do, what it does on which day, and what maintenance policies cost beside each other."""

from collections.abc import Mapping, Sequence

import polars as pl
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from twinloop.numbers import Interval, counted, interval, number, percent
from twinloop.palette import BLUE, CLOSED, GREEN, GREY, GROUPS, INK, ORANGE, PAPER, RED, SKY
from twinloop.reporting.figures.bars import interval_dot
from twinloop.reporting.figures.data import shortened
from twinloop.reporting.figures.fleet import words
from twinloop.reporting.results import estimate
from twinloop.reporting.style import Picture, drawn, nothing, picture, single

# Policies that nobody can follow: they know what no sensor shows.
BOUNDS = ("wear seen", "oracle")
PANELS = {
    "cost": ("Cost", "mean", "low", "high"),
    "saved": ("Saved", "saved", "saved_low", "saved_high"),
    "failures": ("Roadside failures", "failures", "failures_low", "failures_high"),
}
# From this share of a skill's minutes on, white text is easier to read on the cell.
DARK = 0.55


@drawn
def demand(forecast: pl.DataFrame, *, unit: str = "minutes of work a week") -> Picture:
    """A panel per skill: forecast with its 80 % band, the naive forecast, and what came.

    forecast: skill, week, low, median, high, naive, actual (null where it has not come yet).
    """
    if forecast.is_empty():
        return nothing("No demand: no skill was asked for.")
    skills = list(dict.fromkeys(forecast["skill"]))
    figure = picture(7.8, 1.75 * len(skills) + 1.1)
    panels = figure.subplots(len(skills), 1, sharex=True, squeeze=False)[:, 0]
    told = []
    for axes, skill in zip(panels, skills, strict=True):
        own = forecast.filter(pl.col("skill") == skill).sort("week")
        axes.fill_between(own["week"], own["low"], own["high"], color=SKY, alpha=0.35, linewidth=0)
        axes.plot(own["week"], own["median"], "o-", color=BLUE, markersize=4)
        axes.plot(own["week"], own["naive"], color=ORANGE, linewidth=1.5, linestyle="--")
        known = own.filter(pl.col("actual").is_not_null())
        axes.plot(known["week"], known["actual"], "D", color=INK, markersize=5)
        axes.set_title(words(skill, 30), fontsize=10.5)
        # Room above for the whole of the highest mark.
        axes.margins(y=0.15)
        axes.set_ylim(bottom=0)
        axes.locator_params(axis="y", nbins=4)
        inside = known.filter(pl.col("actual").is_between(pl.col("low"), pl.col("high")))
        told.append(f"{words(skill)}: {len(inside)} of {counted(len(known), 'week')} within the band")
    panels[-1].set_xlabel("time (weeks)")
    panels[-1].xaxis.get_major_locator().set_params(integer=True)
    figure.supylabel(f"demand ({unit})", fontsize=11)
    handles = [
        panels[0].plot([], [], "o-", color=BLUE, label="forecast (median)")[0],
        panels[0].fill_between([], [], [], color=SKY, alpha=0.35, label="80 % band"),
        panels[0].plot([], [], "--", color=ORANGE, label="naive: as the last")[0],
        panels[0].plot([], [], "D", color=INK, label="what came")[0],
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    figure.alt = f"Demand per skill and week in {unit}: {'; '.join(told)}"
    return figure


@drawn
def policies(found: pl.DataFrame, *, unit: str, failures_unit: str) -> Picture:
    """Policies by cost: what each costs, what it saves against the best fixed interval (paired), failures on the road.

    found: policy, then mean, saved and failures, each with its low and high; in the order of rows. unit: of cost and
    saving. Policies that nobody can follow (wear seen, oracle) are green.
    """
    if found.is_empty():
        return nothing("No policy was compared.")
    names = found["policy"].to_list()
    figure = picture(7.8, 0.44 * len(names) + 1.6)
    grid = figure.subplots(1, 3, sharey=True)
    rows = list(found.iter_rows(named=True))
    for axes, (kind, (title, *columns)) in zip(grid, PANELS.items(), strict=True):
        values = [estimate(row, *columns) if row[columns[0]] is not None else None for row in rows]
        _dots(axes, names, values, sign=kind == "saved")
        axes.set(xlabel=failures_unit if kind == "failures" else unit, title=title)
    grid[1].axvline(0, color=GREY, linewidth=1.2)
    grid[0].set_yticks(range(len(names)), [shortened(name, 22) for name in names])
    grid[0].set_ylim(len(names) - 0.5, -0.5)
    figure.alt = f"Policies, cost in {unit}: " + "; ".join(
        f"{row['policy']} {_told(estimate(row, 'mean', 'low', 'high'))}, saved "
        + (
            _told(estimate(row, "saved", "saved_low", "saved_high"), sign=True)
            if row["saved"] is not None
            else "nothing"
        )
        for row in rows
    )
    return figure


def _dots(axes: Axes, names: Sequence[str], values: Sequence[Interval | None], *, sign: bool) -> None:
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        if value is None:
            continue
        colour, marker = (GREEN, "D") if name in BOUNDS else (BLUE, "o")
        interval_dot(axes, place, value, colour=colour, marker=marker, sign=sign)
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.16)


@drawn
def capacity(load: pl.DataFrame, *, days: Sequence[str], caption: str = "") -> Picture:
    """Skill × day: minutes booked of those that can be booked, as shade and as per cent; closed days are grey.

    load: skill, day, booked, minutes, bookable (`booking.Bookings.load`). days: heading of each day.
    """
    skills = list(dict.fromkeys(load["skill"]))
    figure, axes = single(7.8, 0.5 * len(skills) + 1.5)
    fullest = ("", 0, 0.0)
    for row in load.iter_rows(named=True):
        x, y, open_ = row["day"], skills.index(row["skill"]), row["bookable"]
        share = row["booked"] / open_ if open_ else 0.0
        shut = not open_ and not row["booked"]
        axes.add_patch(Rectangle((x - 0.49, y - 0.46), 0.98, 0.92, facecolor=CLOSED if shut else PAPER, linewidth=0))
        if not shut:
            over = share > 1 or not open_
            colour, shade = (RED, 1.0) if over else (BLUE, min(share, 1.0))
            axes.add_patch(Rectangle((x - 0.49, y - 0.46), 0.98, 0.92, facecolor=colour, alpha=shade, linewidth=0))
            text = f"! {100 * share:.0f}" if over else f"{100 * share:.0f}"
            axes.text(x, y, text, ha="center", va="center", fontsize=9.5, color=PAPER if share > DARK else INK)
        else:
            axes.text(x, y, "×", ha="center", va="center", fontsize=9.5, color=INK)
        fullest = max(fullest, (row["skill"], x, share), key=lambda cell: cell[2])
    step = -(-len(days) // 14)
    axes.set_xticks(range(0, len(days), step), [days[day] for day in range(0, len(days), step)])
    axes.set_yticks(range(len(skills)), [words(name) for name in skills])
    axes.set(xlim=(-0.5, len(days) - 0.5), ylim=(len(skills) - 0.5, -0.5))
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.set_xlabel("day; in cells: minutes booked of those bookable (%), × closed, ! into the reserve")
    axes.set_title(caption or "How full the workshop is")
    skill, day, share = fullest
    figure.alt = (
        f"Minutes booked by skill and day; the fullest is {skill} on {days[day]} with {percent(share, digits=0)}"
    )
    return figure


@drawn
def day_in_bays(
    visits: pl.DataFrame, *, bays: Sequence[str], opens: float, closes: float, title: str, work: Mapping[str, str]
) -> Picture:
    """The plan of one day: who is in which bay from when to when.

    visits: asset, bay, start, end in minutes of the shop's clock. bays: all of them. opens, closes: on that clock; the
    axis counts hours from the opening. work: asset → what is done, in a few words.
    """
    figure, axes = single(7.8, 0.62 * len(bays) + 1.5)
    skills = list(dict.fromkeys(work.values()))
    for row in visits.sort("start").iter_rows(named=True):
        lane, start, end = bays.index(row["bay"]), (row["start"] - opens) / 60, (row["end"] - opens) / 60
        colour = GROUPS[skills.index(work[row["asset"]]) % len(GROUPS)] if row["asset"] in work else SKY
        axes.barh(lane, end - start, left=start, height=0.66, color=colour, edgecolor=PAPER, alpha=0.55)
        letters = max(int(13 * (end - start) * 8 / max((closes - opens) / 60, 1)), 3)
        text = f"{shortened(row['asset'], letters)}\n{shortened(work.get(row['asset'], ''), letters)}"
        axes.text(start + 0.04, lane, text.strip(), va="center", fontsize=8.5, color=INK)
    axes.set_yticks(range(len(bays)), [shortened(bay, 14) for bay in bays])
    axes.set(xlim=(0, (closes - opens) / 60), ylim=(len(bays) - 0.5, -0.5))
    axes.grid(axis="y", visible=False)
    axes.set(xlabel="time since the workshop opened (hours)", title=title)
    told = "; ".join(
        f"{row['asset']} in {row['bay']} from {(row['start'] - opens) / 60:.1f} to {(row['end'] - opens) / 60:.1f} h"
        for row in visits.sort("start").iter_rows(named=True)
    )
    figure.alt = f"{title}: {told or 'nobody comes'}"
    return figure


def _told(value: Interval, *, sign: bool = False) -> str:
    return f"{number(value.mean, sign=sign)} ({interval(value.low, value.high, sign=sign)})"
