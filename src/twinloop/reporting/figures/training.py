"""How the model came about: epochs of the training, trials of the search."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from twinloop.palette import BLUE, GREEN, GREY, ORANGE, RED, SKY
from twinloop.reporting.figures.data import shortened
from twinloop.reporting.style import Picture, drawn, picture, single

Values = NDArray[np.float64]


@drawn
def learning_curves(
    epochs: Sequence[int], losses: Mapping[str, Sequence[float]], scores: Mapping[str, Sequence[float]], *, kept: int
) -> Picture:
    """Losses and validation figures per epoch; `kept` is the epoch whose weights are used (number as in `epochs`)."""
    figure = picture(7.8, 3.6)
    left, right = figure.subplots(1, 2)
    for axes, series, label in ((left, losses, "loss"), (right, scores, "score (0 … 1)")):
        for (name, values), colour in zip(series.items(), (BLUE, ORANGE, GREEN, RED, SKY), strict=False):
            axes.plot(epochs, values, color=colour, label=name, marker="o" if len(epochs) < 12 else "", markersize=4)
        axes.axvline(kept, color=GREY, linestyle="--", linewidth=1.2)
        axes.set(xlabel="epoch", ylabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if series:
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    left.set_title("Loss" if losses else "Fitted in one pass, without a loss")
    right.set_title("Validation")
    left.set_ylim(bottom=0)
    last = {name: round(float(values[-1]), 3) for name, values in {**losses, **scores}.items() if len(values)}
    figure.alt = f"Learning curves over {len(epochs)} epochs; weights of epoch {kept} are kept; last values {last}"
    return figure


@drawn
def tuning_history(values: Sequence[float | None], *, score: str) -> Picture:
    """Every trial's result in order and the best so far as a line; a trial without a value was stopped early."""
    if not values:
        return _nothing("No trials: the configured settings were used.")
    figure, axes = single(7.8, 3.6)
    numbers = np.arange(1, len(values) + 1)
    shown = np.array([np.nan if value is None else value for value in values], dtype=float)
    finished = np.isfinite(shown)
    axes.scatter(numbers[finished], shown[finished], color=BLUE, s=34, label="finished", zorder=3)
    best = np.fmax.accumulate(shown)
    axes.step(numbers, best, where="post", color=ORANGE, label="best so far")
    if not finished.all():
        low, high = np.nanmin(shown, initial=1.0), np.nanmax(shown, initial=0.0)
        floor = low - 0.12 * max(high - low, 0.01)
        label = f"stopped early ({int((~finished).sum())}; their height means nothing)"
        axes.scatter(numbers[~finished], np.full((~finished).sum(), floor), color=GREY, marker="x", s=34, label=label)
    axes.set(xlabel="trial", ylabel=f"{score} on validation (0 … 1)", title="Every trial's result")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside lower center", ncols=3)
    top = f"{np.nanmax(shown):.3f}" if finished.any() else "none"
    figure.alt = f"{len(values)} trials, {int(finished.sum())} finished, best {score} {top}"
    return figure


@drawn
def pareto_front(
    latencies_ms: Sequence[float], scores: Sequence[float], *, front: Sequence[bool], chosen: int | None, score: str
) -> Picture:
    """Every trial's score against the time of one image; what another trial beats in both is grey.

    front: which trials no other beats; chosen: the place of the one that is used.
    """
    if not latencies_ms:
        return _nothing("One objective only: latency is none of the study's, so it was not measured.")
    figure, axes = single(7.8, 4.0)
    places = sorted((place for place, undominated in enumerate(front) if undominated), key=lambda p: latencies_ms[p])
    beaten = [place for place, undominated in enumerate(front) if not undominated]
    along, up = [latencies_ms[place] for place in places], [scores[place] for place in places]
    axes.scatter([latencies_ms[p] for p in beaten], [scores[p] for p in beaten], color=GREY, s=30, label="beaten")
    axes.step(along, up, where="post", color=SKY, zorder=2)
    axes.scatter(along, up, color=BLUE, s=46, zorder=3, label="front: better in one only at a price in the other")
    if chosen is not None:
        text = f"used: {score} {scores[chosen]:.3f} at {latencies_ms[chosen]:.2g} ms"
        axes.plot(
            latencies_ms[chosen], scores[chosen], "o", markersize=14, fillstyle="none", color=RED, mew=2.2, label=text
        )
    axes.set_xlim(left=0)
    axes.margins(x=0.08, y=0.12)
    axes.set(
        xlabel="time for one image (ms, ONNX Runtime, FP32, one thread)",
        ylabel=f"{score} on validation (0 … 1)",
        title="What accuracy costs in time",
    )
    figure.legend(loc="outside lower center", ncols=1)
    used = f"; {text}" if chosen is not None else ""
    figure.alt = f"{len(scores)} trials, {len(places)} on the Pareto front of {score} against latency{used}"
    return figure


