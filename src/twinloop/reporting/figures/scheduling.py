"""Plans and what becomes of them: Gantt charts, planned against executed, methods side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.patches import Patch
from numpy.typing import NDArray

from twinloop.contracts import Plan
from twinloop.files import write_text
from twinloop.numbers import Estimate, number
from twinloop.reporting.figures.data import shortened
from twinloop.reporting.style import BLUE, GREEN, GREY, ORANGE, PAPER, PURPLE, RED, SKY, YELLOW, Picture, drawn, single

Values = NDArray[np.float64]
MINUTES_PER_HOUR = 60
# Red means late.
PRODUCTS = (BLUE, YELLOW, GREEN, PURPLE, SKY, ORANGE)


@drawn
def gantt(plan: Plan, *, machines: Sequence[str], groups: Mapping[str, str], late: Sequence[str] = ()) -> Picture:
    """Which machine works on which order, when (plan in minutes, shown in hours).

    groups: order → product, which gives the colour; orders in `late` are framed in red.
    """
    figure, axes = single(7.8, 0.52 * len(machines) + 1.8)
    colours = {kind: PRODUCTS[place % len(PRODUCTS)] for place, kind in enumerate(sorted(set(groups.values())))}
    lane, behind = {name: place for place, name in enumerate(machines)}, set(late)
    for a in plan:
        axes.barh(
            lane[a.machine],
            (a.end - a.start) / MINUTES_PER_HOUR,
            left=a.start / MINUTES_PER_HOUR,
            height=0.72,
            color=colours.get(groups.get(a.job, ""), GREY),
            edgecolor=RED if a.job in behind else PAPER,
            linewidth=1.8 if a.job in behind else 0.6,
            zorder=3 if a.job in behind else 2,
        )
    axes.set_yticks(range(len(machines)), [shortened(name, 20) for name in machines])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, max(plan.makespan, 1) * 1.01 / MINUTES_PER_HOUR)
    axes.set(xlabel="time (hours)", title="The plan")
    handles = [Patch(color=colour, label=shortened(kind, 24)) for kind, colour in colours.items() if kind]
    if late:
        handles.append(Patch(facecolor="white", edgecolor=RED, linewidth=1.8, label="order ends late"))
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 6))
    figure.alt = (
        f"Gantt chart: {len(plan)} steps on {len(machines)} machines in {plan.makespan / MINUTES_PER_HOUR:.1f} hours; "
        f"orders that end late: {len(late)}"
    )
    return figure


def gantt_interactive(
    plan: Plan, *, machines: Sequence[str], groups: Mapping[str, str], due: Mapping[str, int | None]
) -> Any:
    """The same chart as a plotly figure that can be zoomed, with order, product, times and due date on each bar."""
    import html

    import plotly.graph_objects as go

    figure = go.Figure()
    hours = {job: "–" if when is None else f"{when / MINUTES_PER_HOUR:.1f}" for job, when in due.items()}
    for place, kind in enumerate(sorted(set(groups.values()))):
        chosen = [a for a in plan if groups.get(a.job) == kind]
        figure.add_bar(
            orientation="h",
            name=html.escape(kind),
            y=[html.escape(a.machine) for a in chosen],
            x=[(a.end - a.start) / MINUTES_PER_HOUR for a in chosen],
            base=[a.start / MINUTES_PER_HOUR for a in chosen],
            marker={"color": PRODUCTS[place % len(PRODUCTS)], "line": {"color": "white", "width": 1}},
            customdata=[[html.escape(a.job), a.operation + 1, a.end / MINUTES_PER_HOUR, hours[a.job]] for a in chosen],
            hovertemplate="order %{customdata[0]}, step %{customdata[1]}<br>%{base:.1f} … %{customdata[2]:.1f} h"
            "<br>due %{customdata[3]} h<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(
        barmode="overlay",
        template="plotly_white",
        title="The plan: zoom by dragging, double-click to return",
        xaxis_title="time (hours)",
        yaxis={"categoryorder": "array", "categoryarray": [html.escape(m) for m in reversed(machines)]},
        legend_title="product",
        height=160 + 60 * len(machines),
    )
    return figure


def write_interactive(figure: Any, path: Path) -> None:
    """Write a plotly figure as one page that carries plotly.js with it and asks nobody."""
    write_text(
        path, figure.to_html(include_plotlyjs=True, full_html=True, config={"displaylogo": False}, div_id="gantt")
    )


@drawn
def planned_against_executed(
    executed: Mapping[str, Values], planned: Mapping[str, float], *, label: str, title: str
) -> Picture:
    """Per method: what happened under breakdowns (box: quartiles, whiskers: 5 … 95 %), the plan as a diamond."""
    names = list(executed)
    figure, axes = single(7.8, 0.46 * len(names) + 1.6)
    axes.boxplot(
        [executed[name] for name in names],
        orientation="horizontal",
        positions=range(len(names)),
        widths=0.55,
        whis=(5, 95),
        showfliers=False,
        patch_artist=True,
        boxprops={"facecolor": SKY, "alpha": 0.5, "edgecolor": BLUE},
        medianprops={"color": BLUE, "linewidth": 2},
        whiskerprops={"color": BLUE},
        capprops={"color": BLUE},
    )
    axes.plot(
        [planned[name] for name in names], range(len(names)), "D", color=RED, markersize=7, label="planned", zorder=4
    )
    axes.plot([], [], color=BLUE, linewidth=2, label="executed: median, quartiles, 5 … 95 %")
    axes.set_yticks(range(len(names)), [shortened(name, 24) for name in names])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set(xlabel=label, title=title)
    figure.legend(loc="outside lower center", ncols=2)
    figure.alt = f"{title}: " + "; ".join(
        f"{name} planned {number(planned[name])}, executed median {number(float(np.median(executed[name])))}"
        for name in names
    )
    return figure


@drawn
def method_comparison(results: Mapping[str, Estimate], *, label: str, title: str, chosen: str = "") -> Picture:
    """A figure per method, executed under breakdowns, with its interval; the chosen method stands out."""
    ordered = dict(sorted(results.items(), key=lambda item: item[1].value))
    figure, axes = single(7.8, 0.42 * max(len(ordered), 1) + 1.3)
    for place, (name, result) in enumerate(ordered.items()):
        colour = ORANGE if name == chosen else BLUE
        axes.plot([result.low, result.high], [place] * 2, color=colour, linewidth=2.2)
        axes.plot(result.value, place, "o", color=colour, markersize=8)
        axes.annotate(
            number(result.value, digits=2),
            (result.high, place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9.5,
        )
    axes.set_yticks(range(len(ordered)), [shortened(name, 24) for name in ordered])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.12)
    axes.set(xlabel=label, title=title)
    figure.alt = f"{title}: " + "; ".join(
        f"{name} {number(r.value)} ({number(r.low)} … {number(r.high)})" for name, r in ordered.items()
    )
    return figure
