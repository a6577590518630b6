"""The rolling loop: the floor runs, something happens, the rest is planned again, the floor goes on.

Breakdowns and late deliveries are drawn, rush and cancelled jobs are given; each is known from its moment on, a
breakdown with its repair time. Time is counted in whole units, so that what has run is frozen exactly as it was. All
methods meet the same misfortune and are compared pairwise.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError, RunError
from twinloop.replication.statistics import interval, paired
from twinloop.replication.streams import Streams
from twinloop.scheduling.execution.disruptions import Disruptions, Luck
from twinloop.scheduling.execution.execution import EXECUTIONS_PER_WORKER, Realised, each_replication, outcome
from twinloop.scheduling.execution.floor import Floor
from twinloop.scheduling.objectives import measure
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.rescheduling.events import Breakdown, CancelledJob, Event, LateMaterial, after
from twinloop.scheduling.rescheduling.replan import METHODS, Method, Replanned, Settings, react

MEASURES = ("makespan", "weighted_tardiness")
COMPARED = {
    "method": pl.String,
    **{f"{name}_{end}": pl.Float64 for name in MEASURES for end in ("mean", "low", "high")},
    **{f"{name}_difference{end}": pl.Float64 for name in MEASURES for end in ("", "_low", "_high")},
    "moved_mean": pl.Float64,
    "reactions_mean": pl.Float64,
    "without_plan": pl.Int64,
}
TIMES = {"method": pl.String, "reactions": pl.Int64, "median_s": pl.Float64, "longest_s": pl.Float64}
ROLLED = {"method": pl.String, "replication": pl.Int64, **dict.fromkeys((*MEASURES, "moved"), pl.Float64)}


@dataclass(frozen=True)
class Reaction:
    """One re-planning: the event, what came of it, by how much starts moved in sum, and the seconds it took.

    Where the method had no plan the floor went on right-shifted, with firm due dates missed.
    """

    event: Event
    status: str
    reason: str
    moved: int
    reaction_s: float = field(compare=False)


@dataclass(frozen=True)
class Rolled:
    """What really happened: operations in the order of their starts, makespan and weighted tardiness in time units.

    shop: as it was in the end, with rush and without cancelled jobs.
    """

    shop: JobShop
    realised: tuple[Realised, ...]
    makespan: float
    weighted_tardiness: float
    reactions: tuple[Reaction, ...]


@dataclass(frozen=True, eq=False)
class Courses:
    """Methods under the same replications.

    frame: one row per method (`COMPARED`), differences to the first method, paired. replications: `ROLLED`. times:
    reaction times (`TIMES`), measured and so never the same twice.
    """

    frame: pl.DataFrame
    replications: pl.DataFrame
    times: pl.DataFrame


def roll(
    shop: JobShop,
    plan: Plan,
    disruptions: Disruptions,
    events: Sequence[Event] = (),
    *,
    method: Method = "repair",
    settings: Settings | None = None,
    seed: int,
    replication: int = 0,
    least_repair: int = 0,
) -> Rolled:
    """Execute `plan` to the end and re-plan at every event.

    Breakdowns shorter than `least_repair` are waited out; a delivery that an event makes late is not drawn. Raises
    InputError for a breakdown among `events` (they are drawn), RunError where what has begun leaves no way on.
    """
    if any(isinstance(event, Breakdown) for event in events):
        raise InputError("rolling: got a breakdown among the events: expected other ones, breakdowns are drawn")
    settings = settings or Settings()
    luck = Luck(replace(disruptions, deliveries={}), Streams(seed, replication), whole=True)
    late = Luck(disruptions, luck.streams, whole=True)
    floor, reactions = Floor(shop, plan, luck), []
    announced = {(event.material, event.expected) for event in events if isinstance(event, LateMaterial)}
    given = [
        *events,
        *(event for event in _late_deliveries(shop, late) if (event.material, event.expected) not in announced),
    ]
    breakdowns = (_breakdowns(machine, late) for machine in shop.machines)
    left = len(given)
    for event in heapq.merge(sorted(given, key=_time), *breakdowns, key=_time):
        floor.run_until(event.time)
        if not left and floor.settled:
            break
        left -= not isinstance(event, Breakdown)
        if isinstance(event, Breakdown) and (event.repair < least_repair or not floor.needs(event.machine)):
            continue
        begun = _begun(floor)
        if isinstance(event, CancelledJob) and _too_late(shop, event, begun):
            continue
        changed = after(shop, event, begun=begun, now=event.time)
        replanned = react(changed, plan, begun, now=event.time, method=method, settings=settings)
        going_on = replanned if replanned.plan is not None else _unbound(changed, plan, begun, event, settings)
        if going_on.plan is None:
            raise RunError(f"rolling: at {event.time}: {going_on.solution.reason}: check the plan first")
        moved = measure("stability", going_on.shop, going_on.plan, reference=plan)
        reactions.append(
            Reaction(event, replanned.solution.status, replanned.solution.reason, moved, replanned.reaction_s)
        )
        shop, plan = replace(going_on.shop, frozen=()), going_on.plan
        floor.follow(shop, plan)
    realised = tuple(sorted(floor.finish(), key=lambda r: (r.start, r.planned.machine)))
    return Rolled(shop, realised, *outcome(shop, realised), tuple(reactions))


def compare_courses(
    shop: JobShop,
    plan: Plan,
    disruptions: Disruptions,
    events: Sequence[Event] = (),
    *,
    methods: Sequence[Method] = METHODS,
    settings: Settings | None = None,
    seed: int,
    replications: int,
    least_repair: int = 0,
    confidence: float = 0.95,
    workers: int = 1,
) -> Courses:
    """Roll the same plan with every method in every replication, at least two; `workers` changes only the time."""

    def one(replication: int) -> list[Rolled]:
        how = {"settings": settings, "seed": seed, "replication": replication, "least_repair": least_repair}
        return [roll(shop, plan, disruptions, events, method=method, **how) for method in methods]  # type: ignore[arg-type]

    results = each_replication(one, range(replications), executions=EXECUTIONS_PER_WORKER, workers=workers)
    frame, rows, times = list[tuple[object, ...]](), list[tuple[object, ...]](), list[tuple[object, ...]]()
    values = np.array([[[r.makespan, r.weighted_tardiness] for r in rolled] for rolled in results])
    for k, method in enumerate(methods):
        runs = [rolled[k] for rolled in results]
        moved = [float(sum(reaction.moved for reaction in run.reactions)) for run in runs]
        rows += [(method, number, *values[number, k].tolist(), moved[number]) for number in range(replications)]
        figures: list[float | None] = []
        for m in range(len(MEASURES)):
            mean = interval(values[:, k, m], confidence=confidence)
            figures += [mean.mean, mean.low, mean.high]
        for m in range(len(MEASURES)):
            difference = paired(values[:, k, m], values[:, 0, m], confidence=confidence) if k else None
            figures += [difference.mean, difference.low, difference.high] if difference else [None] * 3
        without = sum(reaction.status in ("infeasible", "no plan") for run in runs for reaction in run.reactions)
        counts = [len(run.reactions) for run in runs]
        frame.append((method, *figures, float(np.mean(moved)), float(np.mean(counts)), without))
        seconds = [reaction.reaction_s for run in runs for reaction in run.reactions]
        times.append((method, len(seconds), float(np.median(seconds or [0.0])), max(seconds, default=0.0)))
    return Courses(
        pl.DataFrame(frame, schema=COMPARED, orient="row"),
        pl.DataFrame(rows, schema=ROLLED, orient="row"),
        pl.DataFrame(times, schema=TIMES, orient="row"),
    )


def _time(event: Event) -> int:
    return event.time


def _breakdowns(machine: str, luck: Luck) -> Iterator[Event]:
    for fails_at, up_at in luck.breakdowns(machine):
        yield Breakdown(int(fails_at), machine, int(up_at - fails_at))


def _late_deliveries(shop: JobShop, late: Luck) -> Iterator[LateMaterial]:
    for material in shop.materials:
        if material.name in late.disruptions.deliveries:
            arrivals = late.arrivals(material)
            for (time, _), arrives in zip(sorted(material.deliveries), arrivals, strict=True):
                if arrives > time:
                    yield LateMaterial(time, material.name, time, int(arrives))


def _begun(floor: Floor) -> list[Assignment]:
    done = [replace(r.planned, start=int(r.start), end=int(r.end)) for r in floor.realised]
    running = [replace(b.planned, start=int(b.start), end=int(floor.expected_end(b))) for b in floor.running.values()]
    return done + running


def _too_late(shop: JobShop, event: CancelledJob, begun: Sequence[Assignment]) -> bool:
    job = shop.by_name.get(event.job)
    return job is not None and sum(a.job == event.job for a in begun) == len(job.operations)


def _unbound(shop: JobShop, plan: Plan, begun: Sequence[Assignment], event: Event, settings: Settings) -> Replanned:
    """The way on where firm due dates cannot all be met: late is better than never."""
    loose = replace(shop, jobs=tuple(replace(job, firm=False) for job in shop.jobs))
    return react(loose, plan, begun, now=event.time, method="right-shift", settings=settings)
