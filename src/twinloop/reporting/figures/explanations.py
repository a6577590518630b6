"""Where the detector looks, by every method, and what each is worth beside a map that knows nothing."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from numpy.typing import NDArray

from twinloop.numbers import number
from twinloop.palette import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED
from twinloop.reporting.figures.data import bare, outline, shortened, show_image
from twinloop.reporting.style import PHOTOGRAPH_PIXELS_PER_INCH, Picture, drawn, picture

# The blob and the random map are grey and black: what beats nothing stands out by its colour.
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, RED)
BASELINE_LOOKS = ((INK, "--"), (GREY, ":"))
PANELS = {
    "pointing": ("hottest pixel on the defect (% of images)", 100, "further right is better"),
    "energy": ("heat on the defect (%)", 100, "further right is better"),
    "deletion": ("area under the deletion curve (0 … 1)", 1, "further left is better"),
    "insertion": ("area under the insertion curve (0 … 1)", 1, "further right is better"),
}


@drawn
def side_by_side(
    images: NDArray[np.uint8],
    masks: NDArray[np.uint8],
    maps: Mapping[str, NDArray[np.floating]],
    *,
    titles: Sequence[str],
) -> Picture:
    """One row per image: the image with its true defect outlined, then every method's map over it.

    images: [N, H, W, C]; masks: [N, H, W] in {0, 1}; maps: title → [N, H, W], each shown relative to its image's peak.
    titles: "class: what the detector said".
    """
    across = 1 + len(maps)
    figure = picture(min(1.75 * across + 0.6, 7.8), 1.62 * max(len(images), 1) + 0.7)
    figure.pixels_per_inch = PHOTOGRAPH_PIXELS_PER_INCH
    grid = figure.subplots(max(len(images), 1), across, squeeze=False)
    shown = None
    for row, image in enumerate(images):
        for axes in grid[row]:
            bare(axes)
            show_image(axes, image)
        outline(grid[row, 0], masks[row])
        name, _, said = titles[row].partition(": ")
        grid[row, 0].set_ylabel(f"{shortened(name, 22)}\n{said}", fontsize=9)
        for axes, found in zip(grid[row, 1:], maps.values(), strict=True):
            heat = found[row] / max(float(found[row].max()), 1e-12)
            shown = axes.imshow(heat, cmap="inferno", vmin=0, vmax=1, alpha=0.72)
    for axes, title in zip(grid[0], ("true defect", *maps), strict=True):
        axes.set_title(title, fontsize=10.5, fontweight="normal", pad=4)
    if shown is not None:
        bar = figure.colorbar(shown, ax=list(grid.flat), location="bottom", fraction=0.03, pad=0.02, shrink=0.6)
        bar.set_label("map relative to its peak (0 … 1)", fontsize=9.5)
        bar.outline.set_visible(False)
        if bar.solids is not None:
            bar.solids.set_alpha(1)
    figure.alt = f"{len(images)} defective test images, each with the maps of {', '.join(maps)}"
    return figure


@drawn
def explanation_scores(scores: pl.DataFrame, *, names: Mapping[str, str], baselines: Sequence[str]) -> Picture:
    """Every score of every map with its 95 % interval; methods that do not beat the first baseline are hollow.

    scores: rows of method, measure, baseline, value, low, high, difference_low. names: method → its title, in order.
    """
    measures = [measure for measure in PANELS if measure in scores["measure"].to_list()]
    figure = picture(7.8, (0.36 * len(names) + 1.15) * -(-len(measures) // 2) + 0.2)
    grid = figure.subplots(-(-len(measures) // 2), 2, sharey=True, squeeze=False)
    rows = scores.filter(pl.col("baseline") == baselines[0])
    spoken = []
    for axes, measure in zip(grid.flat, measures, strict=False):
        label, factor, better = PANELS[measure]
        own = {row["method"]: row for row in rows.filter(pl.col("measure") == measure).iter_rows(named=True)}
        for place, name in enumerate(names):
            row, (colour, _) = own[name], _look(name, names, baselines)
            failed = name not in baselines and row["difference_low"] <= 0
            axes.plot([factor * row["low"], factor * row["high"]], [place] * 2, color=colour, linewidth=2.4)
            face = "white" if failed else colour
            axes.plot(
                factor * row["value"], place, "o", color=colour, markersize=8, markerfacecolor=face, markeredgewidth=2
            )
            spoken.append(f"{names[name]} {measure} {number(row['value'])}{' (no better)' if failed else ''}")
        axes.axvline(factor * own[baselines[0]]["value"], color=INK, linewidth=1, linestyle="--", zorder=0)
        axes.set_yticks(range(len(names)), [shortened(title, 22) for title in names.values()])
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(label, fontsize=10)
        axes.set_title(f"{measure}: {better}", fontsize=10.5)
    figure.alt = "Scores of explanations: " + ", ".join(spoken)
    return figure


@drawn
def perturbation_curves(curves: pl.DataFrame, *, names: Mapping[str, str], baselines: Sequence[str]) -> Picture:
    """The defect probability while pixels are deleted from, and inserted into, an image in the order of each map.

    curves: rows of method, curve, fraction, score, low, high. names: method → its title, in order.
    """
    figure = picture(7.8, 3.9)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, curve, better in zip(panels, ("deletion", "insertion"), ("low", "high"), strict=True):
        for name, title in names.items():
            rows = curves.filter((pl.col("method") == name) & (pl.col("curve") == curve))
            colour, line = _look(name, names, baselines)
            share = 100 * rows["fraction"].to_numpy()
            axes.plot(share, rows["score"].to_numpy(), color=colour, linestyle=line, label=title)
            axes.fill_between(
                share, rows["low"].to_numpy(), rows["high"].to_numpy(), color=colour, alpha=0.12, linewidth=0
            )
        axes.set(title=f"{curve.capitalize()}: the area should be {better}", ylim=(-0.03, 1.03))
        axes.title.set_fontsize(10.5)
        axes.set_xlabel(f"pixels {'deleted' if curve == 'deletion' else 'inserted'}, most important first (%)")
        _square_root(axes)
    panels[0].set_ylabel("defect probability (mean, 0 … 1)")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    figure.alt = f"Deletion and insertion curves of {', '.join(names.values())}"
    return figure


def _square_root(axes: Axes) -> None:
    # Defects cover a few per cent: the first pixels tell most.
    axes.set_xscale("function", functions=(lambda x: np.sqrt(np.clip(x, 0, None)), np.square))
    axes.set_xticks([0, 1, 5, 10, 25, 50, 100])
    axes.set_xlim(0, 100)


def _look(name: str, names: Mapping[str, str], baselines: Sequence[str]) -> tuple[str, str]:
    if name in baselines:
        return BASELINE_LOOKS[list(baselines).index(name)]
    methods = [method for method in names if method not in baselines]
    return COLOURS[methods.index(name) % len(COLOURS)], "-"
