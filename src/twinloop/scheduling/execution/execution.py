"""What a plan is worth on the floor: executed in SimPy with breakdowns and uncertain durations.

The plan's machine sequences are kept and operations start as early as these allow, so delays shift
work to the right (Leon, Wu and Storer 1994). Breakdowns come by the calendar and durations by job, each
from a stream of its own: every plan meets exactly the same misfortune (common random numbers).
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import joblib
import polars as pl
import simpy

from twinloop.contracts import Assignment, Plan
from twinloop.errors import RunError
from twinloop.progress import track
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.settings import ShopSettings
from twinloop.simulation.engine.streams import Streams
from twinloop.simulation.model.distributions import Distribution, guarded

NEVER = float("inf")
# Starting a process takes about as long as this many executions.
EXECUTIONS_PER_WORKER = 1000
REPLICATIONS = {"method": pl.String, "replication": pl.Int64, "makespan": pl.Float64, "weighted_tardiness": pl.Float64}

EXECUTED = {
    "job": pl.String,
    "operation": pl.Int64,
    "machine": pl.String,
    "planned_start": pl.Int64,
    "planned_end": pl.Int64,
    "start": pl.Float64,
    "end": pl.Float64,
}


@dataclass(frozen=True)
class Disruptions:
    """Mean times to failure and to repair in minutes by machine (absent: never fails), and the durations' spread."""

    breakdowns: Mapping[str, tuple[float, float]]
    duration_cv: float = 0.0

    @classmethod
    def of(cls, settings: ShopSettings) -> "Disruptions":
        """Those of a configured shop."""
        breakdowns = {
            machine.name: (machine.mean_time_to_failure_min, machine.mean_repair_min)
            for machine in settings.machines
            if machine.mean_time_to_failure_min is not None
        }
        return cls(breakdowns, settings.duration_cv)


CALM = Disruptions({})


@dataclass(frozen=True)
class Realised:
    """A planned operation and when it really ran, in minutes; repairs in between count as its time."""

    planned: Assignment
    start: float
    end: float


def execute(
    shop: JobShop, plan: Plan, disruptions: Disruptions, *, seed: int, replication: int
) -> tuple[Realised, ...]:
    """Run `plan` once, in the order of realised starts.

    Raises RunError that names what waits for what when the plan's sequences block each other.
    """
    run = _Run(shop, plan, disruptions, Streams(seed, replication))
    return tuple(sorted(run.finish(), key=lambda r: (r.start, r.planned.machine)))


def outcome(shop: JobShop, realised: tuple[Realised, ...]) -> tuple[float, float]:
    """(makespan, weighted tardiness) of one execution, in minutes."""
    ends: dict[str, float] = {}
    for item in realised:
        ends[item.planned.job] = max(ends.get(item.planned.job, 0.0), item.end)
    return max(ends.values()), float(shop.weighted_tardiness(ends))


def realised_frame(realised: tuple[Realised, ...]) -> pl.DataFrame:
    """One row per operation: job, operation, machine, planned_start, planned_end, start, end (minutes)."""
    return pl.DataFrame(
        [
            (r.planned.job, r.planned.operation, r.planned.machine, r.planned.start, r.planned.end, r.start, r.end)
            for r in realised
        ],
        schema=EXECUTED,
        orient="row",
    )


