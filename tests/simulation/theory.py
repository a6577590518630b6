"""Lines whose behaviour is known exactly, with what to measure: the table both engines are held against.

Sources of the values: Pollaczek and Khinchine, Erlang (queues); Jackson 1957 (network); Reiser and Lavenberg 1980
(closed network); Cox and Smith 1961 (machine interference); Buzacott 1967 and Gershwin 1994 (two machines,
deterministic cycles); Hillier and Boling 1967 (reliable exponential lines); exact Markov chains of Gershwin and
Berman's kind (unreliable exponential lines).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.simulation.lines import PERFECT, exponential, fixed, queue, serial_line
from tests.simulation.networks import closed
from twinloop.simulation import Distribution, Economy, Line, Source, Station
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.run import Run
from twinloop.simulation.events.log import BLOCKED, DOWN, RUNNING, STARVED
from twinloop.simulation.model.resources import Crew

Figures = Mapping[str, float]
Minutes = NDArray[np.float64]
Measure = Callable[[Figures, Minutes], float]


@dataclass(frozen=True)
class Known:
    """A line, what is measured in a replication, and its exact value.

    minutes, replications: for a standard error of a quarter of a percent in the compiled engine. rough: minutes for
    4 % in one run of SimPy. controls: further measures and their exact means; what they are off by chance explains
    part of what the measured value is off by (control variates; Law, Simulation Modeling and Analysis, 11.4).
    """

    line: Line
    measure: Measure
    exact: float
    minutes: float
    replications: int
    rough: float
    warmup: float = 1000.0
    controls: tuple[tuple[Measure, float], ...] = ()

    def runs(self, *, minutes: float, replications: int, seed: int) -> list[Run]:
        gate = Gate.of(self.line.inspection.assumed.curve())
        return [
            Run(
                line=self.line,
                gate=gate,
                latency_ms=0.0,
                economy=Economy(),
                seed=seed,
                replication=replication,
                start=self.warmup,
                horizon=self.warmup + minutes,
            )
            for replication in range(replications)
        ]

    def estimate(self, outcomes: Sequence[tuple[Figures, Minutes]]) -> tuple[float, float]:
        """Mean and its standard error, by least squares on what the controls are off."""
        values = np.array([self.measure(*outcome) for outcome in outcomes])
        off = [[control(*outcome) - exact for outcome in outcomes] for control, exact in self.controls]
        design = np.column_stack([np.ones(len(values)), *off])
        found = np.linalg.lstsq(design, values)[0]
        noise = values - design @ found
        variance = noise @ noise / (len(values) - design.shape[1]) * np.linalg.inv(design.T @ design)[0, 0]
        return float(found[0]), math.sqrt(variance)


def throughput(figures: Figures, minutes: Minutes) -> float:
    return figures["throughput_per_day"] / 1000.0


def wait(figures: Figures, minutes: Minutes) -> float:
    return figures["cycle_time_min"] - 1.0


def busy(figures: Figures, minutes: Minutes) -> float:
    """Servers at work on average."""
    return _on_average(minutes, RUNNING)


def down(figures: Figures, minutes: Minutes) -> float:
    """Machines down on average."""
    return _on_average(minutes, DOWN)


def _on_average(minutes: Minutes, state: int) -> float:
    return float(minutes[1:, state - STARVED].sum() / minutes[1].sum())


def level(figures: Figures, minutes: Minutes) -> float:
    """Parts between the first machine's work and the end of the second's: all but the one being worked on first."""
    working_on = 1.0 - minutes[1, BLOCKED - STARVED] / minutes[1].sum()
    return float(figures["wip"] - working_on)


def erlang_c(servers: int, load: float) -> float:
    """Probability of having to wait in M/M/c."""
    terms = [load**busy / math.factorial(busy) for busy in range(servers)]
    full = load**servers / math.factorial(servers) * servers / (servers - load)
    return full / (sum(terms) + full)


def single_server(service: Distribution) -> Line:
    return Line(
        name="queue",
        minutes_per_day=1000.0,
        source=Source(interarrival=exponential(1 / 0.8)),
        stations=(Station(name="desk", cycle=service),),
        inspection=PERFECT,
    )


JACKSON = Line(
    name="network",
    minutes_per_day=1000.0,
    source=Source(interarrival=exponential(1 / 1.3)),
    stations=(
        Station(name="a", cycle=exponential(0.5), next={"b": 0.5, "c": 0.3}),
        Station(name="b", cycle=exponential(1.0), servers=2, next={"a": 0.2, "c": 0.8}),
        Station(name="c", cycle=exponential(0.6)),
    ),
    inspection=PERFECT,
)


def jackson_parts() -> float:
    """Mean number in JACKSON: γ = λ₀ + γP, and each node by itself M/M/c at γ."""
    onward = np.array([[0.0, 0.5, 0.3], [0.2, 0.0, 0.8], [0.0, 0.0, 0.0]])
    rates = np.linalg.solve(np.eye(3) - onward.T, [1.3, 0.0, 0.0])
    total = 0.0
    for station, rate in zip(JACKSON.stations, rates, strict=True):
        load = rate * station.cycle.average
        total += load + erlang_c(station.servers, load) * load / (station.servers - load)
    return float(total)


def interference(machines: int, crew: int, failure_rate: float, repair_rate: float) -> Line:
    """Machines that never wait for work fail while they run and wait for one of a crew."""
    station = Station(
        name="machine",
        cycle=fixed(20.0),
        servers=machines,
        failure=exponential(1 / failure_rate),
        repair=exponential(1 / repair_rate),
    )
    return Line(name="shop", minutes_per_day=1000.0, stations=(station,), crew=Crew(size=crew), inspection=PERFECT)


def two_machines(p1: float, r1: float, p2: float, r2: float, *, storage: int) -> Line:
    """The two-machine line of Buzacott and Gershwin, in which a working machine fails with p before its next part.

    A geometric number of parts to the next failure, from 1, is the same: a machine that was repaired first makes a
    part. Their storage holds everything between the two machines' work: the part in the second machine and the one
    the first has finished but cannot pass on are in it, so the buffer between has two places fewer.
    """
    failures, repairs = ((1 / p1, 1 / p2), (1 / r1, 1 / r2))
    stations = tuple(
        Station(
            name=f"m{number}",
            cycle=fixed(1.0),
            failure=Distribution(kind="geometric", mean=failure),
            repair=Distribution(kind="geometric", mean=repair),
        )
        for number, (failure, repair) in enumerate(zip(failures, repairs, strict=True), start=1)
    )
    return Line(
        name="two machines", minutes_per_day=1000.0, stations=stations, buffers=(storage - 2,), inspection=PERFECT
    )


def _queue(line: Line, exact: float, *, load: float, millions: float) -> Known:
    arrivals = 1 / line.source.interarrival.average if line.source.interarrival else 0.0
    return Known(
        line,
        wait,
        exact,
        minutes=millions * 1e6 / arrivals / 60,
        replications=60,
        rough=200_000 / arrivals,
        warmup=2000.0,
        controls=((throughput, arrivals), (busy, load)),
    )


QUEUES = {
    "M/M/1": _queue(single_server(exponential()), 4.0, load=0.8, millions=11),
    "M/M/3": _queue(queue(arrivals=2.4, servers=3), 0.647191 / 0.6, load=2.4, millions=22),
    "M/D/1": _queue(single_server(fixed(1.0)), 2.0, load=0.8, millions=8),
    "M/E2/1": _queue(single_server(Distribution(kind="gamma", mean=1.0, cv=math.sqrt(0.5))), 3.0, load=0.8, millions=9),
}
NETWORKS = {
    "Jackson network": Known(
        JACKSON,
        lambda figures, minutes: figures["wip"],
        jackson_parts(),
        minutes=60_000,
        replications=30,
        rough=40_000,
        controls=((throughput, 1.3),),
    ),
}
INTERFERENCE = {
    f"M/M/{crew}//{machines}": Known(
        interference(machines, crew, fails, repairs), down, exact, minutes=minutes, replications=20, rough=60_000
    )
    for machines, crew, fails, repairs, exact, minutes in (
        (5, 1, 0.05, 0.2, 1.796267, 150_000),
        (10, 2, 0.1, 0.5, 2.403722, 50_000),
    )
}
_TWO = {
    (0.01, 0.1, 0.01, 0.1, 4): (0.840936, 2.0),
    (0.01, 0.1, 0.01, 0.1, 10): (0.856175, 5.0),
    (0.01, 0.1, 0.01, 0.1, 20): (0.870541, 10.0),
    (0.01, 0.1, 0.02, 0.1, 10): (0.796129, 6.5239),
    (0.01, 0.14, 0.01, 0.1, 10): (0.876024, 5.3532),
    (0.05, 0.2, 0.05, 0.2, 5): (0.703448, 2.5),
}
TWO_MACHINES = {
    f"two machines {key}": Known(
        two_machines(*key[:4], storage=key[4]), throughput, rate, minutes=60_000, replications=20, rough=40_000
    )
    for key, (rate, _) in _TWO.items()
} | {
    f"two machines {key}, level": Known(
        two_machines(*key[:4], storage=key[4]), level, parts, minutes=160_000, replications=50, rough=200_000
    )
    for key, (_, parts) in _TWO.items()
    if key in ((0.01, 0.1, 0.01, 0.1, 4), (0.01, 0.1, 0.02, 0.1, 10), (0.05, 0.2, 0.05, 0.2, 5))
}
_RELIABLE: dict[int, dict[int, float]] = {
    2: {buffer: (buffer + 2) / (buffer + 3) for buffer in (0, 2, 6)},
    3: {0: 0.564103, 1: 0.670466, 2: 0.734017, 3: 0.776712, 5: 0.830759},
    4: {0: 0.514775, 1: 0.631153, 2: 0.700713, 3: 0.747710, 5: 0.807665},
    5: {0: 0.485798, 1: 0.607583, 2: 0.680489, 3: 0.729948},
}
RELIABLE = {
    f"{stations} stations, buffers of {buffer}": Known(
        serial_line(stations, buffer=buffer), throughput, exact, minutes=20_000, replications=20, rough=20_000
    )
    for stations, values in _RELIABLE.items()
    for buffer, exact in values.items()
}
UNRELIABLE = {
    f"{stations} unreliable stations": Known(
        serial_line(stations, buffer=buffer, failure=100.0, repair=10.0),
        throughput,
        exact,
        minutes=50_000,
        replications=30,
        rough=50_000,
    )
    for stations, buffer, exact in ((2, 5, 0.756197), (3, 5, 0.690298), (4, 5, 0.650374), (5, 2, 0.536335))
}
# Means by mean value analysis: population → response time.
CLOSED = {
    f"closed network of {population}": Known(
        closed(population),
        lambda figures, minutes: figures["answer_mean_min"],
        response,
        minutes=minutes,
        replications=30,
        rough=15_000,
    )
    for population, response, minutes in ((10, 0.735319, 16_000), (30, 1.542272, 30_000), (60, 9.001157, 24_000))
}
KNOWN: dict[str, Any] = QUEUES | NETWORKS | CLOSED | INTERFERENCE | TWO_MACHINES | RELIABLE | UNRELIABLE
