"""A conversation's parts as measured: what is misheard, how far errors go, what is refused, whether a manner shows."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from twinloop.numbers import Interval, fixed, interval, number, percent
from twinloop.palette import BLUE, GREY, INK, ORANGE, RED, SKY
from twinloop.reporting.figures.bars import interval_dot
from twinloop.reporting.figures.data import shortened
from twinloop.reporting.figures.foretelling import methods
from twinloop.reporting.figures.model import confusion
from twinloop.reporting.results import estimate
from twinloop.reporting.style import Picture, drawn, nothing, picture, single

# Of a paired difference: sign and colour where it is surely worse, surely better, not sure.
WORSE, BETTER, UNSURE = ("v", RED), ("^", BLUE), ("o", GREY)
LETTERS = 24


@drawn
def word_error_rates(rates: pl.DataFrame) -> Picture:
    """A row per voice, the recognisers side by side in it, each with its 95 % interval.

    rates: provider, voice, wer, low, high (errors per spoken word).
    """
    if rates.is_empty():
        return nothing("Nothing was spoken: no synthesiser is installed here, and the data hold no recording.")
    shares = rates.select(
        method="provider",
        component="voice",
        mean=100 * pl.col("wer"),
        low=100 * pl.col("low"),
        high=100 * pl.col("high"),
    )
    return methods(shares, label="words misheard (% of those spoken)", title="How much is misheard, by voice?")


def commands(said: pl.DataFrame) -> Picture:
    """Which spoken command is taken for which. said: word (that was spoken), said (that was recognised)."""
    if said.is_empty():
        return nothing("No command was learnt: no synthesiser is installed here to speak it.")
    true, decided = said["word"].to_list(), said["said"].to_list()
    classes = list(dict.fromkeys([*true, *decided]))
    return confusion(true, decided, classes=classes, kind="command", decider="the recogniser", things="recordings")


@drawn
def ways(compared: pl.DataFrame, *, label: str, title: str, share: bool = True) -> Picture:
    """The same questions in several ways, each with its interval; beside it the paired difference to the first way.

    compared: way, mean, low, high, then difference, difference_low and difference_high, null for the first. label: what
    was measured. share: whether it is shown in per cent; else from 0 to 1.
    """
    if compared.is_empty():
        return nothing(f"{title} No question with a known answer was put.")
    rows, factor = list(compared.iter_rows(named=True)), 100 if share else 1
    unit, apart_unit = ("%", "points") if share else ("1 is perfect", "of 1")
    figure = picture(7.8, 0.48 * len(rows) + 1.5)
    left, right = figure.subplots(1, 2, sharey=True)
    # However small the differences are, what is far below a point looks like nothing.
    right.plot([-factor / 100, factor / 100], [0, 0], alpha=0)
    told = []
    for place, row in enumerate(rows):
        value = _times(estimate(row, "mean", "low", "high"), factor)
        interval_dot(left, place, value, colour=BLUE if place else INK)
        told.append(f"{row['way']} {_told(value)}")
        if row["difference"] is not None:
            apart = _times(estimate(row, "difference"), factor)
            marker, colour = _verdict(apart)
            interval_dot(right, place, apart, colour=colour, marker=marker, sign=True)
            told[-1] += f", difference {_told(apart, sign=True)}"
    for axes in (left, right):
        axes.grid(axis="y", visible=False)
        axes.margins(x=0.14)
    # Nothing is beyond all or below none; a margin is for the numbers.
    low, high = left.get_xlim()
    left.set_xlim(max(low, -0.03 * factor), min(high, 1.03 * factor))
    right.axvline(0, color=GREY, linewidth=1.2)
    first = shortened(rows[0]["way"], LETTERS)
    left.set_yticks(range(len(rows)), [shortened(row["way"], LETTERS) for row in rows])
    left.set_ylim(len(rows) - 0.4, -0.7)
    left.set(xlabel=f"{label} ({unit})", title=title)
    right.set(xlabel=f"less {first} ({apart_unit})", title="Paired difference")
    signs = (("surely worse", WORSE), ("not sure", UNSURE), ("surely better", BETTER))
    handles = [right.plot([], [], marker, color=colour, label=text)[0] for text, (marker, colour) in signs]
    figure.legend(handles=handles, loc="outside lower right", ncols=3)
    figure.alt = f"{title} {label} ({unit}), with 95 % interval: " + "; ".join(told)
    return figure


@drawn
def refusals(curve: pl.DataFrame, *, allowed: float | None = None) -> Picture:
    """What is refused of the questions without an answer, against what is refused of those with one.

    curve: threshold, recall, false, shipped. allowed: the share of answerable questions that the threshold was set to
    cost, on others.
    """
    if curve.is_empty():
        return nothing("No refusals: there was no question without an answer to refuse.")
    figure, axes = single(7.0, 4.2)
    ordered = curve.sort("false", "recall")
    axes.plot([0, 100], [0, 100], color=GREY, linewidth=1.2, linestyle=":", label="refused by chance")
    axes.step(100 * ordered["false"], 100 * ordered["recall"], where="post", color=BLUE, label="by confidence")
    if allowed is not None:
        text = f"allowed when the threshold was set: {percent(allowed, digits=0)}"
        axes.axvline(100 * allowed, color=ORANGE, linewidth=1.4, linestyle="--", label=text)
    told = "no threshold is marked"
    for row in ordered.filter("shipped").head(1).iter_rows(named=True):
        axes.plot(100 * row["false"], 100 * row["recall"], "D", color=INK, markersize=9, label="shipped threshold")
        told = f"{percent(row['recall'], digits=0)} refused, {percent(row['false'], digits=0)} of answerable ones too"
        # Where there is room: the curve is above and to the left.
        axes.annotate(
            told,
            (100 * row["false"], 100 * row["recall"]),
            xytext=(12, -14),
            textcoords="offset points",
            fontsize=9.5,
            va="top",
        )
    axes.set(xlim=(-2, 102), ylim=(-2, 103))
    axes.set(xlabel="answerable questions refused (%)", ylabel="unanswerable ones refused (%)")
    axes.set_title("When is nothing said?")
    figure.legend(loc="outside lower center", ncols=2)
    figure.alt = f"Refusals over all thresholds; at the shipped one {told}"
    return figure


@drawn
def sliders(ranks: pl.DataFrame, *, aim: float | None = None) -> Picture:
    """How well the text alone shows where each slider stands: rank correlation with its proxy, with interval.

    ranks: slider, rank, low, high. aim: a rank to reach, dashed.
    """
    if ranks.is_empty():
        return nothing("No slider was tried: there were fewer than two answers to word.")
    figure, axes = single(7.8, 0.55 * len(ranks) + 1.3)
    told = []
    for place, row in enumerate(ranks.iter_rows(named=True)):
        value = estimate(row, "rank", "low", "high")
        interval_dot(axes, place, value, colour=BLUE)
        told.append(f"{row['slider']} {number(value.mean, digits=2)}")
    if aim is not None:
        axes.axvline(
            aim, color=ORANGE, linewidth=1.4, linestyle="--", label=f"from {number(aim, digits=1)} on it shows"
        )
        figure.legend(loc="outside lower right")
    axes.axvline(0, color=GREY, linewidth=1.2)
    axes.set_yticks(range(len(ranks)), [shortened(name, LETTERS) for name in ranks["slider"]])
    axes.set_ylim(len(ranks) - 0.4, -0.7)
    axes.grid(axis="y", visible=False)
    axes.set_xlim(min(-0.05, float(ranks["low"].to_numpy().min()) - 0.05), 1.05)
    axes.set(xlabel="rank correlation of slider and text (1: always in order)", title="Does the manner show?")
    figure.alt = "Rank correlation of each slider with its proxy in the text: " + ", ".join(told)
    return figure


@drawn
def gate(formats: pl.DataFrame, *, allowed: Mapping[str, float], served: str) -> Picture:
    """What fewer bits cost in finding and answering, each beside what it may cost at most, and what they save in time.

    formats: format, p50_ms, p95_ms and a column per figure of `allowed`, the first row in 32 bits. allowed: figure →
    how much of it may be lost. served: the format that is used.
    """
    if formats.is_empty():
        return nothing("No gate: this encoder comes in one format only, or no question was held out to judge it by.")
    names = [f"{name} (served)" if name == served else name for name in formats["format"]]
    figure = picture(7.8, 0.55 * len(names) + 1.7)
    panels = figure.subplots(1, len(allowed) + 1, sharey=True)
    told = []
    for axes, (name, most) in zip(panels, allowed.items(), strict=False):
        values = formats[name].to_list()
        limit = values[0] - most
        axes.axvspan(100 * limit, 100 * max(*values, values[0]), color=SKY, alpha=0.25, linewidth=0)
        axes.axvline(100 * limit, color=ORANGE, linewidth=1.4, linestyle="--")
        for place, value in enumerate(values):
            fails = value < limit
            _dot(axes, place, 100 * value, colour=RED if fails else BLUE, marker="X" if fails else "o")
        axes.set(xlabel=f"{name} (%)", title=f"at most −{fixed(100 * most, 1)} points")
        told.append(f"{name} " + " and ".join(percent(value) for value in values))
    for place, row in enumerate(formats.iter_rows(named=True)):
        panels[-1].plot([row["p50_ms"], row["p95_ms"]], [place] * 2, color=SKY, linewidth=7, solid_capstyle="butt")
        _dot(panels[-1], place, row["p50_ms"])
        told.append(f"{row['format']} median {number(row['p50_ms'])} ms")
    panels[-1].set(xlabel="one question (ms)", title="median, to 95 %")
    panels[-1].set_xlim(left=0)
    for axes in panels:
        axes.grid(axis="y", visible=False)
        axes.margins(x=0.25)
        axes.title.set_fontsize(10.5)
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set_ylim(len(names) - 0.4, -0.7)
    figure.alt = f"The encoder in {', '.join(formats['format'])}, served in {served}: " + "; ".join(told)
    return figure


def _dot(axes: Axes, place: int, value: float, *, colour: str = BLUE, marker: str = "o") -> None:
    interval_dot(axes, place, Interval(value, value, value), colour=colour, marker=marker)


def _times(value: Interval, factor: float) -> Interval:
    return Interval(*(float(end) for end in factor * np.array([value.mean, value.low, value.high])))


def _verdict(apart: Interval) -> tuple[str, str]:
    if apart.high < 0:
        return WORSE
    return BETTER if apart.low > 0 else UNSURE


def _told(value: Interval, *, sign: bool = False) -> str:
    return f"{number(value.mean, sign=sign)} ({interval(value.low, value.high, sign=sign)})"
