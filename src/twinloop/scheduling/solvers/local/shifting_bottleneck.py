"""The shifting bottleneck: sequence one machine at a time, the most critical first (Adams, Balas and Zawack 1988).

Each machine is a one-machine problem with the heads and tails of what is already decided; after every machine
those before it are sequenced anew.
"""

import numpy as np

from twinloop.errors import InputError
from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.question import Question
from twinloop.scheduling.solution import Solution, Status, Tell, Trace
from twinloop.scheduling.solvers.local.arrays import Arrays, Ints, Paths, Rows
from twinloop.scheduling.solvers.local.graph import evaluate
from twinloop.scheduling.solvers.local.one_machine import carlier, schrage

METHOD = "shifting bottleneck"
# Subproblems of Carlier's search for each machine; nearly all need a handful.
NODES = 400
ROUNDS = 6


def solve_shifting_bottleneck(shop: JobShop, question: Question, *, tell: Tell | None = None) -> Solution:
    """A plan of short makespan; the same for the same shop, whatever the limit.

    Raises InputError for flexible shops and other goals.
    """
    if question.goal != Goal.of("makespan"):
        raise InputError("shifting bottleneck: expected the makespan alone as objective: use CP-SAT or auto")
    if shop.flexible:
        raise InputError("shifting bottleneck: expected one machine for every operation: use local search or auto")
    decided = _Decided(Arrays.of(shop))
    machines = [m for m in range(len(shop.machines)) if (decided.rows.machine == m).any()]
    done: list[int] = []
    while len(done) < len(machines):
        values = {m: decided.one_machine(m)[1] for m in machines if m not in done}
        worst = max(values, key=lambda m: values[m])
        decided.sequence(worst)
        done.append(worst)
        for _ in range(ROUNDS):
            before = decided.makespan
            for m in done:
                decided.resequence(m)
            if decided.makespan == before:
                break
    arrays, least = decided.arrays, lower_bound(shop, question.goal)
    status: Status = "optimal" if decided.makespan == least else "feasible"
    trace = Trace(tell)
    trace.add(decided.makespan, least)
    plan = arrays.plan(decided.rows, decided.paths.head)
    return Solution(METHOD, status, plan, (decided.makespan,), least, tuple(trace.incumbents))


class _Decided:
    """The sequences decided so far, with their heads, tails and makespan."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays
        neighbours = (np.full(arrays.count, -1, dtype=np.int32) for _ in range(2))
        self.rows = Rows(arrays.layout.mode_machine.copy(), arrays.layout.mode_duration.copy(), *neighbours)
        self.paths = Paths.of(arrays.count)
        self.makespan = self._evaluate()

    def one_machine(self, m: int) -> tuple[Ints, int]:
        """Operations of machine m in their best order as far as is decided, and the makespan that gives."""
        mine = np.flatnonzero(self.rows.machine == m).astype(np.int32)
        sequence, makespan, _ = carlier(self.paths.head[mine], self.rows.duration[mine], self.paths.tail[mine], NODES)
        return mine[sequence], int(makespan)

    def sequence(self, m: int) -> None:
        """Fix machine m's order."""
        best, _ = self.one_machine(m)
        mine = np.flatnonzero(self.rows.machine == m).astype(np.int32)
        simple, start = np.empty(len(mine), dtype=np.int64), np.empty(len(mine), dtype=np.int64)
        schrage(self.paths.head[mine], self.rows.duration[mine], self.paths.tail[mine], simple, start)
        self._fix(best)
        if self._evaluate() < 0:
            # Branching may order two operations against the way the other machines lead; Schrage's rule never does.
            self._fix(mine[simple])
            self._evaluate()

    def resequence(self, m: int) -> None:
        """Sequence machine m anew, and keep the new order where it is not worse."""
        mine = np.flatnonzero(self.rows.machine == m)
        kept, old = (self.rows.before[mine].copy(), self.rows.after[mine].copy()), self.makespan
        self.rows.before[mine] = self.rows.after[mine] = -1
        self._evaluate()
        self.sequence(m)
        if self.makespan > old:
            self.rows.before[mine], self.rows.after[mine] = kept
            self._evaluate()

    def _fix(self, sequence: Ints) -> None:
        self.rows.before[sequence] = np.append(-1, sequence[:-1])
        self.rows.after[sequence] = np.append(sequence[1:], -1)

    def _evaluate(self) -> int:
        makespan = int(evaluate(self.arrays.layout, self.rows, self.paths))
        if makespan >= 0:
            self.makespan = makespan
        return makespan
