"""Events for tests: anything that can happen to a plan of a small rich shop."""

from hypothesis import strategies as st

from twinloop.contracts import Plan
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation
from twinloop.scheduling.rescheduling.events import Breakdown, CancelledJob, Event, LateMaterial, RushJob


@st.composite
def happenings(draw: st.DrawFn, shop: JobShop, plan: Plan) -> Event:
    """A breakdown, a rush job, a cancelled job or late material, at any time of the plan."""
    time = draw(st.integers(0, plan.makespan))
    kinds = ["breakdown", "rush"]
    begun = {job.name: sum(a.job == job.name and a.start < time for a in plan) for job in shop.jobs}
    can_go = [job.name for job in shop.jobs if begun[job.name] < len(job.operations)]
    can_go = [name for name in can_go if begun[name] or len(shop.jobs) > 1]
    coming = [(m.name, t) for m in shop.materials for t, _ in m.deliveries if t >= time]
    kinds += ["cancelled"] if can_go else []
    kinds += ["late"] if coming else []
    match draw(st.sampled_from(kinds)):
        case "breakdown":
            return Breakdown(time, draw(st.sampled_from(shop.machines)), draw(st.integers(1, 15)))
        case "rush":
            operation = st.builds(_operation, st.lists(st.sampled_from(shop.machines), min_size=1, unique=True))
            operations = draw(st.lists(operation, min_size=1, max_size=3))
            return RushJob(time, Job("rush", tuple(operations), due=time + 8, weight=5))
        case "cancelled":
            return CancelledJob(time, draw(st.sampled_from(can_go)))
        case _:
            material, expected = draw(st.sampled_from(coming))
            return LateMaterial(time, material, expected, expected + draw(st.integers(1, 12)))


def _operation(machines: list[str]) -> Operation:
    first, *others = (Alternative(machine, 2 + k) for k, machine in enumerate(machines))
    return Operation(first.machine, first.duration, tuple(others))
