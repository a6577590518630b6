"""The best plan of a small shop by a model that has a yes or no for every machine and every start of each operation.

It is slow and plain, and shares nothing with the solvers: what is open, how long work takes and when a machine can be
set up is counted unit by unit (`calendars.Minutes`); what operations share is summed up in every unit of time. Of jobs
that may be left out every choice is planned.
"""

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping

from ortools.sat.python import cp_model

from tests.scheduling.calendars import Minutes
from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.objectives import Goal, Term
from twinloop.scheduling.problem import Changeover, Job, JobShop, Operation

Key = tuple[str, int]
Way = tuple[Assignment, cp_model.IntVar]


def best_plan(shop: JobShop, goal: Goal, last: int) -> tuple[tuple[int, ...], Plan] | None:
    """The least value of every level, the first one first, of all plans that end by `last`, and a plan that has them.

    None where there is none.
    """
    if "left_out" in goal.terms:
        return min(_of_every_choice(shop, goal, last), default=None, key=lambda best: best[0])
    model = _Model(shop, last)
    search, values = cp_model.CpSolver(), list[int]()
    search.parameters.num_workers = 1
    for level in goal.levels:
        total = sum(weight * model.term(term, goal) for term, weight in level.items())
        model.cp.minimize(total)
        status = search.solve(model.cp)
        if status == cp_model.INFEASIBLE:
            return None
        assert status == cp_model.OPTIMAL
        values.append(round(search.objective_value))
        model.cp.add(total == values[-1])
    return tuple(values), Plan.of(a for a, chosen in model.every if search.value(chosen))


def _of_every_choice(shop: JobShop, goal: Goal, last: int) -> Iterator[tuple[tuple[int, ...], Plan]]:
    """The best plan of every set of jobs that are done, with the prices of the others."""
    priced = [job for job in shop.jobs if job.price is not None]
    rest = [{term: weight for term, weight in level.items() if term != "left_out"} for level in goal.levels]
    within = dataclasses.replace(goal, levels=tuple(level for level in rest if level) or ({"makespan": 1},))
    for gone in itertools.chain.from_iterable(itertools.combinations(priced, n) for n in range(len(priced) + 1)):
        names = {job.name for job in gone}
        jobs = tuple(dataclasses.replace(job, price=None) for job in shop.jobs if job.name not in names)
        if any(name in names for job in jobs for name in job.after):
            continue
        rows = (a for a in goal.reference or () if a.job not in names)
        asked = dataclasses.replace(within, reference=Plan.of(rows))
        found = best_plan(dataclasses.replace(shop, jobs=jobs), asked, last) if jobs else ((0,) * 9, Plan(()))
        if found is not None:
            values, price = iter(found[0]), sum(job.price or 0 for job in gone)
            levels = zip(goal.levels, rest, strict=True)
            costs = (level.get("left_out", 0) * price + (next(values) if left else 0) for level, left in levels)
            yield tuple(costs), found[1]


