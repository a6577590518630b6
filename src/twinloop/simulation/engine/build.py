"""From a line's description to its machines, buffers and source in one environment."""

from dataclasses import dataclass
from itertools import accumulate, chain

import simpy

from twinloop.replication.streams import Streams
from twinloop.simulation.engine.crew import RepairCrew
from twinloop.simulation.engine.delay import Delay
from twinloop.simulation.engine.depot import Depot
from twinloop.simulation.engine.entities import Buffer, Shipping
from twinloop.simulation.engine.inlets import inlet_of, loading_of
from twinloop.simulation.engine.inspection import Gate, Inspector
from twinloop.simulation.engine.losses import Losses
from twinloop.simulation.engine.machines import Machine, Outlet, Place
from twinloop.simulation.engine.resources import Resources
from twinloop.simulation.engine.rework import Repairer, success_by_class
from twinloop.simulation.engine.routing import Choice, choices_of, watched
from twinloop.simulation.engine.source import (
    Begun,
    begin_with,
    initial_variants,
    maker,
    start_source,
    variant_sequence,
)
from twinloop.simulation.engine.visits import Visits, rows_of
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
    drawn: bool = True,
) -> Plant:
    """The machines of a line and its source as processes of `env`, none of which has started.

    drawn: whether a joint table that is resampled is drawn anew (model.joint).
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
        priority=(lambda number, variant: source.priority(number - before, variant)) if line.prioritised else None,
        first=begun.parts,
        unlike_share=line.inspection.unlike_share,
    )
    follows = bool(line.spans or line.joint)
    visits = Visits(env, log, line, first=len(log.entities) - len(line.spans)) if follows else None
    coming = visits.entering(make) if visits else make
    lose = Losses(env, log, line, visits)
    *firsts, after_last = accumulate((station.servers for station in line.stations), initial=1)
    inlets = [
        inlet_of(env, log, first, line, position, coming, streams, lose=lose) for position, first in enumerate(firsts)
    ]
    doors = [visits.door(position, inlet, lose) for position, inlet in enumerate(inlets)] if visits else inlets
    lose.doors = doors
    exits = [
        Shipping(env, log, first + station.servers - 1) for first, station in zip(firsts, line.stations, strict=True)
    ]
    rework = line.rework
    first_resource = after_last + (rework.servers if rework else 0)
    resources = Resources.of(env, log, line, streams, first=first_resource)
    ways = [resources.way_to(door) for door in doors]
    rows = rows_of(line, streams, drawn=drawn)
    choices: list[Choice | None] = [None] * len(line.stations)
    outlets: list[Outlet] = [*ways[1:], ways[0] if line.closed else exits[-1]]
    if line.routed:
        choices[:], outlets = choices_of(line, ways, exits, streams), [*exits]
    if visits:
        choices[:] = [
            watched(choice or _always(outlet), visits, ways, ends=position)
            for position, (choice, outlet) in enumerate(zip(choices, outlets, strict=True))
        ]
    rework_queue = None
    if rework:
        queue = Depot if line.transport else Buffer
        rework_queue = queue(env, log, after_last, name=f"the queue of {rework.name}", capacity=rework.buffer)
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
            loading=loading_of(station, inlet, line, rows.get(station.name)),
            row=rows.get(station.name),
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
                kind = Delay if station.unlimited else Wearing if station.wear else Machine
                machines.append(kind(place, station))
    if rework and rework_queue:
        success = success_by_class(line, gate.classes)
        station = Station(name=rework.name, cycle=rework.cycle)
        back = ways[line.return_position]
        choice = watched(_always(back), visits, ways, ends=None) if visits else None
        for _ in range(rework.servers):
            place = next_place(station, rework_queue, back, choice)
            machines.append(Repairer(place, station, success=success))
    for machine in machines:
        if isinstance(machine, Wearing):
            machine.peers = machines
    if fresh:
        begin_with(line, doors, make, visits)
    start_source(env, source, [doors[entry] for entry in line.entries], coming, streams, begun, lose=lose)
    return Plant(line, env, log, machines, [*inlets, rework_queue] if rework_queue else inlets, resources)


def _always(outlet: Outlet) -> Choice:
    """Where there is one way only."""
    return lambda part: outlet
