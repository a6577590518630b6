"""What lies before a station, and how its machines come to their parts: as plain as the line allows."""

from collections.abc import Callable

import simpy

from twinloop.replication.streams import Streams
from twinloop.simulation.engine.assembly import Assembly, Shelf
from twinloop.simulation.engine.batches import Batches, BatchQueue
from twinloop.simulation.engine.depot import Depot
from twinloop.simulation.engine.entities import Buffer, ImpatientQueue, Lose, Part, SaturatedQueue
from twinloop.simulation.engine.machines import Fetching, Machine
from twinloop.simulation.events.log import EventLog
from twinloop.simulation.model.distributions import durations
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.station import Station


def inlet_of(
    env: simpy.Environment,
    log: EventLog,
    entity: int,
    line: Line,
    position: int,
    make: Callable[[], Part],
    streams: Streams,
    *,
    lose: Lose,
) -> Buffer:
    """The buffer before the station at `position` (from 0), whose first machine is `entity`.

    make: the source. lose: has who runs out of patience.
    """
    station, capacity = line.stations[position], line.rooms[position]
    name = f"the queue of {station.name}" if line.routed else f"buffer {position}" if position else "the source"
    source = make if position in line.entries and line.saturated else None
    if station.batch > 1:
        return BatchQueue(
            env,
            log,
            entity,
            name=name,
            capacity=capacity,
            make=source,
            size=station.batch,
            patience=station.batch_wait_min,
        )
    if station.assembles:
        return Shelf(env, log, entity, name=name, capacity=capacity, make=source)
    if line.transport:
        return Depot(env, log, entity, name=name, capacity=capacity, make=source)
    if source:
        return SaturatedQueue(env, log, entity, name=name, capacity=capacity, make=source)
    if station.patience:
        patience = durations(station.patience, streams, station.name, "patience")
        return ImpatientQueue(env, log, entity, name=name, capacity=capacity, patience=patience, lose=lose)
    return Buffer(env, log, entity, name=name, capacity=capacity)


def loading_of(
    station: Station, inlet: Buffer, line: Line, row: Callable[[Part], float] | None
) -> Callable[[Machine], Fetching] | None:
    """How a machine of the station comes to its next part, None for the plain way; `row`: minutes by a joint table."""
    variants = line.source.variants
    if isinstance(inlet, BatchQueue):
        factors = [variant.cycle_factor for variant in variants]
        return Batches(inlet, lambda part: factors[part.variant] * (row(part) if row else 1.0))
    if isinstance(inlet, Shelf):
        names = [variant.name for variant in variants]
        return Assembly(inlet, {names.index(name): number for name, number in station.assembles.items()}, names)
    return None
