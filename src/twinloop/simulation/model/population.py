"""A closed population: parts that are there from the start and never leave, as in a closed queueing network.

On a branching line a part goes round as its branches say; on a route, or a serial line, the first station follows the
last.
"""

import math
from collections.abc import Sequence

from twinloop.simulation.model.source import Source
from twinloop.simulation.model.span import Span
from twinloop.simulation.model.station import Station


def check_population(
    source: Source, stations: Sequence[Station], entries: Sequence[int], spans: Sequence[Span], *, initial: bool
) -> None:
    """Raises ValueError for what a population that never leaves does not go with.

    entries: position of the station where a variant begins. initial: whether other parts are there at the start.
    """
    if source.population is None:
        return
    where = "source.population"
    if source.interarrival is not None or source.orders or initial:
        other = "interarrival" if source.interarrival is not None else "orders" if source.orders else "initial"
        raise ValueError(f"expected population or {other}, got both: of a population nobody comes and nobody leaves")
    if not spans:
        raise ValueError(f"{where} needs a span: who never leaves is only timed from station to station")
    for station in stations:
        if station.inspects or station.assembles:
            verb = "inspects, which scraps parts" if station.inspects else "assembles, which takes parts away"
            raise ValueError(f"{where}: station {station.name} {verb}: of a population nobody leaves")
    for position in sorted(set(entries)):
        station = stations[position]
        if station.queue is not None:
            raise ValueError(f"{where}: all begin at {station.name}, where only {station.queue} can wait: drop queue")
    begins = [stations[position].name for position in entries]
    for span in spans:
        if span.limit is not None and span.start in begins:
            raise ValueError(f"span {span.name}: a limit does not go with {span.start}, where a population begins")


def check_closed(stations: Sequence[Station]) -> None:
    """Raises ValueError for a station whose branches let a part leave."""
    for station in stations:
        total = math.fsum(station.next.values())
        if total < 1 - 1e-9:
            raise ValueError(
                f"station {station.name}: next: expected probabilities that sum to 1, as a population never leaves, "
                f"got {total:g}"
            )
