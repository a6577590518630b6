"""The flow diagram of a line: an inline SVG that shows any line, with what its stations need and where parts wait."""

from html import escape

from twinloop.palette import INK, PANEL, SOFT
from twinloop.simulation.figures.layout import (
    FLOW,
    MARGIN,
    SCRAP,
    Box,
    Layout,
    Link,
    layout,
)
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.station import Station

ACCENT = "#B44D12"
TEXT = f'font-family="system-ui, DejaVu Sans, sans-serif" font-size="14" fill="{INK}"'
LETTERS = 12  # fit into a box
MOST_ROUTES = 12
LINE_H, TITLE_H = 17, 43


def line_svg(line: Line) -> str:
    """The flow diagram: stations with mean minutes per part and needs, room for waiting parts, ways, people and stocks.

    The bottleneck is framed. Ways with a number are taken by that share of the parts.
    """
    notes = {station.name: _notes(line, station) for station in line.stations}
    if line.rework:
        notes[line.rework.name] = [f"at most {line.rework.max_times}×"]
    plan = layout(line, heights={name: TITLE_H + LINE_H * len(lines) - 9 for name, lines in notes.items()})
    # A line's own words are wider than a diagram of one station.
    below = _below(line, plan.dense)
    width = max(plan.width, *(2 * MARGIN + 7.6 * len(text) for text in (*below, line.name)))
    height = plan.height + (LINE_H + 2) * len(below) + (6 if below else 0)
    parts = [f'<text x="{MARGIN}" y="19" {TEXT} font-weight="600">{escape(line.name)}</text>']
    parts += [_arrow(link) for link in plan.links]
    for station in line.stations:
        position = line.stations.index(station)
        title = "bottleneck" if position == line.bottleneck else "inspection" if station.inspects else ""
        name = station.name if station.servers == 1 else f"{station.servers} × {station.name}"
        parts.append(_box(plan.boxes[station.name], name, notes[station.name], title))
        parts.append(_queue(plan.queues[station.name], _room(line, position)))
    parts += _rejected(line, plan, notes)
    parts += [_share(link, link.share) for link in plan.links if link.share is not None]
    parts += [
        f'<text x="{MARGIN}" y="{plan.height + (LINE_H + 2) * (row + 1) - 6:g}" {TEXT}>{escape(text)}</text>'
        for row, text in enumerate(below)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(f"Line {line.name}: {_spoken(line)}")}" '
        f'style="max-width:100%;width:{width:g}px;background:white">{"".join(parts)}</svg>'
    )


def path_of(link: Link) -> str:
    """The arrow's line as an SVG path: straight, bent or around corners."""
    (x, y), (end_x, end_y) = link.points[0], link.points[-1]
    if len(link.points) == 2 and y != end_y and x != end_x:
        middle = (x + end_x) / 2
        return f"M{x:g},{y:g}C{middle:g},{y:g} {middle:g},{end_y:g} {end_x:g},{end_y:g}"
    return "M" + "L".join(f"{px:g},{py:g}" for px, py in link.points)


def head_of(link: Link) -> str:
    """The triangle at the arrow's end, as an SVG path."""
    (x, y), (end_x, end_y) = link.points[-2:]
    if x != end_x and (link.kind == FLOW or y == end_y):
        back = 6 if end_x > x else -6
        return f"M{end_x:g},{end_y:g}l{-back},-3.5v7z"
    back = 6 if end_y > y else -6
    return f"M{end_x:g},{end_y:g}l-3.5,{-back}h7z"


def shortened(name: str, letters: int) -> str:
    """`name` within so many letters; of a longer one both ends are kept: names often differ in the last."""
    last = letters // 3
    return name if len(name) <= letters else f"{name[: letters - last - 1]}…{name[-last:]}"


def _arrow(link: Link) -> str:
    dashed = "" if link.kind == FLOW else ' stroke-dasharray="4 3"'
    return (
        f'<path d="{path_of(link)}" fill="none" stroke="{SOFT}" stroke-width="1.4" stroke-linejoin="round"{dashed}/>'
        f'<path d="{head_of(link)}" fill="{SOFT}"/>'
    )


def _share(link: Link, share: float) -> str:
    (x, y), (end_x, end_y) = link.points[0], link.points[-1]
    spot = ((x + end_x) / 2, (y + end_y) / 2)
    if len(link.points) > 2:
        (x, lane), (end_x, _) = link.points[2:4]
        spot = ((x + end_x) / 2, lane)
    elif x == end_x:
        spot = (x - 20, (y + end_y) / 2 + 1)
    return (
        f'<text x="{spot[0]:g}" y="{spot[1] + 4:g}" text-anchor="middle" {TEXT} stroke="white" stroke-width="4" '
        f'paint-order="stroke">{100 * share:.3g} %</text>'
    )


