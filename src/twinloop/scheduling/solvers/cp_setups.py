"""Set-ups in the CP-SAT model: by sequence, in open time, by a crew, and behind operations without a family.

They are a circuit on each machine that has any (an arc between two visits says that nothing lies between them), without
the arcs that time forbids. An operation without a family hands on what the machine was set up for before it.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ortools.sat.python import cp_model

from twinloop.contracts import Assignment
from twinloop.scheduling.problem import Changeover
from twinloop.scheduling.problem.calendar import OpenTime
from twinloop.scheduling.problem.hours import Hours
from twinloop.scheduling.problem.windows import stretches
from twinloop.scheduling.solvers.cp_draft import Draft, Visit

# What a machine can be set up for: a family that is known (None: nothing), or one of several, by literal.
Setting = str | None | Mapping[str | None, cp_model.IntVar]


def fixed(model: Draft, a: Assignment) -> cp_model.IntervalVar:
    """The interval of a kept operation."""
    return model.cp.new_fixed_size_interval_var(a.start, a.end - a.start, "")


def set_up(model: Draft, machine: str, row: Sequence[Visit]) -> None:
    """A circuit through everything on the machine; each arc between two visits keeps their set-up time."""
    _Row(model, machine, row).link()


def keep_crews(model: Draft) -> None:
    """Crews that set up for kept operations whose set-up no free operation can change."""
    if not model.kept or not any(changeover.crew for changeover in model.shop.changeovers.values()):
        return
    rows: dict[str, list[Assignment]] = defaultdict(list)
    for a in model.kept.values():
        rows[a.machine].append(a)
    for machine, changeover in model.shop.changeovers.items():
        if changeover.crew is None:
            continue
        visits = model.rows.get(machine, ())
        linked = {visit.key for visit in visits if not settled(model, visit, visits)}
        row = sorted(rows[machine], key=lambda a: a.start)
        times = model.shop.row_setups(machine, [model.family((a.job, a.operation)) for a in row])
        for a, time in zip(row, times, strict=True):
            if time and a.start >= 0 and (a.job, a.operation) not in linked:
                interval = model.cp.new_fixed_size_interval_var(a.start - time, time, "")
                model.pools[changeover.crew].append((interval, 1, a.start))


def settled(model: Draft, visit: Visit, row: Sequence[Visit]) -> bool:
    """Whether a visit is kept before everything free in its row, so that its set-up is what it was."""
    free = [other.first for other in row if other.key not in model.kept]
    return visit.key in model.kept and visit.last_end <= min(free, default=visit.last_end)


class _Row:
    """One machine's circuit in the making."""

    def __init__(self, model: Draft, machine: str, row: Sequence[Visit]) -> None:
        self.model, self.cp, self.machine, self.row = model, model.cp, machine, row
        self.how = model.shop.changeovers.get(machine, Changeover())
        self.families = [model.family(visit.key) for visit in row]
        self.hours = self._hours()
        self.before = _hinted_neighbours(model, machine, row)
        self.start = model.settings.get(machine, self.how.initial)
        self.settings = self._settings()
        self._begins: dict[int, cp_model.IntVar] = {}
        # Set-ups begin behind what surely comes first.
        first = [visit.last_end for visit in row if settled(model, visit, row)]
        self._opens, self._closes = min(first, default=0), max((visit.last for visit in row), default=0)
        self._domains: dict[int, cp_model.Domain] = {}
        self._fixtures = {(a.job, a.operation) for a in model.shop.frozen}

    def link(self) -> None:
        """All arcs, and what each asks for."""
        arcs: list[tuple[int, int, cp_model.LiteralT]] = []
        for i, j in _possible(self.row):
            if i >= 0 and j >= 0 and self.row[i].first_end + self._least(i, j) > self.row[j].last:
                continue
            arc = self.model.choice(None if self.before is None else self.before.get(j) == i)
            arcs.append((i + 1, j + 1, arc))
            if j >= 0:
                self._follow(i, j, arc)
        for i, visit in enumerate(self.row):
            if visit.present is not True:
                arcs.append((i + 1, i + 1, ~visit.present))
        if not any(visit.present is True for visit in self.row):
            arcs.append((0, 0, self.model.choice(None if self.before is None else not self.before)))
        if arcs:
            self.cp.add_circuit(arcs)
        else:
            self.cp.add_bool_or([])  # no order is possible, which an empty circuit would not say

    def _hours(self) -> OpenTime:
        """When the machine can be set up."""
        if not self.how.unattended:
            return self.model.closures.on(self.machine, {self.how.crew: 1} if self.how.crew else None)
        crew = [pool for pool in self.model.shop.pools if pool.name == self.how.crew]
        return OpenTime((Hours.of_pool(pool), 1) for pool in crew)

    def _settings(self) -> list[Setting]:
        """What the machine is set up for behind each visit."""
        known = [*dict.fromkeys([self.start, *(family for family in self.families if family is not None)])]
        hinted = self._hinted_settings()
        settings: list[Setting] = []
        for k, family in enumerate(self.families):
            if family is not None or known == [None]:
                settings.append(family)
                continue
            hint = None if hinted is None else hinted.get(k, self.start)
            literals = {name: self.model.choice(None if hinted is None else name == hint) for name in known}
            self.cp.add_exactly_one(literals.values())
            settings.append(literals)
        return settings

    def _hinted_settings(self) -> dict[int, str | None] | None:
        if self.before is None:
            return None
        behind = {before: k for k, before in self.before.items() if before >= 0}
        settings, k, setting = dict[int, str | None](), self._first_hinted(), self.start
        while k is not None and k >= 0:
            setting = self.families[k] if self.families[k] is not None else setting
            settings[k] = setting
            k = behind.get(k, -1)
        return settings

    def _first_hinted(self) -> int | None:
        assert self.before is not None
        return next((k for k, before in self.before.items() if before == -1 and k >= 0), None)

    def _least(self, i: int, j: int) -> int:
        """Set-up time on an arc whatever an operation without a family hands on."""
        setting = self.settings[i] if i >= 0 else self.start
        if isinstance(setting, Mapping):
            return 0
        return self.model.shop.setup(self.machine, setting, self.families[j])

    def _follow(self, i: int, j: int, arc: cp_model.IntVar) -> None:
        """Visit j comes right behind visit i, or is the row's first one."""
        row, setting = self.row, self.settings[i] if i >= 0 else self.start
        if i >= 0:
            self.cp.add(row[j].start >= row[i].end).only_enforce_if(arc)
        target = self.settings[j]
        if isinstance(target, Mapping):
            for family, literal in target.items():
                if not isinstance(setting, Mapping):
                    if family == setting:
                        self.cp.add_implication(arc, literal)
                else:
                    self.cp.add_bool_or([~arc, ~setting[family], literal])
            return
        if not isinstance(setting, Mapping):
            self._prepare(i, j, self.model.shop.setup(self.machine, setting, self.families[j]), arc)
            return
        for family, literal in setting.items():
            if time := self.model.shop.setup(self.machine, family, self.families[j]):
                both = self.model.both(arc, literal)
                self._prepare(i, j, time, both)

    def _prepare(self, i: int, j: int, time: int, literal: cp_model.IntVar) -> None:
        """A set-up for visit j, behind visit i, where the literal holds."""
        row, cp = self.row, self.cp
        if not time or (i < 0 and settled(self.model, row[j], row)):
            return
        self.model.follows.append((time, literal))
        if row[j].last < 0:
            return  # what has begun before time 0 was set up for before
        ready = row[i].end if i >= 0 else 0
        if self.how.crew is not None:
            begin = row[j].start - time
            cp.add(begin >= ready).only_enforce_if(literal)
            interval = cp.new_optional_fixed_size_interval_var(begin, time, literal, "")
            self.model.pools[self.how.crew].append((interval, 1, row[j].last))
            if not self.hours.always and not self._fixed(j):
                cp.add_linear_expression_in_domain(begin, self._open(time)).only_enforce_if(literal)
        elif self.hours.always or self._frozen(j):
            cp.add(row[j].start >= ready + time).only_enforce_if(literal)
        else:
            begins = self._begin(j)
            cp.add(begins >= ready).only_enforce_if(literal)
            cp.add(row[j].start >= begins + time).only_enforce_if(literal)
            cp.add_linear_expression_in_domain(begins, self._open(time)).only_enforce_if(literal)

    def _fixed(self, j: int) -> bool:
        return self.row[j].first == self.row[j].last

    def _frozen(self, j: int) -> bool:
        return self.row[j].key in self._fixtures

    def _begin(self, j: int) -> cp_model.IntVar:
        if j not in self._begins:
            self._begins[j] = self.cp.new_int_var(0, self.row[j].last, "")
        return self._begins[j]

    def _open(self, time: int) -> cp_model.Domain:
        """Starts of a set-up in open time."""
        if time not in self._domains:
            windows = self.hours.windows(self._closes)
            found = stretches(windows, time, least=time, opens=self._opens, closes=self._closes)
            self._domains[time] = cp_model.Domain.from_intervals([[s.first, s.last] for s in found])
        return self._domains[time]


