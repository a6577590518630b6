"""How many people a service holds, and how many cores so many people need.

A number of people is held where `share` of all turns is answered within the target; a turn that is turned away is not.
Each replication has a draw of what was measured and finds its own greatest number, by bisection with common random
numbers; so the number is a key figure like any other: its interval holds what is not known of the service, and what a
lever gains is paired by replication.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from twinloop.replication.design import Design
from twinloop.replication.experiment import run
from twinloop.replication.kpi import Kpi
from twinloop.replication.result import Result
from twinloop.replication.side_by_side import SideBySide
from twinloop.replication.system import System
from twinloop.simulation.events.kpi import kpis_of
from twinloop.simulation.experiments.design import Design as LineDesign
from twinloop.simulation.experiments.experiment import run_scenarios
from twinloop.simulation.experiments.scenario import Scenario
from twinloop.simulation.experiments.system import LineSystem, chosen_engine
from twinloop.twins.person.load.line import CORE, S_PER_MIN, TURN, Service

USERS, WORKERS = "users", "workers"
KPIS = {USERS: Kpi("People at once", "people", least=0.0)}
SIZES = {WORKERS: Kpi("Workers", "workers", least=1.0)}
# More turns of one replication say nothing that replications do not say better; SimPy is a hundred times as slow.
TURNS = {"compiled": 4_000, "simpy": 250}
# Mean times of thinking that a replication runs before it is measured, at least.
SETTLED = 4.0
# How busy cores may be where the search begins.
USUAL = 0.5
# A greatest number beyond 100 is found to this share of it.
FINE = 0.01


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is held, and how it is found: share of all turns within the target, hours of a replication at most, and its
    replications.
    """

    share: float
    hours: float
    warmup_hours: float
    design: Design

    def how(self, service: Service, users: int) -> LineDesign:
        """Hours that are enough for so many people."""
        engine = chosen_engine(service.line(users), "auto")
        per_hour = users * 3600 / (service.think_s + service.target_s)
        hours = min(self.hours, max(TURNS[engine] / per_hour, SETTLED * service.think_s / 3600))
        warmup = max(self.warmup_hours * hours / self.hours, SETTLED * service.think_s / 3600)
        return LineDesign(
            days=hours,
            warmup_days=warmup,
            replications=self.design.replications,
            seed=self.design.seed,
            confidence=self.design.confidence,
            workers=self.design.workers,
        )


@dataclass(frozen=True)
class Held:
    """Whether one replication of a service holds so many people."""

    setting: Setting
    drawn: bool
    number: int

    def __call__(self, service: Service, users: int) -> bool:
        line = service.line(users)
        kpis = kpis_of(line)
        system = LineSystem.of(Scenario("service", line), self.setting.how(service, users))
        (values,) = system.chunk(range(self.number, self.number + 1), kpis, drawn=self.drawn)().figures
        figures = dict(zip(kpis, values, strict=True))
        answered = float(figures[f"{TURN}_within"]) * (1 - float(figures.get("refused_share", 0.0)))
        return answered >= self.setting.share


@dataclass(frozen=True)
class MostUsers:
    """The greatest number of people that one replication holds, by replication."""

    service: Service
    setting: Setting
    drawn: bool

    def __call__(self, number: int) -> dict[str, float]:
        held, busy = Held(self.setting, self.drawn, number), USUAL * self.service.cores / self.service.demand_s
        start = int(busy * (self.service.think_s + self.service.target_s))
        return {USERS: float(greatest(lambda users: held(self.service, users), start=start))}


@dataclass(frozen=True)
class FewestWorkers:
    """The fewest cores with which one replication holds so many people, by replication; as many cores as people are
    enough, or nothing is.
    """

    service: Service
    users: int
    setting: Setting
    start: int
    drawn: bool

    def __call__(self, number: int) -> dict[str, float]:
        held = Held(self.setting, self.drawn, number)

        def short(cores: int) -> bool:
            return cores < self.users and not held(replace(self.service, cores=cores), self.users)

        return {WORKERS: 1.0 + greatest(short, start=min(self.start, self.users))}


def greatest(holds: Callable[[int], bool], *, start: int) -> int:
    """The greatest number from 0 for which `holds` is true, if it is so up to some number and not beyond.

    start: where to begin. Beyond 100 it is found to a hundredth.

    >>> greatest(lambda number: number <= 38, start=5)
    38
    """
    low, high = 0, max(start, 1)
    step = max(high // 4, 1)
    while holds(high):
        low, high, step = high, high + step, 2 * step
    if low == 0:
        step = max(high // 4, 1)
        while high > 1 and not holds(lower := max(high - step, 1)):
            high, step = lower, 2 * step
        low = lower if high > 1 else 0
    while high - low > max(1, int(FINE * low)):
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def most_users(services: Mapping[str, Service], setting: Setting) -> SideBySide:
    """How many people each service holds, paired with the first."""
    systems = [
        System(name, *(MostUsers(service, setting, drawn) for drawn in (True, False)))
        for name, service in services.items()
    ]
    return SideBySide(run(systems, setting.design, KPIS))


def fewest_workers(service: Service, users: int, setting: Setting) -> Result:
    """How many cores hold so many people."""
    begin = max(1, math.ceil(users * service.demand_s / (service.think_s + service.target_s)))
    system = System(WORKERS, *(FewestWorkers(service, users, setting, begin, drawn) for drawn in (True, False)))
    return run([system], setting.design, SIZES)[WORKERS]


def response(services: Sequence[tuple[Service, int]], setting: Setting) -> pl.DataFrame:
    """One row per service and number of people: users, workers, p95_s with its low and high, within, utilisation."""
    rows = []
    for service, users in services:
        how = setting.how(service, users)
        scenario = Scenario("service", service.line(users))
        fields = {name: getattr(how, name) for name in ("days", "warmup_days", "replications", "seed", "confidence")}
        result = run_scenarios([scenario], **fields, workers=how.workers)["service"]
        p95, within = result[f"{TURN}_p95_min"], result[f"{TURN}_within"]
        rows.append(
            {
                "users": users,
                "workers": service.cores,
                "p95_s": S_PER_MIN * p95.mean,
                "low": S_PER_MIN * max(p95.low, 0.0),
                "high": S_PER_MIN * p95.high,
                "within": within.mean,
                "within_low": within.low,
                "utilisation": result[f"{CORE}_utilisation"].mean,
            }
        )
    return pl.DataFrame(rows)
