"""A fleet as its owner sees it: who may fail soon, what one vehicle's sensors showed, where signals were strange."""

from collections.abc import Mapping, Sequence

import polars as pl
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from twinloop.numbers import counted, percent
from twinloop.palette import BLUE, GREEN, GREY, INK, LINE, ORANGE, PANEL, PAPER, PURPLE, RED, SKY, SOFT, YELLOW
from twinloop.reporting.figures.data import shortened
from twinloop.reporting.style import Picture, drawn, nothing, picture, single

# Status → colour of its cell, its sign, colour of its text: nobody needs the colour to read it.
STATUSES = {
    "fine": (PANEL, "", SOFT),
    "watch": (YELLOW, "▲", INK),
    "act": (RED, "✖", PAPER),
}
MEANINGS = {"fine": "nothing to do", "watch": "▲ watch: half of an alert", "act": "✖ alert: book a visit"}
FAILED, MAINTAINED = "failure", "maintenance"
MOST_VEHICLES = 40
FOLLOWED = (BLUE, ORANGE, PURPLE)


def words(name: str, length: int = 18) -> str:
    """A column's or component's name as people write it, short enough for its place."""
    return shortened(name.replace("_", " "), length)


@drawn
def fleet_grid(cells: pl.DataFrame, *, notes: Mapping[str, str] | None = None, horizon_days: float = 14.0) -> Picture:
    """Vehicles × components with the probability of failure within the horizon and what it asks for.

    cells: asset, component, probability, status (of STATUSES), in the order of rows and columns. notes: what is to be
    said of a vehicle, shown at its right. Beyond 40 vehicles the rest is counted.
    """
    names, components = (list(dict.fromkeys(cells[column])) for column in ("asset", "component"))
    if not names:
        return nothing("No vehicle is in service: nothing to show.")
    shown, notes = names[:MOST_VEHICLES], notes or {}
    figure, axes = single(7.8, 0.34 * len(shown) + 1.5)
    for row in cells.filter(pl.col("asset").is_in(shown)).iter_rows(named=True):
        x, y = components.index(row["component"]), shown.index(row["asset"])
        fill, sign, text = STATUSES[row["status"]]
        axes.add_patch(Rectangle((x - 0.48, y - 0.44), 0.96, 0.88, facecolor=fill, edgecolor=LINE, linewidth=0.6))
        said = f"{sign} {percent(row['probability'], digits=0)}".strip()
        weight = "bold" if row["status"] == "act" else "normal"
        axes.text(x, y, said, ha="center", va="center", color=text, fontsize=10, fontweight=weight)
    for name, note in notes.items():
        if name in shown:
            axes.text(len(components) - 0.42, shown.index(name), shortened(note, 22), va="center", fontsize=9.5)
    axes.set_xlim(-0.5, len(components) - 0.5 + (1.9 if notes else 0))
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xticks(range(len(components)), [words(name, 14) for name in components])
    axes.set_yticks(range(len(shown)), [shortened(name, 16) for name in shown])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    left = f" ({len(names) - len(shown)} more are not shown)" if len(names) > len(shown) else ""
    axes.set_xlabel(f"probability of failure within {horizon_days:g} days (%){left}")
    handles = [Patch(facecolor=STATUSES[name][0], edgecolor=LINE, label=text) for name, text in MEANINGS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    alerts = cells.filter(pl.col("status") == "act")
    told = ", ".join(
        f"{row['asset']} {words(row['component'])} {percent(row['probability'], digits=0)}"
        for row in alerts.iter_rows(named=True)
    )
    figure.alt = (
        f"{counted(len(names), 'vehicle')} by {counted(len(components), 'component')}, probability of failure within "
        f"{horizon_days:g} days; alerts: {told or 'none'}"
    )
    return figure


@drawn
def vehicle(
    signals: pl.DataFrame,
    *,
    asset: str,
    units: Mapping[str, str],
    events: pl.DataFrame,
    scores: pl.DataFrame,
    followed: Sequence[str],
    alerts: Mapping[str, float] | None = None,
) -> Picture:
    """One vehicle: its sensors by day with failures and maintenance, and below what the predictor said of it.

    signals: sensor, day, mean, low, high. events: component, kind (failure, maintenance), day. scores: component, day,
    probability, low, high; those of `followed` components are drawn with their interval, all others thin and grey.
    alerts: component → probability from which it is an alert.
    """
    sensors = list(dict.fromkeys(signals["sensor"]))
    figure = picture(7.8, 0.86 * len(sensors) + 3.2)
    panels = figure.subplots(
        len(sensors) + 1, 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": [1] * len(sensors) + [2.3]}
    )[:, 0]
    for axes, sensor in zip(panels, sensors, strict=False):
        own = signals.filter(pl.col("sensor") == sensor)
        axes.fill_between(own["day"], own["low"], own["high"], color=SKY, alpha=0.35, linewidth=0)
        axes.plot(own["day"], own["mean"], color=BLUE, linewidth=1.4)
        axes.set_title(f"{words(sensor, 24)} ({units.get(sensor) or '1'})", fontsize=10, fontweight="normal", pad=3)
        axes.tick_params(labelsize=9)
        axes.locator_params(axis="y", nbins=3)
        _events(axes, events)
    bottom = panels[-1]
    for (component,), own in scores.group_by("component", maintain_order=True):
        if component in followed:
            colour = FOLLOWED[list(followed).index(str(component)) % len(FOLLOWED)]
            low, high = (100 * own[end] for end in ("low", "high"))
            bottom.fill_between(own["day"], low, high, color=colour, alpha=0.22, linewidth=0)
            bottom.plot(own["day"], 100 * own["probability"], color=colour, label=words(str(component)))
            if alerts and component in alerts:
                bottom.axhline(100 * alerts[str(component)], color=colour, linewidth=1.2, linestyle="--")
        else:
            bottom.plot(own["day"], 100 * own["probability"], color=LINE, linewidth=0.9, zorder=1)
    _events(bottom, events, named=True)
    bottom.plot([], [], color=LINE, linewidth=0.9, label="other components")
    if alerts:
        bottom.plot([], [], color=INK, linewidth=1.2, linestyle="--", label="alert from here")
    bottom.set_ylim(0, 101)
    bottom.set(xlabel="time (days)", ylabel="fails within\n14 days (%)")
    figure.suptitle(shortened(asset, 40), x=0.01, ha="left", fontweight="bold", fontsize=12)
    figure.legend(loc="outside lower center", ncols=3)
    failures = events.filter(pl.col("kind") == FAILED)
    told = "; ".join(f"{words(c)} failed on day {day:.0f}" for c, day in failures.select("component", "day").rows())
    figure.alt = (
        f"{asset}: daily means of {', '.join(map(words, sensors))}, with the range of most values; probability of "
        f"failure of {', '.join(map(words, followed)) or 'no component'} in colour; {told or 'no failure'}; "
        f"{counted(len(events) - len(failures), 'maintenance')} besides"
    )
    return figure


def _events(axes: Axes, events: pl.DataFrame, *, named: bool = False) -> None:
    for kind, colour, style, mark, label in (
        (FAILED, RED, "-", "✖", "✖ failure"),
        (MAINTAINED, GREEN, ":", "◆", "◆ maintenance"),
    ):
        own = events.filter(pl.col("kind") == kind)
        days = own.group_by("day", maintain_order=True).agg(pl.col("component").unique(maintain_order=True))
        for day, components in days.iter_rows():
            axes.axvline(day, color=colour, linewidth=1.3, linestyle=style)
            if named:
                axes.annotate(
                    shortened(f"{mark} {', '.join(words(name, 14) for name in components)}", 24),
                    (day, 0.97),
                    xycoords=("data", "axes fraction"),
                    xytext=(3, 0),
                    textcoords="offset points",
                    color=colour,
                    rotation=90,
                    va="top",
                    fontsize=9,
                )
        if named and len(own):
            axes.plot([], [], color=colour, linewidth=1.3, linestyle=style, label=label)


@drawn
def anomalies(
    signals: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    asset: str,
    units: Mapping[str, str],
    known: Sequence[tuple[float, float, str]] = (),
    meaning: str = "known to be wrong",
) -> Picture:
    """Signals of one vehicle above, what each detector made of them below; a red triangle is an alarm.

    signals: sensor, day, mean, low, high. scores: detector, day, score, alarm, and perhaps limit (null where a detector
    has none). known: from day, to day and name of what is shaded in every panel; meaning: what shading says.
    """
    sensors, detectors = list(dict.fromkeys(signals["sensor"])), list(dict.fromkeys(scores["detector"]))
    count = len(sensors) + len(detectors)
    figure = picture(7.8, 1.0 * count + 1.2)
    panels = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    for axes, sensor in zip(panels, sensors, strict=False):
        own = signals.filter(pl.col("sensor") == sensor)
        axes.fill_between(own["day"], own["low"], own["high"], color=SKY, alpha=0.35, linewidth=0)
        axes.plot(own["day"], own["mean"], color=BLUE, linewidth=1.4)
        axes.set_title(f"{words(sensor, 24)} ({units.get(sensor) or '1'})", fontsize=10, fontweight="normal", pad=3)
    told = []
    for axes, detector in zip(panels[len(sensors) :], detectors, strict=True):
        own = scores.filter(pl.col("detector") == detector)
        axes.plot(own["day"], own["score"], color=INK, linewidth=1.2)
        if "limit" in own.columns and own["limit"].null_count() < len(own):
            axes.plot(own["day"], own["limit"], color=GREY, linewidth=1.1, linestyle="--")
        alarms = own.filter("alarm")
        axes.plot(alarms["day"], alarms["score"], "v", color=RED, markersize=7)
        axes.set_title(f"detector: {words(detector, 30)} (score)", fontsize=10, fontweight="normal", pad=3)
        told.append(f"{words(detector, 30)} {counted(len(alarms), 'alarm')}")
    for axes in panels:
        axes.tick_params(labelsize=9)
        axes.locator_params(axis="y", nbins=3)
        for begin, end, _ in known:
            axes.axvspan(begin, end, color=ORANGE, alpha=0.22, linewidth=0)
    panels[-1].set_xlabel("time (days)")
    figure.suptitle(shortened(asset, 40), x=0.01, ha="left", fontweight="bold", fontsize=12)
    (alarm,) = panels[-1].plot([], [], "v", color=RED, label="alarm")
    handles = [alarm, *([Patch(color=ORANGE, alpha=0.22, label=meaning)] if known else [])]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    wrong = "; ".join(f"{name} from day {begin:.0f} to {end:.0f}" for begin, end, name in known)
    figure.alt = f"Signals of {asset} and detectors: {', '.join(told)}; {meaning}: {wrong or 'nothing'}"
    return figure
