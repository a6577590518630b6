"""Simulated annealing for every shop and every goal, on the decisions that generate a schedule.

A move puts an operation elsewhere in the order, on another machine, or at another earliest time. A worse schedule
is kept with probability exp(-worse / temperature), where worse is relative to the start on the first level of the
goal that differs (Kirkpatrick, Gelatt and Vecchi 1983). `local/annealing.py` is faster where only the makespan of
a plain shop counts.
"""

import itertools
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import Plan
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.question import Question
from twinloop.scheduling.solution import Solution, Tell
from twinloop.scheduling.solvers.generation import possible
from twinloop.scheduling.solvers.genome import Floats, Genomes, Search
from twinloop.scheduling.solvers.jit import machine_code
from twinloop.scheduling.solvers.local.graph import draw
from twinloop.scheduling.solvers.rich.layout import END_MODE, FIRST_MODE, FIRST_ROW, MACHINE, Longs
from twinloop.scheduling.solvers.rich.rows import place_of
from twinloop.scheduling.solvers.rich.schemes import serial
from twinloop.scheduling.solvers.rich.values import BEFORE, evaluate

METHOD = "annealing"
# Temperatures as shares of the start's value; the first is at least one unit.
HOT, COLD = 0.001, 0.00002
# Temperatures between the first and the last, and schedules at each when only seconds are given.
STEPS, CHUNK = 200, 50
# One move in so many changes the machine, the earliest time, or whether gaps are used.
MACHINES, TIMES, GAPS = 4, 3, 100


def solve_annealing(shop: JobShop, question: Question, *, tell: Tell | None = None, rules: bool = True) -> Solution:
    """Search until the limit (iterations are schedules generated), never worse than `start` or the best rule.

    The temperature falls over the iterations or seconds. Without `rules` a valid start is all that is begun with:
    the rules take as long as some hundred schedules. Raises InputError for a limit of neither.
    """
    search, limit = Search(METHOD, shop, question, tell), question.limit
    if not possible(shop):
        return search.solution()
    first = list(search.starts() if rules else itertools.islice(search.starts(), 1))
    # The best plan, or one that misses firm due dates, or none at all: all have a genome.
    genome = search.encode([search.plan or (first[0] if first else Plan(()))])
    values = np.empty((1, BEFORE + len(question.goal.levels)), dtype=np.int64)
    begun, count = time.perf_counter(), 1
    search.decode(genome, 0, 1, values)
    scale = np.maximum(1 / HOT, values[0]).astype(np.float64)
    state = np.random.SeedSequence(question.seed).generate_state(1, np.uint64) | np.uint64(1)
    best, best_values = genome.copy(), values.copy()
    moves, done = Moves(search.free, search.timed, scale), 1
    while len(moves.free) and not search.proved:
        gone = max(search.spent, 0.0 if limit.iterations is None else done / limit.iterations)
        if gone >= 1:
            break
        count = search.chunk(CHUNK, last=count, seconds=time.perf_counter() - begun)
        begun = time.perf_counter()
        if limit.iterations is not None:
            count = min(max(1, limit.iterations // STEPS), limit.iterations - done)
        current, kept = _alone(genome, values), _alone(best, best_values)
        temperature = HOT * (COLD / HOT) ** gone
        anneal(search.tables.layout, search.state, current, kept, search.worth, moves, temperature, count, state)
        done += count
        if search.values is None or tuple(best_values[0, BEFORE:]) < search.values:
            search.decode(best, 0, 1, best_values)
    return search.solution()


class Genome(NamedTuple):
    """One schedule as what decides it, and its values: key, choice, hold [n], insert [1], values [2 + levels]."""

    key: Floats
    choice: Longs
    hold: Longs
    insert: NDArray[np.bool_]
    values: Longs


class Moves(NamedTuple):
    """What may change: the free operations, and whether earliest times do; scale [2 + levels] of the values."""

    free: Longs
    timed: bool
    scale: Floats


def _alone(genomes: Genomes, values: Longs) -> Genome:
    return Genome(genomes.key[0], genomes.choice[0], genomes.hold[0], genomes.insert, values[0])


@machine_code
def anneal(layout, state, genome, best, worth, moves, temperature, count, random):  # type: ignore[no-untyped-def]
    """Generate `count` schedules at one temperature; the genome is changed in place, the best is kept."""
    key, choice, hold, insert, values = genome.key, genome.choice, genome.hold, genome.insert, genome.values
    free, scale = moves.free, moves.scale
    changed = np.empty_like(values)
    for _ in range(count):
        v = free[draw(random, len(free))]
        old_key, old_choice, old_hold, old_insert = key[v], choice[v], hold[v], insert[0]
        first = layout.operations[v, FIRST_MODE]
        modes = layout.operations[v, END_MODE] - first
        elsewhere = modes > 1 and draw(random, MACHINES) == 0
        if elsewhere:
            choice[v] = first + draw(random, modes + 1)
            if choice[v] == first + modes:
                choice[v] = -1
        if moves.timed and draw(random, TIMES) == 0:
            # To no earliest time, or around the present start, in wide and in narrow steps.
            hold[v] = 0
            if draw(random, 3) > 0:
                width = np.int64(1) << draw(random, 12)
                hold[v] = max(0, state.start[v] + draw(random, 2 * width + 1) - width)
        elif elsewhere:
            pass  # that is the move
        elif draw(random, GAPS) == 0:
            insert[0] = not old_insert
        elif draw(random, 2) == 0:
            # Before an operation a few places ahead in the machine's row, or behind one.
            m = layout.modes[state.mode[v], MACHINE]
            first, here = layout.machines[m, FIRST_ROW], place_of(layout, state, m, state.start[v]) - 1
            there = here + (1 + draw(random, 2)) * (1 - 2 * draw(random, 2))
            if there < 0 or there >= state.row_count[m]:
                continue
            key[v] = key[state.row[first + there]] + (there - here) * 1e-6
        else:
            # A few places along the order, in wide and in narrow steps.
            width = (1 << draw(random, 6)) / len(key)
            key[v] += width * (draw(random, 2001) - 1000) / 500
        serial(layout, state, key, choice, hold, insert[0])
        evaluate(layout, state, worth.weights, worth.reference, changed)
        taken = True
        for level in range(len(values)):
            if changed[level] != values[level]:
                worse = (changed[level] - values[level]) / scale[level]
                taken = worse < 0 or draw(random, 1 << 30) < np.exp(-worse / temperature) * (1 << 30)
                break
        if not taken:
            key[v], choice[v], hold[v], insert[0] = old_key, old_choice, old_hold, old_insert
            continue
        values[:] = changed
        for level in range(len(values)):
            if changed[level] != best.values[level]:
                if changed[level] < best.values[level]:
                    best.values[:] = changed
                    best.key[:], best.choice[:], best.hold[:], best.insert[0] = key, choice, hold, insert[0]
                break
