"""Where parts go and what is timed on their way: routes, branches, spans and the joint table as arrays."""

import math
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.simulation.compiled.records import NONE, Floats, Ints
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.routing import LEAVES, paths


class Timed(NamedTuple):
    """The fields of Rules that tell what is timed, and which stations have a column of the joint table."""

    span_starts: Ints
    span_ends: Ints
    span_variants: Ints
    renewed_at: int
    columns: Ints


def timed(line: Line) -> Timed:
    """Spans by positions of stations; columns: [stations and rework], -1 for a station with a cycle of its own."""
    names = [station.name for station in line.stations]
    variants = [variant.name for variant in line.source.variants]
    columns = np.full(len(names) + 1, NONE, dtype=np.int64)
    for column, name in enumerate(line.joint.stations if line.joint else ()):
        columns[names.index(name)] = column
    return Timed(
        span_starts=np.array([names.index(span.start) for span in line.spans], dtype=np.int64),
        span_ends=np.array([names.index(span.end) for span in line.spans], dtype=np.int64),
        span_variants=np.array(
            [NONE if span.variant is None else variants.index(span.variant) for span in line.spans], dtype=np.int64
        ),
        renewed_at=names.index(line.joint.renewed_at) if line.joint else NONE,
        columns=columns,
    )


def outlet(line: Line, position: int) -> int:
    """What the machines of a station put their parts into, unless routes or branches say so."""
    count = len(line.stations)
    if line.routed or (position == count - 1 and not line.closed):
        return count + position
    return (position + 1) % count


def routes(line: Line) -> NDArray[np.int64]:
    """[variants, steps] where a part goes after each visit of its route; a population begins again."""
    ways, count = paths(line.stations, line.source.variants), len(line.stations)
    routes = np.full((len(ways), max(map(len, ways))), NONE, dtype=np.int64)
    for row, way in zip(routes, ways, strict=True):
        row[: len(way)] = [*way[1:], way[0] if line.closed else count + way[-1]]
    return routes


def branches(line: Line) -> tuple[Floats, NDArray[np.int64]]:
    """[stations, branches] upper limits of the uniform draw, and where each branch leads; the rest leaves."""
    names, count = [station.name for station in line.stations], len(line.stations)
    width = 1 + max(len(station.next) for station in line.stations)
    limits = np.full((count, width), np.inf)
    outlets = np.full((count, width), NONE, dtype=np.int64)
    for position, station in enumerate(line.stations):
        upto = accumulate(station.next.values())
        ways = [(limit, names.index(name)) for name, limit in zip(station.next, upto, strict=True)]
        if math.fsum(station.next.values()) < LEAVES:
            ways.append((np.inf, count + position))
        limits[position, : len(ways) - 1] = [limit for limit, _ in ways[:-1]]
        outlets[position, : len(ways)] = [place for _, place in ways]
    return limits, outlets
