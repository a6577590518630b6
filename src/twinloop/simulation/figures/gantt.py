"""What every machine does over a while, as a chart that can be zoomed (plotly, imported when it is drawn)."""

import html
from collections.abc import Sequence
from typing import Any

import polars as pl

from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.simulation.events.intervals import state_intervals
from twinloop.simulation.figures.states import STATE_COLOURS, STATE_MEANINGS, in_order


def state_gantt(
    events: pl.DataFrame, *, machines: Sequence[str], start: float, end: float, horizon: float, title: str
) -> Any:
    """A plotly figure of the states between the minutes `start` and `end`; each bar names its times and parts.

    events: the log as a frame, up to minute `horizon`. machines: from top to bottom. Hours count from `start`.
    """
    import plotly.graph_objects as go

    stays = within(state_intervals(events, horizon=horizon), start=start, end=end)
    figure = go.Figure()
    for state in in_order(set(stays["state"])):
        chosen = stays.filter(pl.col("state") == state)
        figure.add_bar(
            orientation="h",
            name=f"{state}: {STATE_MEANINGS[state]}",
            y=[html.escape(name) for name in chosen["entity"]],
            x=((chosen["end_min"] - chosen["start_min"]) / MINUTES_PER_HOUR).to_list(),
            base=((chosen["start_min"] - start) / MINUTES_PER_HOUR).to_list(),
            marker={"color": STATE_COLOURS[state], "line": {"width": 0}},
            customdata=[
                [row["end_min"] / MINUTES_PER_HOUR - start / MINUTES_PER_HOUR, row["minutes"], _parts(row)]
                for row in chosen.with_columns(minutes=pl.col("end_min") - pl.col("start_min")).iter_rows(named=True)
            ],
            hovertemplate="%{y}: " + state + "<br>%{base:.2f} … %{customdata[0]:.2f} h (%{customdata[1]:.1f} min)"
            "<br>%{customdata[2]}<extra></extra>",
        )
    figure.update_layout(
        barmode="overlay",
        bargap=0.25,
        template="plotly_white",
        title=f"{html.escape(title)}: zoom by dragging, double-click to return",
        xaxis={"title": "planned production time (hours)", "range": [0, (end - start) / MINUTES_PER_HOUR]},
        yaxis={"categoryorder": "array", "categoryarray": [html.escape(name) for name in reversed(machines)]},
        legend={"orientation": "h", "yanchor": "top", "y": -0.22, "xanchor": "left", "x": 0},
        height=230 + 36 * len(machines),
        margin={"l": 20, "r": 20, "t": 60, "b": 20},
    )
    return figure


def within(stays: pl.DataFrame, *, start: float, end: float) -> pl.DataFrame:
    """The stays between two minutes, cut at both."""
    return stays.with_columns(
        pl.col("start_min").clip(lower_bound=start), pl.col("end_min").clip(upper_bound=end)
    ).filter(pl.col("end_min") > pl.col("start_min"))


def _parts(row: dict[str, Any]) -> str:
    if row["first_part"] is None:
        return "no part"
    if row["first_part"] == row["last_part"]:
        return f"part {row['first_part']}"
    return f"{row['parts']} parts, {row['first_part']} … {row['last_part']}"
