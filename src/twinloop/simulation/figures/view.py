"""The line at work: a moving picture of a stretch of the event log, with a still of it for print.

Parts move, machines carry the colour and the name of their state, queues show who waits. It is one SVG
that needs no script and asks nobody, and everything in it is taken from the log.
"""

import base64
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from markupsafe import Markup

from twinloop.errors import InputError
from twinloop.files import fingerprint, write_text
from twinloop.simulation.figures.painter import Painter
from twinloop.simulation.model.line import Line

MOST_BYTES = 300_000


@dataclass(frozen=True)
class MovingView:
    """The moving picture as SVG text, a still of one moment of it, and what it shows in words.

    pace: how quickly time passes in it.
    """

    moving: str
    still: str
    alt: str
    css_width: int
    pace: str = "a minute takes a second"

    def save(self, path: str | Path) -> None:
        """Write the moving picture as an SVG file."""
        write_text(Path(path), self.moving)

    def __html__(self) -> str:
        """Both as markup: a switch chooses; print and people who want no motion get the still."""
        name = f"view-{fingerprint(self.moving)[:10]}"
        return str(
            Markup(FACE).format(
                name=name,
                moving=_data_uri(self.moving),
                still=_data_uri(self.still),
                alt=self.alt,
                still_alt=f"A still of: {self.alt}",
                width=self.css_width,
                pace=self.pace,
            )
        )

    def _repr_html_(self) -> str:
        return self.__html__()


FACE = """<figure class="moving-view">
<style>
.moving-view .still, .moving-view input:not(:checked) ~ .play {{ display: none; }}
.moving-view .play, .moving-view input:not(:checked) ~ .still {{ display: block; max-width: 100%; height: auto; }}
@media print, (prefers-reduced-motion: reduce) {{
.moving-view input, .moving-view label, .moving-view .play {{ display: none !important; }}
.moving-view .still {{ display: block !important; max-width: 100%; height: auto; }} }}
</style>
<input type="checkbox" id="{name}" checked><label for="{name}"> in motion: {pace}</label>
<img class="play" src="{moving}" alt="{alt}" width="{width}">
<img class="still" src="{still}" alt="{still_alt}" width="{width}">
</figure>"""


def factory_view(
    line: Line,
    events: pl.DataFrame,
    *,
    horizon: float,
    warmup_min: float = 0.0,
    start: float | None = None,
    minutes: float = 30.0,
) -> MovingView:
    """The stretch of `minutes` from `start` on, or where most happens after the warm-up; a minute takes a second.

    events: the log of `line` as a frame, up to minute `horizon`. A stretch whose picture would be larger than 300 kB
    is halved until it is not. Raises InputError for a stretch that is not within the log.
    """
    length = min(minutes, horizon - (warmup_min if start is None else start))
    if not length > 0 or (start is not None and start < 0):
        raise InputError(
            f"view: start = {start}, minutes = {minutes}: expected a stretch within the log's 0 … {horizon:g} minutes"
        )
    since = _busiest(events, warmup_min, horizon, length) if start is None else start
    while True:
        painter = Painter(line, events, since, since + length, warmup_min)
        moving = painter.svg(None)
        if len(moving.encode()) <= MOST_BYTES or length < 1:
            return MovingView(moving, painter.svg(painter.moment), painter.spoken, painter.css_width)
        length /= 2


def _busiest(events: pl.DataFrame, start: float, horizon: float, length: float) -> float:
    """The first minute of the stretch with the most different things that happen."""
    step = length / 3
    last = max(horizon - length, start)
    shares = (
        events.filter(pl.col("time_min") >= start)
        .select("event", "entity", window=((pl.col("time_min") - start) / step).floor().cast(pl.Int64))
        .unique()
    )
    # Each stretch is three windows long.
    spread = pl.concat([shares.with_columns(pl.col("window") - back) for back in range(3)]).unique()
    counts = (
        spread.filter(pl.col("window") >= 0).group_by("window").len().sort("len", "window", descending=[True, False])
    )
    return min(start + step * counts["window"][0], last) if len(counts) else start


def _data_uri(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
