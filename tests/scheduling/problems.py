"""Small shops with everything that a shop can have, all at once, and goals of every term."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from tests.scheduling.calendars import calendars, some_windows
from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.objectives import TERMS, Goal
from twinloop.scheduling.problem import Alternative, Changeover, Job, Material, Operation, Pool

FAMILIES = ("a", "b")


@st.composite
def problems(draw: st.DrawFn, *, most_operations: int = 7, ovens: bool = True) -> dict[str, Any]:
    """The fields of a shop with any mixture of everything but frozen operations; not all of them make sense."""
    machines = ("m0", "m1", "m2")[: draw(st.integers(1, 3))]
    fields: dict[str, Any] = {"machines": machines, "ovens": {}}
    fields |= draw(_hours(machines))
    oven = machines[-1] if ovens and draw(st.integers(0, 5)) == 0 else None
    if oven:
        fields["ovens"] = {oven: draw(st.integers(1, 3))}
    families = draw(st.sampled_from([(None,), FAMILIES, (*FAMILIES, None)]))
    pools = draw(_pools())
    deliver = draw(st.integers(0, 3)) == 0
    # All of one family take the same time in an oven.
    baking = {family: draw(st.integers(1, 4)) for family in (*FAMILIES, None)}
    jobs, left, needed = list[Job](), draw(st.integers(1, most_operations)), 0
    while left:
        operations = []
        for number in range(draw(st.integers(1, min(3, left)))):
            operation = draw(_operation(machines, families, pools, number > 0, oven, baking))
            if deliver and draw(st.booleans()):
                needed += 1
                operation = Operation(**{**vars(operation), "materials": {"bar": 1}})
            operations.append(operation)
        left -= len(operations)
        names = [job.name for job in jobs]
        jobs.append(draw(_job(str(len(jobs)), tuple(operations), names)))
    fields["jobs"] = tuple(draw(st.permutations(jobs)))
    fields["pools"] = pools
    if deliver and needed:
        early = draw(st.integers(0, needed))
        late = ((draw(st.integers(1, 15)), needed - early),) if needed > early else ()
        fields["materials"] = (Material("bar", early, late),)
    if families != (None,):
        pair = st.tuples(*[st.sampled_from(FAMILIES)] * 2)
        times = st.dictionaries(pair, st.integers(0, 3), max_size=4)
        fields["setups"] = {machine: draw(times) for machine in machines if machine != oven}
        crew = st.sampled_from([None, *(pool.name for pool in pools)])
        how = st.builds(Changeover, st.none() | st.sampled_from(FAMILIES), crew, st.booleans())
        fields["changeovers"] = {machine: draw(how) for machine in machines if machine != oven and draw(st.booleans())}
    journey = st.tuples(*[st.sampled_from(machines)] * 2)
    fields["transport"] = draw(st.just({}) | st.dictionaries(journey, st.integers(0, 2), max_size=3))
    fields["power"] = {machine: draw(st.integers(0, 3)) for machine in machines}
    return fields


@st.composite
def priced(draw: st.DrawFn, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    """The jobs, some of which may be left out, and with each all that come after it."""
    some: dict[str, Job] = {}
    for job in sorted(jobs, key=lambda job: int(job.name)):
        must = not any(some[other].price is not None for other in job.after)
        price = st.integers(0, 12)
        some[job.name] = replace(job, price=draw((st.none() | price) if must else price))
    return tuple(some[job.name] for job in jobs)


@st.composite
def goals(draw: st.DrawFn, jobs: tuple[Job, ...]) -> Goal:
    """One term, just in time, a weighted sum, or several levels."""
    term = st.sampled_from(TERMS)
    kind = draw(st.sampled_from(["one", "one", "just in time", "sum", "levels"]))
    if kind == "one":
        levels = [{draw(term): 1}]
    elif kind == "just in time":
        levels = [{"earliness": 1, "weighted_tardiness": draw(st.integers(1, 2))}]
    elif kind == "sum":
        levels = [draw(st.dictionaries(term, st.integers(1, 3), min_size=2, max_size=3))]
    else:
        levels = [{one: 1} for one in draw(st.lists(term, min_size=2, max_size=3, unique=True))]
    reference = None
    if any("stability" in level for level in levels):
        starts = st.integers(0, 12)
        reference = Plan.of(
            Assignment(job.name, number, operation.machine, start, start + operation.duration)
            for job in jobs
            for number, operation in enumerate(job.operations)
            for start in [draw(starts)]
        )
    return Goal(tuple(levels), reference)


@st.composite
def _hours(draw: st.DrawFn, machines: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    hours: dict[str, dict[str, Any]] = {name: {} for name in ("closed", "repeat", "calendars", "stops", "overtime")}
    for machine in machines:
        kind = draw(st.sampled_from(["open", "open", "open", "closed", "repeat", "calendar"]))
        if kind == "calendar":
            hours["calendars"][machine] = draw(calendars())
        elif kind == "repeat":
            closed = draw(some_windows(6).filter(bool))
            hours["closed"][machine], hours["repeat"][machine] = closed, draw(st.integers(closed[-1].end, 8))
        elif kind == "closed":
            hours["closed"][machine] = draw(some_windows(14))
        for name in ("stops", "overtime"):
            if draw(st.integers(0, 3)) == 0:
                hours[name][machine] = draw(some_windows(12))
    return hours


@st.composite
def _pools(draw: st.DrawFn) -> tuple[Pool, ...]:
    pools = []
    for name in ("people", "tools")[: draw(st.integers(0, 2))]:
        kind, capacity = draw(st.sampled_from(["open", "open", "closed", "calendar"])), draw(st.integers(1, 2))
        pools.append(
            Pool(
                name,
                capacity,
                closed=draw(some_windows(10)) if kind == "closed" else (),
                calendar=draw(calendars(capacity=capacity)) if kind == "calendar" else None,
                stops=draw(st.just(()) | some_windows(12)),
            )
        )
    return tuple(pools)


@st.composite
def _operation(
    draw: st.DrawFn,
    machines: tuple[str, ...],
    families: tuple[str | None, ...],
    pools: tuple[Pool, ...],
    later: bool,
    oven: str | None,
    baking: dict[str | None, int],
) -> Operation:
    chosen = draw(st.lists(st.sampled_from(machines), min_size=1, max_size=2, unique=True))
    family, milestone = draw(st.sampled_from(families)), draw(st.integers(0, 11)) == 0
    if milestone and oven in chosen:
        milestone = False
    times = [0 if milestone else baking[family] if machine == oven else draw(st.integers(1, 4)) for machine in chosen]
    first, *others = (Alternative(machine, time) for machine, time in zip(chosen, times, strict=True))
    patience, resumable = draw(st.integers(0, 7)), draw(st.booleans())
    return Operation(
        first.machine,
        first.duration,
        tuple(others),
        family=family,
        pools={
            p.name: draw(st.integers(1, p.capacity)) for p in pools if not milestone and draw(st.integers(0, 2)) == 0
        },
        no_wait=later and patience == 0,
        max_wait=patience - 4 if later and patience > 4 else None,
        resumable=resumable,
        least_run=draw(st.integers(1, 3)) if resumable else 1,
    )


@st.composite
def _job(draw: st.DrawFn, name: str, operations: tuple[Operation, ...], before: list[str]) -> Job:
    due = draw(st.none() | st.integers(-4, 25))
    return Job(
        name,
        operations,
        release=draw(st.integers(-3, 6)),
        due=due,
        weight=draw(st.integers(0, 3)),
        earliness_weight=draw(st.integers(0, 3)),
        firm=due is not None and due > 8 and draw(st.integers(0, 5)) == 0,
        after=tuple(draw(st.sets(st.sampled_from(before), max_size=1))) if before and draw(st.booleans()) else (),
    )
