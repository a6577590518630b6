"""How good plans are: methods side by side, their search over time, what two goals cost each other, what is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.numbers import Interval, interval, number, percent
from twinloop.palette import BLUE, GREY, ORANGE, RED, SKY
from twinloop.reporting.figures.bars import interval_bars
from twinloop.reporting.figures.data import shortened
from twinloop.reporting.style import CYCLE, Picture, drawn, log_scale, nothing, single

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Hedge:
    """A plan with more or less slack: what it promises, and what executions make of it on average and at worst.

    kept: the share of executions that keep the promise.
    """

    name: str
    promised: float
    mean: Interval
    worst: Interval
    kept: Interval


# A search may answer sooner than a clock can tell.
LEAST_S = 0.001


@drawn
def planned_against_executed(
    executed: Mapping[str, Values], planned: Mapping[str, float], *, label: str, title: str
) -> Picture:
    """Per method: what happened under breakdowns (box: quartiles, whiskers: 5 … 95 %), the plan as a diamond."""
    names = list(executed)
    figure, axes = single(7.8, 0.46 * len(names) + 1.6)
    axes.boxplot(
        [executed[name] for name in names],
        orientation="horizontal",
        positions=range(len(names)),
        widths=0.55,
        whis=(5, 95),
        showfliers=False,
        patch_artist=True,
        boxprops={"facecolor": SKY, "alpha": 0.5, "edgecolor": BLUE},
        medianprops={"color": BLUE, "linewidth": 2},
        whiskerprops={"color": BLUE},
        capprops={"color": BLUE},
    )
    axes.plot(
        [planned[name] for name in names], range(len(names)), "D", color=RED, markersize=7, label="planned", zorder=4
    )
    axes.plot([], [], color=BLUE, linewidth=2, label="executed: median, quartiles, 5 … 95 %")
    axes.set_yticks(range(len(names)), [shortened(name, 24) for name in names])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set(xlabel=label, title=title)
    figure.legend(loc="outside lower center", ncols=2)
    figure.alt = f"{title}: " + "; ".join(
        f"{name} planned {number(planned[name])}, executed median {number(float(np.median(executed[name])))}"
        for name in names
    )
    return figure


@drawn
def method_comparison(results: Mapping[str, Interval], *, label: str, title: str, chosen: str = "") -> Picture:
    """A figure per method, executed under breakdowns, with its interval; the chosen method stands out."""
    if not results:
        return nothing("Nothing to compare: no method was executed.")
    ordered = dict(sorted(results.items(), key=lambda item: item[1].mean))
    figure, axes = single(7.8, 0.42 * max(len(ordered), 1) + 1.3)
    for place, (name, result) in enumerate(ordered.items()):
        colour = ORANGE if name == chosen else BLUE
        axes.plot([result.low, result.high], [place] * 2, color=colour, linewidth=2.2)
        axes.plot(result.mean, place, "o", color=colour, markersize=8)
        axes.annotate(
            number(result.mean, digits=2),
            (result.high, place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9.5,
        )
    axes.set_yticks(range(len(ordered)), [shortened(name, 24) for name in ordered])
    axes.set_ylim(max(len(ordered), 1) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.12)
    axes.set(xlabel=label, title=title)
    figure.alt = f"{title}: " + "; ".join(
        f"{name} {number(r.mean)} ({number(r.low)} … {number(r.high)})" for name, r in ordered.items()
    )
    return figure


@drawn
def incumbents(
    trace: pl.DataFrame, *, label: str, scale: float = 1.0, at_once: Mapping[str, float] | None = None
) -> Picture:
    """What the best plan was worth over the time of every search, and the bound that it proved, over log time.

    trace: method, wall_s, objective, bound (`scheduling.frames.trace_frame`); figures are divided by `scale`. label: of
    the objective, with its unit. at_once: methods without a search, already divided; drawn as dotted lines.
    """
    if not len(trace):
        return nothing("No search left a trace: its methods answer at once.")
    figure, axes = single(7.8, 4.2)
    found = trace.with_columns(pl.col("wall_s").clip(lower_bound=LEAST_S), pl.col("objective", "bound") / scale)
    seconds = found["wall_s"].to_numpy()
    last = seconds.max() * 1.3
    spoken = []
    for place, ((name,), rows) in enumerate(found.sort("wall_s").group_by("method", maintain_order=True)):
        colour, times = CYCLE[place % len(CYCLE)], np.append(rows["wall_s"].to_numpy(), last)
        objective = np.append(rows["objective"].to_numpy(), rows["objective"][-1])
        bound = np.append(rows["bound"].to_numpy(), rows["bound"][-1])
        text = f"{shortened(str(name), 24)}: {number(objective[-1])}"
        axes.step(times, objective, where="post", color=colour, label=text)
        axes.plot(times[:-1], objective[:-1], "o", color=colour, markersize=4)
        axes.step(times, bound, where="post", color=colour, linestyle="--", linewidth=1.4)
        spoken.append(f"{name} {number(objective[-1])}, proved at least {number(bound[-1])}")
    if at_once:
        name, value = min(at_once.items(), key=lambda item: item[1])
        axes.axhline(
            value, color=GREY, linewidth=1.4, linestyle=":", label=f"at once by {shortened(name, 16)}: {number(value)}"
        )
        spoken.append(f"the best that answers at once, {name}, {number(value)}")
    axes.plot([], [], color=GREY, linestyle="--", linewidth=1.4, label="bound: no plan is better")
    log_scale(axes.xaxis)
    axes.set_xlim(right=last)
    axes.set(xlabel="time since the search began (s)", ylabel=label, title="The best plan over time")
    figure.legend(loc="outside lower center", ncols=2)
    figure.alt = f"The best plan over time, {label}: " + "; ".join(spoken)
    return figure


@drawn
def pareto_front(
    points: Sequence[tuple[float, float]],
    *,
    proved: Sequence[bool],
    labels: tuple[str, str],
    chosen: tuple[float, float] | None = None,
    title: str = "What one goal costs the other",
) -> Picture:
    """Plans of which none is better than another in both goals; hollow: not proved to be on the front.

    points: (first, second), both to be small. labels: of both goals, with units. chosen: the plan that is used.
    """
    if not points:
        return nothing("No front: no plan was found.")
    figure, axes = single(7.8, 4.2)
    ordered = sorted(zip(points, proved, strict=True))
    first, second = (np.array(column) for column in zip(*(point for point, _ in ordered), strict=True))
    axes.step(first, second, where="post", color=SKY, zorder=2)
    for shown, label in ((True, "proved: no plan is better in both"), (False, "best found, not proved")):
        mine = np.array([sure is shown for _, sure in ordered])
        if mine.any():
            face = BLUE if shown else "white"
            axes.scatter(
                first[mine], second[mine], s=52, color=face, edgecolor=BLUE, linewidth=1.8, label=label, zorder=3
            )
    spoken = f"{len(points)} points, {sum(proved)} proved, from {_pair(*points[0])} to {_pair(*points[-1])}"
    if chosen is not None:
        (used,) = axes.plot(*chosen, "o", label=f"used: {_pair(*chosen)}")
        used.set(markersize=14, fillstyle="none", color=RED, markeredgewidth=2.2)
        spoken += f"; used is {_pair(*chosen)}"
    axes.margins(x=0.08, y=0.12)
    axes.set(xlabel=labels[0], ylabel=labels[1], title=title)
    figure.legend(loc="outside lower center", ncols=3)
    figure.alt = f"{title}, {labels[0]} against {labels[1]}: {spoken}"
    return figure


@drawn
def price_of_robustness(
    hedges: Sequence[Hedge], *, label: str, worst: str = "worst tenth", title: str = "The price of robustness"
) -> Picture:
    """What plans keep under disruptions against what they promise: to the right is the price, downwards the gain.

    hedges: in the order in which slack grows, which the lines follow. label: of the goal, with its unit, for both axes.
    worst: what the mean of the worst executions is called.
    """
    if not hedges:
        return nothing("No robust plans: only one plan was made.")
    figure, axes = single(7.8, 4.4)
    at = [hedge.promised for hedge in hedges]
    for colour, marker, name, values in (
        (RED, "s", f"executed, {worst} (95 % interval)", [hedge.worst for hedge in hedges]),
        (BLUE, "o", "executed, mean (95 % interval)", [hedge.mean for hedge in hedges]),
    ):
        middles = [value.mean for value in values]
        arms = [[v.mean - v.low for v in values], [v.high - v.mean for v in values]]
        axes.errorbar(at, middles, yerr=np.maximum(arms, 0), color=colour, marker=marker, capsize=4, label=name)
    for place, hedge in enumerate(hedges):
        axes.annotate(
            shortened(hedge.name, 22),
            (hedge.promised, hedge.worst.high),
            xytext=(0, 5 + 12 * (place % 2)),  # neighbours' names stand at two heights
            textcoords="offset points",
            ha="center",
            fontsize=9,
        )
    low, high = min(at), max(at)
    axes.plot([low, high], [low, high], color=GREY, linewidth=1.2, linestyle=":", label="as promised")
    axes.margins(x=0.1, y=0.12)
    axes.set(xlabel=f"promised by the plan: {label}", ylabel=label, title=title)
    figure.legend(loc="outside lower center", ncols=3)
    figure.alt = f"{title}, {label}: " + "; ".join(
        f"{hedge.name} promises {number(hedge.promised)}, executed {number(hedge.mean.mean)}, "
        f"{worst} {number(hedge.worst.mean)}, kept in {percent(hedge.kept.mean, digits=0)}"
        for hedge in hedges
    )
    return figure


@drawn
def what_if(
    differences: Mapping[str, Interval], *, label: str, reference: str = "this shop", title: str = "What if?"
) -> Picture:
    """What each change does to a goal that is to be small, the best first; grey where the interval holds zero.

    differences: change → paired difference to `reference`. label: of the goal, with its unit.
    """
    if not differences:
        return nothing("Nothing was asked: no change of the shop was tried.")
    ordered = dict(sorted(differences.items(), key=lambda item: item[1].mean))
    figure, axes = single(7.8, 0.46 * len(ordered) + 1.5)
    colours = [GREY if not found.settled else BLUE if found.mean < 0 else RED for found in ordered.values()]
    interval_bars(axes, ordered, colours=colours, letters=34)
    axes.margins(x=0.14)
    axes.set(xlabel=f"difference to {reference}: {label}", title=title)
    figure.alt = f"{title} Difference to {reference}, {label}: " + "; ".join(
        f"{name} {number(found.mean, sign=True)} ({interval(found.low, found.high, sign=True)})"
        for name, found in ordered.items()
    )
    return figure


def _pair(first: float, second: float) -> str:
    return f"{number(first)} and {number(second)}"
