"""Draws a stretch of a line's event log as one SVG, moving or still: stations with their states, queues, parts."""

from collections.abc import Iterator
from functools import cached_property
from html import escape

import polars as pl

from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.palette import GRID, INK, LINE, PANEL, RED, SOFT
from twinloop.simulation.figures.course import MOVE_MIN, Course, course
from twinloop.simulation.figures.flow import head_of, path_of, shortened
from twinloop.simulation.figures.layout import EXIT, FLOW, MARGIN, SCRAP, Box, Layout, Link, layout
from twinloop.simulation.figures.moving import Clock, Steps, jumping, travel, word
from twinloop.simulation.figures.states import STATE_COLOURS, STATE_MEANINGS, in_order, text_colour
from twinloop.simulation.model.line import Line

GOOD, BAD = INK, RED
FONT = 'font-family="system-ui, DejaVu Sans, sans-serif"'
MOST_WIDE = 800  # CSS pixels
SECONDS_PER_MINUTE = 1.0
TITLE_H, LANE_H, LANES, LETTERS = 24.0, 23.0, 4, 13
QUEUE_H, SLOTS, SLOT_ROWS, SLOT = 54.0, 12, 4, 12.0
LEGEND_H, IN_A_ROW, LEAST_WIDE = 19.0, 4, 540.0


