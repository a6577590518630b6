"""Shops for tests: classical instances, a hypothesis strategy, and a brute-force optimum that shares no code."""

from collections.abc import Iterator

from hypothesis import strategies as st

from twinloop.contracts import Assignment, Plan
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
            operation = job.operations[number]
            start = max([ready[job.name], free[operation.machine], *(ready[other] for other in job.after)])
            end = start + operation.duration
            yield from place(
                left | {job.name: left[job.name] - 1},
                free | {operation.machine: end},
                ready | {job.name: end},
                [*done, Assignment(job.name, number, operation.machine, start, end)],
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
        closed={"mill": (Window(8, 10), Window(20, 24))},
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
