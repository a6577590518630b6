"""A plain shop, for every goal that looks at the ends of jobs alone: annealing, and annealing again from the best.

The first time begins hot enough to forget its start; each time after that begins warm at the best solution, from which
large steps lead away and small ones back (in the manner of Kreipl 2000). Every thread has a solution of its own; by the
clock one that is stuck may take over what is best anywhere, with a limit of iterations it does not, so that the answer
depends on `populations` and not on threads. Where ending early costs something, or jobs come after others, every
solution is timed anew (`punctual`); otherwise only what a move changes is.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from twinloop.contracts import Plan
from twinloop.errors import InputError
from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.checker import violations
from twinloop.scheduling.objectives import Goal, missed_promise
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.question import Question
from twinloop.scheduling.solution import Solution, Tell, Trace
from twinloop.scheduling.solvers.local.arrays import Arrays, Longs, Rows
from twinloop.scheduling.solvers.local.construct import MOST_WORK, construct
from twinloop.scheduling.solvers.local.costs import BEHIND, EARLY, END, LATE, Costs, costs_of
from twinloop.scheduling.solvers.local.graph import draw
from twinloop.scheduling.solvers.local.metropolis import BEST, Critical, anneal, settled
from twinloop.scheduling.solvers.local.moves import Walk, copied
from twinloop.scheduling.solvers.local.punctual import Precedence, anneal_timed, begun, timed
from twinloop.scheduling.solvers.local.times import best_ends
from twinloop.scheduling.solvers.rules import dispatch
from twinloop.scheduling.solvers.shared import Shared

METHOD = "simulated annealing"
# Temperatures at which the first time begins, a later one, and all end; in what a mean operation's time costs.
HOT, WARM, COLD = 3.0, (1.0, 1.5, 2.0), 0.7
# Times without anything better after which it is begun anew.
STALE = 5
# The makespan and the largest tardiness change less than a sum over jobs does.
MOST_SHARE = 0.3
# Moves of the first time and of later ones, for a shop of so many operations and more.
FIRST, LATER, USUAL = 1_000_000, 500_000, 100
# Moves between two temperatures, and two looks at the limits.
CHUNK = 5_000
# Share of the limit that one time may take at most.
LONGEST = 0.4
# What solutions begin with that are timed anew.
RULES_OF_STARTS = ("ATC", "EDD", "MWKR", "FIFO")


def solve_annealing(
    shop: JobShop,
    question: Question,
    *,
    tell: Tell | None = None,
    populations: int = 1,
    bound: int | None = None,
    stop: Callable[[], bool] = lambda: False,
    shared: Shared | None = None,
) -> Solution:
    """Anneal until the limit (iterations of each population, or seconds), or a plan as good as the lower bound.

    bound: of the first level, where more is known than the `lower_bound`; `stop` is asked every now and then. shared:
    the best plan of several methods, taken over and made better. Raises InputError for a shop that is not plain, a goal
    that looks at more than the ends of jobs, or a limit of neither.
    """
    limit = question.limit
    if limit.iterations is None and limit.seconds is None:
        raise InputError(f"{METHOD}: expected a limit of iterations or seconds, got none")
    arrays, costs = Arrays.of(shop, assembly=True), costs_of(shop, question.goal)
    if costs is None:
        raise InputError(f"{METHOD}: expected a goal that looks at the ends of jobs alone: use CP-SAT or auto")
    least = max(lower_bound(shop, question.goal), bound or 0)
    known = Shared(shop, question.goal, Trace(tell), least) if shared is None else shared
    if timed_anew(shop, question.goal) and question.start is not None and not violations(shop, question.start):
        known.offer(question.start)
    begun = time.monotonic()

    def spent(annealer: Annealer) -> float:
        shares = [0.0]
        if limit.iterations is not None:
            shares.append(annealer.done / limit.iterations)
        if limit.seconds is not None:
            shares.append((time.monotonic() - begun) / limit.seconds)
        return 1.0 if stop() or known.proved else max(shares)

    kind = Timed if timed_anew(shop, question.goal) else Annealer
    annealers = [kind(arrays, costs, seed=question.seed + 1_000_003 * k) for k in range(populations)]

    def run(number: int) -> None:
        # Without a clock what another thread has found must not matter.
        common = known if limit.iterations is None else Shared(shop, question.goal, Trace(), least)
        annealers[number].run(question.start if number == 0 else None, spent=spent, shared=common)
        if common is not known and common.plan is not None:
            known.offer(common.plan)

    if min(question.workers, populations) == 1:
        for number in range(populations):
            run(number)
    else:
        with ThreadPoolExecutor(question.workers) as threads:
            list(threads.map(run, range(populations)))
    if known.plan is None:
        reason = "the limit allows no iteration, or no plan that keeps firm due dates was found"
        return Solution(METHOD, "no plan", None, None, least, reason=reason)
    return Solution.of(METHOD, shop, goal=question.goal, plan=known.plan, bound=least, trace=known.trace.incumbents)


def timed_anew(shop: JobShop, goal: Goal) -> bool:
    """Whether moves are judged by timing the whole plan, which takes longer by the number of operations."""
    return goal.later or any(job.after for job in shop.jobs)


class Annealer:
    """One solution at a time, with its own random numbers."""

    def __init__(self, arrays: Arrays, costs: Costs, *, seed: int) -> None:
        self.arrays, self.costs = arrays, costs
        self.state = np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1)
        self.done = 0
        # Whether no job could end earlier by itself where that would gain: nothing is better.
        self.perfect = False
        self._walk, self._critical, self._tally = Walk.of(arrays), Critical.of(arrays), np.zeros(2, dtype=np.int64)
        each = costs.jobs[:, BEHIND] + costs.jobs[:, END]
        unit = arrays.mode_duration.mean() * (each.mean() + MOST_SHARE * costs.most.sum()) + costs.jobs[:, LATE].mean()
        self._unit = max(1.0, float(unit))
        self._size = max(1.0, arrays.count / USUAL)

    def run(self, start: Plan | None, *, spent: Callable[["Annealer"], float], shared: Shared) -> None:
        """Search until `spent`, asked after every chunk, says 1."""
        best = self._constructed(0.0) if start is None else self.arrays.rows(*self.arrays.sequences(start))
        hot, moves, value, stale = HOT, FIRST * self._size, -1, 0
        while spent(self) < 1 and not self.perfect:
            found, reached = self._annealed(best, hot, moves, spent, shared)
            stale = 0 if value < 0 or reached < value else stale + 1
            if value < 0 or reached <= value:
                best, value = found, reached
            hot, moves = WARM[draw(self.state, len(WARM))], LATER * self._size
            if stale == STALE:
                # Begun anew, with the best that is known anywhere or with nothing.
                value, stale = -1, 0
                if shared.plan is not None and draw(self.state, 2) == 0:
                    best = self.arrays.rows(*self.arrays.sequences(shared.plan))
                else:
                    best = self._constructed(0.5)
                    hot, moves = HOT, FIRST * self._size

    def _constructed(self, noise: float) -> Rows:
        """A first solution, or one to begin anew with."""
        machines = len(self.arrays.shop.machines)
        return self.arrays.rows(*construct(self.arrays.layout, machines, MOST_WORK, 0.0, noise, self.state))

    def _annealed(
        self, rows: Rows, hot: float, moves: float, spent: Callable[["Annealer"], float], shared: Shared
    ) -> tuple[Rows, int]:
        """The best solution on a way from this one, and what it costs."""
        best, rows = copied(rows), copied(rows)
        assert self._settled(rows), "a start waits for itself"
        begun, first, done, told = spent(self), self.done, 0.0, int(self._tally[BEST])
        self._offer(best, shared)
        while done < 1:
            temperature = self._unit * hot * (COLD / hot) ** done
            tried = self._tried(rows, best, temperature)
            self.done += CHUNK
            if self._tally[BEST] < told:
                told = int(self._tally[BEST])
                self._offer(best, shared)
            now = spent(self)
            self.perfect = tried < CHUNK
            if now >= 1 or self.perfect:
                break
            done = max((self.done - first) / moves, (now - begun) / LONGEST)
        return best, int(self._tally[BEST])

    def _offer(self, rows: Rows, shared: Shared) -> None:
        plan = self.plan(rows)
        if not missed_promise(self.arrays.shop, plan):
            shared.offer(plan)

    def _settled(self, rows: Rows) -> bool:
        """Begin at a solution; whether it does not wait for itself."""
        return bool(settled(self.arrays.layout, self.costs, rows, self._walk, self._critical, self._tally))

    def _tried(self, rows: Rows, best: Rows, temperature: float) -> int:
        """Walk on at one temperature; moves that were tried."""
        given = self.arrays.layout, self.costs, rows, best, self._walk, self._critical, self._tally
        return int(anneal(*given, temperature, CHUNK, self.state))

    def plan(self, rows: Rows) -> Plan:
        """A solution as a plan."""
        return self.arrays.plan(rows.machine, self._ends(rows) - rows.duration)

    def _ends(self, rows: Rows) -> Longs:
        walk, critical, tally = Walk.of(self.arrays), Critical.of(self.arrays), np.zeros(2, dtype=np.int64)
        settled(self.arrays.layout, self.costs, rows, walk, critical, tally)
        return walk.end


class Timed(Annealer):
    """The same where ending early may cost something, and jobs may come after others."""

    def __init__(self, arrays: Arrays, costs: Costs, *, seed: int) -> None:
        super().__init__(arrays, costs, seed=seed)
        behind: list[list[int]] = [[] for _ in range(arrays.count)]
        for v in range(arrays.count):
            for u in arrays.ahead_of(v):
                behind[u].append(v)
        first = np.cumsum([0, *(len(some) for some in behind)]).astype(np.int32)
        flat = np.array([v for some in behind for v in some], dtype=np.int32)
        self._precedence = Precedence(arrays.first_ahead, arrays.ahead, first, flat)
        self._unit += float(arrays.mode_duration.mean() * costs.jobs[:, EARLY].mean())

    def _constructed(self, noise: float) -> Rows:
        rule = RULES_OF_STARTS[draw(self.state, len(RULES_OF_STARTS)) if noise else 0]
        plan = dispatch(self.arrays.shop, rule)
        assert plan is not None, "a plain shop has a plan by every rule"
        return self.arrays.rows(*self.arrays.sequences(plan))

    def _settled(self, rows: Rows) -> bool:
        given = self.arrays.layout, self._precedence, self.costs, rows, self._walk, self._critical, self._tally
        return bool(begun(*given))

    def _tried(self, rows: Rows, best: Rows, temperature: float) -> int:
        given = self.arrays.layout, self._precedence, self.costs, rows, best, self._walk, self._critical, self._tally
        return int(anneal_timed(*given, temperature, CHUNK, self.state))

    def _ends(self, rows: Rows) -> Longs:
        walk = Walk.of(self.arrays)
        value = timed(self.arrays.layout, self._precedence, self.costs, rows, walk)
        assert value >= 0, "a solution waits for itself"
        return walk.end if self.costs.regular else best_ends(self.arrays, self.costs, rows, walk.end)
