"""Large-neighbourhood search: any plan, also of thousands of operations, made better piece by piece by CP-SAT.

Each step frees a few dozen operations (a stretch of time, some machines over a longer one, or some whole jobs), keeps
all others where they are, and solves what is left (Shaw 1998; for schedules Godard, Laborie and Nuijten 2005). Pieces
grow while they are solved with ease and shrink when not. Between equal plans the one that ends earlier is taken,
which makes room for the pieces behind.
"""

import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from twinloop.contracts import Plan
from twinloop.errors import InputError
from twinloop.scheduling.bounds import horizon, latest_ends, lower_bound, spans
from twinloop.scheduling.checker import violations
from twinloop.scheduling.objectives import Goal, missed_promise
from twinloop.scheduling.problem import LARGEST_COST, JobShop
from twinloop.scheduling.problem.calendar import Closures
from twinloop.scheduling.problem.checks import without_ovens
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.solution import Solution, Tell, Trace
from twinloop.scheduling.solvers.cp_draft import Draft, Sum
from twinloop.scheduling.solvers.cp_goal import levels
from twinloop.scheduling.solvers.cp_model import draft
from twinloop.scheduling.solvers.cpsat import Budget, searcher
from twinloop.scheduling.solvers.incumbent import Incumbent
from twinloop.scheduling.solvers.rules import dispatch
from twinloop.scheduling.solvers.shared import Shared

METHOD = "CP-SAT LNS"
# Deterministic seconds for a piece; what is not solved within a quarter of it does not grow.
PIECE = 0.02
SIZE, LEAST_SIZE, GROWTH = 40.0, 8.0, 1.1
# Rules that make the first plan where none is given: one for dates, one for the makespan.
FIRST = ("ATC", "MWKR")
# Operations from which on a piece may only move within its own time, since all that is kept until the end would come in
# otherwise; pieces do not grow then, and are searched at once. At 10 000 rich operations this gains most in 10 s.
LARGE = 1000
# What making a piece counts for in deterministic seconds, altogether and for each operation of the shop.
MAKING, MAKING_EACH = 0.005, 0.00001
# Levels share the limit in this ratio: the first has most to gain.
LEVEL_SHARE = 0.7


def solve_neighbourhoods(
    shop: JobShop,
    question: Question,
    *,
    tell: Tell | None = None,
    bound: int | None = None,
    checked: bool = False,
    shared: Shared | None = None,
) -> Solution:
    """Improve a valid `start`, or a rule's plan where none is given; iterations count neighbourhoods.

    bound: the `lower_bound`, where the caller has it. checked: the caller knows that the start is valid. shared: the
    best plan of several searches, taken over and made better, which end with the first that proves it.
    """
    if shop.ovens:
        raise InputError(without_ovens(METHOD, shop))
    if shop.optional:
        raise InputError(
            f"{METHOD}: does all jobs that it is given, and some may be left out: choose by methods.METHODS"
        )
    goal, start = question.goal, question.start
    least = lower_bound(shop, goal) if bound is None else bound
    trace, budget = Trace(tell), Budget(question.limit)
    if start is None or (not checked and violations(shop, start)):
        start = by_rule(shop, goal)
    if start is None:
        reason = "no rule finds a first plan: give one to start from"
        return Solution(METHOD, "no plan", None, None, least, reason=reason)
    search = _Search(shop, goal, start, seed=question.seed)
    trace.add(search.values[0], least)
    proved = [search.values[0] == least] + [False] * (len(goal.levels) - 1)
    for level in range(len(goal.levels)):
        share = budget.left(LEVEL_SHARE if level < len(goal.levels) - 1 else 1.0)
        part = None if share is None else Budget(share)
        # A step that would end too late is not begun.
        while part is not None and not proved[level] and part.left(after=search.longest_step) is not None:
            if shared is not None:
                if shared.proved:
                    break
                if (better := shared.better_than(search.values)) is not None:
                    search.adopt(better)
            spent, complete = search.step(level, part)
            for counted in (part, budget):
                counted.spend(deterministic=spent, iterations=1)
            trace.add(search.values[0], least)
            if shared is not None and shared.worse_than(search.values):
                shared.offer(search.best.plan())
            proved[level] = complete or (level == 0 and search.values[0] == least)
    bound = search.values[0] if proved[0] else least
    return Solution.of(
        METHOD, shop, goal=goal, plan=search.best.plan(), bound=bound, trace=trace.incumbents, proved=all(proved)
    )


def by_rule(shop: JobShop, goal: Goal) -> Plan | None:
    """The better of two rules' plans; None where neither keeps firm due dates and frozen operations, or with ovens."""
    if shop.ovens:
        return None
    ruled = [plan for rule in FIRST if (plan := dispatch(shop, rule)) and not missed_promise(shop, plan)]
    return min(ruled, key=lambda plan: goal.values(shop, plan), default=None)


