"""Where stations, queues and arrows of any line lie on paper: the flow diagram and the moving view share it.

A serial line reads from left to right, in rows where it is long. A routed line is drawn in layers (longest path from
the source; what goes back does not count; Sugiyama, Tagawa and Toda 1981), ordered within a layer by the mean row of
their predecessors. Arrows that skip a layer or go back run in lanes below, so that none crosses a box;
parts that leave from the middle leave downwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from twinloop.simulation.model.line import Line
from twinloop.simulation.model.routing import paths

BOX_W, WAIT_W = 112.0, 42.0
NEAR, ARROW, WIDE_ARROW = 7.0, 26.0, 64.0  # from queue to box, and from box to the next queue (with a number)
STUB = 20.0
ROW_GAP, LANE, MARGIN, HEAD = 34.0, 13.0, 16.0, 34.0
MOST_LANES = 10
SOURCE, EXIT, SCRAP = "<source>", "<exit>", "<scrap>"
FLOW, REWORK, REJECTED = "flow", "rework", "rejected"
Point = tuple[float, float]
Cells = Mapping[str, Point]  # column and row


@dataclass(frozen=True)
class Box:
    """A rectangle by its left upper corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height


@dataclass(frozen=True)
class Link:
    """An arrow along `points`; of a branch, `share` is the probability that a part takes it."""

    start: str
    end: str
    points: tuple[Point, ...]
    kind: str = FLOW
    share: float | None = None


@dataclass(frozen=True)
class Layout:
    """Boxes by station (and SOURCE, EXIT, SCRAP as small ones), the place before each where parts wait, and arrows.

    dense: so many arrows cross each other that routes are better told in words; `links` then has none of them.
    """

    width: float
    height: float
    boxes: Mapping[str, Box]
    queues: Mapping[str, Box]
    links: tuple[Link, ...]
    dense: bool


def layout(line: Line, *, heights: Mapping[str, float], queue_height: float = 26.0, in_a_row: int = 6) -> Layout:
    """Places for every station of the line (rework included); `heights`: of each one's box.

    in_a_row: the most stations beside each other where the order of stations is all there is to show.
    """
    flows = _flows(line)
    cells = _layers(line, flows) if line.routed else _rows(line, in_a_row)
    boxes, queues = _boxes(line, cells, heights, queue_height)
    lanes = _Lanes(line, cells, boxes, queues)
    links = [lanes.link(start, end, share) for (start, end), share in flows.items()]
    dense = lanes.used > MOST_LANES
    if dense:
        boxes, queues = _boxes(line, _rows(line, in_a_row), heights, queue_height)
        links = []
    links += _beside(line, boxes, queues)
    everything = [*boxes.values(), *queues.values()]
    points = [point for link in links for point in link.points]
    right = max(*(box.right for box in everything), *(x for x, _ in points))
    bottom = max(*(box.bottom for box in everything), *(y + LANE / 2 for _, y in points))
    left = MARGIN - min(*(box.x for box in everything), *(x for x, _ in points))
    return Layout(
        right + left + MARGIN,
        bottom + MARGIN,
        {name: replace(box, x=box.x + left) for name, box in boxes.items()},
        {name: replace(box, x=box.x + left) for name, box in queues.items()},
        tuple(replace(link, points=tuple((x + left, y) for x, y in link.points)) for link in links),
        dense,
    )


def _flows(line: Line) -> dict[tuple[str, str], float | None]:
    """Every way between two places, with its probability where stations branch."""
    names = [station.name for station in line.stations]
    flows: dict[tuple[str, str], float | None] = {}
    for way in paths(line.stations, line.source.variants):
        stops = [*([] if line.closed else [SOURCE]), *(names[position] for position in way)]
        last = stops[0] if line.closed else EXIT
        flows |= dict.fromkeys(zip(stops, stops[1:] if line.branching else [*stops[1:], last], strict=False))
    for station in line.stations if line.branching else ():
        leaving = 1 - sum(station.next.values())
        flows |= {(station.name, name): share for name, share in station.next.items() if share > 0}
        flows |= {(station.name, EXIT): leaving if station.next else None} if leaving > 1e-9 else {}
    return flows