def _box(box: Box, name: str, notes: list[str], title: str, *, soft: bool = False) -> str:
    middle = box.middle[0]
    border = ACCENT if title == "bottleneck" else SOFT
    above = f'<text x="{middle:g}" y="{box.y - 5:g}" text-anchor="middle" {TEXT} opacity="0.8">{title}</text>'
    rows = "".join(
        f'<text x="{middle:g}" y="{box.y + TITLE_H - 4 + LINE_H * row:g}" text-anchor="middle" {TEXT} opacity="0.8">'
        f"<title>{escape(note)}</title>{escape(shortened(note, LETTERS + 3))}</text>"
        for row, note in enumerate(notes)
    )
    dashes = ' stroke-dasharray="4 3"' if soft else ""
    return (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="5" fill="{PANEL}" '
        f'stroke="{border}" stroke-width="{2.2 if border == ACCENT else 1.4}"{dashes}/>'
        f'<text x="{middle:g}" y="{box.y + 21:g}" text-anchor="middle" {TEXT} font-weight="600">'
        f"<title>{escape(name)}</title>{escape(shortened(name, LETTERS))}</text>{rows}{above if title else ''}"
    )


def _queue(box: Box, room: str) -> str:
    x, y = box.middle
    return (
        f'<rect x="{box.x + 3:g}" y="{y - 13:g}" width="{box.width - 6:g}" height="26" rx="2" fill="white" '
        f'stroke="{SOFT}"/><text x="{x:g}" y="{y + 5:g}" text-anchor="middle" {TEXT}>{room}</text>'
    )


def _room(line: Line, position: int) -> str:
    if line.routed:
        queue = line.stations[position].queue
        return "∞" if queue is None else str(queue)
    return "∞" if position == 0 else str(line.buffers[position - 1])


def _rejected(line: Line, plan: Layout, notes: dict[str, list[str]]) -> list[str]:
    if line.inspecting is None:
        return []
    box = plan.boxes[SCRAP]
    parts = [
        f'<text x="{box.middle[0]:g}" y="{box.middle[1] + 2:g}" text-anchor="middle" {TEXT} font-weight="600">'
        "scrap</text>"
    ]
    if line.rework:
        rework = line.rework
        name = rework.name if rework.servers == 1 else f"{rework.servers} × {rework.name}"
        parts.append(_box(plan.boxes[rework.name], name, notes[rework.name], "", soft=True))
        parts.append(_queue(plan.queues[rework.name], str(rework.buffer)))
    return parts


def _notes(line: Line, station: Station) -> list[str]:
    """What a station needs, in a few short lines."""
    position = line.stations.index(station)
    notes = [f"{line.minutes_per_part(position):.3g} min/part"]
    if station.unlimited:
        notes = [f"{station.cycle.average:.3g} min", "all at once"]
    notes += [f"{station.batch} at a time"] if station.batch > 1 else []
    notes += [f"+ {count} {name}" for name, count in station.assembles.items()]
    notes += [f"{quantity:g} {name}" for name, quantity in station.materials.items()]
    notes += [f"by {group.name}" for group in line.operators if station.name in group.skills]
    notes += [f"maintained: {station.maintenance.policy}"] if station.maintenance else []
    return notes


def _below(line: Line, dense: bool) -> list[str]:
    """A population, spans, people, stocks and routes, one line of text each."""
    lines = [f"{line.source.population} go round"] if line.source.population else []
    for span in line.spans:
        limit = "" if span.limit is None else f", at most {span.limit} at once"
        lines.append(f"{span.name}: from {span.start} to {span.end}{limit}")
    for group in line.operators:
        shifts = ", ".join(f"{shift.start_min:g} … {shift.end_min:g}" for shift in group.shifts)
        times = f", minutes {shifts} of the day" if shifts else ""
        lines.append(f"{group.count} × {group.name}: {', '.join(group.skills)}{times}")
    lines += [f"crew of {line.crew.size} for repair and maintenance"] if line.crew else []
    if line.transport:
        lines.append(f"{line.transport.fleet} vehicles, {line.transport.trip.average:.3g} min a trip")
    for material in line.materials:
        reorder = f", {material.order_quantity:g} more from {material.reorder_at:g} on" if material.lead_time else ""
        lines.append(f"{material.name}: {material.initial:g} in stock{reorder}")
    if line.branching and dense:
        lines += [f"{station.name} → {_ways(station)}" for station in line.stations]
    elif line.routed and not line.branching:
        shown = line.source.variants[:MOST_ROUTES]
        everything = [station.name for station in line.stations]
        lines += [f"{variant.name}: {' → '.join(variant.route or everything)}" for variant in shown]
        more = len(line.source.variants) - len(shown)
        lines += [f"and {more} more variants"] if more else []
    return lines


def _ways(station: Station) -> str:
    leaving = 1 - sum(station.next.values())
    ways = [f"{name} {100 * share:.3g} %" for name, share in station.next.items()]
    return ", ".join([*ways, *([f"leaves {100 * leaving:.3g} %"] if leaving > 1e-9 else [])])


def _spoken(line: Line) -> str:
    return (", " if line.routed else " → ").join(station.name for station in line.stations)