class _Search:
    """The incumbent, and the pieces it is taken apart into."""

    def __init__(self, shop: JobShop, goal: Goal, start: Plan, *, seed: int) -> None:
        self.shop, self.goal, self.best = shop, goal, Incumbent(shop, goal, start)
        fixed = {(a.job, a.operation) for a in shop.frozen}
        free = [self.best.tables.number[key] for key in self.best.at if key not in fixed]
        # Numbers of the operations that may move; pieces are places in it.
        self._movable = np.array(free, dtype=np.int64)
        self._large = len(self._movable) > LARGE
        self._jobs = self.best.job[self._movable]
        self._closures = Closures(shop)
        self._rng = np.random.default_rng(seed)
        self._kinds = [self._stretch, self._machines]
        if set(goal.terms) - {"makespan"}:
            self._kinds.append(self._one_job)
        if "makespan" in goal.terms:
            self._kinds.append(self._critical)
        self._sizes = [SIZE] * len(self._kinds)
        self._sweep = 0.0
        self.longest_step = 0.0
        self._read()

    @property
    def values(self) -> tuple[int, ...]:
        """Of the incumbent."""
        return self.best.values

    def _read(self) -> None:
        best, movable = self.best, self._movable
        self._starts, self._ends, self._on = best.start[movable], best.end[movable], best.on[movable]

    def adopt(self, plan: Plan) -> None:
        """Go on from another plan."""
        self.best.adopt(plan)
        self._read()

    def step(self, level: int, budget: Budget) -> tuple[float, bool]:
        """Solve one piece for a level of the goal: deterministic seconds used, and whether it was the whole."""
        if not len(self._movable):
            return MAKING, True
        begun = time.perf_counter()
        kind = int(self._rng.integers(len(self._kinds)))
        count = min(int(self._sizes[kind]), len(self._movable))
        free = self._movable[list(dict.fromkeys(self._kinds[kind](count).tolist()))]
        model = self._piece(free)
        total = levels(model, self.goal)
        for higher in total[:level]:
            _hold(model, higher)
        wanted = _with_tie_break(model, total[level])
        _hold(model, wanted)
        model.cp.minimize(wanted.expression)
        seed = int(self._rng.integers(2**31))
        limit = budget.left()
        if limit is None:
            return MAKING, False
        search = searcher(Goal.of("makespan"), 0, limit=_least(limit), seed=seed)
        if self._large:
            # What is kept has fixed most of the model already, and looking for more takes longer than the search.
            search.parameters.cp_model_presolve = False
            search.parameters.symmetry_level = 0
        outcome = search.solve(model.cp)
        spent = search.response_proto.deterministic_time
        making = MAKING + MAKING_EACH * len(self.best.keys)
        easy = outcome == cp_model.OPTIMAL and spent < PIECE / 4
        if easy or outcome != cp_model.OPTIMAL:
            size = max(LEAST_SIZE, self._sizes[kind] * (GROWTH if easy else 1 / GROWTH))
            self._sizes[kind] = min(size, SIZE if self._large else float(len(self._movable)))
        if outcome in (cp_model.OPTIMAL, cp_model.FEASIBLE) and self.best.take(model.placements(search), level):
            self._read()
        self.longest_step = max(self.longest_step, time.perf_counter() - begun)
        return spent + making, outcome == cp_model.OPTIMAL and len(free) == len(self._movable)

    def _piece(self, free: NDArray[np.int64]) -> Draft:
        best = self.best
        ends = latest_ends(self.shop, latest=self._latest())
        if self._large and len(free) < len(self._movable) and not self.goal.later:
            ends = ends | self._near(free, ends)
        jobs = {self.shop.jobs[j].name for j in self.best.job[free]}
        left = spans(self.shop, ends, kept=best.beside(free), only=jobs, closures=self._closures)
        # A small plan is looked at as a whole.
        kept = best.near(free, left) if self._large else best.kept(free)
        piece = draft(self.shop, left, hint=best.at, kept=kept, closures=self._closures)
        assert piece is not None, "the incumbent itself is in every piece"
        return piece

    def _near(self, free: NDArray[np.int64], ends: Mapping[str, int]) -> dict[str, int]:
        """By job with free operations, its end now, or as much later as half of what the piece spans."""
        best = self.best
        reach = int(best.end[free].max() - best.start[free].min()) // 2
        last: dict[str, int] = {}
        for v in free:
            job = self.shop.jobs[best.job[v]].name
            last[job] = max(last.get(job, 0), int(best.end[v]))
        tips = {self.shop.jobs[j].name: int(best.end[best.tips[j]]) for j in np.unique(best.job[free])}
        return {job: min(ends[job], max(tips[job], end + reach)) for job, end in last.items()}

    def _latest(self) -> int:
        level = self.goal.levels[0]
        if "makespan" in level:
            return self.values[0] // level["makespan"]
        return horizon(self.shop, self.goal)

    def _stretch(self, count: int) -> NDArray[np.intp]:
        """Operations that follow each other in time, wherever they run; stretches sweep from left to right."""
        order = np.argsort(self._starts, kind="stable")
        first = int(self._sweep * len(order))
        self._sweep = 0.0 if first + count >= len(order) else (first + count / 2) / len(order)
        return order[max(0, min(first, len(order) - count)) :][:count]

    def _machines(self, count: int) -> NDArray[np.intp]:
        """Neighbours in time on a few machines."""
        machines = np.array(sorted(np.unique(self._on), key=lambda m: self.shop.machines[m]))
        size = min(len(machines), int(self._rng.integers(1, 4)))
        chosen = self._rng.choice(machines, size, replace=False)
        return self._around(np.flatnonzero(np.isin(self._on, chosen)), count)

    def _one_job(self, count: int) -> NDArray[np.intp]:
        """A job, a late one if any is, with its neighbours on every machine it visits."""
        ends = self.best.end[self.best.tips]
        late = [j for j, job in enumerate(self.shop.jobs) if job.due is not None and ends[j] > job.due]
        chosen = int(self._rng.choice(late or len(self.shop.jobs)))
        return self._with_neighbours(np.flatnonzero(self._jobs == chosen), count)

    def _critical(self, count: int) -> NDArray[np.intp]:
        """A part of the chain of operations that hold each other up until the end, with their neighbours."""
        order = np.lexsort((self._starts, self._on))
        same = self._on[order][1:] == self._on[order][:-1]
        before = dict(zip(order[1:][same].tolist(), order[:-1][same].tolist(), strict=True))
        keys, place = self.best.keys, {int(v): k for k, v in enumerate(self._movable)}
        number = self.best.tables.number
        chain = [int(np.argmax(self._ends))]
        while True:
            job, operation = keys[self._movable[chain[-1]]]
            held_up = [before.get(chain[-1])]
            if operation:
                held_up.append(place.get(number[job, operation - 1]))
            else:
                others = self.shop.by_name[job].after
                held_up += [place.get(number[o, len(self.shop.by_name[o].operations) - 1]) for o in others]
            known = [k for k in held_up if k is not None]
            if not known:
                break
            chain.append(max(known, key=lambda k: int(self._ends[k])))
        length = max(1, count // 4)
        first = int(self._rng.integers(max(1, len(chain) - length + 1)))
        return self._with_neighbours(np.array(chain[first : first + length]), count)

    def _with_neighbours(self, own: NDArray[np.intp], count: int) -> NDArray[np.intp]:
        chosen = {int(k): None for k in own}
        each = max(1, count // max(1, len(own)))
        for k in own:
            row = np.flatnonzero(self._on == self._on[k])
            # Those just before stand in its way more than those behind.
            later = np.where(self._starts[row] > self._starts[k], 2, 1)
            distance = np.abs(self._starts[row] - self._starts[k]) * later
            chosen |= {int(near): None for near in row[np.argsort(distance, kind="stable")[:each]]}
        return np.array(list(chosen), dtype=np.intp)

    def _around(self, inside: NDArray[np.intp], count: int) -> NDArray[np.intp]:
        middle = self._starts[self._rng.choice(inside)]
        return inside[np.argsort(np.abs(self._starts[inside] - middle), kind="stable")[:count]]


def _least(limit: Limit) -> Limit:
    deterministic = PIECE if limit.deterministic is None else min(PIECE, limit.deterministic)
    return Limit(seconds=limit.seconds, deterministic=deterministic)


def _hold(model: Draft, total: Sum) -> None:
    """Nothing worse than the incumbent."""
    value = model.hinted(total)
    if value is not None:
        model.cp.add(total.expression <= value)


def _with_tie_break(model: Draft, total: Sum) -> Sum:
    """The sum, and between equals the earlier starts; without these where numbers would grow too large."""
    starts = [placed.start for placed in model.placed.values() if isinstance(placed.start, cp_model.IntVar)]
    scale = 1 + sum(max(start.proto.domain) for start in starts)
    largest = total.constant + sum(weight * max(variable.proto.domain) for weight, variable in total.parts)
    if scale * (largest + 1) > LARGEST_COST:
        return total
    return Sum(scale * total.constant, [(scale * w, v) for w, v in total.parts] + [(1, start) for start in starts])