class Painter:
    """Draws one stretch, moving or still."""

    def __init__(self, line: Line, events: pl.DataFrame, start: float, end: float, warmup_min: float) -> None:
        self._line, self._start, self._end, self._warmup = line, start, end, warmup_min
        servers = {station.name: station.servers for station in line.stations}
        servers |= {line.rework.name: line.rework.servers} if line.rework else {}
        self._servers = servers
        heights = {name: TITLE_H + LANE_H * min(count, LANES) + 6 for name, count in servers.items()}
        self._plan: Layout = layout(line, heights=heights, queue_height=QUEUE_H + 20, in_a_row=IN_A_ROW)
        self._width = max(self._plan.width, LEAST_WIDE)
        self._course: Course = course(line, events, start=start, end=end, places=self, slots=SLOTS)
        self._shown = in_order({state for steps in self._course.states.values() for state in steps.values})
        self._legend = list(self._legend_rows())
        # At the foot: the legend, then the bar that shows how far the stretch is.
        self._height = self._plan.height + LEGEND_H * len(self._legend) + 30

    @cached_property
    def moment(self) -> float:
        """When most different states are seen at once: what the still shows."""
        states = self._course.states.values()
        times = sorted({t for steps in states for t in steps.times if self._start <= t < self._end} | {self._start})
        return max(times, key=lambda t: (len({steps.at(t) for steps in states}), -t))

    @property
    def css_width(self) -> int:
        """Width on a page: text a little larger than drawn, where there is room."""
        return round(min(1.15 * self._width, MOST_WIDE))

    @property
    def spoken(self) -> str:
        shipped, scrapped = self._left()
        return (
            f"Moving view of line {self._line.name} from {self._told(self._start)} to {self._told(self._end)}: "
            f"parts move from station to station, {shipped.at(self._end)} are shipped, "
            f"{scrapped.at(self._end)} scrapped; machines are {', '.join(self._shown)}"
        )

    # Where things are, for the course of the parts.

    def machine(self, station: str, server: int) -> tuple[float, float]:
        """Where the part lies that a machine works on."""
        lane = self._lane(station, min(server, LANES - 1))
        return lane.right - 12, lane.middle[1]

    def beside(self, station: str) -> tuple[float, float]:
        """Where a part lies that has left a machine and is carried away."""
        box = self._plan.boxes[station]
        return box.right + 9, box.middle[1]

    def slot(self, station: str, place: int) -> tuple[float, float]:
        """Where the part lies that is number `place` (from 0) in a queue; those beyond the last slot share it."""
        box, place = self._plan.queues[station], min(place, SLOTS - 1)
        column, row = divmod(place, SLOT_ROWS)
        return box.right - 9 - SLOT * column, box.y + QUEUE_H - 9 - SLOT * row

    def way(self, start: str, end: str) -> tuple[tuple[float, float], ...]:
        """The corners of the arrow between two places; none where it is straight or there is none."""
        for link in self._plan.links:
            if (link.start, link.end) == (start, end):
                return link.points if len(link.points) > 2 else ()
        return ()

    def end(self, name: str) -> tuple[float, float]:
        """The middle of the source, the way out or the scrap."""
        return self._plan.boxes[name].middle

    def stub(self, station: str) -> tuple[float, float] | None:
        """Where parts that leave from the middle of a routed line disappear."""
        ends = [link.points[-1] for link in self._plan.links if link.start == station and link.end == EXIT]
        return ends[0] if ends else None

    def _lane(self, station: str, server: int) -> Box:
        box = self._plan.boxes[station]
        return Box(box.x + 5, box.y + TITLE_H + LANE_H * server, box.width - 10, LANE_H - 2)

    # The drawing.

    def svg(self, at: float | None) -> str:
        """The picture in motion, or as it is at minute `at`."""
        clock = Clock(self._start, self._end, (self._end - self._start) * SECONDS_PER_MINUTE, at)
        width = self._width
        parts = [self._head(clock)]
        parts += [_arrow(link) for link in self._plan.links]
        for name in self._servers:
            parts += [self._queue(clock, name), self._station(clock, name)]
        if SCRAP in self._plan.boxes:
            x, y = self._plan.boxes[SCRAP].middle
            parts.append(f'<text x="{x:g}" y="{y + 4:g}" font-size="13" text-anchor="middle">scrap</text>')
        parts += [self._part(clock, number) for number in self._course.parts]
        parts += self._foot(clock)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {self._height:g}" {FONT} font-size="13" '
            f'fill="{INK}"><defs>'
            f'<circle id="g" r="4.7" fill="{GOOD}" stroke="#fff"/>'
            f'<path id="b" d="M0-6.4L6.4,0L0,6.4L-6.4,0z" fill="#fff" stroke="{BAD}" stroke-width="2.4"/></defs>'
            f'<rect width="{width:g}" height="{self._height:g}" fill="#fff"/>{"".join(parts)}</svg>'
        )

    def _head(self, clock: Clock) -> str:
        minutes = [float(minute) for minute in range(int(self._start) + 1, int(self._end) + 1)]
        texts = Steps(self._told(self._start), [(minute, self._told(minute)) for minute in minutes])
        shipped, scrapped = self._left()
        counts = Steps(
            "shipped 0, scrapped 0",
            [(t, f"shipped {shipped.at(t)}, scrapped {scrapped.at(t)}") for t, _ in self._course.left],
        )
        bold = f'{FONT} font-weight="600"'
        name = escape(shortened(self._line.name, 18))
        head = f'<text x="{MARGIN}" y="19" font-size="14" font-weight="600">{name}</text>'
        return (
            head
            + word(clock, texts, x=self._width / 2, y=15, width=200, size=14, style=bold)
            + word(clock, counts, x=self._width - 106, y=15, width=200, size=13, style=FONT)
        )

    def _told(self, minute: float) -> str:
        if minute < self._warmup:
            return f"warm-up, minute {minute:.0f}"
        day, rest = divmod(minute - self._warmup, self._line.minutes_per_day)
        return f"day {day + 1:.0f}, {rest // MINUTES_PER_HOUR:.0f} h {int(rest % MINUTES_PER_HOUR):02d} min"

    def _left(self) -> tuple[Steps[int], Steps[int]]:
        counters = []
        for kind in ("ship", "scrap"):
            times = [t for t, what in self._course.left if what == kind]
            counters.append(Steps(0, [(t, count) for count, t in enumerate(times, start=1)]))
        return counters[0], counters[1]

    def _station(self, clock: Clock, name: str) -> str:
        box, servers = self._plan.boxes[name], self._servers[name]
        title = shortened(name if servers == 1 else f"{servers} × {name}", LETTERS)
        texts = [
            f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="5" fill="{PANEL}" '
            f'stroke="{SOFT}"/><text x="{box.middle[0]:g}" y="{box.y + 17:g}" text-anchor="middle" font-weight="600">'
            f"{escape(title)}</text>"
        ]
        for server in range(min(servers, LANES)):
            lane, states = self._lane(name, server), self._course.states[name, server]
            fill, changes = jumping(clock, "fill", states.mapped(STATE_COLOURS))
            names = {state: _in_colour(state) for state in STATE_COLOURS}
            texts.append(
                f'<rect x="{lane.x:g}" y="{lane.y:g}" width="{lane.width:g}" height="{lane.height:g}" rx="3" '
                f'fill="{fill}">{changes}</rect>'
                + word(
                    clock,
                    states.mapped(names),
                    x=lane.x + (lane.width - 20) / 2,
                    y=lane.middle[1],
                    width=lane.width - 20,
                    size=12,
                    style=f'{FONT} fill="{INK}"',
                )
            )
        return "".join(texts)

    def _queue(self, clock: Clock, name: str) -> str:
        box, room = self._plan.queues[name], self._room(name)
        frame = (
            f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{QUEUE_H:g}" rx="3" fill="#fff" '
            f'stroke="{SOFT}" stroke-width="0.8"/>'
        )
        if room is None:
            return (
                f'{frame}<text x="{box.middle[0]:g}" y="{box.y + QUEUE_H / 2 + 6:g}" font-size="18" '
                'text-anchor="middle">∞</text>'
            )
        levels = self._course.levels[name]
        texts = {level: f"{level}{room}" for level in levels.values}
        return frame + word(
            clock,
            levels.mapped(texts),
            x=box.middle[0],
            y=box.y + QUEUE_H + 10,
            width=box.width + 10,
            size=12,
            style=FONT,
        )

    def _room(self, name: str) -> str | None:
        """What stands behind the number of waiting parts: their room; None where a source has always one more."""
        line = self._line
        if line.rework and name == line.rework.name:
            return f"/{line.rework.buffer}"
        position = [station.name for station in line.stations].index(name)
        if position in line.entries and line.saturated:
            return None
        room = line.stations[position].queue if line.routed else line.buffers[position - 1] if position else None
        return "" if room is None else f"/{room}"

    def _part(self, clock: Clock, number: int) -> str:
        part = self._course.parts[number]
        gone = part.gone + MOVE_MIN if part.gone is not None else float("inf")
        if clock.at is not None and not part.since <= clock.at < gone:
            return ""
        (x, y), moves = travel(clock, part.stops)
        visibility, changes = jumping(clock, "visibility", Steps("hidden", [(part.since, "visible"), (gone, "hidden")]))
        hidden = "" if visibility == "visible" else f' visibility="{visibility}"'
        shape = ""
        for mark, shown in (("g", False), ("b", True)):
            value, toggles = jumping(clock, "opacity", part.bad.mapped({shown: "1", not shown: "0"}))
            if toggles or value == "1":
                dimmed = "" if value == "1" else ' opacity="0"'
                shape += f'<use href="#{mark}"{dimmed}>{toggles}</use>'
        return f'<g transform="translate({x:.4g},{y:.4g})"{hidden}>{shape}{moves}{changes}</g>'

    def _legend_rows(self) -> Iterator[list[tuple[float, str, str]]]:
        """Rows of (x, mark, text) that fit into the width."""
        items = [(state, f"{state}: {STATE_MEANINGS[state]}") for state in self._shown]
        items += [("g", "good part"), ("b", "defective part (only the simulation knows)")]
        items += [("", "3/8: parts that wait / room")]
        row: list[tuple[float, str, str]] = []
        x = MARGIN
        for mark, text in items:
            width = (22 if mark else 0) + 6.7 * len(text)
            if row and x + width > self._width - MARGIN:
                yield row
                row, x = [], MARGIN
            row.append((x, mark, text))
            x += width + 14
        yield row

    def _foot(self, clock: Clock) -> list[str]:
        parts = []
        top = self._plan.height
        for row, items in enumerate(self._legend):
            y = top + LEGEND_H * row + 8
            for x, mark, text in items:
                if mark in STATE_COLOURS:
                    sign = f'<rect x="{x:g}" y="{y - 7:g}" width="14" height="14" rx="3" fill="{STATE_COLOURS[mark]}"/>'
                else:
                    sign = f'<use href="#{mark}" x="{x + 7:g}" y="{y:g}"/>' if mark else ""
                parts.append(
                    f'{sign}<text x="{x + (20 if mark else 0):g}" y="{y + 4.5:g}" font-size="12.5">{text}</text>'
                )
        y, width = self._height - 14, self._width - 2 * MARGIN
        parts.append(f'<rect x="{MARGIN}" y="{y:g}" width="{width:g}" height="5" rx="2.5" fill="{GRID}"/>')
        done = width * (1 if clock.at is None else (clock.at - clock.start) / (clock.end - clock.start))
        grows = (
            f'<animate attributeName="width" from="0" to="{width:g}" dur="{clock.seconds:g}s" '
            'repeatCount="indefinite"/>'
            if clock.at is None
            else ""
        )
        parts.append(f'<rect x="{MARGIN}" y="{y:g}" width="{done:g}" height="5" rx="2.5" fill="{SOFT}">{grows}</rect>')
        return parts


def _arrow(link: Link) -> str:
    dashed = "" if link.kind == FLOW else ' stroke-dasharray="4 3"'
    return (
        f'<path d="{path_of(link)}" fill="none" stroke="{LINE}" stroke-width="1.4"{dashed}/>'
        f'<path d="{head_of(link)}" fill="{LINE}"/>'
    )


def _in_colour(state: str) -> str:
    colour = text_colour(state)
    return state if colour == INK else f'<tspan fill="{colour}">{state}</tspan>'
