"""One look for every figure: colour-blind-safe, readable at half size, the same on a page and under MLflow's artifacts.

Colours are those of `palette`. Figures are made without pyplot, so that no global state
is touched and nothing has to be closed; `drawn` applies the style around a figure function only.
"""

import base64
import functools
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, LogLocator

from twinloop.files import atomic
from twinloop.palette import BLUE, GREEN, GREY, GRID, INK, LINE, ORANGE, PAPER, PURPLE, RED, SKY

P = ParamSpec("P")
R = TypeVar("R")

CYCLE = (BLUE, ORANGE, GREEN, RED, SKY, PURPLE, GREY)
PIXELS_PER_INCH = 160
# Photographs are large files, and their pixels are coarse anyway.
PHOTOGRAPH_PIXELS_PER_INCH = 110
CSS_PIXELS_PER_INCH = 96

STYLE: dict[Any, Any] = {
    "axes.prop_cycle": cycler(color=CYCLE),
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.labelsize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "figure.facecolor": PAPER,
    "figure.dpi": PIXELS_PER_INCH,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10.5,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "lines.linewidth": 2.0,
    "text.color": INK,
    # Names come from data: a dollar sign in one is a dollar sign, not mathematics.
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
}


class Picture(Figure):
    """A matplotlib figure that knows what it shows in words; notebooks and pages use them as its alternative text."""

    alt: str = ""
    pixels_per_inch: int = PIXELS_PER_INCH

    @functools.cached_property
    def png(self) -> bytes:
        """The picture as PNG, drawn once: a finished picture does not change any more."""
        stream = io.BytesIO()
        with matplotlib.rc_context(STYLE):
            # The first pass settles the ticks, whose labels the layout must leave room for.
            self.draw_without_rendering()
            self.savefig(stream, format="png", dpi=self.pixels_per_inch)
        return stream.getvalue()

    def save(self, path: str | Path) -> None:
        """Write the PNG atomically."""
        with atomic(path) as temporary:
            temporary.write_bytes(self.png)

    def data_uri(self) -> str:
        """The PNG as an address that needs no request."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()

    @property
    def css_width(self) -> int:
        """Width in CSS pixels at which text has the size of the page's text."""
        return round(self.get_figwidth() * CSS_PIXELS_PER_INCH)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, bytes | str], dict[str, Any]]:
        metadata = {"image/png": {"alt": self.alt, "width": self.css_width}}
        return {"image/png": base64.b64encode(self.png).decode(), "text/plain": self.alt}, metadata


def drawn(function: Callable[P, R]) -> Callable[P, R]:
    """Run a figure function under the house style, leaving matplotlib's settings as they were."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with matplotlib.rc_context(STYLE):
            return function(*args, **kwargs)

    return wrapped


def picture(width: float = 7.6, height: float = 4.0) -> Picture:
    """An empty picture of `width` × `height` inches that makes room for its labels."""
    return Picture(figsize=(width, height), layout="constrained")


def single(width: float = 7.6, height: float = 4.0) -> tuple[Picture, Axes]:
    """A picture with one pair of axes."""
    figure = picture(width, height)
    return figure, figure.add_subplot()


def log_scale(axis: Axis) -> None:
    """Give an axis a logarithmic scale with its numbers written out.

    Matplotlib would write powers in the markup that is switched off for the sake of names from data.
    """
    if isinstance(axis, XAxis):
        axis.axes.set_xscale("log")
    else:
        axis.axes.set_yscale("log")
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    # Where hardly a factor of three is shown, every tick has its number.
    axis.set_minor_formatter(LogFormatter(minor_thresholds=(0.5, 0.5)))


@drawn
def nothing(reason: str) -> Picture:
    """A picture of one sentence: why there is nothing to draw."""
    figure = picture(7.8, 0.9)
    figure.text(0.02, 0.5, reason, va="center", fontsize=11, color=GREY)
    figure.alt = reason
    return figure
