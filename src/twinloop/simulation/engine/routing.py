"""Where a part goes after each station of a routed line: the next of its variant's route, or one drawn."""

import math
from collections.abc import Callable, Sequence
from itertools import accumulate

from twinloop.replication.streams import BLOCK, Streams
from twinloop.simulation.engine.entities import Part, Shipping
from twinloop.simulation.engine.transport import Dock
from twinloop.simulation.engine.visits import Door, Visits
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.routing import LEAVES, paths
from twinloop.simulation.model.station import Station

Outlet = Door | Dock | Shipping
Choice = Callable[[Part], Outlet]


def choices_of(line: Line, queues: Sequence[Door | Dock], exits: Sequence[Shipping], streams: Streams) -> list[Choice]:
    """Per station what says where its finished part goes; `queues` and `exits` are those of every station.

    Of a closed population nobody takes an exit: the way begins again.
    """
    if line.branching:
        places = {station.name: queue for station, queue in zip(line.stations, queues, strict=True)}
        return [_drawn(station, places, leave, streams) for station, leave in zip(line.stations, exits, strict=True)]
    ways = paths(line.stations, line.source.variants)
    last: list[Outlet] = [queues[way[0]] if line.closed else exits[way[-1]] for way in ways]
    after: list[list[Outlet]] = [
        [*(queues[position] for position in way[1:]), end] for way, end in zip(ways, last, strict=True)
    ]

    def following(part: Part) -> Outlet:
        way, step = after[part.variant], part.step
        part.step = (step + 1) % len(way)
        return way[step]

    return [following] * len(line.stations)


def watched(choice: Choice, visits: Visits, ways: Sequence[Outlet], *, ends: int | None) -> Choice:
    """The same choice, of which `visits` hears: that work at station `ends` (null: none's) is done, and who comes next.

    ways: what leads to every station.
    """
    positions = {id(way): position for position, way in enumerate(ways)}

    def chosen(part: Part) -> Outlet:
        if ends is not None:
            visits.done(part, ends)
        outlet = choice(part)
        position = positions.get(id(outlet))
        if position is not None:
            visits.come(part, position)
        elif isinstance(outlet, Shipping):
            visits.forget(part)
        return outlet

    return chosen


def _drawn(station: Station, places: dict[str, Door | Dock], leave: Shipping, streams: Streams) -> Choice:
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
