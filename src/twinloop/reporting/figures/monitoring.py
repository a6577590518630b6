"""A detector as a measuring instrument: whether it repeats itself, and whether later images still look alike."""

from collections.abc import Mapping, Sequence

import numpy as np

from twinloop.numbers import percent
from twinloop.palette import BLUE, GREY, INK, RED, SKY
from twinloop.reporting.figures.data import shortened
from twinloop.reporting.style import Picture, drawn, log_scale, picture, single

GOOD_GAUGE, UNFIT_GAUGE = 0.1, 0.3
LEAST_P = 1e-12
P_TICKS = {1.0: "1", 1e-4: "10⁻⁴", 1e-8: "10⁻⁸", 1e-12: "≤ 10⁻¹²"}


@drawn
def gauge(studies: Mapping[str, tuple[float, float, float]]) -> Picture:
    """Deviation between exposures of the same part as a share of the total, with 95 % intervals.

    studies: name → (% GRR / 100, low, high); under 10 % a gauge is called good, over 30 % unfit.
    """
    figure, axes = single(7.8, 0.4 * max(len(studies), 1) + 1.3)
    for place, (value, low, high) in enumerate(studies.values()):
        axes.plot([100 * low, 100 * high], [place] * 2, color=SKY, linewidth=7, solid_capstyle="butt")
        axes.plot(100 * value, place, "o", color=BLUE, markersize=8)
    for limit, text in ((GOOD_GAUGE, "good"), (UNFIT_GAUGE, "unfit")):
        axes.axvline(100 * limit, color=INK, linewidth=1, linestyle="--", zorder=0)
        label, side = (f"◂ {text}", "right") if limit == GOOD_GAUGE else (f"{text} ▸", "left")
        axes.annotate(
            label, (100 * limit, 1), xycoords=("data", "axes fraction"), ha=side, va="bottom", fontsize=9, color=INK
        )
    axes.set_yticks(range(len(studies)), [shortened(name, 24) for name in studies])
    axes.set_ylim(max(len(studies), 1) - 0.4, -0.6)
    axes.set_xlim(0, 103)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("deviation between photographs of one part (% of all deviation; bar: 95 % interval)")
    axes.set_title("Does it say the same of the same part?", pad=18)
    figure.alt = "Repeatability: " + (
        ", ".join(f"{name} {percent(value[0])}" for name, value in studies.items()) or "no part was photographed twice"
    )
    return figure


@drawn
def unlike(scores: Mapping[str, Sequence[float]], *, limit: float, false_alarms: float) -> Picture:
    """The unlike score of good pictures, first, and of pictures spoilt in several ways; right of the line is refused.

    scores: kind → one per picture. limit: of the score, exceeded by a share `false_alarms` of good pictures.
    """
    figure, axes = single(7.8, 0.3 * max(len(scores), 1) + 1.3)
    spoken = []
    for place, (kind, values) in enumerate(scores.items()):
        known = np.asarray(values, dtype=float)
        axes.plot(known, np.full(len(known), place), "|", color=RED if place else BLUE, markersize=11, alpha=0.5)
        spoken.append(f"{kind} {percent(float(np.mean(known > limit))) if len(known) else 'none'}")
    axes.axvline(limit, color=INK, linewidth=1, linestyle="--")
    log_scale(axes.xaxis)
    axes.set_yticks(range(len(scores)), [shortened(kind, 24) for kind in scores])
    axes.set_ylim(max(len(scores), 1) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(f"unlike score (dashed: limit {limit:.3g}, for {percent(false_alarms)} false alarms)")
    axes.set_title("What the detector refuses to judge")
    figure.alt = "Share refused: " + ", ".join(spoken)
    return figure


@drawn
def drift_windows(p_values: Mapping[str, Sequence[float]], *, level: float) -> Picture:
    """One panel per statistic: the p-value of every window against the reference; below the dashed limit is an alarm.

    p_values: statistic → one value per window, in their order.
    """
    rows = -(-len(p_values) // 2)
    figure = picture(7.8, 1.35 * rows + 0.8)
    grid = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False)
    spoken = []
    for axes, (name, values) in zip(grid.flat, p_values.items(), strict=False):
        shown = np.maximum(np.asarray(values, dtype=float), LEAST_P)
        windows = np.arange(1, len(shown) + 1)
        alarmed = shown <= level
        axes.axhline(level, color=INK, linewidth=1, linestyle="--")
        axes.plot(windows, shown, color=GREY, linewidth=1, zorder=1)
        axes.plot(windows[~alarmed], shown[~alarmed], "o", color=BLUE, markersize=5)
        axes.plot(windows[alarmed], shown[alarmed], "D", color=RED, markersize=6)
        axes.set_title(name, fontsize=10)
        if alarmed.any():
            spoken.append(f"{name} {int(alarmed.sum())} of {len(shown)}")
    for axes in grid.flat[len(p_values) :]:
        axes.set_visible(False)
    log_scale(grid[0, 0].yaxis)
    grid[0, 0].set_ylim(LEAST_P / 5, 5)
    grid[0, 0].set_yticks(list(P_TICKS), list(P_TICKS.values()))
    grid[0, 0].minorticks_off()
    for axes in grid[:, 0]:
        axes.set_ylabel("p-value (log)", fontsize=9)
    for axes in grid[-1]:
        axes.set_xlabel("window (in order)", fontsize=10)
    figure.suptitle(
        "Later windows against the reference: below the dashed line is an alarm", fontsize=11.5, x=0.01, ha="left"
    )
    figure.alt = "Drift of later windows; alarms: " + (", ".join(spoken) or "none")
    return figure
