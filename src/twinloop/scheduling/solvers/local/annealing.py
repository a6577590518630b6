"""A plain shop, for every goal that only gains when jobs end earlier: annealing, and annealing again from the best.

The first time begins hot enough to forget its start; each time after that begins warm at the best solution, from which
large steps lead away and small ones back (in the manner of Kreipl 2000). Every thread has a solution of its own; by the
clock one that is stuck may take over what is best anywhere, with a limit of iterations it does not, so that the answer
depends on `populations` and not on threads.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from twinloop.contracts import Plan
from twinloop.errors import InputError
from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.objectives import missed_promise
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.question import Question
from twinloop.scheduling.solution import Solution, Tell, Trace
from twinloop.scheduling.solvers.local.arrays import Arrays, Rows
from twinloop.scheduling.solvers.local.construct import MOST_WORK, construct
from twinloop.scheduling.solvers.local.costs import BEHIND, END, LATE, Costs, costs_of
from twinloop.scheduling.solvers.local.graph import draw
from twinloop.scheduling.solvers.local.metropolis import BEST, Critical, anneal, settled
from twinloop.scheduling.solvers.local.moves import Walk, copied
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
    arrays, costs = Arrays.of(shop), costs_of(shop, question.goal)
    if costs is None:
        raise InputError(f"{METHOD}: expected a goal that looks at the ends of jobs alone: use CP-SAT or auto")
    least = max(lower_bound(shop, question.goal), bound or 0)
    known = Shared(shop, question.goal, Trace(tell), least) if shared is None else shared
    begun = time.monotonic()

    def spent(annealer: Annealer) -> float:
        shares = [0.0]
        if limit.iterations is not None:
            shares.append(annealer.done / limit.iterations)
        if limit.seconds is not None:
            shares.append((time.monotonic() - begun) / limit.seconds)
        return 1.0 if stop() or known.proved else max(shares)

    annealers = [Annealer(arrays, costs, seed=question.seed + 1_000_003 * k) for k in range(populations)]

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
        machines = len(self.arrays.shop.machines)
        return self.arrays.rows(*construct(self.arrays.layout, machines, MOST_WORK, 0.0, noise, self.state))

    def _annealed(
        self, rows: Rows, hot: float, moves: float, spent: Callable[["Annealer"], float], shared: Shared
    ) -> tuple[Rows, int]:
        """The best solution on a way from this one, and what it costs."""
        best, rows = copied(rows), copied(rows)
        possible = settled(self.arrays.layout, self.costs, rows, self._walk, self._critical, self._tally)
        assert possible, "a start waits for itself"
        begun, first, done, told = spent(self), self.done, 0.0, int(self._tally[BEST])
        self._offer(best, shared)
        while done < 1:
            temperature = self._unit * hot * (COLD / hot) ** done
            tried = anneal(
                self.arrays.layout,
                self.costs,
                rows,
                best,
                self._walk,
                self._critical,
                self._tally,
                temperature,
                CHUNK,
                self.state,
            )
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

    def plan(self, rows: Rows) -> Plan:
        """A solution as a plan."""
        walk = Walk.of(self.arrays)
        critical, tally = Critical.of(self.arrays), np.zeros(2, dtype=np.int64)
        settled(self.arrays.layout, self.costs, rows, walk, critical, tally)
        return self.arrays.plan(rows.machine, walk.end - rows.duration)
