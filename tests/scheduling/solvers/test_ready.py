"""What is compiled before the clock starts, and limits too short for what they are given to."""

import subprocess
import sys

from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.problem.generate import rich_shop
from twinloop.scheduling.solvers.conflict import explain

# Everything numba still compiles when a solver is asked with the clock running.
ASKED = """
from numba.core import event
from twinloop.scheduling.problem.generate import classical_shop, rich_shop
from twinloop.scheduling.solvers.ready import ready

ready()
compiled = []

class Listener(event.Listener):
    def on_start(self, compiling):
        compiled.append(compiling.data["dispatcher"].py_func.__name__)

    def on_end(self, compiling):
        pass

event.register("numba:compile", Listener())
plain, rich = classical_shop(6, 6, time_seed=3, machine_seed=4), rich_shop(6, 3, 3, seed=1)
for method in ("auto", "CP-SAT LNS", "local search", "annealing", "genetic", "SPT"):
    plain.solve("makespan", method=method, seconds=0.3)
for method in ("auto", "annealing", "genetic", "COVERT"):
    rich.solve({"tardiness": 2, "earliness": 1}, "setup", method=method, seconds=0.3)
print(compiled)
"""


def test_nothing_is_compiled_while_the_clock_runs() -> None:
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_model_that_takes_longer_than_the_limit_is_given_up() -> None:
    solution = rich_shop(300, 20, 10, seed=1).solve("makespan", method="CP-SAT", seconds=0.05)
    assert (solution.status, solution.plan) == ("no plan", None)
    assert "none found in 0.05 seconds" in solution.reason


def test_a_conflict_is_looked_for_no_longer_than_the_limit() -> None:
    jobs = tuple(Job(str(k), (Operation("mill", 4), Operation("saw", 4)), due=15, firm=True) for k in range(6))
    shop = JobShop(("mill", "saw"), jobs)
    assert "delay" in explain(shop, seed=1)
    in_short = explain(shop, seed=1, until=0.0)
    assert in_short
    assert "delay" not in in_short
