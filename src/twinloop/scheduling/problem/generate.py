"""Random shops for benchmarks and tests: the classical kind, exactly as published, flexible ones, and rich ones.

Classical shops come from Taillard's (1993) own portable generator, so that its seeds give his instances number
for number. The others draw from one seeded numpy generator; the same arguments give the same shop.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np

from twinloop.errors import InputError
from twinloop.scheduling.problem import Alternative, Job, JobShop, Material, Operation, Pool, Window

# Of rich shops: minutes of a day, its shift, and how much of its time a machine should be busy.
DAY, SHIFT = 1440, 960
LOAD = 0.7


def classical_shop(jobs: int, machines: int, *, time_seed: int, machine_seed: int) -> JobShop:
    """A job shop in which every job visits every machine once, for 1 to 99 time units (Taillard 1993).

    Seeds lie between 1 and 2^31 − 2. Machines are named m0, m1, …, jobs 0, 1, ….

    >>> first = classical_shop(15, 15, time_seed=840612802, machine_seed=398197754).jobs[0].operations[0]  # ta01
    >>> first.machine, first.duration
    ('m6', 94)
    """
    _at_least_one(jobs=jobs, machines=machines)
    for name, seed in (("time_seed", time_seed), ("machine_seed", machine_seed)):
        if not 1 <= seed <= 2**31 - 2:
            raise InputError(f"classical shop: {name} = {seed}: expected a whole number from 1 to {2**31 - 2}")
    times, swaps = _lehmer(time_seed), _lehmer(machine_seed)
    durations = [[1 + int(next(times) * 99) for _ in range(machines)] for _ in range(jobs)]
    made = []
    for j in range(jobs):
        route = list(range(machines))
        for k in range(machines):
            other = k + int(next(swaps) * (machines - k))
            route[k], route[other] = route[other], route[k]
        operations = (Operation(f"m{m}", time) for m, time in zip(route, durations[j], strict=True))
        made.append(Job(str(j), tuple(operations)))
    return JobShop(tuple(f"m{m}" for m in range(machines)), tuple(made))


def with_due_dates(shop: JobShop, tightness: float) -> JobShop:
    """The shop with due dates ⌊tightness × work⌋ behind the releases, and weights (Singer and Pinedo 1998).

    The first fifth of the jobs weighs 4, the last 1, all between 2.

    >>> [(job.due, job.weight) for job in with_due_dates(classical_shop(5, 2, time_seed=1, machine_seed=2), 1.5).jobs]
    [(22, 4), (181, 2), (112, 2), (109, 2), (241, 1)]
    """
    if not tightness > 0:
        raise InputError(f"due dates: tightness = {tightness}: expected a number above 0")
    fifth, exact = len(shop.jobs) // 5, Decimal(str(tightness))
    jobs = [
        replace(
            job,
            due=job.release + int(exact * job.work),
            weight=4 if j < fifth else 2 if j < len(shop.jobs) - fifth else 1,
        )
        for j, job in enumerate(shop.jobs)
    ]
    return replace(shop, jobs=tuple(jobs))


def flexible_shop(jobs: int, machines: int, operations: int, *, seed: int, most: int = 3) -> JobShop:
    """A flexible job shop: each of `operations` per job can run on one to `most` machines, for 1 to 99 time units."""
    _at_least_one(jobs=jobs, machines=machines, operations=operations, most=most)
    draw = np.random.default_rng(seed)
    made = []
    for j in range(jobs):
        steps = []
        for _ in range(operations):
            able = draw.permutation(machines)[: draw.integers(1, min(most, machines), endpoint=True)]
            modes = [Alternative(f"m{m}", int(draw.integers(1, 99, endpoint=True))) for m in able]
            steps.append(Operation(modes[0].machine, modes[0].duration, tuple(modes[1:])))
        made.append(Job(str(j), tuple(steps)))
    return JobShop(tuple(f"m{m}" for m in range(machines)), tuple(made))


def rich_shop(jobs: int, machines: int, operations: int, *, seed: int, families: int = 4, most: int = 2) -> JobShop:
    """A shop with everything: alternatives, set-ups, shifts, operators, material, transport, no_wait, due dates.

    Jobs arrive over the time the machines need for them, in minutes. Every machine is closed at night; half of the
    operations may pause over it. An operation in three holds one of `machines` / 2 operators, who take a break at
    noon; the first operation of a job uses up to three bars, which arrive every day; one operation in ten must not
    wait. Family, set-up and transport times are up to half an operation's.
    """
    _at_least_one(jobs=jobs, machines=machines, operations=operations, families=families, most=most)
    draw = np.random.default_rng(seed)
    names = [f"m{m}" for m in range(machines)]
    span = int(jobs * operations * 60 / machines / LOAD * DAY / SHIFT)
    made = []
    for j in range(jobs):
        release = int(draw.integers(0, span, endpoint=True))
        steps: list[Operation] = []
        for k in range(operations):
            able = draw.permutation(machines)[: draw.integers(1, min(most, machines), endpoint=True)]
            modes = [Alternative(names[m], int(draw.integers(10, 100, endpoint=True))) for m in able]
            # A set-up between two operations that must not wait, or a long row of them, could be impossible.
            before = {mode.machine for mode in steps[-1].modes} if steps else set()
            apart = k > 0 and not steps[-1].no_wait and not before & {mode.machine for mode in modes}
            steps.append(
                Operation(
                    modes[0].machine,
                    modes[0].duration,
                    tuple(modes[1:]),
                    family=f"f{draw.integers(families)}",
                    pools={"operators": 1} if draw.random() < 1 / 3 else {},
                    materials={} if k else {"bar": int(draw.integers(1, 3, endpoint=True))},
                    no_wait=bool(draw.random() < 0.1 and apart),
                    resumable=bool(draw.random() < 0.5),
                )
            )
        due = release + int(draw.uniform(1.5, 4) * sum(step.shortest for step in steps) * DAY / SHIFT)
        made.append(Job(str(j), tuple(steps), release, due, int(draw.integers(1, 5, endpoint=True)), 1))
    need = sum(step.materials["bar"] for job in made for step in job.operations[:1])
    share = -(-need // (span // DAY + 1))
    kinds = [f"f{k}" for k in range(families)]
    return JobShop(
        tuple(names),
        tuple(made),
        closed={name: (Window(SHIFT, DAY),) for name in names},
        repeat=dict.fromkeys(names, DAY),
        setups={
            name: {(a, b): int(draw.integers(5, 30, endpoint=True)) for a in kinds for b in kinds if a != b}
            for name in names
        },
        transport={(a, b): int(draw.integers(0, 15, endpoint=True)) for a in names for b in names if a != b},
        pools=(Pool("operators", max(1, machines // 2), (Window(450, 480),), repeat=DAY),),
        materials=(Material("bar", share, tuple((day * DAY, share) for day in range(1, span // DAY + 1))),),
        power={name: int(draw.integers(1, 10, endpoint=True)) * 100 for name in names},
    )


def _lehmer(seed: int) -> Iterator[float]:
    """Uniform numbers in (0, 1) by Lehmer's generator with the constants of Bratley, Fox and Schrage (1983)."""
    while True:
        seed = seed * 16807 % (2**31 - 1)
        yield seed / (2**31 - 1)


def _at_least_one(**sizes: int) -> None:
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise InputError(f"random shop: {name} = {size!r}: expected a whole number ≥ 1")
