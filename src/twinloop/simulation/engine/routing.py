"""Where a part goes after each station of a routed line: the next of its variant's route, or one drawn."""

import math
from collections.abc import Callable, Sequence
from itertools import accumulate

from twinloop.replication.streams import BLOCK, Streams
from twinloop.simulation.engine.entities import Buffer, Part, Shipping
from twinloop.simulation.engine.transport import Dock
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.routing import LEAVES, paths
from twinloop.simulation.model.station import Station

Outlet = Buffer | Dock | Shipping
Choice = Callable[[Part], Outlet]


def choices_of(
    line: Line, queues: Sequence[Buffer | Dock], exits: Sequence[Shipping], streams: Streams
) -> list[Choice]:
    """Per station what says where its finished part goes; `queues` and `exits` are those of every station."""
    if line.branching:
        places = {station.name: queue for station, queue in zip(line.stations, queues, strict=True)}
        return [_drawn(station, places, leave, streams) for station, leave in zip(line.stations, exits, strict=True)]
    ways = paths(line.stations, line.source.variants)
    after: list[list[Outlet]] = [[*(queues[position] for position in way[1:]), exits[way[-1]]] for way in ways]

    def following(part: Part) -> Outlet:
        outlet = after[part.variant][part.step]
        part.step += 1
        return outlet

    return [following] * len(line.stations)


def _drawn(station: Station, places: dict[str, Buffer | Dock], leave: Shipping, streams: Streams) -> Choice:
    """One uniform draw per part, compared with the cumulated probabilities in the order of `next`; the rest leaves."""
    if not station.next:
        return lambda part: leave
    rng = streams.generator(station.name, "branch")
    outlets: list[Outlet] = [places[name] for name in station.next]
    limits = list(accumulate(station.next.values()))
    if math.fsum(station.next.values()) < LEAVES:
        outlets.append(leave)
        limits.append(1.0)
    limits[-1] = math.inf
    waiting: list[float] = []

    def drawn(part: Part) -> Outlet:
        nonlocal waiting
        if not waiting:
            waiting = rng.random(BLOCK)[::-1].tolist()
        luck, choice = waiting.pop(), 0
        while luck >= limits[choice]:
            choice += 1
        return outlets[choice]

    return drawn
