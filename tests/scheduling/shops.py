"""Shops for tests: classical instances, a hypothesis strategy, and a brute-force optimum that shares no code."""

import dataclasses
from collections.abc import Iterator

from hypothesis import strategies as st

from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.checker import violations
from twinloop.scheduling.problem import Alternative, Job, JobShop, Material, Operation, Pool, Window

# Fisher and Thompson 1963; optimal makespans 55 and 930.
FT06 = """6 6
2 1 0 3 1 6 3 7 5 3 4 6
1 8 2 5 4 10 5 10 0 10 3 4
2 5 3 4 5 8 0 9 1 1 4 7
1 5 0 5 2 5 3 3 4 8 5 9
2 9 1 3 4 5 5 4 0 3 3 1
1 3 3 3 5 9 0 10 4 4 2 1
"""
FT10 = """10 10
0 29 1 78 2 9 3 36 4 49 5 11 6 62 7 56 8 44 9 21
0 43 2 90 4 75 9 11 3 69 1 28 6 46 5 46 7 72 8 30
1 91 0 85 3 39 2 74 8 90 5 10 7 12 6 89 9 45 4 33
1 81 2 95 0 71 4 99 6 9 8 52 7 85 3 98 9 22 5 43
2 14 0 6 1 22 5 61 3 26 4 69 8 21 7 49 9 72 6 53
2 84 1 2 5 52 3 95 8 48 9 72 0 47 6 65 4 6 7 25
1 46 0 37 3 61 2 13 6 32 5 21 9 32 8 89 7 30 4 55
2 31 0 86 1 46 5 74 4 32 6 88 8 19 9 48 7 36 3 79
0 76 1 69 3 76 5 51 2 85 9 11 6 40 7 89 4 26 8 74
1 85 0 13 2 61 6 7 8 64 9 76 5 47 3 52 4 90 7 45
"""


def single(*jobs: tuple[int, int, int, int], firm: bool = False) -> JobShop:
    """A single machine with jobs a, b, … given by (duration, release, due, weight)."""
    return JobShop(
        ("mill",),
        tuple(
            Job(chr(ord("a") + k), (Operation("mill", p),), release=r, due=d, weight=w, firm=firm)
            for k, (p, r, d, w) in enumerate(jobs)
        ),
    )


@st.composite
def shops(draw: st.DrawFn, *, most_jobs: int = 4, most_operations: int = 3, most_machines: int = 3) -> JobShop:
    """Small shops with releases, due dates, weights and precedence between jobs."""
    machines = tuple(f"m{k}" for k in range(draw(st.integers(1, most_machines))))
    jobs = []
    for k in range(draw(st.integers(1, most_jobs))):
        operation = st.builds(Operation, st.sampled_from(machines), st.integers(1, 9))
        operations = tuple(draw(st.lists(operation, min_size=1, max_size=most_operations)))
        release = draw(st.integers(0, 12))
        due = draw(st.none() | st.integers(release, release + 25))
        after = tuple(sorted(draw(st.sets(st.sampled_from([j.name for j in jobs]), max_size=2)))) if jobs else ()
        jobs.append(Job(str(k), operations, release, due, draw(st.integers(0, 4)), after=after))
    return JobShop(machines, tuple(draw(st.permutations(jobs))))


def plain_shops() -> st.SearchStrategy[JobShop]:
    """Small shops with releases and due dates, without precedence between jobs."""
    return shops().map(
        lambda shop: JobShop(shop.machines, tuple(dataclasses.replace(job, after=()) for job in shop.jobs))
    )


@st.composite
def flexible_shops(draw: st.DrawFn) -> JobShop:
    """Small shops whose operations can run on several machines."""
    machines = tuple(f"m{k}" for k in range(draw(st.integers(2, 3))))
    jobs = []
    for k in range(draw(st.integers(1, 3))):
        operations = []
        for _ in range(draw(st.integers(1, 2))):
            able = draw(st.lists(st.sampled_from(machines), min_size=1, max_size=3, unique=True))
            modes = [Alternative(name, draw(st.integers(1, 9))) for name in able]
            operations.append(Operation(modes[0].machine, modes[0].duration, tuple(modes[1:])))
        jobs.append(Job(str(k), tuple(operations), draw(st.integers(0, 6))))
    return JobShop(machines, tuple(jobs))


