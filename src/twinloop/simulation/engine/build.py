"""From a line's description to its machines, buffers and source in one environment."""

from collections.abc import Callable, Generator, Iterator

import simpy

from twinloop.errors import InputError
from twinloop.simulation.engine.entities import Buffer, Part, Shipping
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.machines import Inspector, Machine, Place, Repairer
from twinloop.simulation.engine.streams import Streams
from twinloop.simulation.events.log import ENTER, SOURCE, EventLog
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.source import Source
from twinloop.simulation.model.station import Station


def entities(line: Line) -> tuple[str, ...]:
    """Names by entity number: the source, every server of every station, every rework place."""
    places = [(station.name, station.servers) for station in line.stations]
    places += [(line.rework.name, line.rework.servers)] if line.rework else []
    names = [
        name if servers == 1 else f"{name}_{server}" for name, servers in places for server in range(1, servers + 1)
    ]
    return ("source", *names)


def variant_sequence(source: Source, streams: Streams) -> Iterator[int]:
    """Variant of part 0, 1, …: lots in random order (fifo) or sorted within each window (grouped).

    A window begins with the variant the last one ended with, which saves one more set-up.
    """
    shares = [variant.share for variant in source.variants]
    probability = [share / sum(shares) for share in shares]
    rng = streams.generator("source", "variant")
    last = 0
    while True:
        lots = rng.choice(len(shares), size=source.window, p=probability).tolist()
        if source.plan == "grouped":
            lots.sort(key=lambda variant, first=last: (variant - first) % len(shares))
            last = lots[-1]
        for variant in lots:
            for _ in range(source.lot_size):
                yield variant


def maker(env: simpy.Environment, log: EventLog, source: Source, gate: Gate, streams: Streams) -> Callable[[], Part]:
    variants = variant_sequence(source, streams)
    kind, difficulty = streams.by_part("class", "uniform"), streams.by_part("difficulty", "normal")
    made = 0

    def make() -> Part:
        nonlocal made
        luck, condition = kind[made], 0
        while luck >= gate.upper_share[condition]:
            condition += 1
        part = Part(made, variant=next(variants), condition=condition, difficulty=difficulty[made])
        log.record(env.now, ENTER, SOURCE, made, condition, part.variant)
        made += 1
        return part

    return make


def arrivals(
    env: simpy.Environment, queue: Buffer, make: Callable[[], Part], between: Callable[[], float]
) -> Generator[simpy.Event, None, None]:
    while True:
        yield env.timeout(between())
        queue.put(make())


def machines_of(
    env: simpy.Environment,
    log: EventLog,
    line: Line,
    gate: Gate,
    streams: Streams,
    queue: Buffer,
    latency_min: float,
) -> list[Machine]:
    last = sum(station.servers for station in line.stations)
    inner = [Buffer(env, f"buffer {number}", capacity) for number, capacity in enumerate(line.buffers, start=1)]
    inlets: list[Buffer] = [queue, *inner]
    outlets: list[Buffer | Shipping] = [*inner, Shipping(env, log, last)]
    rework = line.rework
    rework_queue = Buffer(env, f"the queue of {rework.name}", rework.buffer) if rework else None
    machines: list[Machine] = []

    def next_place(inlet: Buffer, outlet: Buffer | Shipping) -> Place:
        factors = tuple(variant.cycle_factor for variant in line.source.variants)
        return Place(env, log, streams, len(machines) + 1, inlet, outlet, factors)

    for station, inlet, outlet in zip(line.stations, inlets, outlets, strict=True):
        for _ in range(station.servers):
            place = next_place(inlet, outlet)
            if station.inspects:
                inspector = Inspector(
                    place,
                    station,
                    gate=gate,
                    inspection=line.inspection,
                    rework=rework,
                    rework_queue=rework_queue,
                    latency_min=latency_min,
                )
                machines.append(inspector)
            else:
                machines.append(Machine(place, station))
    if rework and rework_queue:
        success = success_by_class(line, gate.classes)
        station = Station(name=rework.name, cycle=rework.cycle)
        for _ in range(rework.servers):
            place = next_place(rework_queue, inlets[line.return_position])
            machines.append(Repairer(place, station, success=success))
    return machines


def success_by_class(line: Line, classes: tuple[str, ...]) -> tuple[float, ...]:
    """[C] probability that one rework visit makes a part of the class good.

    Raises InputError for a class that the operating curve does not know.
    """
    rework = line.rework
    if rework is None:
        return ()
    foreign = sorted(set(rework.success_by_class) - set(classes))
    if foreign:
        raise InputError(
            f"simulate: line.rework.success_by_class names {foreign[0]!r}, which the operating curve does not know "
            f"(its classes: {', '.join(classes)}): remove it, or evaluate a model of these classes"
        )
    return tuple(rework.success_by_class.get(name, rework.success) for name in classes)
