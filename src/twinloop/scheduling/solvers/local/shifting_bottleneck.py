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
from twinloop.scheduling.solvers.local.arrays import Arrays, Ints, Longs
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
    machines = [m for m in range(len(shop.machines)) if (decided.machine == m).any()]
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
    plan = arrays.plan(decided.machine, decided.head)
    return Solution(METHOD, status, plan, (decided.makespan,), least, tuple(trace.incumbents))


class _Decided:
    """The sequences decided so far, with their heads, tails and makespan."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays
        count = arrays.count
        self.machine: Ints = arrays.mode_machine.copy()
        self.duration: Longs = arrays.mode_duration.copy()
        self.before, self.after = np.full(count, -1, dtype=np.int32), np.full(count, -1, dtype=np.int32)
        self.head, self.tail = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        self._order, self._waits = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
        self.makespan = self._evaluate()

    def one_machine(self, m: int) -> tuple[Ints, int]:
        """Operations of machine m in their best order as far as is decided, and the makespan that gives."""
        rows = np.flatnonzero(self.machine == m).astype(np.int32)
        sequence, makespan, _ = carlier(self.head[rows], self.duration[rows], self.tail[rows], NODES)
        return rows[sequence], int(makespan)

    def sequence(self, m: int) -> None:
        """Fix machine m's order."""
        best, _ = self.one_machine(m)
        rows = np.flatnonzero(self.machine == m).astype(np.int32)
        simple, start = np.empty(len(rows), dtype=np.int64), np.empty(len(rows), dtype=np.int64)
        schrage(self.head[rows], self.duration[rows], self.tail[rows], simple, start)
        self._fix(best)
        if self._evaluate() < 0:
            # Branching may order two operations against the way the other machines lead; Schrage's rule never does.
            self._fix(rows[simple])
            self._evaluate()

    def resequence(self, m: int) -> None:
        """Sequence machine m anew, and keep the new order where it is not worse."""
        rows = np.flatnonzero(self.machine == m)
        kept, old = (self.before[rows].copy(), self.after[rows].copy()), self.makespan
        self.before[rows] = self.after[rows] = -1
        self._evaluate()
        self.sequence(m)
        if self.makespan > old:
            self.before[rows], self.after[rows] = kept
            self._evaluate()

    def _fix(self, sequence: Ints) -> None:
        self.before[sequence] = np.append(-1, sequence[:-1])
        self.after[sequence] = np.append(sequence[1:], -1)

    def _evaluate(self) -> int:
        a = self.arrays
        makespan = int(
            evaluate(
                *(self.duration, a.release, a.job_before, a.job_after, self.before, self.after),
                *(self.head, self.tail, self._order, self._waits),
            )
        )
        if makespan >= 0:
            self.makespan = makespan
        return makespan