def every_plan(shop: JobShop) -> Iterator[Plan]:
    """All semi-active plans: every order in which operations can be placed, each as early as possible."""

    def place(
        left: dict[str, int], free: dict[str, int], ready: dict[str, int], done: list[Assignment]
    ) -> Iterator[Plan]:
        if not any(left.values()):
            yield Plan.of(done)
            return
        for job in shop.jobs:
            number = len(job.operations) - left[job.name]
            if not left[job.name] or any(left[other] for other in job.after):
                continue
            for mode in job.operations[number].modes:
                start = max([ready[job.name], free[mode.machine], *(ready[other] for other in job.after)])
                end = start + mode.duration
                yield from place(
                    left | {job.name: left[job.name] - 1},
                    free | {mode.machine: end},
                    ready | {job.name: end},
                    [*done, Assignment(job.name, number, mode.machine, start, end)],
                )

    yield from place(
        {job.name: len(job.operations) for job in shop.jobs},
        dict.fromkeys(shop.machines, 0),
        {job.name: job.release for job in shop.jobs},
        [],
    )


def tardiness(shop: JobShop, plan: Plan) -> int:
    """Weighted tardiness, counted from the plan alone."""
    ends = {job.name: max(a.end for a in plan if a.job == job.name) for job in shop.jobs}
    return sum(job.weight * max(0, ends[job.name] - job.due) for job in shop.jobs if job.due is not None)


def rich_shop() -> JobShop:
    """Everything a shop can have, small enough to plan by hand."""
    return JobShop(
        machines=("saw", "mill", "lathe"),
        jobs=(
            Job(
                "shaft",
                (
                    Operation("saw", 4, family="steel", pools={"cutter": 1}, materials={"bar": 2}),
                    Operation("mill", 6, (Alternative("lathe", 8),), family="steel", resumable=True),
                ),
                due=16,
                weight=2,
                earliness_weight=1,
            ),
            Job(
                "cover",
                (
                    Operation("saw", 3, family="brass", materials={"bar": 1}),
                    Operation("lathe", 5, pools={"cutter": 1}, no_wait=True),
                ),
                release=2,
                due=20,
            ),
            Job("base", (Operation("mill", 5, (Alternative("lathe", 5),), family="brass"),), after=("shaft",)),
        ),
        stops={"mill": (Window(8, 10), Window(20, 24))},
        setups={"saw": {("steel", "brass"): 2, ("brass", "steel"): 3}, "mill": {("steel", "brass"): 1}},
        transport={("saw", "mill"): 1, ("saw", "lathe"): 2},
        pools=(Pool("cutter", 1, (Window(12, 13),)),),
        materials=(Material("bar", 1, ((3, 1), (9, 4))),),
        power={"saw": 500, "mill": 2000},
    )


def rich_plan(**changes: tuple[str, int, int]) -> Plan:
    """A valid plan of `rich_shop`, found by hand; changes are named like shaft_1=(machine, start, end)."""
    planned = {
        "shaft_0": ("saw", 3, 7),
        "cover_0": ("saw", 9, 12),
        "shaft_1": ("mill", 10, 16),
        "cover_1": ("lathe", 14, 19),
        "base_0": ("lathe", 19, 24),
    } | changes
    return Plan.of(
        Assignment(name.split("_")[0], int(name.split("_")[1]), machine, start, end)
        for name, (machine, start, end) in planned.items()
    )


