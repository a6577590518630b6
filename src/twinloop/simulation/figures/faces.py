"""How a line and its results look in a notebook: an inline SVG and plain tables, every text escaped."""

from collections.abc import Sequence
from html import escape

from twinloop.numbers import fixed
from twinloop.simulation.events.kpi import KPIS
from twinloop.simulation.experiments.result import Comparison, Result
from twinloop.simulation.model.line import Line

BOX_W, BOX_H, GAP, TOP, MARGIN = 104, 54, 46, 34, 12
INK, PAPER, ACCENT = "#1f2933", "#f5f7fa", "#b44d12"
STYLE = f'font-family="system-ui, sans-serif" font-size="12" fill="{INK}"'
SHARES = {"oee", "availability", "performance", "quality", "first_pass_yield"}


def line_svg(line: Line) -> str:
    """The flow diagram: stations with their mean minutes per part, buffers with capacities, rework and scrap below."""
    boxes, arrows = [], []
    for position, station in enumerate(line.stations):
        x = MARGIN + GAP + position * (BOX_W + GAP)
        notes = f"{line.minutes_per_part(position):.3g} min/part"
        border = ACCENT if position == line.bottleneck else INK
        title = "bottleneck" if position == line.bottleneck else "inspection" if station.inspects else ""
        name = station.name if station.servers == 1 else f"{station.servers} × {station.name}"
        boxes.append(_box(x, TOP, name, notes, border, title))
        label = "∞" if position == 0 else str(line.buffers[position - 1])
        arrows.append(_arrow(x - GAP, x, label))
    end = MARGIN + GAP + len(line.stations) * (BOX_W + GAP)
    arrows.append(_arrow(end - GAP, end - 8, ""))
    lower = _lower_row(line)
    height = TOP + BOX_H + (94 if lower else 16)
    label = escape(f"Line {line.name}: {' → '.join(station.name for station in line.stations)}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {end + MARGIN} {height}" role="img" '
        f'aria-label="{label}" '
        f'style="max-width:100%;width:{end + MARGIN}px;background:white">'
        f'<text x="{MARGIN}" y="18" {STYLE} font-weight="600">{escape(line.name)}</text>'
        f"{''.join(arrows)}{''.join(boxes)}{lower}</svg>"
    )


def _box(x: float, y: float, name: str, note: str, border: str, title: str) -> str:
    middle = x + BOX_W / 2
    top = (
        f'<text x="{middle}" y="{y - 5}" text-anchor="middle" {STYLE} opacity="0.75">{escape(title)}</text>'
        if title
        else ""
    )
    return (
        f'<rect x="{x}" y="{y}" width="{BOX_W}" height="{BOX_H}" rx="5" fill="{PAPER}" stroke="{border}" '
        f'stroke-width="1.5"/>'
        f'<text x="{middle}" y="{y + 23}" text-anchor="middle" {STYLE} font-weight="600">{escape(name)}</text>'
        f'<text x="{middle}" y="{y + 41}" text-anchor="middle" {STYLE} opacity="0.75">{escape(note)}</text>{top}'
    )


def _arrow(start: float, end: float, label: str) -> str:
    y = TOP + BOX_H / 2
    text = f'<text x="{(start + end) / 2}" y="{y - 6}" text-anchor="middle" {STYLE}>{label}</text>' if label else ""
    return (
        f'<line x1="{start}" y1="{y}" x2="{end - 5}" y2="{y}" stroke="{INK}" stroke-width="1.5"/>'
        f'<path d="M{end - 7},{y - 4} L{end},{y} L{end - 7},{y + 4} Z" fill="{INK}"/>{text}'
    )


def _lower_row(line: Line) -> str:
    if line.inspecting is None:
        return ""
    middle = MARGIN + GAP + line.inspecting * (BOX_W + GAP) + BOX_W / 2
    y = TOP + BOX_H
    down = f'<line x1="{middle}" y1="{y}" x2="{middle}" y2="{y + 30}" stroke="{INK}" stroke-dasharray="4 3"/>'
    if line.rework is None:
        return f'{down}<text x="{middle}" y="{y + 46}" text-anchor="middle" {STYLE}>scrap</text>'
    rework = line.rework
    text = f"{rework.name} ({rework.buffer} wait, {rework.max_times}× then scrap)"
    back = rework.returns_to or line.stations[line.inspecting].name
    return (
        f'{down}<text x="{middle}" y="{y + 46}" text-anchor="middle" {STYLE} font-weight="600">{escape(text)}</text>'
        f'<text x="{middle}" y="{y + 63}" text-anchor="middle" {STYLE} opacity="0.75">returns to {escape(back)}</text>'
    )


def result_table(result: Result) -> str:
    """Key figures with their intervals."""
    rows = [
        (title, f"{_number(kpi, found.mean)} {unit}", f"{_number(kpi, found.low)} … {_number(kpi, found.high)}")
        for kpi, (title, unit) in KPIS.items()
        for found in [result[kpi]]
    ]
    errors = "assumed rates, no measured model" if result.model == "assumed" else f"model {result.model[:12]}"
    caption = (
        f"{result.name}: {len(result.replications)} × {result.days:g} days after {result.warmup_days:g} of warm-up; "
        f"inspection errors: {errors}"
    )
    return _table(caption, ("", "mean", f"{100 * result.confidence:g} % interval"), rows)


def comparison_table(comparison: Comparison) -> str:
    """Both sides and the paired difference."""
    rows = []
    for kpi, title, unit, before, after, change, low, high in comparison.frame().iter_rows():
        sides = (f"{_number(kpi, before)} {unit}", f"{_number(kpi, after)} {unit}")
        rows.append((title, *sides, _number(kpi, change), f"{_number(kpi, low)} … {_number(kpi, high)}"))
    header = ("", comparison.baseline.name, comparison.other.name, "difference")
    interval = f"{100 * comparison.baseline.confidence:g} % interval, paired"
    return _table("What changes", (*header, interval), rows)


def _number(kpi: str, value: float) -> str:
    digits = 3 if kpi in SHARES or kpi.endswith("_share") else 1 if abs(value) < 100 else 0
    return fixed(value, digits)


def _table(caption: str, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f'<th style="text-align:right">{escape(cell)}</th>' for cell in header)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="text-align:{"left" if column == 0 else "right"}">{escape(cell)}</td>'
            for column, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<table><caption style="text-align:left">{escape(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
