"""Machine code before the clock starts: loaded from disk, or compiled, with a word, where this machine has none yet.

A limit in seconds is for searching. `python -m twinloop compile` does this beforehand.
"""

import functools

from twinloop.machine_code import kept
from twinloop.progress import say
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem.generate import classical_shop, with_due_dates
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.solvers.annealing import anneal, solve_annealing
from twinloop.scheduling.solvers.genetic import solve_genetic
from twinloop.scheduling.solvers.local.annealing import solve_annealing as solve_critical_pairs
from twinloop.scheduling.solvers.local.arrays import Arrays
from twinloop.scheduling.solvers.local.island import Island
from twinloop.scheduling.solvers.local.search import solve_local
from twinloop.scheduling.solvers.local.shifting_bottleneck import solve_shifting_bottleneck
from twinloop.scheduling.solvers.portfolio import solve_auto

# Enough for local search to fill its population and to join two of its members.
MOVES = 120_000


@functools.cache
def ready() -> None:
    """Every method once, on small shops; a second where the machine code is on disk."""
    if not kept(anneal):
        say("scheduling  machine code is made, once on this machine; python -m twinloop compile does it beforehand")
    shop = classical_shop(8, 6, time_seed=1, machine_seed=2)
    # No plan is as short as its target, so that nothing is left out.
    Island(Arrays.of(shop), seed=1, target=0).run(None, go_on=lambda island: island.done < MOVES)
    makespan, few = Goal.of("makespan"), Limit(iterations=20)
    for solve in (solve_local, solve_critical_pairs, solve_shifting_bottleneck):
        solve(shop, Question(makespan, few))
    for solve in (solve_auto, solve_annealing, solve_genetic):
        solve(shop, Question(Goal.of("weighted_tardiness", "makespan"), few))
    punctual = Goal.of({"weighted_tardiness": 1, "earliness": 1})
    solve_critical_pairs(with_due_dates(shop, 1.5), Question(punctual, few))
