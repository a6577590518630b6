"""What the line earns and why: thresholds, scenarios, levers, losses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twinloop.numbers import Interval, interval, number, quantity
from twinloop.palette import BLUE, CLOSED, GREEN, GREY, ORANGE, RED, SKY
from twinloop.reporting.figures.bars import interval_bars
from twinloop.reporting.style import Picture, drawn, single

TICKS = (0.003, 0.01, 0.03, 0.1, 0.2, 0.5, 0.8, 0.9, 0.97, 0.99)


@dataclass(frozen=True)
class Operated:
    """A line run at one operating point: parts from `reject_from` are rejected, between both looked at again."""

    name: str
    accept_below: float
    reject_from: float
    profit: Interval


@drawn
def profit_against_threshold(
    curve: Sequence[tuple[float, Interval]], *, today: Operated, chosen: Operated, currency: str = "€"
) -> Picture:
    """Profit per day over a single threshold, with its band; today's and the chosen point marked with their intervals.

    The intervals of the curve and of the chosen point are those of the paired change against today.
    curve: (threshold, profit), ascending. The axis is even in log odds: small thresholds matter as much as large ones.
    A point of two thresholds is drawn as a line between them.
    """
    figure, axes = single(7.8, 4.4)
    at = np.array([_log_odds(threshold) for threshold, _ in curve])
    profits = [profit for _, profit in curve]
    axes.fill_between(at, [p.low for p in profits], [p.high for p in profits], color=SKY, alpha=0.35, linewidth=0)
    axes.plot(
        at,
        [p.mean for p in profits],
        color=BLUE,
        marker=".",
        label="one threshold for all parts (band: 95 % interval of the change)",
    )
    spoken = []
    for point, colour, marker in ((today, ORANGE, "s"), (chosen, RED, "o")):
        ends = [_log_odds(point.accept_below), _log_odds(point.reject_from)]
        value, middle = point.profit, sum(ends) / 2
        label = f"{point.name}: {quantity(value.mean, currency + '/day', digits=4)}"
        axes.plot(ends, [value.mean] * 2, color=colour, linewidth=3, solid_capstyle="butt", zorder=3)
        axes.errorbar(
            [middle],
            [value.mean],
            yerr=[[max(value.mean - value.low, 0)], [max(value.high - value.mean, 0)]],
            color=colour,
            marker=marker,
            markersize=9,
            markeredgecolor="white",
            capsize=3,
            linewidth=1.6,
            linestyle="none",
            label=label,
            zorder=4,
        )
        spoken.append(f"{label} ({interval(value.low, value.high)})")
    shown = [t for t in TICKS if at.min() - 0.3 <= _log_odds(t) <= at.max() + 0.3]
    axes.set_xticks([_log_odds(t) for t in shown], [f"{t:g}" for t in shown])
    axes.yaxis.set_major_formatter(_currency_tick)
    axes.set(
        xlabel="threshold: probability of a defect from which a part is rejected", ylabel=f"profit ({currency} per day)"
    )
    axes.set_title("Profit against the inspection threshold")
    # Far from the best threshold a line can lose any sum; what matters is around the marked points.
    near = min(today.profit.low, chosen.profit.low)
    highest = max(p.high for p in (*profits, today.profit, chosen.profit))
    axes.set_ylim(max(min(p.low for p in profits), near - 0.5 * (highest - near)), highest + 0.06 * (highest - near))
    figure.legend(loc="outside lower center", ncols=1)
    figure.alt = "Profit per day against the threshold; " + "; ".join(spoken)
    return figure


def _log_odds(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def _currency_tick(value: float, _: float) -> str:
    return number(value, digits=1) if abs(value) >= 1 else f"{value:g}"


@drawn
def scenario_comparison(
    changes: Mapping[str, Interval], *, what: str = "profit", unit: str = "€/day", reference: str = "today"
) -> Picture:
    """What each scenario changes against the reference: paired difference with its interval."""
    return _intervals(changes, label=f"change of {what} against {reference} ({unit})", title="Scenarios", unit=unit)


@drawn
def lever_ranking(gains: Mapping[str, Interval], *, unit: str = "€/day", reference: str = "today") -> Picture:
    """What one change at a time is worth, largest first, with intervals; grey where the interval holds zero."""
    ordered = dict(sorted(gains.items(), key=lambda item: -item[1].mean))
    label = f"gain against {reference}, the change's own cost deducted ({unit})"
    return _intervals(ordered, label=label, title="What to change first", unit=unit)


def _intervals(gains: Mapping[str, Interval], *, label: str, title: str, unit: str) -> Picture:
    figure, axes = single(7.8, 0.42 * max(len(gains), 1) + 1.4)
    colours = [GREY if g.known and not g.settled else BLUE if g.mean >= 0 else RED for g in gains.values()]
    interval_bars(axes, gains, colours=colours, letters=40)
    axes.margins(x=0.12)
    axes.xaxis.set_major_formatter(_currency_tick)
    axes.set(xlabel=label, title=title)
    figure.alt = f"{title}: " + "; ".join(
        f"{name} {number(gain.mean, sign=True)} ({interval(gain.low, gain.high, unit, sign=True)})"
        for name, gain in gains.items()
    )
    return figure


@drawn
def oee_waterfall(availability: float, performance: float, quality: float) -> Picture:
    """From all planned time to overall equipment effectiveness: what each factor takes away (ISO 22400)."""
    figure, axes = single(7.8, 3.6)
    steps = (("availability", availability), ("performance", performance), ("quality", quality))
    axes.bar(0, 100, color=CLOSED, width=0.62)
    axes.annotate("100 %", (0, 100), xytext=(0, 4), textcoords="offset points", ha="center")
    level, names = 100.0, ["planned time"]
    for place, (name, factor) in enumerate(steps, start=1):
        after = level * factor
        axes.bar(place, level - after, bottom=after, color=ORANGE, width=0.62)
        axes.plot([place - 1 + 0.31, place + 0.31], [level, level], color=GREY, linewidth=1)
        text = f"−{level - after:.1f}"
        axes.annotate(text, (place, after), xytext=(0, -12), textcoords="offset points", ha="center", va="center")
        names.append(f"lost to {name}\n(factor {100 * factor:.1f} %)")
        level = after
    axes.plot([3.31 - 0.62, 4.31], [level, level], color=GREY, linewidth=1)
    axes.bar(4, level, color=GREEN, width=0.62)
    axes.annotate(
        f"{level:.1f} %", (4, level), xytext=(0, 4), textcoords="offset points", ha="center", fontweight="bold"
    )
    axes.set_xticks(range(5), [*names, "OEE"])
    axes.set_ylim(0, 112)
    axes.grid(axis="x", visible=False)
    axes.set(ylabel="share of planned time (%)", title="Where the time goes")
    figure.alt = (
        f"OEE {level:.1f} %: availability {100 * availability:.1f} %, performance {100 * performance:.1f} %, "
        f"quality {100 * quality:.1f} %"
    )
    return figure