class _Model:
    def __init__(self, shop: JobShop, last: int) -> None:
        self.shop, self.last, self.cp = shop, last, cp_model.CpModel()
        self._minutes = Minutes(shop, last)
        self.ways = {
            (job.name, number): self._ways(job, number) for job in shop.jobs for number in range(len(job.operations))
        }
        self.every = [way for ways in self.ways.values() for way in ways]
        for ways in self.ways.values():
            self.cp.add_exactly_one(chosen for _, chosen in ways)
        self._start = {key: sum(a.start * chosen for a, chosen in ways) for key, ways in self.ways.items()}
        self._end = {key: sum(a.end * chosen for a, chosen in ways) for key, ways in self.ways.items()}
        self._job_end = {job.name: self._end[job.name, len(job.operations) - 1] for job in shop.jobs}
        self._held = {pool: [list[tuple[int, cp_model.IntVar]]() for _ in range(last)] for pool in self._minutes.pools}
        self._set_ups: list[tuple[int, cp_model.IntVar]] = []
        self._orders()
        for machine in shop.machines:
            self._machine(machine)
        self._shared()

    def term(self, term: Term, goal: Goal) -> cp_model.LinearExpr | int:
        jobs, dated = self.shop.jobs, [job for job in self.shop.jobs if job.due is not None]

        def latest(values: Mapping[str, int]) -> cp_model.LinearExpr | int:
            most = self.cp.new_int_var(0, 1000 + self.last, "")
            for job, value in values.items():
                self.cp.add(most >= self._job_end[job] - value)
            return most

        def each(cost) -> cp_model.LinearExpr | int:  # type: ignore[no-untyped-def]
            return sum(
                cost(job, a.end) * chosen for job in dated for a, chosen in self.ways[job.name, len(job.operations) - 1]
            )

        match term:
            case "makespan":
                return latest({job.name: 0 for job in jobs})
            case "max_tardiness":
                return latest({job.name: job.due for job in dated})
            case "tardiness":
                return each(lambda job, end: max(0, end - job.due))
            case "weighted_tardiness":
                return each(lambda job, end: job.weight * max(0, end - job.due))
            case "late_jobs":
                return each(lambda job, end: int(end > job.due))
            case "earliness":
                return each(lambda job, end: job.earliness_weight * max(0, job.due - end))
            case "completion":
                return sum(self._job_end.values())
            case "weighted_completion":
                return sum(job.weight * self._job_end[job.name] for job in jobs)
            case "setup":
                return sum(time * needed for time, needed in self._set_ups)
            case "energy":
                return sum(
                    self.shop.power.get(a.machine, 0) * self._operation(a).on(a.machine) * chosen
                    for a, chosen in self.every
                )
            case "stability":
                return sum(
                    abs(a.start - before.start) * chosen
                    for before in goal.reference or ()
                    for a, chosen in self.ways[before.job, before.operation]
                )
        raise NotImplementedError(term)

    def _operation(self, a: Assignment) -> Operation:
        return self.shop.by_name[a.job].operations[a.operation]

    def _ways(self, job: Job, number: int) -> list[Way]:
        """Every machine and start, with the end that follows, and whether it is chosen."""
        operation, ways = job.operations[number], []
        for mode in operation.modes:
            for start in range(max(0, job.release), self.last):
                end = self._minutes.end(operation, mode.machine, start)
                promised = job.due if job.firm and job.due is not None else self.last
                if end is not None and end <= promised:
                    ways.append((Assignment(job.name, number, mode.machine, start, end), self.cp.new_bool_var("")))
        return ways

    def _orders(self) -> None:
        """Routes with transport and longest waits, and jobs behind jobs."""
        on = defaultdict(list)
        for a, chosen in self.every:
            on[a.job, a.operation, a.machine].append(chosen)
        for job in self.shop.jobs:
            for other in job.after:
                self.cp.add(self._start[job.name, 0] >= self._job_end[other])
            for number in range(1, len(job.operations)):
                waits = self._start[job.name, number] - self._end[job.name, number - 1]
                longest = job.operations[number].longest_wait
                carried = 0
                for before in job.operations[number - 1].modes:
                    for behind in job.operations[number].modes:
                        time = self.shop.transport.get((before.machine, behind.machine), 0)
                        if time:
                            there = sum(on[job.name, number - 1, before.machine])
                            here = sum(on[job.name, number, behind.machine])
                            carries = self.cp.new_bool_var("")
                            self.cp.add(carries >= there + here - 1)
                            self.cp.add(carries <= there)
                            self.cp.add(carries <= here)
                            carried += time * carries
                self.cp.add(waits >= carried)
                if longest is not None:
                    self.cp.add(waits <= carried + longest)

    def _machine(self, machine: str) -> None:
        ways = [(a, chosen) for a, chosen in self.every if a.machine == machine and a.start < a.end]
        if machine in self.shop.ovens:
            self._oven(ways, self.shop.ovens[machine])
            return
        for unit in range(self.last):
            self.cp.add_at_most_one(chosen for a, chosen in ways if a.start <= unit < a.end)
        if self.shop.setups.get(machine):
            self._families(machine, ways)

    def _oven(self, ways: list[Way], capacity: int) -> None:
        """What is in at the same time goes in and comes out together, is of one family, and not too many."""
        for unit in range(self.last):
            charges = defaultdict(list)
            for a, chosen in ways:
                if a.start <= unit < a.end:
                    family = self._operation(a).family
                    alone = (a.job, a.operation) if family is None else None
                    charges[a.start, a.end, family, alone].append(chosen)
            there = []
            for (_, _, family, _), inside in charges.items():
                any_of_them = self.cp.new_bool_var("")
                there.append(any_of_them)
                self.cp.add(sum(inside) <= (1 if family is None else capacity) * any_of_them)
            self.cp.add_at_most_one(there)

    def _families(self, machine: str, ways: list[Way]) -> None:
        """What the machine is set up for in every unit, and the set-ups that follow from it."""
        how, times = self.shop.changeovers.get(machine, Changeover()), self.shop.setups[machine]
        names = {self._operation(a).family for a, _ in ways} - {None}
        names |= {None, how.initial}
        state = {name: self.cp.new_constant(int(name == how.initial)) for name in names}
        for unit in range(self.last):
            starts = {name: [] for name in names}
            for a, chosen in ways:
                family = self._operation(a).family
                if a.start != unit or family is None:
                    continue
                starts[family].append(chosen)
                for before in names:
                    time = times.get((before, family), 0)
                    if time:
                        needed = self.cp.new_bool_var("")
                        self.cp.add(needed >= chosen + state[before] - 1)
                        self.cp.add(needed <= chosen)
                        self.cp.add(needed <= state[before])
                        self._set_up(machine, unit, time, needed, ways)
            begun = [chosen for some in starts.values() for chosen in some]
            following = {}
            for name in names:
                following[name] = self.cp.new_bool_var("")
                self.cp.add(following[name] >= sum(starts[name]))
                self.cp.add(following[name] >= state[name] - sum(begun))
            self.cp.add_exactly_one(following.values())
            state = following

    def _set_up(self, machine: str, start: int, time: int, needed: cp_model.IntVar, ways: list[Way]) -> None:
        """Nothing else is on the machine from the last possible begin of this set-up on."""
        self._set_ups.append((time, needed))
        how = self.shop.changeovers.get(machine, Changeover())
        begin = max((b for b in range(start - time + 1) if self._minutes.set_up(machine, b, time, start)), default=None)
        if begin is None:
            self.cp.add(needed == 0)
            return
        for a, chosen in ways:
            if a.start < start and a.end > begin:
                self.cp.add_implication(needed, chosen.Not())
        if how.crew is not None:
            for unit in range(start - time, start):
                self._held[how.crew][unit].append((1, needed))

    def _shared(self) -> None:
        """Pools in every unit of time, and materials up to it."""
        for a, chosen in self.every:
            for pool, needed in self._operation(a).pools.items():
                for unit in range(a.start, a.end):
                    # Whoever finds too few of a pool there has paused, and holds none of it.
                    if self._minutes.pools[pool][unit] >= needed:
                        self._held[pool][unit].append((needed, chosen))
        for pool, held in self._held.items():
            for unit, users in enumerate(held):
                self.cp.add(sum(needed * user for needed, user in users) <= self._minutes.pools[pool][unit])
        for material in self.shop.materials:
            for unit in range(self.last):
                stock = material.initial + sum(quantity for time, quantity in material.deliveries if time <= unit)
                self.cp.add(
                    sum(
                        self._operation(a).materials.get(material.name, 0) * chosen
                        for a, chosen in self.every
                        if a.start <= unit
                    )
                    <= stock
                )
