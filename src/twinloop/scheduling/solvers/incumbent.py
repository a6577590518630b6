"""The best plan so far as arrays by number of operation, so that a change of a few costs no look at all others.

Numbers are those of `rich.layout.Tables`. What a neighbourhood has to know of the operations that stay is chosen here:
those on its machines and in its pools while it lasts, with the neighbours that decide about set-ups.
"""

from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.bounds import Spans
from twinloop.scheduling.checker import violations
from twinloop.scheduling.heads import Key
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.solvers.generation import possible, retimed
from twinloop.scheduling.solvers.rich.layout import (
    DURATION,
    END,
    END_NEED,
    FAMILIES,
    FAMILY,
    FIRST,
    FIRST_NEED,
    FIRST_ROW,
    FOR_GOOD,
    JOB,
    MACHINE,
    PROFILE,
    Longs,
    Tables,
)
from twinloop.scheduling.solvers.rich.values import BEFORE, evaluate, reference, weights

Flags = NDArray[np.bool_]


class Incumbent:
    """A valid plan of a shop without ovens.

    values: of the goal's levels. start, end, mode, on: [n] times, row in `modes` and machine of every operation.
    """

    def __init__(self, shop: JobShop, goal: Goal, plan: Plan) -> None:
        self.shop, self.goal, self.tables = shop, goal, Tables.of(shop)
        self.keys = list(self.tables.number)
        self._weights, self._reference = weights(goal), reference(self.tables, goal)
        self._state = self.tables.state()
        self._possible = possible(shop)
        # Shifts of a pool with fewer units, and crews, are not looked after when times follow from sequences.
        self._unsure = any(pool.calendar for pool in shop.pools) or any(h.crew for h in shop.changeovers.values())
        layout = self.tables.layout
        self.job = layout.operations[:, JOB]
        self.tips: Longs = layout.jobs[:, END] - 1
        needs = self._needs()
        self._pooled, self._supplied = needs[False], needs[True]
        # Plans are ordered by start, then these.
        self._rank = _ranks(shop.machines), _ranks([shop.jobs[j].name for j in self.job])
        self.at: dict[Key, Assignment] = {}
        self.adopt(plan)

    def adopt(self, plan: Plan) -> None:
        """Go on from another plan."""
        self.mode, self.start = self.tables.columns(plan)
        self.at = {(a.job, a.operation): a for a in plan}
        self.end = np.array([self.at[key].end for key in self.keys], dtype=np.int64)
        self.on: Longs = self.tables.layout.modes[self.mode, MACHINE]
        self.values = self.goal.values(self.shop, plan)

    def plan(self) -> Plan:
        """As a plan."""
        return Plan.of(self.at.values())

    def take(self, changed: Iterable[Assignment], level: int) -> bool:
        """Put operations elsewhere, and all as early as costs nothing, unless a level up to this one would be worse.

        Whether the plan has changed.
        """
        moved = [a for a in changed if self.at[a.job, a.operation] != a]
        if not moved:
            return False
        mode, start, end = self.mode.copy(), self.start.copy(), self.end.copy()
        for a in moved:
            v = self.tables.number[a.job, a.operation]
            mode[v], start[v], end[v] = self.tables.mode(v, a.machine), a.start, a.end
        values = self._valued(mode, start, end)
        if values[: level + 1] > self.values[: level + 1]:
            return False
        if (left := self._earlier(mode, start)) is not None and (sooner := self._valued(mode, *left)) <= values:
            (start, end), values = left, sooner
        names, modes = self.shop.machines, self.tables.layout.modes
        for v in np.flatnonzero((start != self.start) | (end != self.end) | (mode != self.mode)).tolist():
            machine = names[modes[mode[v], MACHINE]]
            self.at[self.keys[v]] = Assignment(*self.keys[v], machine, int(start[v]), int(end[v]))
        self.mode, self.start, self.end, self.on, self.values = mode, start, end, modes[mode, MACHINE], values
        return True

    def _earlier(self, mode: Longs, start: Longs) -> tuple[Longs, Longs] | None:
        left = retimed(self.tables, mode, start) if self._possible else None
        if left is not None and self._unsure:
            self._state.mode[:], self._state.start[:], self._state.end[:] = mode, *left
            if any(v.rule != "missed firm due date" for v in violations(self.shop, self.tables.plan(self._state))):
                return None
        return left

    def _valued(self, mode: Longs, start: Longs, end: Longs) -> tuple[int, ...]:
        layout, state = self.tables.layout, self._state
        state.mode[:], state.start[:], state.end[:] = mode, start, end
        if "setup" in self.goal.terms:
            on = layout.modes[mode, MACHINE]
            busy = np.flatnonzero(layout.modes[mode, DURATION] > 0)
            order = busy[np.lexsort((start[busy], on[busy]))]
            state.row_count[:] = np.bincount(on[busy], minlength=len(layout.machines))
            places = np.arange(len(order)) - (np.cumsum(state.row_count) - state.row_count)[on[order]]
            state.row[layout.machines[on[order], FIRST_ROW] + places] = order
        values = np.empty(BEFORE + len(self.goal.levels), dtype=np.int64)
        evaluate(layout, state, self._weights, self._reference, values)
        return tuple(values[BEFORE:].tolist())

    def order(self, of: Longs) -> Longs:
        """Some operations in the order of plans."""
        machines, jobs = self._rank
        return of[np.lexsort((of, jobs[of], machines[self.on[of]], self.start[of]))]

    def kept(self, free: Longs) -> dict[Key, Assignment]:
        """All operations but the free ones."""
        stays = np.ones(len(self.keys), dtype=np.bool_)
        stays[free] = False
        return self._chosen(stays)

    def beside(self, free: Longs) -> dict[Key, Assignment]:
        """Operations of the jobs of the free ones, and of those before and behind these, that stay."""
        first, tip = self.tables.layout.jobs[:, FIRST], self.tips
        number, stays = {job.name: j for j, job in enumerate(self.shop.jobs)}, np.zeros(len(self.keys), dtype=np.bool_)
        for j in np.unique(self.job[free]):
            job = self.shop.jobs[j]
            stays[first[j] : tip[j] + 1] = True
            stays[tip[[number[other] for other in job.after]]] = True
            stays[first[[number[other] for other in self.shop.followers[job.name]]]] = True
        stays[free] = False
        return self._chosen(stays)

    def near(self, free: Longs, spans: Spans) -> dict[Key, Assignment]:
        """Operations that stay and can matter to the free ones, which have these places left."""
        layout = self.tables.layout
        if any(changeover.crew for changeover in self.shop.changeovers.values()):
            return self.kept(free)  # every set-up may need one
        opens = np.full(len(layout.machines), np.iinfo(np.int64).max)
        closes = np.full(len(layout.machines), -1)
        number = {machine: m for m, machine in enumerate(self.shop.machines)}
        for v in free:
            for mode in spans[self.keys[v]]:
                m = number[mode.machine]
                opens[m], closes[m] = min(opens[m], mode.first), max(closes[m], mode.last_end)
        first, last = opens.min(), closes.max()
        stays = (self.end > opens[self.on]) & (self.start < closes[self.on])
        stays |= self._pooled & (self.end > first) & (self.start < last)
        stays |= self._supplied & (self.start <= last)
        for m in np.flatnonzero(closes >= 0).tolist():
            stays[self._around(m, opens[m], closes[m])] = True
        for j in np.unique(self.job[free]):
            stays[layout.jobs[j, FIRST] : layout.jobs[j, END]] = True
        stays[free] = False
        # What is latest of all that stays, for goals that look at it.
        fixed = np.ones(len(self.keys), dtype=np.bool_)
        fixed[free] = False
        if "makespan" in self.goal.terms and fixed.any():
            stays[int(np.argmax(np.where(fixed, self.end, -1)))] = True
        if "max_tardiness" in self.goal.terms:
            stays[self.tips[fixed[self.tips]]] = True
        return self._chosen(stays)

    def _around(self, m: int, opens: int, closes: int) -> Longs:
        """The neighbours of [opens, closes) in a machine's row, on either side as far as one with a family."""
        modes = self.tables.layout.modes
        row = np.flatnonzero((self.on == m) & (modes[self.mode, DURATION] > 0))
        row = row[np.argsort(self.start[row], kind="stable")]
        low, high = int((self.end[row] <= opens).sum()), len(row) - int((self.start[row] >= closes).sum())
        families = modes[self.mode[row], FAMILY]
        has_families = self.tables.layout.machines[m, FAMILIES] > 0
        first, last = low - 1, high
        while has_families and first > 0 and families[first] < 0:
            first -= 1
        while has_families and last + 1 < len(row) and families[last] < 0:
            last += 1
        return np.concatenate([row[max(0, first) : low], row[high : last + 1]])

    def _chosen(self, stays: Flags) -> dict[Key, Assignment]:
        keys = self.keys
        return {keys[v]: self.at[keys[v]] for v in self.order(np.flatnonzero(stays))}

    def _needs(self) -> dict[bool, Flags]:
        """Operations that need any pool (False) or use up any material (True)."""
        layout = self.tables.layout
        needs = {kind: np.zeros(len(self.keys), dtype=np.bool_) for kind in (False, True)}
        for v in np.flatnonzero(layout.operations[:, END_NEED] > layout.operations[:, FIRST_NEED]):
            for k in range(layout.operations[v, FIRST_NEED], layout.operations[v, END_NEED]):
                needs[bool(layout.profiles[layout.needs[k, PROFILE], FOR_GOOD])][v] = True
        return needs


def _ranks(names: Collection[str]) -> Longs:
    """[names] the place of each in the order of the alphabet, the same for equal ones."""
    place = {name: rank for rank, name in enumerate(sorted(set(names)))}
    return np.array([place[name] for name in names], dtype=np.int64)
