"""What is on a line when it starts: parts that wait before stations in minute 0."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.errors import nearest
from twinloop.simulation.model.names import Name
from twinloop.simulation.model.routing import paths
from twinloop.simulation.model.source import Variant
from twinloop.simulation.model.station import Station


@settings
class Initial:
    """`quantity` parts of a variant (null: the first) that wait before a station when the line starts.

    Where a route comes to the station more than once they wait there for the first time.
    """

    station: Name
    variant: Name | None = None
    quantity: Annotated[int, Field(ge=1)] = 1


def check_initial(
    initial: Sequence[Initial],
    stations: Sequence[Station],
    variants: Sequence[Variant],
    rooms: Sequence[float],
    *,
    routes: bool,
) -> None:
    """Raises ValueError for a place or variant that does not exist, and for more parts than there is room for."""
    names, known = [station.name for station in stations], [variant.name for variant in variants]
    ways = paths(stations, variants)
    waiting = dict.fromkeys(names, 0)
    for parts in initial:
        if parts.station not in names:
            raise ValueError(f"initial: unknown station {parts.station!r}; {nearest(parts.station, names)}")
        if parts.variant not in (None, *known):
            raise ValueError(f"initial: unknown variant {parts.variant!r}; {nearest(str(parts.variant), known)}")
        variant = known.index(parts.variant) if parts.variant else 0
        if routes and names.index(parts.station) not in ways[variant]:
            raise ValueError(f"initial: variant {known[variant]!r} never comes to {parts.station}: see its route")
        waiting[parts.station] += parts.quantity
    for name, room in zip(names, rooms, strict=True):
        if waiting[name] > room:
            raise ValueError(f"initial: {waiting[name]} parts before {name}, where {room:g} can wait: lower quantity")
