"""What a line's log speaks of, by name: the source, every machine, what machines share, and what is timed."""

from twinloop.simulation.model.line import Line


def entities(line: Line) -> tuple[str, ...]:
    """Names by entity number: the source, every server of every station, every rework place, resources, spans."""
    places = [(station.name, station.servers) for station in line.stations]
    places += [(line.rework.name, line.rework.servers)] if line.rework else []
    places += resource_places(line)
    spans = (span.name for span in line.spans)
    return ("source", *(name for place in places for name in numbered(*place)), *spans)


def resource_places(line: Line) -> list[tuple[str, int]]:
    """Name and number of the entities that are no machines, in their order: operators, vehicles, stocks."""
    return [
        *((group.name, group.count) for group in line.operators),
        *([("vehicle", line.transport.fleet)] if line.transport else []),
        *((material.name, 1) for material in line.materials),
    ]


def numbered(name: str, count: int) -> list[str]:
    """Names of `count` equal entities.

    >>> numbered("press", 1), numbered("press", 2)
    (['press'], ['press_1', 'press_2'])
    """
    return [name] if count == 1 else [f"{name}_{number}" for number in range(1, count + 1)]
