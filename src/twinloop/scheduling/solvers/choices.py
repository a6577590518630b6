"""Which jobs are done, for methods that do all that they are given: one choice after the other is planned.

A choice is a set of the orders that may be left out; with an order comes all that it comes after. Flips of single
orders lead from one choice to the next, as in local search for scheduling with rejection (Shabtay, Gaspar and Kaspi
2013).
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property

from twinloop.contracts import Plan
from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.checker import violations
from twinloop.scheduling.objectives import Goal, missed_promise
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.question import Question
from twinloop.scheduling.solution import Solution, Solver, Tell, Trace
from twinloop.scheduling.solvers.neighbourhoods import by_rule

Choice = frozenset[str]
Planner = Callable[[JobShop], Plan | None]
# Who made a plan that does nothing.
NOBODY = "all left out"
# What a choice without a plan is worth: less than any plan.
NOTHING: tuple[float, ...] = (float("inf"),)
# Operations that are planned on one way downhill, over all choices, and the choices that are planned in any case.
PLACED, FEWEST = 100_000, 20
# Choices that are planned thoroughly.
TRIED = 16


class Choices:
    """The choices of one shop, each planned once; `plan` is the best of all that are known."""

    def __init__(self, shop: JobShop, goal: Goal, planner: Planner) -> None:
        self.shop, self.goal, self._planner = shop, goal, planner
        self.plan: Plan | None = None
        self.known: dict[Choice, tuple[float, ...]] = {}
        self._least = NOTHING

    def values(self, choice: Choice) -> tuple[float, ...]:
        """What the plan of a choice is worth; `NOTHING` where it has none that keeps firm due dates."""
        if choice not in self.known:
            self.known[choice] = NOTHING
            plan = self._planned(choice)
            if plan is not None and not missed_promise(self.shop, plan):
                self.known[choice] = self.note(plan)
        return self.known[choice]

    def note(self, plan: Plan) -> tuple[int, ...]:
        """Remember a valid plan if it is the best; what it is worth."""
        values = self.goal.values(self.shop, plan)
        if values < self._least:
            self.plan, self._least = plan, values
        return values

    def of(self, plan: Plan) -> Choice:
        """The orders that a plan does."""
        return frozenset(self.shop.optional.keys() - self.shop.left_out(plan))

    def flipped(self, choice: Choice, order: str) -> Choice:
        """One order more, with all that it comes after, or one fewer, without all that comes after it."""
        return choice - self._behind[order] if order in choice else choice | self._ahead[order]

    def improve(self, choice: Choice, *, until: float) -> None:
        """Flip one order after the other while that gains, at most until then (`time.perf_counter`).

        What is cheap and long is taken out first, what is dear and short put in first.
        """
        most = max(FEWEST, PLACED // sum(len(job.operations) for job in self.shop.jobs))
        best, first, gained = self.values(choice), len(self.known), True
        while gained:
            gained = False
            inside = [order for order in self._by_worth if order in choice]
            for order in (*inside, *reversed(self._by_worth)):
                if len(self.known) - first > most or time.perf_counter() > until:
                    return
                other = self.flipped(choice, order)
                if self.values(other) < best:
                    choice, best, gained = other, self.values(other), True

    def _planned(self, choice: Choice) -> Plan | None:
        if not choice and not self.shop.required:
            return Plan(())
        return self._planner(self.shop.doing(choice)) if self._supplied(choice) else None

    def _supplied(self, choice: Choice) -> bool:
        """Whether enough of every material ever comes."""
        needed = Counter[str]()
        for job in self.shop.jobs if self.shop.materials else ():
            if job.order in choice or job.order not in self.shop.optional:
                for operation in job.operations:
                    needed.update(operation.materials)
        come = {m.name: m.initial + sum(quantity for _, quantity in m.deliveries) for m in self.shop.materials}
        return all(quantity <= come[name] for name, quantity in needed.items())

    @cached_property
    def _by_worth(self) -> list[str]:
        """Orders by their price for the work that they save, the least first."""
        jobs = self.shop.by_name
        work = {order: sum(jobs[name].work for name in names) for order, names in self.shop.optional.items()}
        return sorted(work, key=lambda order: (jobs[order].price or 0) / max(1, work[order]))

    @cached_property
    def _ahead(self) -> Mapping[str, Choice]:
        """By order, itself and all that it comes after of what may be left out."""
        jobs, ahead = self.shop.by_name, dict[str, Choice]()
        for order in self.shop.optional:
            reached, more = set[str](), {order}
            while more:
                reached |= more
                names = [name for other in more for name in self.shop.optional[other]]
                before = {jobs[other].order for name in names for other in jobs[name].after}
                more = (before & self.shop.optional.keys()) - reached
            ahead[order] = frozenset(reached)
        return ahead

    @cached_property
    def _behind(self) -> Mapping[str, Choice]:
        """By order, itself and all that comes after it."""
        return {order: frozenset(o for o, ahead in self._ahead.items() if order in ahead) for order in self._ahead}


def best_choice(shop: JobShop, goal: Goal, planner: Planner, *, until: float = float("inf")) -> Plan | None:
    """The best plan of a quick planner downhill from all that may be done, and from what must be; None without any."""
    choices = Choices(shop, goal, planner)
    for begin in (frozenset(shop.optional), Choice()):
        choices.improve(begin, until=until)
    return choices.plan


def ruled_choice(shop: JobShop, goal: Goal, *, until: float = float("inf")) -> Plan | None:
    """The best choice by two dispatching rules."""
    return best_choice(shop, goal, lambda part: by_rule(part, goal.within), until=until)


def solve_choices(shop: JobShop, question: Question, solver: Solver, *, tell: Tell | None = None) -> Solution:
    """The best plan of a method that does all the jobs it is given, never worse than a valid start.

    Half of the limit goes to choices around the one that rules make, which foretell what is tried next, half to the
    best of them. Raises InputError for what the method cannot do.
    """
    goal, limit = question.goal, question.limit
    least, trace, answers = lower_bound(shop, goal), Trace(tell), list[Solution]()

    def planned(part: JobShop, share: float = 0.5 / TRIED, start: Plan | None = None) -> Plan | None:
        asked = replace(question, goal=goal.within, limit=limit.part(share), start=start)
        answers.append(solver(part, asked))
        return answers[-1].plan

    quick, thorough = Choices(shop, goal, lambda part: by_rule(part, goal.within)), Choices(shop, goal, planned)
    start = question.start
    if start is None or violations(shop, start):
        start = ruled_choice(shop, goal, until=limit.part(0.2).until())
    if start is not None:
        thorough.note(start)
    ahead = {frozenset(shop.optional) if start is None else thorough.of(start)}
    while ahead and len(thorough.known) < TRIED:
        choice = min(ahead, key=lambda choice: (quick.values(choice), sorted(choice)))
        thorough.values(choice)
        if thorough.plan is not None:
            trace.add(goal.values(shop, thorough.plan)[0], least)
        ahead |= {thorough.flipped(choice, order) for order in shop.optional}
        ahead -= thorough.known.keys()
    best = thorough.plan
    if best is not None and len(best):
        better = planned(shop.done_by(best), 0.5, best)
        if better is not None:
            thorough.note(better)
    method = answers[-1].method if answers else NOBODY
    if thorough.plan is None:
        reason = f"none of {len(thorough.known)} choices of jobs has a plan"
        reason += f"; {answers[-1].reason}" if answers else ""
        return Solution(method, "no plan", None, None, least, reason=reason)
    return Solution.of(method, shop, goal=goal, plan=thorough.plan, bound=least, trace=trace.incumbents)