def _rows(line: Line, in_a_row: int) -> dict[str, Point]:
    """Column and row of a serial line's stations; rows of equal length."""
    count = len(line.stations)
    rows = -(-count // in_a_row)
    length = -(-count // rows)
    cells = {s.name: (1.0 + place % length, float(place // length)) for place, s in enumerate(line.stations)}
    last = cells[line.stations[-1].name]
    return {SOURCE: (0.0, 0.0), **cells, EXIT: (last[0] + 1, last[1])}


def _layers(line: Line, flows: Mapping[tuple[str, str], float | None]) -> dict[str, Point]:
    """Column and row of a routed line's stations."""
    before: dict[str, set[str]] = {station.name: set() for station in line.stations}
    for start, end in flows:
        if end != EXIT and start != end:
            before[end].add(start)
    layer = {SOURCE: 0}
    while open_ := [name for name in before if name not in layer]:
        # In a loop nobody is first: then whoever has a predecessor that is placed, in the order of the line.
        first = (
            [name for name in open_ if before[name] <= set(layer)]
            or [name for name in open_ if before[name] & set(layer)]
            or open_
        )[0]
        layer[first] = 1 + max((layer[name] for name in before[first] if name in layer), default=0)
    rows: dict[str, float] = {SOURCE: 0.0}
    tallest = max(list(layer.values()).count(column) for column in layer.values())
    for column in range(1, max(layer.values()) + 1):
        known = {name: [rows[other] for other in before[name] if other in rows] for name in before}
        mean = {name: sum(places) / len(places) if places else 0.0 for name, places in known.items()}
        members = sorted((name for name in before if layer[name] == column), key=mean.__getitem__)

        top = (tallest - len(members)) / 2
        rows |= {name: top + place for place, name in enumerate(members)}
    middle = (tallest - 1) / 2
    cells = {name: (float(layer[name]), rows[name]) for name in layer}
    return cells | {SOURCE: (0.0, middle), EXIT: (max(layer.values()) + 1.0, middle)}


def _boxes(
    line: Line, cells: Cells, heights: Mapping[str, float], queue_height: float
) -> tuple[dict[str, Box], dict[str, Box]]:
    pitch = BOX_W + WAIT_W + NEAR + (WIDE_ARROW if line.branching else ARROW)
    tallest = max(max(heights[station.name] for station in line.stations), queue_height)
    inspecting = None if line.inspecting is None else line.stations[line.inspecting].name
    # What is rejected leaves downwards: room below the inspecting station's row, or below all of a routed line.
    room = (max(heights[line.rework.name], queue_height) if line.rework else 26.0) + ROW_GAP if inspecting else 0.0
    below = max(row for _, row in cells.values()) if line.routed or not inspecting else cells[inspecting][1]
    boxes, queues = {}, {}
    for name, (column, row) in cells.items():
        lower = row * (tallest + ROW_GAP) + (room if row > below else 0.0)
        x, middle = column * pitch, HEAD + lower + tallest / 2
        if name in (SOURCE, EXIT):
            # Small ones take only the part of their column that lies next to the others.
            boxes[name] = Box(x + BOX_W - 8 if name == SOURCE else x - WAIT_W - NEAR, middle - 8, 8, 16)
            continue
        boxes[name] = Box(x, middle - heights[name] / 2, BOX_W, heights[name])
        queues[name] = Box(x - NEAR - WAIT_W, middle - queue_height / 2, WAIT_W, queue_height)
    if inspecting:
        box, top = boxes[inspecting], HEAD + (below + 1) * (tallest + ROW_GAP)
        boxes[SCRAP] = Box(box.right - 48, top, 46, 26)
        if line.rework:
            # It works from right to left: rejected parts come straight down, repaired ones go straight up.
            name, x = line.rework.name, box.x + 10
            middle = top + (room - ROW_GAP) / 2
            queues[name] = Box(x, middle - queue_height / 2, WAIT_W, queue_height)
            boxes[name] = Box(x - NEAR - BOX_W, middle - heights[name] / 2, BOX_W, heights[name])
            boxes[SCRAP] = replace(boxes[SCRAP], y=middle - 13)
    return boxes, queues


class _Lanes:
    """Draws arrows between boxes; those that cannot go straight get a lane of their own below everything."""

    def __init__(self, line: Line, cells: Cells, boxes: Mapping[str, Box], queues: Mapping[str, Box]) -> None:
        self._routed, self._cells, self._boxes, self._queues, self.used = line.routed, cells, boxes, queues, 0
        self._bottom = max(box.bottom for box in (*boxes.values(), *queues.values()))

    def link(self, start: str, end: str, share: float | None) -> Link:
        box, target = self._boxes[start], self._queues.get(end, self._boxes[end])
        a, b = (box.right, box.middle[1]), (target.x, target.middle[1])
        if self._straight(start, end):
            return Link(start, end, (a, b), share=share)
        if not self._routed:  # the end of a row: back between both rows
            row = self._cells[end][1]
            top = min(self._boxes[name].y for name, cell in self._cells.items() if cell[1] == row)
            return Link(start, end, _around(a, b, min(top, target.y) - ROW_GAP / 2, 0), share=share)
        if end == EXIT:
            out = box.right - 22
            return Link(start, end, ((out, box.bottom), (out, box.bottom + STUB)), share=share)
        self.used += 1
        return Link(start, end, _around(a, b, self._bottom + self.used * LANE, self.used), share=share)

    def _straight(self, start: str, end: str) -> bool:
        (column, row), (to_column, to_row) = self._cells[start], self._cells[end]
        if to_column <= column:
            return False
        between = [cell for name, cell in self._cells.items() if column < cell[0] < to_column and name != start]
        slope = (to_row - row) / (to_column - column)
        return all(abs(row + slope * (place - column) - other) > 0.7 for place, other in between)


def _around(a: Point, b: Point, lane: float, number: int) -> tuple[Point, ...]:
    # Neighbouring lanes turn at different places, so that their upright parts can be told apart.
    out, back = a[0] + 6 + 3 * (number % 5), b[0] - 6 - 2 * (number % 4)
    return (a, (out, a[1]), (out, lane), (back, lane), (back, b[1]), b)


def _beside(line: Line, boxes: Mapping[str, Box], queues: Mapping[str, Box]) -> list[Link]:
    """From the inspection to rework and scrap, and from rework back to where parts are looked at again."""
    if line.inspecting is None:
        return []
    name = line.stations[line.inspecting].name
    box, scrap = boxes[name], boxes[SCRAP]
    links = [Link(name, SCRAP, ((scrap.middle[0], box.bottom), (scrap.middle[0], scrap.y)), REJECTED)]
    if line.rework:
        rework, queue = boxes[line.rework.name], queues[line.rework.name]
        down, back = queue.middle[0], line.stations[line.return_position].name
        links.append(Link(name, line.rework.name, ((down, box.bottom), (down, queue.y)), REJECTED))
        up, target, turn = rework.right - 31, queues[back], rework.y - ROW_GAP / 2
        way: tuple[Point, ...] = ((up, rework.y), (up, turn), (target.middle[0], turn))
        if target.middle[1] < queues[name].middle[1]:  # in a row above: around its beginning
            aside = min(one.x for one in queues.values()) - 2 * NEAR
            below = max(one.bottom for one in boxes.values() if one.y < target.bottom) + NEAR
            way = ((up, rework.y), (up, turn), (aside, turn), (aside, below), (target.middle[0], below))
        links.append(Link(line.rework.name, back, (*way, (target.middle[0], target.bottom)), REWORK))
    return links
