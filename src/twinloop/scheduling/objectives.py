"""What makes one plan better than another: named terms, their weighted sums, and sums in order of importance.

Every term is a whole number that is to be small, computed from the problem and the plan alone. A new one is a function
and an entry in `MEASURES`; the solvers take it up by one function and entry each in `bounds.BOUNDS` (0 without one),
`solvers/cp_goal.SUMS` and `solvers/rich/values.KERNELS`, and in `solvers/local/costs.EACH` if it sums over jobs' ends.

Jobs that may be left out have a price, which every goal counts (scheduling with rejection; Shabtay, Gaspar and Kaspi
2013): `Goal.on` adds it where weights are costs, and puts it before goals that count time.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError, nearest
from twinloop.scheduling.problem import JobShop

Term = str
# The prices of all jobs that a plan leaves out, summed; the other terms look at the jobs that it does.
LEFT_OUT: Term = "left_out"


@dataclass(frozen=True)
class Goal:
    """Levels in order of importance, each a weighted sum of terms; a lower level only decides between equals.

    reference: the earlier plan that `stability` compares with.

    >>> Goal.of("makespan").levels
    ({'makespan': 1},)
    """

    levels: tuple[Mapping[Term, int], ...]
    reference: Plan | None = None

    def __post_init__(self) -> None:
        if not self.levels or not all(self.levels):
            raise InputError("objective: expected at least one term on every level, got none")
        for level in self.levels:
            for term, weight in level.items():
                if term not in MEASURES:
                    raise InputError(f"objective: unknown term {term!r}; {nearest(str(term), MEASURES)}")
                if isinstance(weight, bool) or not isinstance(weight, int) or weight < 1:
                    raise InputError(f"objective: weight of {term} = {weight!r}: expected a whole number ≥ 1")
        if "stability" in self.terms and self.reference is None:
            raise InputError("objective: stability compares with an earlier plan, and none was given")

    @classmethod
    def of(cls, *levels: Term | Mapping[Term, int], reference: Plan | None = None) -> "Goal":
        """From terms or weighted sums, the most important first."""
        return cls(tuple({level: 1} if isinstance(level, str) else level for level in levels), reference)

    @property
    def terms(self) -> tuple[Term, ...]:
        """Every term that is named, once."""
        return tuple(dict.fromkeys(term for level in self.levels for term in level))

    @property
    def regular(self) -> bool:
        """Whether ending earlier never costs anything."""
        return all(MEASURES[term].regular for term in self.terms)

    @property
    def later(self) -> bool:
        """Whether ending later may gain."""
        return any(MEASURES[term].later for term in self.terms)

    def on(self, shop: JobShop) -> "Goal":
        """The goal with the prices of jobs left out, where the shop has such jobs and the goal does not name them.

        They are added to a first level that is a cost, which has a term weighted by job, in its unit. Before any other
        they are a level of their own: of jobs as little as can be is left out, and no time outweighs that.

        >>> from twinloop.scheduling.problem import Job, Operation
        >>> shop = JobShop(("mill",), (Job("a", (Operation("mill", 3),), price=5),))
        >>> Goal.of("makespan").on(shop).levels, Goal.of("weighted_tardiness").on(shop).levels
        (({'left_out': 1}, {'makespan': 1}), ({'weighted_tardiness': 1, 'left_out': 1},))
        """
        if not shop.optional or LEFT_OUT in self.terms:
            return self
        first, *others = self.levels
        if any(MEASURES[term].cost for term in first):
            return replace(self, levels=({**first, LEFT_OUT: 1}, *others))
        return replace(self, levels=({LEFT_OUT: 1}, *self.levels))

    @property
    def within(self) -> "Goal":
        """What is left to decide once it is settled which jobs are done; the makespan where that is nothing."""
        levels = [{term: weight for term, weight in level.items() if term != LEFT_OUT} for level in self.levels]
        return replace(self, levels=tuple(level for level in levels if level) or ({"makespan": 1},))

    def values(self, shop: JobShop, plan: Plan) -> tuple[int, ...]:
        """One number for each level; smaller tuples are better plans. Raises InputError without the prices it needs."""
        if shop.optional and LEFT_OUT not in self.terms:
            raise InputError("objective: jobs may be left out, and no term counts their prices: add left_out (Goal.on)")
        values = {term: measure(term, shop, plan, reference=self.reference) for term in self.terms}
        return tuple(sum(weight * values[term] for term, weight in level.items()) for level in self.levels)


def measure(term: Term, shop: JobShop, plan: Plan, *, reference: Plan | None = None) -> int:
    """One term's value for a plan, of the jobs that it does; left_out is the price of those that it leaves out.

    makespan, tardiness, weighted_tardiness (Σ weight × lateness), max_tardiness (of the job that is latest), completion
    and weighted_completion (Σ ends of jobs, × weight), earliness (Σ earliness weight × time before due), setup (time
    between families) in time units; late_jobs in jobs; energy in watts × time units; stability is the sum over
    operations of the reference of how far their start has moved.
    """
    return MEASURES[term].value(shop, plan, reference or Plan(()))


def job_ends(plan: Plan) -> Mapping[str, int]:
    """End of every job."""
    ends: dict[str, int] = {}
    for a in plan:
        ends[a.job] = max(ends.get(a.job, 0), a.end)
    return ends


def missed_promise(shop: JobShop, plan: Plan) -> str:
    """What the first job does that misses its firm due date, in words; empty where all are kept."""
    ends = job_ends(plan)
    for job in shop.jobs:
        if job.firm and job.due is not None and ends.get(job.name, job.due) > job.due:
            return f"ends job {job.name} at {ends[job.name]}, after its firm due date {job.due}"
    return ""


def _lateness(shop: JobShop, plan: Plan) -> Iterator[int]:
    """End − due date of every job that has one."""
    for name, end in job_ends(plan).items():
        due = shop.by_name[name].due
        if due is not None:
            yield end - due


def _tardiness(shop: JobShop, plan: Plan, _: Plan) -> int:
    return sum(max(0, late) for late in _lateness(shop, plan))


def _weighted_tardiness(shop: JobShop, plan: Plan, _: Plan) -> int:
    return int(shop.weighted_tardiness(job_ends(plan)))


def _max_tardiness(shop: JobShop, plan: Plan, _: Plan) -> int:
    return max((max(0, late) for late in _lateness(shop, plan)), default=0)


def _late_jobs(shop: JobShop, plan: Plan, _: Plan) -> int:
    return sum(late > 0 for late in _lateness(shop, plan))


def _weighted_completion(shop: JobShop, plan: Plan, _: Plan) -> int:
    return sum(shop.by_name[name].weight * end for name, end in job_ends(plan).items())


def _earliness(shop: JobShop, plan: Plan, _: Plan) -> int:
    jobs = ((shop.by_name[name], end) for name, end in job_ends(plan).items())
    return sum(job.earliness_weight * max(0, job.due - end) for job, end in jobs if job.due is not None)


def _setup(shop: JobShop, plan: Plan, _: Plan) -> int:
    rows: dict[str, list[Assignment]] = defaultdict(list)
    for a in plan:
        if not shop.by_name[a.job].operations[a.operation].milestone:
            rows[a.machine].append(a)
    total = 0
    for machine, row in rows.items():
        families = [shop.by_name[a.job].operations[a.operation].family for a in sorted(row, key=lambda a: a.start)]
        total += sum(shop.row_setups(machine, families))
    return total


def _energy(shop: JobShop, plan: Plan, _: Plan) -> int:
    return sum(shop.power.get(a.machine, 0) * shop.by_name[a.job].operations[a.operation].on(a.machine) for a in plan)


def _left_out(shop: JobShop, plan: Plan, _: Plan) -> int:
    return sum(shop.by_name[order].price or 0 for order in shop.left_out(plan))


def _stability(_: JobShop, plan: Plan, reference: Plan) -> int:
    before = {(a.job, a.operation): a.start for a in reference}
    return sum(abs(a.start - before[a.job, a.operation]) for a in plan if (a.job, a.operation) in before)


@dataclass(frozen=True)
class Measure:
    """How a term is computed from shop, plan and the reference plan.

    regular: ending earlier never costs anything. later: ending later may gain. cost: weights by job make it one, so
    that prices can be added to it.
    """

    value: Callable[[JobShop, Plan, Plan], int]
    regular: bool = False
    later: bool = False
    cost: bool = False


MEASURES: Mapping[Term, Measure] = {
    "makespan": Measure(lambda _, plan, __: plan.makespan, regular=True),
    "tardiness": Measure(_tardiness, regular=True),
    "weighted_tardiness": Measure(_weighted_tardiness, regular=True, cost=True),
    "max_tardiness": Measure(_max_tardiness, regular=True),
    "late_jobs": Measure(_late_jobs, regular=True),
    "completion": Measure(lambda _, plan, __: sum(job_ends(plan).values()), regular=True),
    "weighted_completion": Measure(_weighted_completion, regular=True, cost=True),
    "earliness": Measure(_earliness, later=True, cost=True),
    "setup": Measure(_setup),
    "energy": Measure(_energy, regular=True),
    "stability": Measure(_stability, later=True),
    LEFT_OUT: Measure(_left_out, regular=True, cost=True),
}
# What is measured of the jobs that a plan does.
TERMS = tuple(term for term in MEASURES if term != LEFT_OUT)
