"""The makespan of a plain (flexible) job shop by tabu search and path relinking, on as many threads as wanted.

Each thread has a population of its own (the kernels leave Python's lock), and the best of all is the answer. With
a limit of iterations every population does as many, so that the answer depends on `populations`, not on threads.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from twinloop.errors import InputError
from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.question import Question
from twinloop.scheduling.solution import Incumbent, Solution, Status, Tell
from twinloop.scheduling.solvers.local.arrays import Arrays
from twinloop.scheduling.solvers.local.island import Island, starts_of

METHOD = "local search"


def solve_local(
    shop: JobShop,
    question: Question,
    *,
    tell: Tell | None = None,
    populations: int = 1,
    bound: int | None = None,
    stop: Callable[[], bool] = lambda: False,
    neighbourhood: int = 7,
) -> Solution:
    """Search until the limit (iterations of each population, or seconds), or a plan as short as the lower bound.

    neighbourhood: 5, 6 or 7. bound: a makespan known to be the least possible; `stop` is asked every now and then.
    Raises InputError for a shop that is not plain, a goal other than the makespan, or a limit without iterations
    and seconds.
    """
    limit = question.limit
    if question.goal != Goal.of("makespan"):
        raise InputError("local search: expected the makespan alone as objective: use CP-SAT or auto")
    if limit.iterations is None and limit.seconds is None:
        raise InputError("local search: expected a limit of iterations or seconds, got none")
    arrays = Arrays.of(shop)
    least = max(lower_bound(shop, question.goal), bound or 0)
    begun = time.monotonic()
    known: list[Incumbent] = []

    def note(island: Island) -> None:
        if island.best is not None and (not known or island.best.makespan < known[-1].objective):
            known.append(Incumbent(island.best.makespan, least, time.monotonic() - begun))
            if tell:
                tell(known[-1])

    def go_on(island: Island) -> bool:
        note(island)
        if limit.iterations is not None and island.done >= limit.iterations:
            return False
        if limit.seconds is not None and time.monotonic() - begun >= limit.seconds:
            return False
        return not stop()

    islands = [
        Island(arrays, seed=question.seed + 1_000_003 * k, target=least, neighbourhood=neighbourhood)
        for k in range(populations)
    ]
    first = arrays.sequences(question.start) if question.start is not None else None

    def run(number: int) -> None:
        islands[number].run(first if number == 0 else None, go_on=go_on)
        note(islands[number])

    if min(question.workers, populations) == 1:
        for number in range(populations):
            run(number)
    else:
        with ThreadPoolExecutor(question.workers) as threads:
            list(threads.map(run, range(populations)))
    bests = [island.best for island in islands if island.best is not None]
    if not bests:
        return Solution(METHOD, "no plan", None, None, least, reason="the limit allows no iteration")
    best = min(bests, key=lambda point: point.makespan)
    plan = arrays.plan(best.machine, starts_of(arrays, best))
    status: Status = "optimal" if best.makespan == least else "feasible"
    return Solution(METHOD, status, plan, (best.makespan,), least, tuple(known))
