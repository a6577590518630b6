"""Stations that work on several parts at once: batches of parts, and assemblies of parts that become one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import nearest
from twinloop.simulation.model.station import Station


def check_batches(stations: Sequence[Station], rooms: Sequence[float]) -> None:
    """Raises ValueError for a batch that the room in front of its station never holds."""
    for station, room in zip(stations, rooms, strict=True):
        if station.batch > max(room, 1):
            raise ValueError(
                f"station {station.name}: a batch of {station.batch} never comes together where {room:g} parts can "
                "wait: enlarge the buffer or queue in front of it"
            )


def check_assemblies(
    stations: Sequence[Station], variants: Sequence[str], visits: NDArray[np.float64], *, repeated: Sequence[str]
) -> None:
    """Raises ValueError for a variant that is unknown, never comes, or comes without being assembled.

    visits: [variants, stations] expected visits. repeated: stations that rework sends a part through again.
    """
    for position, station in enumerate(stations):
        if not station.assembles:
            continue
        where = f"station {station.name}: assembles"
        for name in station.assembles:
            if name not in variants:
                raise ValueError(f"{where}: unknown variant {name!r}; {nearest(name, variants)}")
            if not visits[variants.index(name), position]:
                raise ValueError(f"{where}: variant {name!r} never comes there: lead its route through {station.name}")
        for name, times in zip(variants, visits[:, position], strict=True):
            if times and name not in station.assembles:
                raise ValueError(f"{where}: expected every variant that comes there, {name!r} is missing")
        if station.name in repeated:
            raise ValueError(
                f"{where}: reworked parts would come there again and be assembled twice: inspect at a later station"
            )


def pieces(stations: Sequence[Station], variants: Sequence[str], visits: NDArray[np.float64]) -> NDArray[np.float64]:
    """[variants, stations] pieces of work per part that enters, `visits` [variants, stations] given.

    What is built in makes no work of its own there. On a line where every variant visits every station in order
    (visits all 1) none afterwards either.
    """
    work = visits.copy()
    serial = bool((visits == 1).all())
    for position, station in enumerate(stations):
        numbers = dict(station.assembles)
        for place, (name, number) in enumerate(numbers.items()):
            work[variants.index(name), position : None if serial else position + 1] *= 0 if place else 1 / number
        work[:, position] /= station.batch
    return work
