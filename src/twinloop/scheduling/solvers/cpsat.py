"""CP-SAT on the whole shop: a plan, a bound, and often the proof that nothing is better.

Domains are cut by heads, tails, calendars and the start plan, which is also the hint. Levels of a goal are
minimised one after the other, the earlier ones held. One worker is one thread; with a limit in deterministic
seconds or iterations (here conflicts) the answer depends on no clock and no number of cores. For the makespan, and
where machines are all that limits, a search without linear relaxation proves most; the others take turns between a
few searches, linear ones too.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.bounds import horizon, latest_ends, lower_bound, spans
from twinloop.scheduling.checker import violations
from twinloop.scheduling.heads import Key
from twinloop.scheduling.objectives import LEFT_OUT, Goal
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.solution import Solution, Status, Tell, Trace, semi_active
from twinloop.scheduling.solvers.cp_draft import Draft, Sum
from twinloop.scheduling.solvers.cp_goal import levels
from twinloop.scheduling.solvers.cp_model import draft
from twinloop.scheduling.solvers.generation import regenerate

METHOD = "CP-SAT"
# What the levels below the first one may use when the first is not proved.
LOWER_SHARE = 0.1


@dataclass(frozen=True)
class Model:
    """A draft with one sum for each level of the goal."""

    draft: Draft
    levels: tuple[Sum, ...]


@dataclass(frozen=True)
class Answer:
    """What one search found out about one level: its status, the plan and the level's bound."""

    status: Status
    plan: Plan | None
    bound: int


class Budget:
    """What is left of a limit; every search takes its share and gives back what it did not use."""

    def __init__(self, limit: Limit) -> None:
        self._limit, self._began = limit, time.perf_counter()
        self._deterministic = 0.0
        self._iterations = 0

    @property
    def until(self) -> float:
        """When the limit in seconds ends, as `time.perf_counter` counts; infinite without one."""
        return math.inf if self._limit.seconds is None else self._began + self._limit.seconds

    def spend(self, *, deterministic: float = 0.0, iterations: int = 0) -> None:
        """Count work as done; the clock counts by itself."""
        self._deterministic += deterministic
        self._iterations += iterations

    def left(self, share: float = 1.0, *, after: float = 0.0) -> Limit | None:
        """The limit for a search that may use `share` of what is left `after` so many seconds; None for nothing."""
        spent = {
            "seconds": time.perf_counter() - self._began + after,
            "deterministic": self._deterministic,
            "iterations": self._iterations,
        }
        remaining = {}
        for name, used in spent.items():
            whole = getattr(self._limit, name)
            if whole is not None:
                remaining[name] = (whole - used) * share
        if "iterations" in remaining:
            remaining["iterations"] = int(remaining["iterations"])
        return Limit(**remaining) if all(value > 0 for value in remaining.values()) else None


