"""Where parts go on a routed line: routes per variant, or branches with probabilities (a Jackson network).

Either every variant has its list of stations, in which one may come again (re-entrant), or stations say with which
probability a part goes where next and the rest leaves. Whatever way a part takes, it must be able to leave; of a
closed population, to come back to where it began (Gordon and Newell, 1967).
"""

import math
from collections.abc import Sequence, Set

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import nearest
from twinloop.simulation.model.population import check_closed
from twinloop.simulation.model.source import Variant
from twinloop.simulation.model.station import Station

LEAVES = 1.0 - 1e-9


def check_serial(stations: Sequence[Station], buffers: Sequence[int], *, saturated: bool) -> None:
    """Raises ValueError where stations have queues of their own, or neighbours no buffer between them."""
    for station in stations[0 if saturated else 1 :]:
        if station.queue is not None:
            raise ValueError(
                f"station {station.name}: queue is for routed lines (a variant with a route, a station with next) and "
                "before the first station, where parts arrive; on a serial line set buffers"
            )
    if len(buffers) != len(stations) - 1:
        raise ValueError(
            f"expected {len(stations) - 1} buffers, one between each two of {len(stations)} stations, "
            f"got {len(buffers)}"
        )


def check_routing(
    stations: Sequence[Station],
    buffers: Sequence[int],
    variants: Sequence[Variant],
    *,
    saturated: bool,
    closed: bool = False,
) -> None:
    """Raises ValueError for an unknown station, probabilities above 1, a loop without exit, a source in two places.

    closed: whether nobody leaves: then the way back to where a part began is the exit.
    """
    if buffers:
        raise ValueError("a routed line takes no buffers: give each station its own queue")
    names = [station.name for station in stations]
    for variant in variants:
        for name in variant.route or ():
            if name not in names:
                raise ValueError(f"variant {variant.name}: route: unknown station {name!r}; {nearest(name, names)}")
    branching = any(station.next for station in stations)
    if branching:
        _check_branches(stations, names, {names[path[0]] for path in paths(stations, variants)} if closed else set())
        for variant in variants:
            if len(variant.route or ()) > 1:
                raise ValueError(
                    f"variant {variant.name}: expected a route of one station, where it enters, as stations branch "
                    f"(next); got {len(variant.route or ())}"
                )
    firsts = {names[path[0]] for path in paths(stations, variants)}
    if saturated and len(firsts) > 1:
        raise ValueError(
            f"expected source.interarrival or orders where variants enter at different stations "
            f"({', '.join(sorted(firsts))}): a source that is never empty feeds one station"
        )


def _check_branches(stations: Sequence[Station], names: Sequence[str], returns: Set[str]) -> None:
    """returns: stations at which a closed population begins; empty where parts leave."""
    for station in stations:
        for name in station.next:
            if name not in names:
                raise ValueError(f"station {station.name}: next: unknown station {name!r}; {nearest(name, names)}")
        total = math.fsum(station.next.values())
        if total > 1 + 1e-9:
            raise ValueError(
                f"station {station.name}: next: expected probabilities that sum to at most 1 (the rest leaves), "
                f"got {total:g}"
            )
    ways = {station.name: [name for name, share in station.next.items() if share > 0] for station in stations}
    if returns:
        check_closed(stations)
    out = {station.name for station in stations if math.fsum(station.next.values()) < LEAVES} | returns
    while reaches := {name for name in names if name not in out and out.intersection(ways[name])}:
        out |= reaches
    trapped = [name for name in names if name not in out]
    if trapped:
        loop = [trapped[0]]
        while loop[-1] not in loop[:-1]:
            loop.append(ways[loop[-1]][0])
        shown = " → ".join(loop[loop.index(loop[-1]) :])
        if returns:
            raise ValueError(f"no part ever comes back from the loop {shown} to {', '.join(sorted(returns))}")
        raise ValueError(
            f"no part ever leaves the loop {shown}: lower a probability of its next, so that the rest leaves, or set "
            "source.population for parts that never leave"
        )


def paths(stations: Sequence[Station], variants: Sequence[Variant]) -> tuple[tuple[int, ...], ...]:
    """Per variant the positions (from 0) it visits by its route, or where stations branch the one it enters at."""
    names = [station.name for station in stations]
    everything = tuple(range(len(names)))
    chosen = tuple(
        everything if variant.route is None else tuple(map(names.index, variant.route)) for variant in variants
    )
    return tuple(path[:1] for path in chosen) if any(station.next for station in stations) else chosen


def visits(stations: Sequence[Station], variants: Sequence[Variant], *, closed: bool = False) -> NDArray[np.float64]:
    """[variants, stations] expected visits of one part, from its route or the traffic equations v = e + v·P.

    closed: of one round, from where the part begins until it is there again.
    """
    count = len(stations)
    entering = np.zeros((len(variants), count))
    for row, path in zip(entering, paths(stations, variants), strict=True):
        np.add.at(row, list(path), 1.0)
    if not any(station.next for station in stations):
        return entering
    names = [station.name for station in stations]
    onward = np.zeros((count, count))
    for row, station in zip(onward, stations, strict=True):
        for name, share in station.next.items():
            row[names.index(name)] = share
    if closed:
        # Who comes back to where a round began has ended it: a way there leads out.
        return np.stack([_solved(onward * (row == 0), row) for row in entering])
    return np.asarray(np.linalg.solve((np.eye(count) - onward).T, entering.T).T, dtype=np.float64)


def _solved(onward: NDArray[np.float64], entering: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.solve((np.eye(len(entering)) - onward).T, entering), dtype=np.float64)
