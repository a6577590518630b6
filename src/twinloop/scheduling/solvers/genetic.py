"""A genetic algorithm with random keys for every shop and every goal (Gonçalves, Mendes and Resende 2005).

The best of each generation stay, some newcomers come in, and the rest take each decision from one of the best
more often than from any other parent. Dispatching rules make the first ones. Levels of a goal are compared in order.
"""

import time

import numpy as np

from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.question import Question
from twinloop.scheduling.solution import Solution, Tell
from twinloop.scheduling.solvers.generation import possible
from twinloop.scheduling.solvers.genome import Genomes, Search
from twinloop.scheduling.solvers.rich.layout import END_MODE, FIRST_MODE, Longs
from twinloop.scheduling.solvers.rich.values import BEFORE

METHOD = "genetic"
# Gonçalves, Mendes and Resende 2005: shares that stay and that are new, and how often the better parent decides.
STAY, NEW, BETTER = 0.1, 0.2, 0.7
FEWEST, MOST = 30, 200
# Schedules between two looks at the clock.
CHUNK = 20
# How often a newcomer's operation takes the machine on which it ends first, and a child's gene is drawn anew.
FIRST_TO_END, DRIFT = 0.7, 0.01


def solve_genetic(shop: JobShop, question: Question, *, tell: Tell | None = None) -> Solution:
    """Search until the limit (iterations are schedules generated), never worse than `start` or the best rule.

    Raises InputError for a limit without iterations and seconds.
    """
    search, limit = Search(METHOD, shop, question, tell), question.limit
    if not possible(shop):
        return search.solution()
    draw = np.random.default_rng(question.seed)
    first = list(search.starts())
    size = min(MOST, max(FEWEST, 2 * search.tables.count, len(first)))
    people = _newcomers(search, size, draw)
    for column, given in zip(people, search.encode(first), strict=True):
        column[: len(first)] = given
    values = np.empty((size, BEFORE + len(question.goal.levels)), dtype=np.int64)
    done, row, stay = 0, 0, max(1, int(STAY * size))
    begun, count = time.perf_counter() - 1.0, 1
    while search.spent < 1 and not search.proved and (limit.iterations is None or done < limit.iterations):
        count = search.chunk(CHUNK, last=count, seconds=time.perf_counter() - begun)
        begun = time.perf_counter()
        end = min(size, row + count)
        if limit.iterations is not None:
            end = min(end, row + limit.iterations - done)
        search.decode(people, row, end, values)
        done += end - row
        row = end
        if row == size:
            order = np.lexsort(values.T[::-1])
            people = people.at(order)
            values = values[order]
            _breed(search, people, stay, draw)
            row = stay
    return search.solution()


def _newcomers(search: Search, count: int, draw: np.random.Generator) -> Genomes:
    shape = (count, search.tables.count)
    operations = search.tables.layout.operations
    choice = draw.integers(operations[:, FIRST_MODE], operations[:, END_MODE], shape)
    choice[draw.random(shape) < FIRST_TO_END] = -1
    return Genomes(draw.random(shape), choice, _holds(search, shape, draw), draw.random(count) < 0.8)


def _holds(search: Search, shape: tuple[int, int], draw: np.random.Generator) -> Longs:
    """Earliest starts near those of the best plan, or none."""
    if not search.timed or search.plan is None:
        return np.zeros(shape, dtype=np.int64)
    _, start = search.tables.columns(search.plan)
    moved = start * draw.uniform(0.8, 1.2, shape) + draw.integers(-3, 3, shape, endpoint=True)
    return np.where(draw.random(shape) < 0.5, np.maximum(0, moved), 0).astype(np.int64)


def _breed(search: Search, people: Genomes, stay: int, draw: np.random.Generator) -> None:
    """Replace all but the first `stay`, who are the best, by newcomers and children."""
    size = len(people.key)
    new = int(NEW * size)
    born = size - stay - new
    better, other = draw.integers(0, stay, born), draw.integers(stay, size, born)
    first = draw.random((born, search.tables.count)) < BETTER
    children = {
        name: np.where(first, getattr(people, name)[better], getattr(people, name)[other])
        for name in ("key", "choice", "hold")
    }
    stranger = _newcomers(search, born, draw)
    drift = draw.random(first.shape) < DRIFT
    rest = _newcomers(search, new, draw)
    for name, column in children.items():
        column[drift] = getattr(stranger, name)[drift]
        getattr(people, name)[stay:] = np.concatenate([column, getattr(rest, name)])
    people.insert[stay:] = np.concatenate([people.insert[better], rest.insert])
