"""From a line's description to its machines, buffers and source in one environment."""

from dataclasses import dataclass
from itertools import accumulate, chain

import simpy

from twinloop.replication.streams import Streams
from twinloop.simulation.engine.crew import RepairCrew
from twinloop.simulation.engine.depot import Depot
from twinloop.simulation.engine.entities import Buffer, Shipping
from twinloop.simulation.engine.inlets import inlet_of, loading_of
from twinloop.simulation.engine.inspection import Gate, Inspector
from twinloop.simulation.engine.machines import Machine, Outlet, Place
from twinloop.simulation.engine.resources import Resources
from twinloop.simulation.engine.rework import Repairer, success_by_class
from twinloop.simulation.engine.routing import Choice, choices_of
from twinloop.simulation.engine.source import (
    Begun,
    begin_with,
    initial_variants,
    maker,
    start_source,
    variant_sequence,
)
from twinloop.simulation.engine.wearing import Wearing, WearingInspector
from twinloop.simulation.events.log import EventLog
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.station import Station

NEVER = float("inf")


@dataclass(frozen=True, eq=False)
class Plant:
    """A line that can run: its machines in the order of their entities, the buffers they take from, what they share."""

    line: Line
    env: simpy.Environment
    log: EventLog
    machines: list[Machine]
    buffers: list[Buffer]
    resources: Resources


def build(
    env: simpy.Environment,
    log: EventLog,
    line: Line,
    gate: Gate,
    streams: Streams,
    *,
    latency_min: float,
    begun: Begun | None = None,
) -> Plant:
    """The machines of a line and its source as processes of `env`, none of which has started.

    Raises InputError when the line names classes the gate does not know.
    """
    source = line.source
    fresh, begun = begun is None, begun or Begun()
    variants = chain(initial_variants(line) if fresh else begun.lot, variant_sequence(source, streams))
    before = line.initial_parts
    make = maker(
        env,
        log,
        gate,
        streams,
        variants,
        priority=(lambda number, variant: source.priority(number - before, variant)) if source.prioritised else None,
        first=begun.parts,
    )
    *firsts, after_last = accumulate((station.servers for station in line.stations), initial=1)
    inlets = [inlet_of(env, log, first, line, position, make, streams) for position, first in enumerate(firsts)]
    exits = [
        Shipping(env, log, first + station.servers - 1) for first, station in zip(firsts, line.stations, strict=True)
    ]
    rework = line.rework
    first_resource = after_last + (rework.servers if rework else 0)
    resources = Resources.of(env, log, line, streams, first=first_resource)
    ways = [resources.way_to(inlet) for inlet in inlets]
    choices: list[Choice | None] = [None] * len(line.stations)
    outlets: list[Outlet] = [*ways[1:], exits[-1]]
    if line.routed:
        choices[:], outlets = choices_of(line, ways, exits, streams), [*exits]
    rework_queue = None
    if rework:
        kind = Depot if line.transport else Buffer
        rework_queue = kind(env, log, after_last, name=f"the queue of {rework.name}", capacity=rework.buffer)
    crew = RepairCrew(env, line.crew, day=line.minutes_per_day) if line.crew else None
    machines: list[Machine] = []

    def next_place(
        station: Station, inlet: Buffer, outlet: Outlet, choice: Choice | None = None, *, server: int = 0
    ) -> Place:
        return Place(
            env,
            log,
            streams,
            len(machines) + 1,
            inlet,
            outlet,
            source.variants,
            server,
            outlet_of=choice,
            crew=crew,
            needs=resources.needs(station),
            loading=loading_of(station, inlet, line),
        )

    for station, inlet, outlet, choice in zip(line.stations, inlets, outlets, choices, strict=True):
        for server in range(station.servers):
            place = next_place(station, inlet, outlet, choice, server=server)
            if station.inspects:
                inspector = (WearingInspector if station.wear else Inspector)(
                    place,
                    station,
                    gate=gate,
                    inspection=line.inspection,
                    rework=rework,
                    rework_queue=resources.way_to(rework_queue) if rework_queue else None,
                    latency_min=latency_min,
                )
                machines.append(inspector)
            else:
                machines.append((Wearing if station.wear else Machine)(place, station))
    if rework and rework_queue:
        success = success_by_class(line, gate.classes)
        station = Station(name=rework.name, cycle=rework.cycle)
        for _ in range(rework.servers):
            place = next_place(station, rework_queue, ways[line.return_position])
            machines.append(Repairer(place, station, success=success))
    for machine in machines:
        if isinstance(machine, Wearing):
            machine.peers = machines
    if fresh:
        begin_with(line, inlets, make)
    start_source(env, log, source, [inlets[entry] for entry in line.entries], make, streams, begun)
    return Plant(line, env, log, machines, [*inlets, rework_queue] if rework_queue else inlets, resources)