def _possible(row: Sequence[Visit]) -> Iterator[tuple[int, int]]:
    """Pairs that can be neighbours, none where a third visit must lie between; -1 is the row's beginning and end."""
    must = sorted((visit.last, k) for k, visit in enumerate(row) if visit.present is True)
    yield from ((-1, j) for j, visit in enumerate(row) if _next(must[:2], j, visit))
    for i, visit in enumerate(row):
        # The two that surely come behind i and start first: one of them may be j itself.
        behind = itertools.islice((m for m in must if m[1] != i and row[m[1]].first_end > visit.last), 2)
        nearest = list(behind)
        if not nearest:
            yield i, -1
        yield from ((i, j) for j, other in enumerate(row) if i != j and _next(nearest, j, other))


def _next(nearest: Sequence[tuple[int, int]], j: int, visit: Visit) -> bool:
    """Whether no other of the `nearest` surely comes before visit j."""
    limit = next((last for last, k in nearest if k != j), None)
    return limit is None or visit.first_end <= limit


def _hinted_neighbours(model: Draft, machine: str, row: Sequence[Visit]) -> dict[int, int] | None:
    """By visit the one before it in the hint; -1 stands for both ends of the row. None without a hint for all."""
    at = []
    for k, visit in enumerate(row):
        a = model.hint.get(visit.key)
        if a is None:
            return None
        if a.machine == machine:
            at.append((a.start, k))
    circle = [-1, *(k for _, k in sorted(at)), -1]
    return {behind: before for before, behind in itertools.pairwise(circle)} if at else {}
