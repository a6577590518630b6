"""Values with their intervals, one under the other: as dots, and as bars where they are differences from zero."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from twinloop.numbers import Interval, number
from twinloop.palette import GREY
from twinloop.reporting.figures.data import shortened


def interval_dot(
    axes: Axes, place: int, value: Interval, *, colour: str, marker: str = "o", sign: bool = False
) -> None:
    """A value on its interval, with its number above."""
    axes.plot([value.low, value.high], [place] * 2, color=colour, linewidth=2.2)
    axes.plot(value.mean, place, marker, color=colour, markersize=7)
    axes.annotate(
        number(value.mean, sign=sign),
        (value.mean, place),
        xytext=(0, 6),
        textcoords="offset points",
        ha="center",
        fontsize=9,
    )


def interval_bars(axes: Axes, found: Mapping[str, Interval], *, colours: Sequence[str], letters: int) -> None:
    """A bar with its interval and its value for each name, the first on top; names are cut to so many letters."""
    for place, (value, colour) in enumerate(zip(found.values(), colours, strict=True)):
        axes.barh(place, value.mean, color=colour, alpha=0.35, height=0.6)
        axes.plot([value.low, value.high], [place] * 2, color=colour, linewidth=2.2)
        axes.plot(value.mean, place, "o", color=colour, markersize=6)
        axes.annotate(
            number(value.mean, digits=2, sign=True),
            (max(value.high, value.mean, 0), place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9.5,
        )
    axes.axvline(0, color=GREY, linewidth=1.2)
    axes.set_yticks(range(len(found)), [shortened(name, letters) for name in found])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
