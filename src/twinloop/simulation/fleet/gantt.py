"""When which vehicle stands, as a chart that can be zoomed (plotly, imported when it is drawn)."""

import html
from collections.abc import Sequence
from typing import Any

import polars as pl

from twinloop.palette import RED, YELLOW
from twinloop.simulation.fleet.duty import MINUTES_PER_DAY

# What a vehicle does while it does not drive → colour; the names are in the legend.
FAILED, WAITS, SERVED = "failed: towed, or waits for a bay", "planned: waits for a bay", "in a bay"
COLOURS = {FAILED: RED, WAITS: YELLOW, SERVED: "#0B3C6F"}


def stays_gantt(stays: pl.DataFrame, *, vehicles: Sequence[str], days: int, title: str) -> Any:
    """A plotly figure of the stays of a workshop table over `days` days; bars name the components.

    vehicles: from top to bottom. What has not begun by the end lasts until it.
    """
    import plotly.graph_objects as go

    spans: dict[str, list[tuple[str, float, float, str]]] = {name: [] for name in COLOURS}
    for row in stays.iter_rows(named=True):
        start = row["start_min"] / MINUTES_PER_DAY if row["start_min"] is not None else float(days)
        done = row["done_min"] / MINUTES_PER_DAY if row["done_min"] is not None else float(days)
        off, parts = row["off_min"] / MINUTES_PER_DAY, ", ".join(row["components"])
        spans[FAILED if row["roadside"] else WAITS].append((row["asset"], off, min(start, days), parts))
        if start < days:
            spans[SERVED].append((row["asset"], start, min(done, days), parts))
    figure = go.Figure()
    for name, bars in spans.items():
        figure.add_bar(
            orientation="h",
            name=name,
            y=[html.escape(vehicle) for vehicle, *_ in bars],
            x=[end - begin for _, begin, end, _ in bars],
            base=[begin for _, begin, _, _ in bars],
            marker={"color": COLOURS[name], "line": {"width": 0}},
            customdata=[[html.escape(parts), 24 * (end - begin)] for _, begin, end, parts in bars],
            hovertemplate="%{y}: %{customdata[0]}<br>" + name + "<br>from day %{base:.2f} on, %{customdata[1]:.1f} h"
            "<extra></extra>",
        )
    figure.update_layout(
        barmode="overlay",
        bargap=0.25,
        template="plotly_white",
        title=f"{html.escape(title)}: zoom by dragging, double-click to return",
        xaxis={"title": "day", "range": [0, days]},
        yaxis={"categoryorder": "array", "categoryarray": [html.escape(name) for name in reversed(vehicles)]},
        legend={"orientation": "h", "yanchor": "top", "y": -0.22, "xanchor": "left", "x": 0},
        height=230 + 24 * len(vehicles),
        margin={"l": 20, "r": 20, "t": 60, "b": 20},
    )
    return figure
