"""One method for every shop: bounds, rules, local search, then CP-SAT, within one limit.

In plain shops local search finds short makespans, and annealing any goal that looks at the ends of jobs, just in time
too, faster than anything else here; CP-SAT proves them. So small shops get both side by side, and large ones local
search alone. What is not plain, or has another goal, starts from the best rule, goes through CP-SAT while it is small,
and then through large neighbourhoods, on as many threads as there are workers. Between equal plans the one whose jobs
end earlier is taken. Limited by iterations or deterministic time the answer is the same on any machine and for any
number of workers.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from twinloop.contracts import Plan
from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.checker import violations
from twinloop.scheduling.dispatching import RULES
from twinloop.scheduling.objectives import Goal, missed_promise
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.problem.milestones import stripped, with_milestones, without_milestones
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.solution import Incumbent, Solution, Tell, Trace
from twinloop.scheduling.solvers.choices import ruled_choice
from twinloop.scheduling.solvers.conflict import explained
from twinloop.scheduling.solvers.cpsat import solve_cpsat
from twinloop.scheduling.solvers.local.annealing import solve_annealing, timed_anew
from twinloop.scheduling.solvers.local.costs import costs_of
from twinloop.scheduling.solvers.local.search import solve_local
from twinloop.scheduling.solvers.neighbourhoods import FIRST, solve_neighbourhoods
from twinloop.scheduling.solvers.rules import dispatch
from twinloop.scheduling.solvers.shared import Shared

METHOD = "auto"
MAKESPAN = Goal.of("makespan")
# Terms that any plan with the same sequences and machines has alike, whenever its jobs end.
TIMELESS = {"setup", "energy"}
# Operations up to which CP-SAT often proves a makespan within seconds, and within a minute.
SOON, LATER = 150, 250
# Share of the limit that belongs to local search alone before CP-SAT joins.
SOON_ALONE, LATER_ALONE = 0.03, 0.5
# The same where both have to take turns on one thread.
SOON_SHARE = 0.2
# Shares of the limit after which CP-SAT begins again with what annealing has found meanwhile.
PROOF_SHARES = (0.15, 0.4, 1.0)
# Operations up to which a whole rich shop is given to CP-SAT, and the share of the limit it then has.
WHOLE, WHOLE_SHARE = 300, 0.6
# Share of the seconds that rules may take once one of them has found a plan.
RULES_SHARE = 0.3
# Local search makes about so many moves a second, divided by the operations, on one core of a laptop.
MOVES = 30_000_000
# The same of annealing, and of annealing that times every plan anew.
STEPS, TIMED_STEPS = 80_000_000, 15_000_000
# Operations up to which timing whole plans leaves enough moves.
TIMED_MOST = 2000


def solve_auto(shop: JobShop, question: Question, *, tell: Tell | None = None) -> Solution:
    """The best plan and bound within the limit; never worse than a valid start."""
    if shop.optional:
        return _choosing(shop, question, tell=tell)
    if shop.ovens:
        until = question.limit.until()
        exact = explained(shop, solve_cpsat(shop, question, tell=tell), seed=question.seed, until=until)
        return replace(exact, method=METHOD)
    if set(question.goal.terms) <= TIMELESS:
        return _timed(shop, question, tell=tell)
    if question.goal == MAKESPAN and (bare := without_milestones(shop)) is not None:
        return _bare(shop, bare, question, tell=tell)
    search = _Search(shop, question, tell=tell)
    local = question.goal == MAKESPAN and shop.plain and not any(job.after for job in shop.jobs)
    # Local search begins with a rule of its own.
    first = search.ruled(() if local else tuple(RULES))
    if first.status == "optimal":
        return first
    if local:
        return search.local_and_proof(first)
    quick = search.operations <= TIMED_MOST or not timed_anew(shop, question.goal)
    if shop.plain and quick and costs_of(shop, question.goal) is not None:
        return search.annealed_and_proof(first)
    return search.whole_and_pieces(first)


def _choosing(shop: JobShop, question: Question, *, tell: Tell | None) -> Solution:
    """Where jobs may be left out rules choose, CP-SAT in small shops; what is chosen is planned as any other shop."""
    goal, limit, start = question.goal, question.limit, question.start
    until = limit.until()
    if start is None or violations(shop, start):
        start = ruled_choice(shop, goal, until=limit.part(RULES_SHARE).until())
    trace, share = Trace(tell), 1.0
    if start is not None and sum(len(job.operations) for job in shop.jobs) > WHOLE:
        known = Solution.of(METHOD, shop, goal=goal, plan=start, bound=lower_bound(shop, goal))
    else:
        part = replace(question, limit=limit.part(WHOLE_SHARE), start=start)
        known = replace(solve_cpsat(shop, part, tell=tell), method=METHOD)
        trace.incumbents += known.trace
        share -= WHOLE_SHARE
    if known.plan is None or known.status == "optimal" or not len(known.plan):
        return explained(shop, known, seed=question.seed, until=until)
    part = replace(question, goal=goal.within, limit=limit.part(share), start=known.plan)
    chosen = solve_auto(shop.done_by(known.plan), part)
    plans = [solution.plan for solution in (known, chosen) if solution.plan is not None]
    best = min(plans, key=lambda plan: goal.values(shop, plan))
    trace.add(goal.values(shop, best)[0], known.bound)
    return Solution.of(METHOD, shop, goal=goal, plan=best, bound=known.bound, trace=trace.incumbents)


def _timed(shop: JobShop, question: Question, *, tell: Tell | None) -> Solution:
    """The answer to a goal that says nothing of time: between equal plans, the one whose jobs end earlier."""
    goal = question.goal
    timed = replace(goal, levels=(*goal.levels, {"completion": 1}))
    answer = solve_auto(shop, replace(question, goal=timed), tell=tell)
    if answer.plan is None:
        return answer
    proved = answer.status == "optimal"
    return Solution.of(METHOD, shop, goal=goal, plan=answer.plan, bound=answer.bound, trace=answer.trace, proved=proved)


def _bare(shop: JobShop, bare: JobShop, question: Question, *, tell: Tell | None) -> Solution:
    """A shop that is plain but for its milestones: solved without them, which move nothing."""
    start = question.start
    start = stripped(shop, start) if start is not None and not violations(shop, start) else None
    solution = solve_auto(bare, replace(question, start=start), tell=tell)
    if solution.plan is None:
        return solution
    plan, bound = with_milestones(shop, solution.plan), max(solution.bound, lower_bound(shop, question.goal))
    proved = solution.status == "optimal"
    return Solution.of(METHOD, shop, goal=question.goal, plan=plan, bound=bound, trace=solution.trace, proved=proved)


class _Search:
    def __init__(self, shop: JobShop, question: Question, *, tell: Tell | None) -> None:
        self._begun = time.monotonic()
        self.shop, self.question, self.goal, self.limit = shop, question, question.goal, question.limit
        self.operations = sum(len(job.operations) for job in shop.jobs)
        # What is proved so far; parts that know less must not take it back.
        self.least = self._without_search = lower_bound(shop, self.goal)
        self.trace = Trace(tell)

    def ruled(self, rules: Sequence[str]) -> Solution:
        """The best of the start plan and the rules'; some rules are enough where all would take too long."""
        start = self.question.start
        # Plans with their place in the rules' order, which decides between equals.
        valid = [(-1, start)] if start is not None and not violations(self.shop, start) else []
        first = FIRST if set(self.goal.levels[0]) - {"makespan"} else FIRST[::-1]
        for rule in sorted(rules, key=lambda rule: first.index(rule) if rule in first else len(first)):
            if valid and self._left(RULES_SHARE) is None:
                break
            plan = dispatch(self.shop, rule)
            if plan is not None and not missed_promise(self.shop, plan):
                valid.append((rules.index(rule), plan))
        if not valid:
            return Solution(METHOD, "no plan", None, None, self.least, reason="no rule finds a plan")
        _, best = min(valid, key=lambda ruled: (self.goal.values(self.shop, ruled[1]), ruled[0]))
        return self._best(best, self.least)

    def local_and_proof(self, known: Solution) -> Solution:
        """Local search, and CP-SAT beside it where the shop is small enough for a proof."""
        alone = SOON_ALONE if self.operations <= SOON else LATER_ALONE if self.operations <= LATER else 1.0
        known = self._local(known, share=alone)
        if known.status == "optimal" or alone == 1.0:
            return known
        if self.limit.seconds is None or self.question.workers == 1:
            return self._proof(known, share=1.0)
        proved: list[Solution] = []
        with ThreadPoolExecutor(1) as thread:
            proof = thread.submit(lambda: proved.append(self._proof(known, share=1.0)))
            searched = self._local(known, share=1.0, threads=self.question.workers - 1, stop=proof.done)
            proof.result()
        [exact] = proved
        if exact.plan is None or exact.status == "optimal":
            return exact if exact.plan is not None else searched
        plans = [solution.plan for solution in (exact, searched) if solution.plan is not None]
        return self._best(min(plans, key=lambda plan: plan.makespan), max(exact.bound, searched.bound))

    def annealed_and_proof(self, known: Solution) -> Solution:
        """Annealing, and CP-SAT beside it where the shop is small enough for a proof."""
        shared = Shared(self.shop, self.goal, self.trace, self.least, known.plan)
        timed, workers = self.limit.seconds is not None, self.question.workers
        alone = LATER_ALONE if self.operations > SOON else SOON_ALONE if timed and workers > 1 else SOON_SHARE
        if self.operations > LATER:
            alone = 1.0
        known = self._annealed(known, shared, share=alone)
        if known.status == "optimal" or alone == 1.0:
            return known
        if not timed or workers == 1:
            return self._proof(known, share=1.0)
        with ThreadPoolExecutor(1) as thread:
            proof = thread.submit(self._proof_beside, known, shared)
            searched = self._annealed(known, shared, share=1.0, threads=workers - 1, stop=proof.done)
            exact = proof.result()
        if exact.status in ("optimal", "infeasible") or searched.plan is None:
            return exact
        return self._best(searched.plan, exact.bound)

    def _annealed(
        self,
        known: Solution,
        shared: Shared,
        *,
        share: float,
        threads: int | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Solution:
        limit = self._left(share)
        if limit is None:
            return known
        threads = self.question.workers if threads is None else threads
        speed = TIMED_STEPS if timed_anew(self.shop, self.goal) else STEPS
        limit, populations = self._searched(limit, threads, speed=speed)
        question = self._part(limit, shared.plan, workers=threads)
        solve_annealing(
            self.shop, question, populations=populations, bound=self._without_search, stop=stop, shared=shared
        )
        return known if shared.plan is None else self._best(shared.plan, known.bound)

    def _proof_beside(self, known: Solution, shared: Shared) -> Solution:
        """CP-SAT beside another search, begun again now and then with what both have found."""
        for share in PROOF_SHARES:
            if shared.plan is not None:
                known = self._best(shared.plan, known.bound)
            known = self._proof(known, share=share, give=shared.offer)
            if known.status in ("optimal", "infeasible"):
                break
        return known

    def whole_and_pieces(self, known: Solution) -> Solution:
        """CP-SAT on the whole shop while it is small, then on one piece after the other."""
        if self.operations <= WHOLE or known.plan is None:
            known = self._proof(known, share=WHOLE_SHARE)
            if known.status in ("optimal", "infeasible") or known.plan is None:
                return known
        limit = self._left(1.0)
        if limit is None:
            return known
        if limit.seconds is None or self.question.workers == 1:
            part = self._part(limit, known.plan)
            pieces = solve_neighbourhoods(self.shop, part, tell=self._tell, bound=self._without_search, checked=True)
            return known if pieces.plan is None else self._best(pieces.plan, max(known.bound, pieces.bound))
        return self._pieces_beside(known, limit)

    def _pieces_beside(self, known: Solution, limit: Limit) -> Solution:
        """Large neighbourhoods on every thread, all of the best plan that any of them knows."""
        shared = Shared(self.shop, self.goal, self.trace, self.least, known.plan)
        question = self._part(limit, known.plan)

        def run(number: int) -> Solution:
            own = replace(question, seed=question.seed + 1_000_003 * number)
            pieces = solve_neighbourhoods(self.shop, own, bound=self._without_search, checked=True, shared=shared)
            shared.closed = shared.closed or pieces.status == "optimal"
            return pieces

        with ThreadPoolExecutor(self.question.workers) as threads:
            found = list(threads.map(run, range(self.question.workers)))
        assert shared.plan is not None
        bound = max(known.bound, *(pieces.bound for pieces in found))
        return self._best(shared.plan, bound, proved=any(pieces.status == "optimal" for pieces in found))

    def _searched(self, limit: Limit, threads: int, *, speed: int) -> tuple[Limit, int]:
        """The limit of a search by moves, and its populations; speed: moves × operations a deterministic second."""
        if limit.seconds is not None:
            return limit, threads
        # One population whatever the number of workers, so that the answer is the same.
        moves = limit.iterations or max(1, int((limit.deterministic or 0.0) * speed / self.operations))
        return Limit(iterations=moves), 1

    def _local(
        self,
        known: Solution,
        *,
        share: float,
        threads: int | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Solution:
        limit = self._left(share)
        if limit is None:
            return known
        threads = self.question.workers if threads is None else threads
        limit, populations = self._searched(limit, threads, speed=MOVES)
        local = solve_local(
            self.shop,
            self._part(limit, None, workers=threads),
            tell=self._tell,
            populations=populations,
            bound=known.bound,
            stop=stop,
        )
        bound = max(local.bound, known.bound)
        plans = [solution.plan for solution in (local, known) if solution.plan is not None]
        return self._best(min(plans, key=lambda plan: plan.makespan), bound) if plans else replace(known, bound=bound)

    def _proof(self, known: Solution, *, share: float, give: Callable[[Plan], None] | None = None) -> Solution:
        limit = self._left(share)
        if limit is None:
            return known
        workers = 1 if limit.seconds is None or self.goal == MAKESPAN or give else self.question.workers
        exact = solve_cpsat(
            self.shop,
            self._part(limit, known.plan, workers=workers),
            tell=self._tell,
            bound=self._without_search,
            give=give,
        )
        if exact.status == "infeasible":
            rest = self._left(1.0)
            until = time.perf_counter() if rest is None else rest.until()
            return replace(explained(self.shop, exact, seed=self.question.seed, until=until), method=METHOD)
        if exact.plan is None:
            return replace(known, bound=max(known.bound, exact.bound), reason=exact.reason or known.reason)
        return self._best(exact.plan, max(known.bound, exact.bound), proved=exact.status == "optimal")

    def _part(self, limit: Limit, start: Plan | None, *, workers: int = 1) -> Question:
        """The question to one of the methods."""
        return replace(self.question, limit=limit, start=start, workers=workers)

    def _left(self, share: float) -> Limit | None:
        """`share` of the limit, less the seconds that have passed; None when they have all passed."""
        part = self.limit.part(share)
        if part.seconds is None:
            return part
        left = part.seconds - (time.monotonic() - self._begun)
        return replace(part, seconds=left) if left > 0 else None

    def _tell(self, incumbent: Incumbent) -> None:
        self.trace.add(incumbent.objective, max(self.least, incumbent.bound))

    def _best(self, plan: Plan, bound: int, *, proved: bool = False) -> Solution:
        bound = self.least = max(self.least, bound)
        self.trace.add(self.goal.values(self.shop, plan)[0], bound)
        return Solution.of(
            METHOD, self.shop, goal=self.goal, plan=plan, bound=bound, trace=self.trace.incumbents, proved=proved
        )
