"""Closed queueing networks, and what theory says of them: mean value analysis, and the chain of M/M/c//N."""

import math
from collections.abc import Sequence

from tests.simulation.lines import PERFECT, exponential
from twinloop.simulation import Distribution, Joint, Line, Source, Span, Station, Variant

THINK, DEMANDS = 12.0, (0.35, 0.10, 0.15)


def mean_values(think: float, demands: Sequence[float], population: int) -> tuple[float, float]:
    """Throughput and response time of a closed network (Reiser and Lavenberg, 1980)."""
    lengths = [0.0] * len(demands)
    throughput = response = 0.0
    for size in range(1, population + 1):
        times = [demand * (1 + length) for demand, length in zip(demands, lengths, strict=True)]
        response = sum(times)
        throughput = size / (think + response)
        lengths = [throughput * time for time in times]
    return throughput, response


def finite_source(servers: int, population: int, think: float, service: float) -> tuple[float, float]:
    """Throughput and response time of M/M/c//N: its birth and death chain (Cox and Smith, 1961)."""
    weights = [1.0]
    for inside in range(1, population + 1):
        birth, death = (population - inside + 1) / think, min(inside, servers) / service
        weights.append(weights[-1] * birth / death)
    total = math.fsum(weights)
    chances = [weight / total for weight in weights]
    throughput = math.fsum(chance * min(n, servers) / service for n, chance in enumerate(chances))
    return throughput, math.fsum(chance * n for n, chance in enumerate(chances)) / throughput


def closed(population: int, *, servers: int = 1, demands: Sequence[float] = DEMANDS, think: float = THINK) -> Line:
    """Everybody thinks, then goes through one station after the other; the stations branch."""
    names = [f"s{number}" for number in range(1, len(demands) + 1)]
    stations = [Station(name="think", cycle=exponential(think), unlimited=True, next={"s1": 1.0})]
    for name, following, demand in zip(names, [*names[1:], "think"], demands, strict=True):
        stations.append(Station(name=name, cycle=exponential(demand), servers=servers, next={following: 1.0}))
    return Line(
        name="network",
        minutes_per_day=1000.0,
        source=Source(population=population),
        stations=tuple(stations),
        spans=(Span(name="answer", start=names[0], end=names[-1]),),
        inspection=PERFECT,
    )


def routed(population: int) -> Line:
    """Two variants on routes of their own, one of which comes to a station twice; durations of a part in one row."""
    return Line(
        name="routes",
        minutes_per_day=1000.0,
        source=Source(
            population=population,
            variants=(
                Variant(name="a", route=("think", "hear", "find", "hear", "speak"), priority=1),
                Variant(name="b", route=("wait", "find", "speak"), share=0.5, cycle_factor=0.5),
            ),
        ),
        stations=(
            Station(name="think", cycle=exponential(6.0), unlimited=True),
            Station(name="wait", cycle=Distribution(kind="deterministic", mean=3.0), unlimited=True),
            Station(name="hear", cycle=Distribution(kind="empirical", values=(0.0, 0.5, 2.0)), queue=1),
            Station(name="find", cycle=Distribution(kind="empirical", values=(0.3, 0.1, 1.0)), servers=2),
            Station(name="speak", cycle=exponential(0.4), servers=2, speeds=(1.0, 0.5)),
        ),
        spans=(
            Span(name="answer", start="hear", end="speak", target_min=2.0),
            Span(name="search", start="find", end="find", variant="b"),
        ),
        joint=Joint(stations=("hear", "find"), renewed_at="hear", resampled=True),
        inspection=PERFECT,
    )