@st.composite
def rich_shops(
    draw: st.DrawFn, *, most_jobs: int = 4, most_operations: int = 3, latest: int = 20, firm: bool = False
) -> JobShop:
    """Small shops with any mixture of everything a shop can have but frozen operations.

    `latest` limits releases, windows, deliveries and due dates; with `firm` every job has a firm due date, which
    may be impossible.
    """
    machines = ("m0", "m1", "m2")[: draw(st.integers(1, 3))]
    span = max(1, latest // 4)
    families = draw(st.sampled_from([(None,), ("a", "b"), ("a", "b", None)]))
    setups = {
        machine: draw(st.dictionaries(st.tuples(*[st.sampled_from(["a", "b"])] * 2), st.integers(0, 3), max_size=3))
        for machine in machines
        if families != (None,) and draw(st.booleans())
    }
    pool = draw(st.none() | st.builds(Pool, st.just("people"), st.integers(1, 2), stops=windows(latest)))
    material = draw(st.booleans())
    jobs = []
    needed = 0
    for k in range(draw(st.integers(1, most_jobs))):
        operations = []
        for number in range(draw(st.integers(1, most_operations))):
            chosen = draw(st.lists(st.sampled_from(machines), min_size=1, max_size=2, unique=True))
            milestone = draw(st.integers(0, 9)) == 9
            times = st.just(0) if milestone else st.integers(1, span)
            first, *others = (Alternative(machine, draw(times)) for machine in chosen)
            taken = draw(st.integers(0, 2)) if material else 0
            needed += taken
            patience = draw(st.integers(0, 6))
            operations.append(
                Operation(
                    first.machine,
                    first.duration,
                    tuple(others),
                    family=draw(st.sampled_from(families)),
                    pools={"people": 1} if pool and not milestone and draw(st.booleans()) else {},
                    materials={"bar": taken} if taken else {},
                    no_wait=number > 0 and patience == 0,
                    resumable=draw(st.booleans()),
                    max_wait=patience - 4 if number > 0 and patience > 3 else None,
                )
            )
        release = draw(st.integers(-2, span))
        due = draw(st.integers(max(0, release) + 1, latest)) if firm else draw(st.none() | st.integers(-latest, latest))
        after = tuple(sorted(draw(st.sets(st.sampled_from([j.name for j in jobs]), max_size=1)))) if jobs else ()
        weights = draw(st.tuples(st.integers(0, 3), st.integers(0, 2)))
        jobs.append(Job(str(k), tuple(operations), release, due, *weights, firm=firm, after=after))
    early = draw(st.integers(0, needed))
    deliveries = ((draw(st.integers(1, latest)), needed - early),) if needed > early else ()
    return JobShop(
        machines,
        tuple(jobs),
        stops={machine: draw(windows(latest)) for machine in machines if draw(st.booleans())},
        setups=setups,
        transport=draw(st.dictionaries(st.tuples(*[st.sampled_from(machines)] * 2), st.integers(0, 2), max_size=3)),
        pools=(pool,) if pool else (),
        materials=(Material("bar", early, deliveries),) if material else (),
        power={machine: draw(st.integers(0, 3)) for machine in machines},
    )


@st.composite
def windows(draw: st.DrawFn, latest: int) -> tuple[Window, ...]:
    """Up to two closed windows."""
    edges = sorted(draw(st.sets(st.integers(0, latest), max_size=4)))
    return tuple(Window(start, end) for start, end in zip(edges[::2], edges[1::2], strict=False))


def every_timed_plan(shop: JobShop) -> Iterator[Plan]:
    """All valid plans of a shop of firm jobs, whatever it has: every machine and every start for every operation."""
    operations = [
        (job, number) for name in shop.order for job in [shop.by_name[name]] for number in range(len(job.operations))
    ]

    def place(k: int, done: list[Assignment]) -> Iterator[Plan]:
        if k == len(operations):
            plan = Plan.of(done)
            if not violations(shop, plan):
                yield plan
            return
        job, number = operations[k]
        ready = done[-1].end if number else max(0, job.release)
        for mode in job.operations[number].modes:
            for start in range(ready, (job.due or 0) - mode.duration + 1):
                for end in range(start + mode.duration, (job.due or 0) + 1):
                    there = [a for a in done if a.machine == mode.machine and a.start < a.end]
                    busy = start < end and any(a.start < end and start < a.end for a in there)
                    a = Assignment(job.name, number, mode.machine, start, end)
                    if not busy and _lasts(shop, a, mode.duration):
                        yield from place(k + 1, [*done, a])

    yield from place(0, [])


def _lasts(shop: JobShop, a: Assignment, duration: int) -> bool:
    """Whether an operation that runs from start to end does exactly its work, counted minute by minute."""
    operation = shop.by_name[a.job].operations[a.operation]
    if not duration:
        return a.start == a.end
    pools = (p for p in shop.pools if p.name in operation.pools)
    closed = [*shop.stops.get(a.machine, ()), *(w for p in pools for w in (*p.closed, *p.stops))]
    runs = [not any(w.start <= minute < w.end for w in closed) for minute in range(a.start, a.end)]
    return runs[0] and runs[-1] and sum(runs) == duration and (operation.resumable or all(runs))
