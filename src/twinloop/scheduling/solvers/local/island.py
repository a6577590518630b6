"""One population of solutions: tabu search from each, then from points between two of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twinloop.scheduling.solvers.local.arrays import Arrays, Ints, Longs, Rows
from twinloop.scheduling.solvers.local.construct import LEAST_TIME, MOST_TIME, MOST_WORK, construct
from twinloop.scheduling.solvers.local.estimates import Paths
from twinloop.scheduling.solvers.local.graph import draw, evaluate
from twinloop.scheduling.solvers.local.moves import Walk
from twinloop.scheduling.solvers.local.relinking import distance, positions, relink
from twinloop.scheduling.solvers.local.tabu import Effort, Memory, search

POPULATION = 10
# Iterations without a better solution after which a search ends.
PATIENCE = 8000
# Two solutions that differ in fewer pairs are the same for the population.
ALIKE = 8
# Iterations between two looks at the limits: some hundredths of a second on a small shop.
CHUNK = 500
# (rule, delay, noise) of the first solutions, in turn; the very first is drawn without noise.
FIRST = ((MOST_WORK, 0.0, 0.5), (MOST_WORK, 0.5, 0.5), (LEAST_TIME, 0.5, 0.5), (MOST_TIME, 0.0, 0.6))


@dataclass(frozen=True, eq=False)
class Point:
    """A solution: makespan, machine of each operation, its neighbours there, its place in the row."""

    makespan: int
    machine: Ints
    before: Ints
    after: Ints
    place: Ints


class Island:
    """A population with its own random numbers; the same seed and iterations give the same solutions."""

    def __init__(self, arrays: Arrays, *, seed: int, target: int, neighbourhood: int = 7) -> None:
        self.arrays, self.target, self.neighbourhood = arrays, target, neighbourhood
        # Any two seeds give unrelated streams; the state must not be 0.
        self.state = np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1)
        self.done = 0
        self.best: Point | None = None
        shape = (len(arrays.shop.jobs), len(arrays.shop.machines))
        kept = (np.zeros((arrays.count, columns), dtype=np.int64) for columns in shape)
        self._memory, self._walk, self._paths = Memory(*kept), Walk.of(arrays), Paths.of(arrays)

    def run(self, start: tuple[Ints, Ints, Ints] | None, *, go_on: Callable[["Island"], bool]) -> None:
        """Search until the target is reached or `go_on`, asked after every chunk, says no."""
        population: list[Point] = []
        while len(population) < POPULATION and self._goes_on(go_on):
            first = start if start is not None and not population else self._constructed(len(population))
            population.append(self._improved(*first, go_on))
        while self._goes_on(go_on):
            chosen = draw(self.state, POPULATION), draw(self.state, POPULATION - 1)
            a, b = population[chosen[0]], population[chosen[1] + (chosen[1] >= chosen[0])]
            apart = self._distance(a, b)
            if apart < ALIKE:
                worse = population.index(a if a.makespan >= b.makespan else b)
                population[worse] = self._improved(*self._constructed(1 + draw(self.state, len(FIRST))), go_on)
                continue
            child = self._improved(*self._between(a, b, apart), go_on)
            if any(p.makespan == child.makespan and self._distance(p, child) < ALIKE for p in population):
                continue
            worst = max(range(POPULATION), key=lambda k: population[k].makespan)
            if child.makespan <= population[worst].makespan:
                population[worst] = child

    def _goes_on(self, go_on: Callable[["Island"], bool]) -> bool:
        return (self.best is None or self.best.makespan > self.target) and go_on(self)

    def _constructed(self, number: int) -> tuple[Ints, Ints, Ints]:
        rule, delay, noise = FIRST[(number - 1) % len(FIRST)] if number else (MOST_WORK, 0.0, 0.0)
        first: tuple[Ints, Ints, Ints] = construct(
            self.arrays.layout, len(self.arrays.shop.machines), rule, delay, noise, self.state
        )
        return first

    def _between(self, a: Point, b: Point, apart: int) -> tuple[Ints, Ints, Ints]:
        machine, before, after = a.machine.copy(), a.before.copy(), a.after.copy()
        steps = int(apart * (0.3 + 0.4 * draw(self.state, 1000) / 1000))
        rows = self.arrays.rows(machine, before, after)
        relink(self.arrays.layout, rows, b.machine, b.place, steps, self.state)
        return machine, before, after

    def _improved(self, machine: Ints, before: Ints, after: Ints, go_on: Callable[["Island"], bool]) -> Point:
        for kept in self._memory:
            kept[:] = 0
        best = None
        waited, clock = 0, 0
        rows = self.arrays.rows(machine, before, after)
        best_rows = Rows(machine.copy(), rows.duration.copy(), before.copy(), after.copy())
        while True:
            effort = Effort(clock, CHUNK, CHUNK, self.target, self.neighbourhood)
            room = self._walk, self._paths, self._memory
            makespan, done = search(self.arrays.layout, rows, best_rows, *room, effort, self.state)
            assert makespan >= 0, "a start waits for itself"
            if done < CHUNK and makespan > self.target:
                done = CHUNK  # there is no move left to make
            clock += done
            self.done += done
            if best is None or makespan < best.makespan:
                best, waited = self._point(int(makespan), best_rows.machine, best_rows.before, best_rows.after), 0
                if self.best is None or best.makespan < self.best.makespan:
                    self.best = best
            else:
                waited += done
            if waited >= PATIENCE or not self._goes_on(go_on):
                return best

    def _point(self, makespan: int, machine: Ints, before: Ints, after: Ints) -> Point:
        place = np.empty(self.arrays.count, dtype=np.int32)
        positions(before, after, place)
        return Point(makespan, machine.copy(), before.copy(), after.copy(), place)

    def _distance(self, a: Point, b: Point) -> int:
        return int(distance(a.machine, a.place, b.machine, b.after))


def starts_of(arrays: Arrays, point: Point) -> Longs:
    """[n] earliest starts of a solution's operations."""
    count = arrays.count
    head, tail = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    order, waits = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
    duration = arrays.durations(point.machine)
    evaluate(
        duration,
        arrays.release,
        arrays.job_before,
        arrays.job_after,
        point.before,
        point.after,
        head,
        tail,
        order,
        waits,
    )
    return head