@drawn
def importances(shares: Mapping[str, float]) -> Picture:
    """How much of the trials' differences each setting explains; shares sum to 1."""
    if not shares:
        return _nothing("Nothing to compare: too few trials finished.")
    ordered = sorted(shares.items(), key=lambda item: item[1])
    figure, axes = single(7.8, 0.4 * len(ordered) + 1.2)
    axes.barh(
        [shortened(name, 30) for name, _ in ordered], [100 * share for _, share in ordered], color=BLUE, height=0.62
    )
    for place, (_, share) in enumerate(ordered):
        axes.annotate(
            f"{100 * share:.0f}", (100 * share, place), xytext=(4, 0), textcoords="offset points", va="center"
        )
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.1)
    axes.set(xlabel="share of the differences explained (%)", title="Which settings mattered")
    figure.alt = "Importance of settings: " + ", ".join(
        f"{name} {100 * share:.0f} %" for name, share in reversed(ordered)
    )
    return figure


@drawn
def parallel(params: Mapping[str, Sequence[float | str | bool]], scores: Sequence[float], *, score: str) -> Picture:
    """Every finished trial as a line through its settings' values, the better the darker.

    Numbers run from each setting's lowest to its highest value tried, other values are spread in order of their names.
    """
    if len(scores) < 2 or not params:
        return _nothing("Nothing to compare: too few trials finished.")
    names = list(params)
    figure, axes = single(7.8, 4.2)
    places = np.array([_placed(params[name]) for name in names]).T
    order = np.argsort(scores, kind="stable")
    for rank, trial in enumerate(order):
        best = rank == len(order) - 1
        axes.plot(
            range(len(names)),
            places[trial],
            color=RED if best else BLUE,
            alpha=1.0 if best else 0.12 + 0.6 * rank / (len(order) - 1),
            linewidth=2.6 if best else 1.6,
            label=f"best: {score} {scores[trial]:.3f}" if best else None,
            zorder=3 if best else 2,
        )
    for place, name in enumerate(names):
        axes.axvline(place, color=GREY, linewidth=0.8, zorder=1)
        for position, text in _marks(params[name]):
            axes.annotate(
                shortened(text, 14),
                (place, position),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                fontsize=8.5,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8},
                zorder=4,
            )
    axes.set_xticks(range(len(names)), [shortened(name, 20).replace(".", ".\n", 1) for name in names])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.set_xlim(-0.1, len(names) - 0.55)
    axes.set_ylim(-0.08, 1.08)
    axes.set(xlabel="setting", ylabel="value tried (lowest … highest)", title="Trials through the search space")
    figure.legend(loc="outside lower center")
    figure.alt = f"{len(scores)} trials as lines through {', '.join(names)}; best {score} {max(scores):.3f}"
    return figure


def _nothing(reason: str) -> Picture:
    figure = picture(7.8, 0.9)
    figure.text(0.02, 0.5, reason, va="center", fontsize=11, color=GREY)
    figure.alt = reason
    return figure


def _placed(values: Sequence[float | str | bool]) -> Values:
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        numbers = np.array(values, dtype=float)
        if numbers.min() > 0 and numbers.max() / numbers.min() > 20:
            numbers = np.log(numbers)
        span = np.ptp(numbers)
        return (numbers - numbers.min()) / span if span else np.full(len(numbers), 0.5)
    known = sorted({str(value) for value in values})
    return np.array([known.index(str(value)) / max(len(known) - 1, 1) if len(known) > 1 else 0.5 for value in values])


def _marks(values: Sequence[float | str | bool]) -> list[tuple[float, str]]:
    placed = _placed(values)
    texts = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in values]
    found = dict(sorted(zip(placed.tolist(), texts, strict=True)))
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        found = {place: text for place, text in found.items() if place in (min(found), max(found))}
    return list(found.items())