def build(
    shop: JobShop,
    goal: Goal,
    *,
    caps: Sequence[int | None] = (),
    hint: Mapping[Key, Assignment] | None = None,
    until: float = math.inf,
) -> Model | None:
    """The model of every plan whose levels do not exceed their `caps`, or None when some operation has no place.

    Raises TimeoutError when `time.perf_counter` gets past `until`.
    """
    caps = [*caps, *[None] * (len(goal.levels) - len(caps))]
    latest, due = horizon(shop, goal), dict[str, int]()
    for level, cap in zip(goal.levels, caps, strict=True):
        if cap is None:
            continue
        if "makespan" in level:
            latest = min(latest, cap // level["makespan"])
        for job in shop.jobs:
            cost = level.get("tardiness", 0) + level.get("weighted_tardiness", 0) * job.weight
            cost = max(cost, level.get("max_tardiness", 0))
            if job.due is not None and cost:
                due[job.name] = min(due.get(job.name, latest), job.due + cap // cost)
    left = spans(shop, latest_ends(shop, latest=latest, due=due), until=until)
    drafted = draft(shop, left, hint=hint, until=until)
    if drafted is None:
        return None
    sums = levels(drafted, goal)
    for total, cap in zip(sums, caps, strict=True):
        if cap is not None:
            drafted.cp.add(total.expression <= cap)
    return Model(drafted, sums)


def searcher(
    goal: Goal, level: int, *, limit: Limit, seed: int, workers: int = 1, sequences: bool = False
) -> cp_model.CpSolver:
    """CP-SAT with the subsolvers that suit one level of the goal; sequences: they are all there is to find."""
    solver = cp_model.CpSolver()
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.num_workers = workers
    if limit.seconds is not None:
        solver.parameters.max_time_in_seconds = limit.seconds
    if limit.deterministic is not None:
        solver.parameters.max_deterministic_time = limit.deterministic
    if limit.iterations is not None:
        solver.parameters.max_number_of_conflicts = limit.iterations
    timed = set(goal.levels[level]) == {"makespan"} or sequences
    if timed:
        solver.parameters.linearization_level = 0
        # They prove ft10 in a quarter of the time, and la36, la40 and ta01 within seconds instead of minutes; and its
        # weighted tardiness (due dates at 1.6 × work) in 1.3 CPU seconds instead of 4.
        solver.parameters.use_dynamic_precedence_in_disjunctive = True
        solver.parameters.use_strong_propagation_in_disjunctive = True
    if workers == 1 and timed:
        return solver
    if workers == 1 or limit.seconds is None:
        solver.parameters.interleave_search = True
        solver.parameters.interleave_batch_size = 4 * workers
    linear = ["max_lp", "objective_lb_search"]
    solver.parameters.subsolvers.extend(["no_lp", "quick_restart_no_lp"] + ([] if timed else linear))
    return solver


class _Callback(cp_model.CpSolverSolutionCallback):
    def __init__(self, trace: Trace, draft: Draft, give: Callable[[Plan], None] | None) -> None:
        super().__init__()
        self._trace, self._draft, self._give = trace, draft, give

    def on_solution_callback(self) -> None:
        self._trace.add(round(self.objective_value), max(0, round(self.best_objective_bound)))
        if self._give:
            self._give(self._draft.plan(self))


def minimise(
    shop: JobShop,
    goal: Goal,
    level: int,
    *,
    caps: Sequence[int | None],
    budget: Budget,
    share: float = 1.0,
    seed: int,
    workers: int = 1,
    hint: Plan | None = None,
    trace: Trace | None = None,
    give: Callable[[Plan], None] | None = None,
) -> Answer:
    """Search the least value of one level while no level exceeds its cap; `give` gets every better plan at once."""
    if budget.left(share) is None:
        return Answer("no plan", None, 0)
    places = {(a.job, a.operation): a for a in hint or ()}
    try:
        model = build(shop, goal, caps=caps, hint=places, until=budget.until)
    except TimeoutError:  # the shop is larger than the limit allows
        return Answer("no plan", None, 0)
    if model is None:
        return Answer("infeasible", None, 0)
    model.draft.cp.minimize(model.levels[level].expression)
    limit = budget.left(share)
    if limit is None:
        return Answer("no plan", None, 0)
    sequences = shop.plain and goal.regular and not {"energy", LEFT_OUT} & set(goal.terms)
    search = searcher(goal, level, limit=limit, seed=seed, workers=workers, sequences=sequences)
    heard = None if trace is None else _Callback(trace, model.draft, give)
    outcome = search.solve(model.draft.cp, heard)
    budget.spend(deterministic=search.response_proto.deterministic_time, iterations=search.num_conflicts)
    if outcome == cp_model.INFEASIBLE:
        return Answer("infeasible", None, 0)
    bound = max(0, round(search.best_objective_bound))
    if outcome not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Answer("no plan", None, bound)
    plan = model.draft.plan(search)
    if outcome == cp_model.OPTIMAL:
        return Answer("optimal", plan, goal.values(shop, plan)[level])
    return Answer("feasible", plan, bound)


def earlier(shop: JobShop, goal: Goal, plan: Plan) -> Plan:
    """The same sequences with every operation as early as they allow, where the goal loses nothing by it."""
    if not len(plan):
        return plan
    done = shop.done_by(plan)
    if shop.plain and goal.regular:
        return semi_active(done, plan)
    left = None if shop.ovens else regenerate(done, plan)
    return plan if left is None or goal.values(shop, left) > goal.values(shop, plan) else left


def solve_cpsat(
    shop: JobShop,
    question: Question,
    *,
    tell: Tell | None = None,
    bound: int | None = None,
    give: Callable[[Plan], None] | None = None,
) -> Solution:
    """The best plan within the limit, never worse than a valid `start`; one that breaks a rule only guides the search.

    bound: the `lower_bound`, where the caller has it. give: gets every better plan of the first level at once. With
    several workers the answer is the same again only if the limit names no seconds.
    """
    goal, start = question.goal, question.start
    least = lower_bound(shop, goal) if bound is None else bound
    trace, budget = Trace(tell), Budget(question.limit)
    best = start if start is not None and not violations(shop, start) else None
    if best is not None:
        trace.add(goal.values(shop, best)[0], least)
    bound, proved, held = least, True, list[int | None]([])
    for level in range(len(goal.levels)):
        values = None if best is None else goal.values(shop, best)
        lowest = least if level == 0 else lower_bound(shop, Goal((goal.levels[level],), goal.reference))
        if values is not None and values[level] == lowest:
            held.append(lowest)
            continue
        answer = minimise(
            shop,
            goal,
            level,
            caps=[*held, None if values is None else values[level]],
            budget=budget,
            share=1.0 if level == len(goal.levels) - 1 else 1.0 - LOWER_SHARE,
            seed=question.seed,
            workers=question.workers,
            hint=best or start,
            trace=trace if level == 0 else None,
            give=give,
        )
        if level == 0:
            if answer.status == "infeasible" and best is None:
                return Solution(METHOD, "infeasible", None, None, least)
            bound = max(least, answer.bound)
        if answer.plan is not None:
            best = earlier(shop, goal, answer.plan)
        if best is None:
            return Solution(METHOD, "no plan", None, None, bound, reason=f"none found in {question.limit}")
        proved = proved and answer.status == "optimal"
        held.append(goal.values(shop, best)[level])
    assert best is not None
    return Solution.of(METHOD, shop, goal=goal, plan=best, bound=bound, trace=trace.incumbents, proved=proved)
