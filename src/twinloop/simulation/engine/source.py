"""What enters the line: parts made with their class and luck, in lots of variants, as they arrive or are asked for."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import simpy

from twinloop.replication.streams import Streams
from twinloop.simulation.engine.entities import Buffer, Part
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.events.log import ENTER, SOURCE, EventLog
from twinloop.simulation.model.distributions import durations
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
    env: simpy.Environment, log: EventLog, gate: Gate, streams: Streams, variants: Iterator[int], *, first: int = 0
) -> Callable[[], Part]:
    """A function that makes the next part, counted from `first`, which enters the line at that moment."""
    kind, difficulty = streams.by_part("class", "uniform"), streams.by_part("difficulty", "normal")
    made = first

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


def start_source(
    env: simpy.Environment,
    source: Source,
    entries: Sequence[Buffer],
    make: Callable[[], Part],
    streams: Streams,
    begun: Begun,
) -> None:
    """Let parts arrive, or orders be released; a saturated source needs no process. entries: per variant."""
    if source.interarrival is not None:
        between = durations(source.interarrival, streams, "source", "interarrival")
        if begun.next_arrival_min is not None:
            between = following(begun.next_arrival_min, between)
        env.process(arrivals(env, entries, make, between))
    if source.orders:
        env.process(releases(env, entries, make, source.released))


def arrivals(
    env: simpy.Environment, entries: Sequence[Buffer], make: Callable[[], Part], between: Callable[[], float]
) -> Generator[simpy.Event, None, None]:
    """Parts come one by one to the entry of their variant; where it is full they queue outside for room."""
    while True:
        yield env.timeout(between())
        _come(make(), entries)


def releases(
    env: simpy.Environment, entries: Sequence[Buffer], make: Callable[[], Part], orders: Sequence[Order]
) -> Generator[simpy.Event, None, None]:
    """All parts of an order come to the entry of their variant when it is released; `orders` sorted by release."""
    for order in orders:
        yield env.timeout(order.release_min - env.now)
        for _ in range(order.quantity):
            _come(make(), entries)


def _come(part: Part, entries: Sequence[Buffer]) -> None:
    if not entries[part.variant].put(part):
        entries[part.variant].room(part)
