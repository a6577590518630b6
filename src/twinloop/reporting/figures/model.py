"""What the deployed detector gets wrong on the line, per class and place, and how long it takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from twinloop.contracts import OperatingCurve
from twinloop.numbers import Interval, number, percent
from twinloop.palette import BLUE, GREY, INK, ORANGE, PAPER, PURPLE, RED, SKY
from twinloop.replication.statistics import wilson
from twinloop.reporting.figures.data import bare, outline, shortened, show_image
from twinloop.reporting.style import PHOTOGRAPH_PIXELS_PER_INCH, Picture, drawn, picture, single

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """Where a line is run: the point's name, and its escapes and false rejects as shares with their intervals."""

    name: str
    escapes: Interval
    false_rejects: Interval


@drawn
def operating_curve(curve: OperatingCurve, points: Sequence[Point], *, confidence: float = 0.95) -> Picture:
    """Escapes against false rejects over all thresholds, with operating points and their intervals.

    A point of two thresholds may lie off the curve: parts between them are looked at again.
    """
    figure, axes = single(7.8, 4.6)
    mix = curve.prevalence[1:] / max(float(curve.prevalence[1:].sum()), 1e-12)
    escapes = 100 * np.einsum("c,dct->dt", mix, curve.below[:, 1:])
    rejects = 100 * (1 - curve.below[:, 0])
    if curve.draws:
        grid = 100 * np.linspace(0, 1, 401) ** 3  # dense where a line can be run
        along = [np.interp(grid, r[::-1], e[::-1]) for r, e in zip(rejects[1:], escapes[1:], strict=True)]
        low, high = np.quantile(along, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
        axes.fill_between(grid, low, high, color=SKY, alpha=0.3, linewidth=0, label=f"{100 * confidence:.0f} % band")
    axes.plot(rejects[0], escapes[0], color=BLUE, label="every threshold, one look")
    spoken, right, top = [], 2.0, 4.0
    for point, colour, marker in zip(points, (ORANGE, RED, PURPLE), "sod", strict=False):
        x, y = point.false_rejects, point.escapes
        label = f"{point.name}: {percent(y.mean)} escape, {percent(x.mean)} false rejects"
        axes.errorbar(
            [100 * x.mean],
            [100 * y.mean],
            xerr=_whiskers(x),
            yerr=_whiskers(y),
            color=colour,
            marker=marker,
            markersize=8,
            capsize=3,
            linewidth=1.4,
            linestyle="none",
            label=label,
            zorder=4,
        )
        spoken.append(label)
        right, top = max(right, 100 * x.high), max(top, 100 * y.high)
    axes.set_xlim(-0.03 * right, min(2 * right, 102))
    axes.set_ylim(-0.03 * top, min(1.6 * top, 103))
    axes.set(
        xlabel="good parts rejected (%)", ylabel="defective parts passed (%)", title="Escapes against false rejects"
    )
    figure.legend(loc="outside lower center", ncols=1)
    figure.alt = "Operating curve; " + "; ".join(spoken)
    return figure


def _whiskers(share: Interval) -> list[list[float]]:
    return [[100 * max(share.mean - share.low, 0)], [100 * max(share.high - share.mean, 0)]]


@drawn
def confusion(
    true: Sequence[str],
    decided: Sequence[str],
    *,
    classes: Sequence[str],
    kind: str = "class",
    decider: str = "the detector",
    things: str = "images",
) -> Picture:
    """Which class is taken for which: counts, shaded by the share of the true class.

    kind, decider, things: what the classes are called, who says them, and of what.
    """
    place = {name: index for index, name in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, ([place[name] for name in true], [place[name] for name in decided]), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = single(6.2, 0.5 * len(classes) + 2.2)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = PAPER if shares[row, column] > 0.55 else INK
            axes.text(column, row, str(count), ha="center", va="center", color=colour)
    names = [shortened(name, 16) for name in classes]
    axes.set_xticks(range(len(classes)), names, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), names)
    axes.grid(visible=False)
    axes.set(
        xlabel=f"{kind} {decider} says", ylabel=f"true {kind}", title=f"Which {kind} is taken for which ({things})"
    )
    right = int(np.trace(counts))
    figure.alt = f"Confusion by {kind}: {right} of {int(counts.sum())} test {things} get their true {kind}"
    return figure


@drawn
def gallery(
    images: NDArray[np.uint8],
    masks: NDArray[np.uint8],
    heat: Values,
    *,
    titles: Sequence[str],
    label: str,
    columns: int = 3,
) -> Picture:
    """Examples, each as a pair: the image with its true defect outlined, and the model's map over it.

    images: [N, H, W, C]; masks: [N, H, W] in {0, 1}; heat: [N, h, w] in [0, 1]; label names what the map shows.
    """
    rows = max(-(-len(images) // columns), 1)
    figure = picture(7.8, 1.5 * rows + 0.75)
    figure.pixels_per_inch = PHOTOGRAPH_PIXELS_PER_INCH
    grid = figure.subplots(rows, 2 * columns, squeeze=False)
    shown = None
    for place in range(rows * columns):
        row, column = divmod(place, columns)
        left, right = grid[row, 2 * column], grid[row, 2 * column + 1]
        if place >= len(images):
            left.set_visible(False)
            right.set_visible(False)
            continue
        height, width = images.shape[1:3]
        for axes in (left, right):
            bare(axes)
            show_image(axes, images[place])
        outline(left, masks[place])
        shown = right.imshow(
            heat[place], cmap="inferno", vmin=0, vmax=1, alpha=0.72, extent=(-0.5, width - 0.5, height - 0.5, -0.5)
        )
        left.set_title(shortened(titles[place], 34), fontsize=8.5, fontweight="normal", pad=3)
    if shown is not None:
        colours = figure.colorbar(
            shown, ax=list(grid.flat), location="bottom", fraction=0.04, pad=0.02, aspect=45, shrink=0.6
        )
        colours.set_label(label, fontsize=9.5)
        colours.outline.set_visible(False)
        if colours.solids is not None:
            colours.solids.set_alpha(1)
    figure.alt = f"{len(images)} examples: image with the true defect outlined, and beside it {label}"
    return figure


@drawn
def latency(samples: Mapping[str, Mapping[str, float]]) -> Picture:
    """Time per image of every format: median as a dot, the bar to the 95th percentile, the 99th as a tick.

    samples: format → p50_ms, p95_ms, p99_ms.
    """
    figure, axes = single(7.8, 0.62 * len(samples) + 1.3)
    spoken = []
    for place, (name, found) in enumerate(samples.items()):
        axes.plot([found["p50_ms"], found["p95_ms"]], [place] * 2, color=SKY, linewidth=9, solid_capstyle="butt")
        axes.plot(found["p50_ms"], place, "o", color=BLUE, markersize=9)
        axes.plot(found["p99_ms"], place, "|", color=RED, markersize=15, markeredgewidth=2)
        text = f"median {number(found['p50_ms'])} ms, 95 % within {number(found['p95_ms'])} ms"
        axes.annotate(text, (found["p50_ms"], place), xytext=(0, 11), textcoords="offset points", fontsize=9)
        spoken.append(f"{name} {text}")
    axes.set_yticks(range(len(samples)), list(samples))
    axes.set_ylim(len(samples) - 0.5, -0.75)
    axes.margins(x=0.3)
    axes.set_xlim(left=0)
    axes.grid(axis="y", visible=False)
    axes.set(xlabel="time for one image (ms; dot: median, bar: to 95 %, tick: 99 %)", title="Latency of one image")
    figure.alt = "Latency: " + "; ".join(spoken)
    return figure


@drawn
def recalls(rates: Mapping[str, tuple[int, int]]) -> Picture:
    """Share of each class that is decided rightly, with its 95 % Wilson interval; rates: class → (right, all)."""
    figure, axes = single(7.8, 0.42 * len(rates) + 1.3)
    for place, (_, (right, total)) in enumerate(rates.items()):
        _proportion(axes, place, right, total)
    axes.set_yticks(range(len(rates)), [shortened(name, 24) for name in rates])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(right=104)
    axes.set(xlabel="decided rightly (% of the class; bar: 95 % interval)", title="Right at the first look, per class")
    figure.alt = "Right decisions per class: " + ", ".join(
        f"{name} {right} of {total}" for name, (right, total) in rates.items()
    )
    return figure


def _proportion(axes: Axes, place: int, right: int, total: int) -> None:
    share = wilson(right, total) if total else Interval(0.0, 0.0, 1.0)
    axes.plot([100 * share.low, 100 * share.high], [place] * 2, color=GREY, linewidth=2)
    axes.plot(100 * share.mean, place, "o", color=BLUE, markersize=8)
    axes.annotate(
        f"{right}/{total}",
        (100 * share.mean, place),
        xytext=(0, 8),
        textcoords="offset points",
        ha="center",
        fontsize=9,
    )
