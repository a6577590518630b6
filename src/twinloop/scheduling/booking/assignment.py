"""The choice of visits and tasks as columns under rows of capacity: relaxed by HiGHS, made whole by CP-SAT."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_array

from twinloop.errors import InputError
from twinloop.scheduling.booking.slots import Candidate, Task, Workshop
from twinloop.scheduling.question import Limit

Floats = NDArray[np.float64]
Choice = NDArray[np.bool_]
CENT = 0.01
WHOLE = 1e-6
# Nodes of branch and bound on candidates that a relaxation splits, fewer where they are many; counted, so that every
# machine gives one answer.
FEWEST_NODES, NODE_COLUMNS = 20, 200_000


class Columns(NamedTuple):
    """What may be chosen, [n] each: the candidate, the day, and one of its tasks, or -1 for the visit itself."""

    candidate: NDArray[np.int64]
    day: NDArray[np.int64]
    task: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Model:
    """Choose columns of greatest saving [n], subject to rows @ choice ≤ limits; base: cost where nobody comes."""

    columns: Columns
    saving: Floats
    rows: Any
    limits: Floats
    base: float

    @classmethod
    def of(
        cls, candidates: Sequence[Candidate], workshop: Workshop, *, keep: Mapping[str, int], stability: float
    ) -> "Model":
        """keep: day by asset; a visit on it counts `stability` euro more. Raises InputError where agreed ones clash."""
        fixed = [candidate for candidate in candidates if candidate.fixed is not None]
        left = room(fixed, workshop)
        base = sum(task.cost_without for candidate in candidates for task in candidate.tasks)
        base += sum(candidate.visit_cost - _saving(candidate) for candidate in fixed)
        columns, saving = list[tuple[int, int, int]](), list[float]()
        entries, limits = list[tuple[int, int, float]](), [float(minutes) for minutes in left.values()]
        number = {name: row for row, name in enumerate(left)}
        for index, candidate in enumerate(candidates):
            if candidate.fixed is not None:
                continue
            once = len(limits)
            limits.append(1.0)
            for day in sorted(set(candidate.allowed(workshop.days))):
                # What does not fit alone would be chosen in part by the relaxation, and loosen its bound.
                useful = [
                    place
                    for place, task in enumerate(candidate.tasks)
                    if task.saving(day) > 0 and fits(task, day, left)
                ]
                price = candidate.visit_cost - (stability if keep.get(candidate.asset) == day else 0.0)
                if not useful or sum(candidate.tasks[place].saving(day) for place in useful) <= price:
                    continue
                visit = len(columns)
                columns.append((index, day, -1))
                saving.append(-price)
                entries.append((once, visit, 1.0))
                for place in useful:
                    task, column = candidate.tasks[place], len(columns)
                    columns.append((index, day, place))
                    saving.append(task.saving(day))
                    entries += [(len(limits), column, 1.0), (len(limits), visit, -1.0)]
                    limits.append(0.0)
                    entries.append((number["bay", "", day], column, float(task.minutes)))
                    entries.append((number["minutes", task.skill, day], column, float(task.minutes)))
                    for part, count in task.parts.items():
                        if part in workshop.parts:
                            later = range(day, workshop.days)
                            entries += [(number["part", part, until], column, float(count)) for until in later]
        table = np.array(entries).reshape(-1, 3)
        shape = (len(limits), len(columns))
        rows = coo_array((table[:, 2], (table[:, 0].astype(int), table[:, 1].astype(int))), shape=shape).tocsr()
        chosen = np.array(columns, dtype=np.int64).reshape(-1, 3)
        return cls(Columns(*chosen.T), np.array(saving), rows, np.array(limits), base)

    def value(self, chosen: Choice) -> float:
        """Euro that a choice saves."""
        return float(self.saving @ chosen)

    def _visits(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        """[v] column of each visit, the end of its tasks behind it, and what it saves with all of them."""
        visits = np.flatnonzero(self.columns.task < 0)
        return visits, np.append(visits[1:], len(self.saving)), np.add.reduceat(self.saving, visits)

    def alone(self) -> Choice:
        """[n] what each candidate would choose if there were no other."""
        visits, ends, worth = self._visits()
        order = np.lexsort((visits, -worth, self.columns.candidate[visits]))
        chosen = np.zeros(len(self.saving), dtype=bool)
        _, first = np.unique(self.columns.candidate[visits][order], return_index=True)
        for place in order[first]:
            chosen[visits[place] : ends[place]] = worth[place] > 0
        return chosen

    def filled(self, chosen: Choice) -> Choice:
        """The choice with whoever else still fits, the most valuable visits first."""
        chosen, columns = chosen.copy(), self.rows.tocsc()
        left = self.limits - self.rows @ chosen
        visits, ends, worth = self._visits()
        served = np.zeros(self.columns.candidate.max(initial=-1) + 1, dtype=bool)
        served[self.columns.candidate[chosen]] = True
        for place in np.argsort(-worth, kind="stable").tolist():
            visit, candidate = visits[place], self.columns.candidate[visits[place]]
            if served[candidate] or worth[place] <= 0:
                continue
            space, taken = left.copy(), [visit]
            _take(space, columns, visit)
            for task in sorted(range(visit + 1, ends[place]), key=lambda column: -self.saving[column]):
                span = slice(columns.indptr[task], columns.indptr[task + 1])
                if (columns.data[span] <= space[columns.indices[span]]).all():
                    _take(space, columns, task)
                    taken.append(task)
            if self.saving[taken].sum() > 0:
                chosen[taken], left, served[candidate] = True, space, True
        return chosen

    def fits(self, chosen: Choice) -> bool:
        """Whether a whole choice keeps all limits."""
        return bool((self.rows @ chosen <= self.limits).all())

    def relaxed(self) -> tuple[float, Floats, Floats]:
        """The greatest saving with parts of visits allowed, the choice [n], and what each column would lose it [n]."""
        result = linprog(-self.saving, A_ub=self.rows, b_ub=self.limits, bounds=(0, None), method="highs-ipm")
        if result.status != 0:
            raise RuntimeError(f"linear relaxation of a booking: {result.message}")
        return -float(result.fun), result.x, result.lower.marginals

    def rounded(self, share: Floats) -> Choice:
        """A whole choice near the relaxed one: candidates that it splits are decided anew, all others stay."""
        split = np.unique(self.columns.candidate[(share > WHOLE) & (share < 1 - WHOLE)])
        open_ = np.isin(self.columns.candidate, split)
        chosen = (share >= 1 - WHOLE) & ~open_
        places = np.flatnonzero(open_)
        if not len(places):
            return chosen
        result = milp(
            -self.saving[places],
            constraints=LinearConstraint(self.rows[:, places], ub=self.limits - self.rows @ chosen),
            bounds=Bounds(0, 1),
            integrality=np.ones(len(places)),
            options={"node_limit": max(FEWEST_NODES, NODE_COLUMNS // len(places)), "mip_rel_gap": 1e-3},
        )
        if result.x is not None:
            chosen[places] = result.x > 0.5
        return self.filled(chosen)

    def whole(self, useful: Choice, hint: Choice, *, limit: Limit, seed: int, workers: int) -> tuple[Choice, float]:
        """The best whole choice among `useful` columns that CP-SAT finds, and what none of them can save more than.

        The choice is never worse than the hint, which must fit.
        """
        from ortools.sat.python import cp_model

        model = cp_model.CpModel()
        places = np.flatnonzero(useful)
        variables = {place: model.new_bool_var("") for place in places.tolist()}
        for row in range(self.rows.shape[0]):
            span = slice(self.rows.indptr[row], self.rows.indptr[row + 1])
            terms = [
                (variables[place], int(count))
                for place, count in zip(self.rows.indices[span].tolist(), self.rows.data[span].tolist(), strict=True)
                if place in variables
            ]
            if terms:
                model.add(sum(count * variable for variable, count in terms) <= int(self.limits[row]))
        cents = np.rint(self.saving / CENT).astype(np.int64)
        model.maximize(sum(int(cents[place]) * variable for place, variable in variables.items()))
        for place, variable in variables.items():
            model.add_hint(variable, bool(hint[place]))
        solver = cp_model.CpSolver()
        solver.parameters.random_seed = seed
        solver.parameters.num_workers = workers
        if limit.iterations is not None:
            solver.parameters.max_number_of_conflicts = limit.iterations
        if limit.seconds is None:
            solver.parameters.interleave_search = workers > 1  # several workers then give one answer
        else:
            solver.parameters.max_time_in_seconds = limit.seconds
        if limit.deterministic is not None:
            solver.parameters.max_deterministic_time = limit.deterministic
        status = solver.solve(model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return hint, math.inf
        chosen = np.zeros(len(self.saving), dtype=bool)
        chosen[places] = [bool(solver.value(variable)) for variable in variables.values()]
        most = solver.best_objective_bound * CENT + CENT * len(places) / 2  # every saving was rounded to a cent
        return (chosen if self.value(chosen) > self.value(hint) else hint), most


def fits(task: Task, day: int, left: Mapping[tuple[str, str, int], int]) -> bool:
    """Whether a task can be done on a day in the `room` that is left."""
    parts = all(left.get(("part", part, day), count) >= count for part, count in task.parts.items())
    return parts and task.minutes <= min(left["bay", "", day], left["minutes", task.skill, day])


def _take(space: Floats, columns: Any, column: int) -> None:
    span = slice(columns.indptr[column], columns.indptr[column + 1])
    space[columns.indices[span]] -= columns.data[span]


def _saving(agreed: Candidate) -> float:
    assert agreed.fixed is not None
    return sum(task.saving(agreed.fixed) for task in agreed.promised)


def room(fixed: Sequence[Candidate], workshop: Workshop) -> dict[tuple[str, str, int], int]:
    """What agreed visits leave: (bay, minutes or part; skill or part; day) → units, in the order of the days.

    They may use what is kept in reserve. Raises InputError where they need more than there is.
    """
    days = range(workshop.days)
    whole = {("bay", "", day): workshop.bays[day] for day in days}
    whole |= {("minutes", skill, day): row[day] for skill, row in workshop.minutes.items() for day in days}
    whole |= {("part", part, day): row[day] for part, row in workshop.parts.items() for day in days}
    used = dict.fromkeys(whole, 0)
    for candidate in fixed:
        day = candidate.fixed
        assert day is not None
        for task in candidate.promised:
            used["bay", "", day] += task.minutes
            used["minutes", task.skill, day] += task.minutes
            for part, count in task.parts.items():
                if part in workshop.parts:
                    for until in range(day, workshop.days):
                        used["part", part, until] += count
    for (kind, name, day), units in used.items():
        if units > whole[kind, name, day]:
            agreed = ", ".join(candidate.asset for candidate in fixed if candidate.fixed == day)
            what = {"bay": "minutes of bays", "minutes": f"minutes of {name}", "part": f"of part {name}"}[kind]
            raise InputError(
                f"booking: day {day}: agreed visits need {units} {what}, there are {whole[kind, name, day]}: "
                f"move one of {agreed or 'those before'}"
            )
    bookable = {skill: workshop.bookable(skill) for skill in workshop.minutes}
    open_ = {key: bookable[key[1]][key[2]] if key[0] == "minutes" else units for key, units in whole.items()}
    return {key: max(0, units - used[key]) for key, units in open_.items()}
