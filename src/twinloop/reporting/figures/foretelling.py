"""How well failures are foretold: precision, recall, calibration, lead time, what was found, methods side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from twinloop.contracts import AlertCurve
from twinloop.numbers import Interval, counted, interval, number, percent
from twinloop.palette import BLUE, GREEN, GREY, INK, LINE, ORANGE, PURPLE, RED, SKY, SOFT
from twinloop.reporting.figures.fleet import words
from twinloop.reporting.results import estimate
from twinloop.reporting.style import Picture, drawn, nothing, picture, single

# Colour and sign of each method, in the order in which methods come.
MARKS = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (PURPLE, "D"), (SKY, "v"), (SOFT, "P"), (LINE, "X"), (INK, "*"))
COLUMNS = 3


@drawn
def precision_recall(curves: pl.DataFrame, *, areas: Mapping[str, Interval], rates: Mapping[str, float]) -> Picture:
    """A panel per component: how many alerts are right against how many failures are found, with its 95 % band.

    curves: component, recall, precision, low, high. areas: PR-AUC by component; rates: precision of chance (dotted).
    """
    if curves.is_empty():
        return nothing("No precision and recall: no failure came among the test assets.")
    components = list(dict.fromkeys(curves["component"]))
    figure, panels = _panels(components)
    for axes, component in zip(panels, components, strict=False):
        own, area = curves.filter(pl.col("component") == component).sort("recall"), areas[component]
        low, high = (100 * own[end] for end in ("low", "high"))
        axes.fill_between(100 * own["recall"], low, high, color=SKY, alpha=0.35, linewidth=0)
        axes.plot(100 * own["recall"], 100 * own["precision"], color=BLUE)
        axes.axhline(100 * rates[component], color=GREY, linewidth=1.2, linestyle=":")
        axes.set_title(f"{words(component)}: {number(area.mean, digits=2)}", fontsize=10.5)
        axes.set(xlim=(-2, 102), ylim=(-2, 103))
    figure.supxlabel("failures found (%)", fontsize=11)
    figure.supylabel("alerts that are right (%)", fontsize=11)
    _lines(
        figure,
        panels[0],
        (("PR-AUC as in the titles", BLUE, "-"), ("95 % band over assets", SKY, "-"), ("by chance", GREY, ":")),
    )
    figure.alt = "Precision over recall by component, area with 95 % interval: " + "; ".join(
        f"{words(name)} {_told(areas[name])}, by chance {number(rates[name])}" for name in components
    )
    return figure


@drawn
def calibration(bins: pl.DataFrame, *, errors: Mapping[str, Interval] | None = None) -> Picture:
    """A panel per component: what was said against what happened, in bins of equal number.

    bins: component, said, happened, rows, and low and high of what happened where they are known. errors: expected
    calibration error by component, for the titles.
    """
    if bins.is_empty():
        return nothing("No calibration: no failure came among the test assets.")
    components = list(dict.fromkeys(bins["component"]))
    figure, panels = _panels(components)
    for axes, component in zip(panels, components, strict=False):
        own = bins.filter(pl.col("component") == component).sort("said")
        ends = np.concatenate([own[column].to_numpy() for column in ("said", "happened", "high") if column in own])
        top = min(100.0, 8 + 108 * float(np.nanmax(ends)))
        axes.plot([0, 100], [0, 100], color=GREY, linewidth=1.2, linestyle=":")
        if "low" in own.columns:
            axes.vlines(100 * own["said"], 100 * own["low"], 100 * own["high"], color=SKY, linewidth=3)
        axes.plot(100 * own["said"], 100 * own["happened"], "o-", color=BLUE, markersize=4.5, linewidth=1.2)
        axes.set(xlim=(-0.03 * top, top), ylim=(-0.03 * top, top))
        error = f": error {percent(errors[component].mean)}" if errors and component in errors else ""
        axes.set_title(f"{words(component)}{error}", fontsize=10.5)
    figure.supxlabel("said: probability of failure within the horizon (%)", fontsize=11)
    figure.supylabel("happened: share that failed (%)", fontsize=11)
    limits = (("95 % interval over assets", SKY, "-"),) if "low" in bins.columns else ()
    _lines(figure, panels[0], (("a tenth of all rows", BLUE, "o-"), *limits, ("said = happened", GREY, ":")))
    figure.alt = "What was said against what happened, by component: " + "; ".join(
        f"{words(name)}, error {_told(errors[name])}" if errors and name in errors else words(name)
        for name in components
    )
    return figure


@drawn
def alert_curves(curves: Mapping[str, AlertCurve], *, allowed: float | None = None) -> Picture:
    """A row per component over the alert threshold: failures found, lead time, false alarms, each with its 95 % band.

    The band is that of the bootstrap over lives. allowed: false alarms per asset-month that the operating point
    (dashed) keeps.
    """
    if not curves:
        return nothing("No alert curve: no failure came among the test assets.")
    figure = picture(7.8, 1.25 * len(curves) + 1.4)
    grid = figure.subplots(len(curves), 3, sharex=True, sharey="col", squeeze=False)
    told = []
    unit = "h" if {curve.clock for curve in curves.values()} == {"calendar"} else "h of work"
    for row, (component, curve) in zip(grid, curves.items(), strict=True):
        middle = int(np.argmin(np.abs(curve.lead_levels - 0.5)))
        lead = curve.lead_hours[:, :, middle]
        for axes, values in zip(row, (100 * curve.recall, lead, curve.false_alarms), strict=True):
            if curve.draws:
                low, high = np.quantile(values[1:], (0.025, 0.975), axis=0)
                axes.fill_between(100 * curve.thresholds, low, high, color=SKY, alpha=0.4, linewidth=0)
            axes.plot(100 * curve.thresholds, values[0], color=BLUE, linewidth=1.7)
            axes.axvline(100 * curve.threshold, color=INK, linewidth=1.1, linestyle="--")
            axes.tick_params(labelsize=9)
            axes.locator_params(axis="y", nbins=4)
        if allowed is not None:
            row[2].axhline(allowed, color=GREY, linewidth=1.2, linestyle=":")
        row[0].set_ylabel(words(component, 14), fontsize=10)
        told.append(
            f"{words(component)} from {percent(curve.threshold, digits=0)} on: "
            f"{percent(curve.recall_at(), digits=0)} of {counted(curve.failures, 'failure')} found, "
            f"median lead {number(_at(curve, lead[0]))} {unit}, "
            f"{number(_at(curve, curve.false_alarms[0]))} false alarms per asset-month"
        )
    for axes, title in zip(
        grid[0], ("failures found (%)", f"median lead ({unit})", "false alarms (a month)"), strict=True
    ):
        axes.set_title(title, fontsize=10.5)
    grid[-1][1].set_xlabel("alert from this probability of failure on (%)")
    allowed_line = (("false alarms allowed", GREY, ":"),) if allowed is not None else ()
    _lines(
        figure,
        grid[0][0],
        (("estimate", BLUE, "-"), ("95 % band", SKY, "-"), ("operating point", INK, "--"), *allowed_line),
    )
    figure.alt = "Alerts over the threshold: " + "; ".join(told)
    return figure


@drawn
def failures_found(found: pl.DataFrame) -> Picture:
    """Every failure on a time axis: the line begins at its first alert in time; a red cross was missed.

    found: asset, component, day, found, lead_days (null where missed).
    """
    if found.is_empty():
        return nothing("No failure came among the test assets: nothing to find.")
    components = list(dict.fromkeys(found.sort("component")["component"]))
    figure, axes = single(7.8, 0.72 * len(components) + 1.5)
    told, labels = [], []
    for place, component in enumerate(components):
        own = found.filter(pl.col("component") == component).sort("day", "asset")
        # Spread by rank, not by chance: the same data gives the same picture.
        y = place + ((np.arange(len(own)) * 0.618) % 1 - 0.5) * 0.72
        hit = own["found"].to_numpy()
        day, lead = own["day"].to_numpy(), own["lead_days"].fill_null(0.0).to_numpy()
        axes.hlines(y[hit], day[hit] - lead[hit], day[hit], color=SKY, linewidth=2.2)
        axes.plot(day[hit], y[hit], "o", color=BLUE, markersize=5)
        axes.plot(day[~hit], y[~hit], "x", color=RED, markersize=7, markeredgewidth=2)
        labels.append(f"{words(component, 14)}\n{hit.sum()} of {len(hit)}")
        told.append(f"{words(component)} {hit.sum()} of {len(hit)}")
    axes.plot([], [], "o-", color=BLUE, label="found; the line is its lead time")
    axes.plot([], [], "x", color=RED, markersize=7, markeredgewidth=2, label="missed")
    axes.set_yticks(range(len(components)), labels)
    axes.set_ylim(len(components) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.set(xlabel="time (days)", title="Failures found and missed")
    figure.legend(loc="outside lower center", ncols=2)
    figure.alt = f"Failures of test assets found in time, by component: {', '.join(told)}"
    return figure


@drawn
def methods(judged: pl.DataFrame, *, label: str, title: str, names: Sequence[str] = ()) -> Picture:
    """Methods side by side in every component, each with its 95 % interval over assets.

    judged: method, component, mean, low, high. label: of what was measured, with its unit. names: the order of methods
    (by default that of the rows).
    """
    if judged.is_empty():
        return nothing(f"{title}: nothing was judged.")
    ordered = [name for name in (names or dict.fromkeys(judged["method"])) if name in set(judged["method"])]
    components = list(dict.fromkeys(judged["component"]))
    step = 0.8 / len(ordered)
    figure, axes = single(7.8, (0.14 * len(ordered) + 0.12) * len(components) + 1.6)
    found = {(row["method"], row["component"]): row for row in judged.iter_rows(named=True)}
    for number_, name in enumerate(ordered):
        colour, mark = MARKS[number_ % len(MARKS)]
        places = [place for place, component in enumerate(components) if (name, component) in found]
        values = [estimate(found[name, components[place]], "mean", "low", "high") for place in places]
        y = [place - 0.4 + step * (number_ + 0.5) for place in places]
        axes.hlines(y, [value.low for value in values], [value.high for value in values], color=colour, linewidth=1.8)
        axes.plot([value.mean for value in values], y, mark, color=colour, markersize=5.5, label=words(name))
    for place in range(1, len(components)):
        axes.axhline(place - 0.5, color=LINE, linewidth=0.8)
    axes.set_yticks(range(len(components)), [words(name, 16) for name in components])
    axes.set_ylim(len(components) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.set(xlabel=label, title=title)
    figure.legend(loc="outside lower center", ncols=4)
    figure.alt = f"{title}, {label}: " + "; ".join(
        f"{words(component)} "
        + ", ".join(
            f"{words(name)} {_told(estimate(found[name, component], 'mean', 'low', 'high'))}"
            for name in ordered
            if (name, component) in found
        )
        for component in components
    )
    return figure


@drawn
def splits(judged: pl.DataFrame, *, label: str, honest: str = "honest", leaky: str = "leaky") -> Picture:
    """What a split by row promises beside what a split by asset and time measures, per component.

    judged: method (`honest` and `leaky`), component, mean, low, high.
    """
    if not {honest, leaky} <= set(judged["method"]):
        return nothing("No leaky split was measured.")
    components = list(dict.fromkeys(judged["component"]))
    figure, axes = single(7.8, 0.52 * len(components) + 1.6)
    told = []
    for place, component in enumerate(components):
        own = {row["method"]: row for row in judged.filter(pl.col("component") == component).iter_rows(named=True)}
        if not {honest, leaky} <= set(own):
            continue
        fair, flattered = (estimate(own[name], "mean", "low", "high") for name in (honest, leaky))
        axes.plot([fair.mean, flattered.mean], [place] * 2, color=LINE, linewidth=1.2, zorder=1)
        for value, colour, mark, y in ((fair, BLUE, "o", place + 0.12), (flattered, ORANGE, "s", place - 0.12)):
            axes.plot([value.low, value.high], [y, y], color=colour, linewidth=2.2)
            axes.plot(value.mean, y, mark, color=colour, markersize=7)
        told.append(f"{words(component)} {_told(fair)}, leaky {_told(flattered)}")
    axes.plot([], [], "o-", color=BLUE, label="by asset and time: what is kept")
    axes.plot([], [], "s-", color=ORANGE, label="by row: what is only promised")
    axes.set_yticks(range(len(components)), [words(name, 16) for name in components])
    axes.set_ylim(len(components) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.set(xlabel=label, title="What a leaky split would have promised")
    figure.legend(loc="outside lower center", ncols=2)
    figure.alt = f"Split by asset and time against split by row, {label}: {'; '.join(told)}"
    return figure


def _panels(names: Sequence[str]) -> tuple[Picture, list[Axes]]:
    """A picture with a panel for each name, three in a row."""
    rows = -(-len(names) // COLUMNS)
    figure = picture(7.8, 2.15 * rows + 0.9)
    panels = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
    for spare in panels[len(names) :]:
        spare.set_visible(False)
    return figure, panels[: len(names)]


def _lines(figure: Picture, axes: Axes, lines: Sequence[tuple[str, str, str]]) -> None:
    """A legend above, as the common label is below: text, colour and style of each line."""
    handles = [axes.plot([], [], style, color=colour, label=text)[0] for text, colour, style in lines]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)


def _at(curve: AlertCurve, values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
    return float(np.interp(curve.threshold, curve.thresholds, values))


def _told(value: Interval) -> str:
    return f"{number(value.mean, digits=2)} ({interval(value.low, value.high, digits=2)})"