def replicate(
    shop: JobShop,
    plans: Mapping[str, Plan],
    disruptions: Disruptions,
    *,
    seed: int,
    replications: int,
    workers: int = 1,
) -> pl.DataFrame:
    """Execute every plan in every replication: method, replication, makespan, weighted_tardiness (minutes).

    Within a replication all plans meet the same breakdowns and durations; `workers` changes only the time.
    """

    def one(replication: int) -> list[tuple[str, int, float, float]]:
        rows = []
        for method, plan in plans.items():
            realised = execute(shop, plan, disruptions, seed=seed, replication=replication)
            rows.append((method, replication, *outcome(shop, realised)))
        return rows

    results: Iterable[list[tuple[str, int, float, float]]] = map(one, range(replications))
    workers = min(workers, replications * len(plans) // EXECUTIONS_PER_WORKER)
    if workers > 1:
        parallel = joblib.Parallel(n_jobs=workers, return_as="generator")
        results = parallel(joblib.delayed(one)(number) for number in range(replications))
    rows = [row for found in track(results, "replication", replications) for row in found]
    return pl.DataFrame(rows, schema=REPLICATIONS, orient="row")


Process = Generator[simpy.Event, Any, None]


class _Run:
    """One execution: a process for each machine, an event for each finished operation and each job that may start."""

    def __init__(self, shop: JobShop, plan: Plan, disruptions: Disruptions, streams: Streams) -> None:
        self.shop, self.env = shop, simpy.Environment()
        self.realised: list[Realised] = []
        self.waits: dict[str, str] = {}
        self.finished = {(a.job, a.operation): self.env.event() for a in plan}
        self.factors = {
            job.name: _factors(streams, job.name, len(job.operations), disruptions.duration_cv) for job in shop.jobs
        }
        sequences: dict[str, list[Assignment]] = {machine: [] for machine in shop.machines}
        for a in plan:
            sequences[a.machine].append(a)
        for machine, sequence in sequences.items():
            calendar = _Calendar(machine, disruptions.breakdowns.get(machine), streams)
            self.env.process(self._machine(machine, sequence, calendar))

    def finish(self) -> list[Realised]:
        self.env.run()
        if self.waits:
            waiting = "; ".join(f"{machine} waits for {what}" for machine, what in sorted(self.waits.items()))
            raise RunError(f"execution stands still: {waiting}: check the plan first")
        return self.realised

    def _machine(self, machine: str, sequence: list[Assignment], calendar: "_Calendar") -> Process:
        for a in sequence:
            yield from self._ready(a)
            yield from calendar.repaired(self.env)
            start = self.env.now
            job = self.shop.by_name[a.job]
            yield from calendar.work(self.env, job.operations[a.operation].duration * self.factors[a.job][a.operation])
            self.realised.append(Realised(a, start, self.env.now))
            self.finished[a.job, a.operation].succeed()

    def _ready(self, a: Assignment) -> Process:
        job = self.shop.by_name[a.job]
        before = [(a.job, a.operation - 1)]
        if a.operation == 0:
            before = [(other, len(self.shop.by_name[other].operations) - 1) for other in job.after]
        for name, number in before:
            self.waits[a.machine] = f"job {name} operation {number}"
            yield self.finished[name, number]
        self.waits.pop(a.machine, None)
        if a.operation == 0 and job.release > self.env.now:
            yield self.env.timeout(job.release - self.env.now)


def _factors(streams: Streams, job: str, count: int, cv: float) -> list[float]:
    if cv == 0:
        return [1.0] * count
    drawn = Distribution(kind="lognormal", mean=1.0, cv=cv).sample(streams.generator(job, "duration"), count)
    return [float(factor) for factor in guarded(drawn, f"job {job}: duration")]


class _Calendar:
    """A machine's alternating up and down times, drawn as they are reached and the same for every plan."""

    def __init__(self, machine: str, breakdowns: tuple[float, float] | None, streams: Streams) -> None:
        self.fails_at, self.up_at = NEVER, NEVER
        self._failure: Callable[[], float] = lambda: NEVER
        if breakdowns is not None:
            failure, repair = (Distribution(kind="exponential", mean=mean) for mean in breakdowns)
            self._failure = streams.durations(machine, "failure", failure)
            self._repair = streams.durations(machine, "repair", repair)
            self._next(0.0)

    def _next(self, now: float) -> None:
        self.fails_at = now + self._failure()
        self.up_at = self.fails_at + self._repair()

    def repaired(self, env: simpy.Environment) -> Process:
        """Let failures pass that came while the machine stood idle, and wait where one still lasts."""
        while self.up_at <= env.now:
            self._next(self.up_at)
        if self.fails_at <= env.now:
            yield env.timeout(self.up_at - env.now)
            self._next(env.now)

    def work(self, env: simpy.Environment, minutes: float) -> Process:
        """Occupy the machine for `minutes` of running; work resumes where a repair interrupted it."""
        while self.fails_at < env.now + minutes:
            minutes -= self.fails_at - env.now
            yield env.timeout(self.up_at - env.now)
            self._next(env.now)
        yield env.timeout(minutes)
