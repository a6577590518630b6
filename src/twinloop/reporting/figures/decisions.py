"""What was decided by simulation: maintenance policies against an oracle, and the search for the best line."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from twinloop.numbers import Interval, interval, number
from twinloop.palette import BLUE, GREEN, GREY, ORANGE, RED
from twinloop.reporting.figures.bars import interval_dot
from twinloop.reporting.figures.data import shortened
from twinloop.reporting.results import estimate
from twinloop.reporting.style import Picture, drawn, picture, single

ORACLE, COST, AVAILABILITY = "oracle", "upkeep_cost_per_part", "availability"


@drawn
def maintenance_policies(policies: pl.DataFrame) -> Picture:
    """Cost, availability and regret of every policy, each with its interval; the oracle knows every failure beforehand.

    policies: one row per policy and figure with policy, figure, unit, mean, low, high and the paired difference to the
    oracle against_oracle, against_low, against_high (`maintenance.comparison.PolicyComparison.frame`); policies are
    shown in the order of their rows; without any the figure says so.
    """
    if not len(policies):
        figure = picture(7.8, 1.2)
        figure.text(0.5, 0.5, "no machine of this line wears: nothing to maintain", ha="center", va="center")
        figure.alt = "Maintenance policies: no machine of this line wears, nothing to maintain"
        return figure
    names = list(dict.fromkeys(policies["policy"]))
    found = {
        (row["policy"], row["figure"]): row
        for row in policies.filter(pl.col("figure").is_in([COST, AVAILABILITY])).iter_rows(named=True)
    }
    costs = {name: estimate(found[name, COST], "mean", "low", "high") for name in names}
    shares = {
        name: _scaled(estimate(found[name, AVAILABILITY], "mean", "low", "high").within(0, 1), 100) for name in names
    }
    regrets = {
        name: estimate(found[name, COST], "against_oracle", "against_low", "against_high")
        for name in names
        if name != ORACLE
    }
    unit = found[names[0], COST]["unit"]
    figure = picture(7.8, 0.42 * len(names) + 1.5)
    cost, share, regret = figure.subplots(1, 3, sharey=True)
    _dots(cost, names, costs)
    _dots(share, names, shares)
    _dots(regret, names, regrets)
    regret.axvline(0, color=GREY, linewidth=1.2)
    cost.set_yticks(range(len(names)), [shortened(name, 30) for name in names])
    cost.set_ylim(len(names) - 0.5, -0.5)
    cost.set(xlabel=f"upkeep ({unit})", title="Upkeep")
    share.set(xlabel="machines available (%)", title="Availability")
    regret.set(xlabel=f"regret ({unit})", title="Above the oracle")
    figure.alt = f"Maintenance policies, upkeep in {unit}: " + "; ".join(
        f"{name} {_told(costs[name])}, available {number(shares[name].mean)} %"
        + (f", above the oracle {_told(regrets[name], sign=True)}" if name in regrets else "")
        for name in names
    )
    return figure


@drawn
def optimisation_history(
    trials: pl.DataFrame, *, today: Interval | None, gain: Interval | None, what: str, unit: str
) -> Picture:
    """What every trial of the search promised, the best so far, and what was measured afterwards with fresh luck.

    trials: promised (null: the line stood still) and finalist, in the order of trials. today: the objective of today's
    line on replications that nothing was chosen by; gain: the paired gain of the chosen line on them. Both are drawn to
    the right, the chosen line with the interval of its gain. Without trials the figure says so.
    """
    figure, axes = single(7.8, 4.0)
    if not len(trials) or today is None or gain is None:
        figure.clear()
        figure.set_figheight(1.2)
        figure.text(0.5, 0.5, "no trials: nothing was searched for", ha="center", va="center")
        figure.alt = "The search for the best line: no trials, nothing was searched for"
        return figure
    promised = np.array([np.nan if value is None else value for value in trials["promised"]], dtype=np.float64)
    trial = np.arange(1, len(promised) + 1)
    axes.plot(trial, promised, "o", color=GREY, markersize=5, alpha=0.7, label="promised by a trial")
    if np.isfinite(promised).any():
        best = np.fmax.accumulate(promised)
        axes.step(trial, best, where="post", color=BLUE, linewidth=1.4, label="best promise so far")
    finalist = trials["finalist"].to_numpy()
    (again,) = axes.plot(trial[finalist], promised[finalist], "o", color=ORANGE, label="finalist, judged again")
    again.set(markersize=7, markeredgecolor="white")
    room = max(len(promised) / 14, 1.0)
    axes.axvline(len(promised) + room, color=GREY, linewidth=1, linestyle=":")
    chosen = Interval(*(today.mean + end for end in (gain.mean, gain.low, gain.high)))
    sides = (
        (today, RED, "s", "today's line, measured afresh (95 % interval)"),
        (chosen, GREEN, "D", "chosen line, measured afresh (95 % interval of its gain)"),
    )
    for place, (value, colour, marker, label) in enumerate(sides, start=2):
        axes.errorbar(
            [len(promised) + place * room],
            [value.mean],
            yerr=[[value.mean - value.low], [value.high - value.mean]],
            color=colour,
            marker=marker,
            markersize=8,
            capsize=4,
            linestyle="none",
            label=label,
        )
    axes.set_xlim(0, len(promised) + 4 * room)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(lambda value, _: number(value, digits=2))
    axes.set(xlabel="trial (number)", ylabel=f"{what} ({unit})", title="The search for the best line")
    figure.legend(loc="outside lower center", ncols=2, fontsize=9)
    stood = int(np.isnan(promised).sum())
    figure.alt = (
        f"Optimisation of {what}, {len(promised)} trials, {stood} stood still; today {_told(today)} {unit}, "
        f"gain of the chosen line {_told(gain, sign=True)} {unit}"
    )
    return figure


def _dots(axes: Axes, names: list[str], values: Mapping[str, Interval]) -> None:
    for place, name in enumerate(names):
        if name not in values:
            continue
        value, colour = values[name], GREEN if name == ORACLE else BLUE
        interval_dot(axes, place, value, colour=colour)
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.14)


def _scaled(value: Interval, factor: float) -> Interval:
    return Interval(*(factor * end for end in (value.mean, value.low, value.high)))


def _told(value: Interval, *, sign: bool = False) -> str:
    return f"{number(value.mean, sign=sign)} ({interval(value.low, value.high, sign=sign)})"
