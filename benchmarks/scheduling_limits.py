"""What a limit in seconds is worth on large rich shops, how their parts grow, and a shop of 100 000 operations.

Growth exponents are slopes of log CPU seconds over log operations from 10 000 to 40 000, least squares. Overshoot is
wall time beyond the limit and so grows where others use the machine; `overshoot_cpu_s` tells what the search itself
took beyond it. The large shop runs in a process of its own, whose memory is read at its end.
"""

import argparse
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.checker import check
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.problem.generate import rich_shop
from twinloop.scheduling.solvers.rich.layout import Tables
from twinloop.scheduling.solvers.rules import dispatch

LIMITS = (1.0, 5.0, 10.0)
SIZES = (1000, 2000, 4000)
LARGE = 10_000
PARTS_THAT_GROW: dict[str, Callable[[JobShop], object]] = {
    "bound": lambda shop: lower_bound(shop, "weighted_tardiness"),
    "machine_bound": lambda shop: lower_bound(shop, "makespan"),
    "tables": Tables.of,
    "dispatch": lambda shop: dispatch(shop, "ATC"),
}


def overshoot(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds beyond limits of 1, 5 and 10 s on 10 000 rich operations, and how much the search gained on the rules."""
    shop = rich_shop(1000, 40, 10, seed=3, most=3)
    rich_shop(20, 4, 3, seed=1).solve("weighted_tardiness", seconds=0.5)  # what numba compiles
    beyond, beyond_cpu, reached = {}, {}, {}
    for seconds in LIMITS:
        wall, cpu = time.perf_counter(), time.process_time()
        solution = shop.solve("weighted_tardiness", seconds=seconds)
        beyond_cpu[f"{seconds:g}"] = round(max(0.0, time.process_time() - cpu - seconds), 2)
        beyond[f"{seconds:g}"] = round(max(0.0, time.perf_counter() - wall - seconds), 2)
        reached[f"{seconds:g}"] = {"weighted_tardiness": solution.objective, "better_plans": len(solution.trace)}
    return {"overshoot_s": beyond, "overshoot_cpu_s": beyond_cpu, "reached": reached}


def growth(options: argparse.Namespace) -> dict[str, Any]:
    """The exponent with which bound, tables and dispatch grow with the number of operations."""
    spent: dict[str, list[float]] = {name: [] for name in PARTS_THAT_GROW}
    for jobs in SIZES:
        shop = rich_shop(jobs, 40, 10, seed=1)
        for name, work in PARTS_THAT_GROW.items():
            begun = time.process_time()
            work(shop)
            spent[name].append(time.process_time() - begun)
    return {"rich_growth": {name: round(slope(SIZES, seconds), 2) for name, seconds in spent.items()}}


def slope(sizes: tuple[int, ...], seconds: list[float]) -> float:
    """Of log seconds over log size, least squares."""
    x, y = [math.log(size) for size in sizes], [math.log(value) for value in seconds]
    middle, height = sum(x) / len(x), sum(y) / len(y)
    return sum((a - middle) * (b - height) for a, b in zip(x, y, strict=True)) / sum((a - middle) ** 2 for a in x)


def large(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds and GiB to a checked plan of 100 000 rich operations by auto with a limit of 50 s."""
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def plan_large() -> None:
    """Plan it and print what it took."""
    import resource

    shop = rich_shop(LARGE, 40, 10, seed=1)
    rich_shop(20, 4, 3, seed=1).solve("weighted_tardiness", seconds=0.5)
    begun = time.perf_counter()
    solution = shop.solve("weighted_tardiness", seconds=50)
    spent = time.perf_counter() - begun
    assert solution.plan is not None
    check(shop, solution.plan)
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"rich_100000_s": round(spent, 1), "rich_100000_gib": round(gib, 2)}))


if __name__ == "__main__":
    plan_large()
