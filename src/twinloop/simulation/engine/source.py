"""What enters the line: parts made with their class and luck, in lots of variants, as they arrive or are asked for."""

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import simpy

from twinloop.replication.streams import Streams
from twinloop.simulation.engine.entities import Lose, Part
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.visits import Door, Visits
from twinloop.simulation.events.log import ENTER, SOURCE, EventLog
from twinloop.simulation.model.distributions import durations
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.routing import paths
from twinloop.simulation.model.source import Order, Source


@dataclass(frozen=True)
class Begun:
    """What the source did before a fork: parts on the line (numbered first), the rest of its lot, its next arrival."""

    parts: int = 0
    lot: tuple[int, ...] = ()
    next_arrival_min: float | None = None


def following(first: float, later: Callable[[], float]) -> Callable[[], float]:
    """A function that gives `first`, then what `later` gives."""
    return chain((first,), iter(later, None)).__next__


def variant_sequence(source: Source, streams: Streams) -> Iterator[int]:
    """Variant of part 0, 1, …: of the orders as released, or in lots.

    Lots come in random order (fifo), sorted within each window (grouped; a window begins with the variant the last
    one ended with, which saves one more set-up), or always of the variant that is most behind its share (levelled;
    goal chasing, Monden, Toyota Production System).
    """
    if source.orders:
        names = [variant.name for variant in source.variants]
        for order in source.released:
            yield from [names.index(order.variant)] * order.quantity
        return
    if source.plan == "levelled":
        yield from _levelled(source)
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


def _levelled(source: Source) -> Iterator[int]:
    behind = [0.0] * len(source.shares)
    while True:
        behind = [lag + share for lag, share in zip(behind, source.shares, strict=True)]
        # The tolerance keeps equal shares in the order they are listed, whatever is lost in rounding.
        variant = max(range(len(behind)), key=lambda index: round(behind[index], 9))
        behind[variant] -= 1
        yield from [variant] * source.lot_size


def maker(
    env: simpy.Environment,
    log: EventLog,
    gate: Gate,
    streams: Streams,
    variants: Iterator[int],
    *,
    priority: Callable[[int, int], int] | None = None,
    first: int = 0,
    unlike_share: float = 0.0,
) -> Callable[[], Part]:
    """A function that makes the next part, counted from `first`, which enters the line at that moment.

    priority: of a part by number and variant; None where all have the same. unlike_share: see `Inspection`.
    """
    strange = streams.by_part("unlike", "uniform")
    kind, difficulty = streams.by_part("class", "uniform"), streams.by_part("difficulty", "normal")
    made = first

    def make() -> Part:
        nonlocal made
        luck, condition = kind[made], 0
        while luck >= gate.upper_share[condition]:
            condition += 1
        variant = next(variants)
        part = Part(
            made,
            variant=variant,
            condition=condition,
            difficulty=math.nan if unlike_share and strange[made] < unlike_share else difficulty[made],
            priority=priority(made, variant) if priority else 0,
        )
        log.record(env.now, ENTER, SOURCE, made, condition, part.variant)
        made += 1
        return part

    return make


def start_source(
    env: simpy.Environment,
    source: Source,
    entries: Sequence[Door],
    make: Callable[[], Part],
    streams: Streams,
    begun: Begun,
    *,
    lose: Lose,
) -> None:
    """Let parts arrive, or orders be released; a saturated source needs no process. entries: per variant.

    lose: has who is turned away.
    """
    if source.interarrival is not None:
        between = durations(source.interarrival, streams, "source", "interarrival")
        if begun.next_arrival_min is not None:
            between = following(begun.next_arrival_min, between)
        env.process(arrivals(env, entries, make, between, lose=lose if source.when_full == "lose" else None))
    if source.orders:
        env.process(releases(env, entries, make, source.released))


def arrivals(
    env: simpy.Environment,
    entries: Sequence[Door],
    make: Callable[[], Part],
    between: Callable[[], float],
    *,
    lose: Lose | None = None,
) -> Generator[simpy.Event, None, None]:
    """Parts come one by one to the entry of their variant; where it is full they queue outside, or `lose` has them."""
    while True:
        yield env.timeout(between())
        _come(make(), entries, lose=lose)


def releases(
    env: simpy.Environment, entries: Sequence[Door], make: Callable[[], Part], orders: Sequence[Order]
) -> Generator[simpy.Event, None, None]:
    """All parts of an order come to the entry of their variant when it is released; `orders` sorted by release."""
    for order in orders:
        yield env.timeout(order.release_min - env.now)
        for _ in range(order.quantity):
            _come(make(), entries)


def _come(part: Part, entries: Sequence[Door], *, lose: Lose | None = None) -> None:
    if entries[part.variant].put(part):
        return
    if lose is None:
        entries[part.variant].room(part)
    else:
        lose(part, SOURCE)


def begin_with(line: Line, doors: Sequence[Door], make: Callable[[], Part], visits: Visits | None) -> None:
    """Put what the line begins with before its stations, in the order given; `make` makes these parts first.

    A population begins where its variants enter.
    """
    names = [station.name for station in line.stations]
    ways = paths(line.stations, line.source.variants)

    def put(part: Part, position: int) -> None:
        if visits is not None:
            visits.come(part, position)
        doors[position].put(part)

    for parts in line.initial:
        position = names.index(parts.station)
        for _ in range(parts.quantity):
            part = make()
            if line.routed and not line.branching:
                part.step = ways[part.variant].index(position)
            put(part, position)
    for _ in range(line.source.population or 0):
        part = make()
        put(part, line.entries[part.variant])


def initial_variants(line: Line) -> list[int]:
    """Variants of the parts that a line begins with."""
    names = [variant.name for variant in line.source.variants]
    return [names.index(parts.variant) if parts.variant else 0 for parts in line.initial for _ in range(parts.quantity)]
