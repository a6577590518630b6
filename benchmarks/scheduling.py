"""Auto beside CP-SAT, PyJobShop and JobShopLib on standard instances; what rich, flexible and disturbed shops take.

The part `twt` measures weighted tardiness with the due dates of Singer and Pinedo (1998): beside the same peers, and to
the optimal values in weighted_tardiness.json.

`python benchmarks/scheduling.py --json` prints one JSON object. The folder of instances has jsp/, fjsp/, bounds/ as in
the public collections (bounds: lists of name, path, ub and, where known, bks_ub) or is any folder of instance files:
then gaps are to the best plan of the run. Without one only generated shops are measured. Every method has the same
seconds and workers on the same machine, one after the other; gaps are the median of the seeds. Peers take part where
they are installed: `pip install --no-deps pyjobshop fjsplib psplib enum-tools job-shop-lib` beside the environment.
What numba compiles is loaded before anything is timed.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Container, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import scheduling_limits
from ortools.sat.python import cp_model

from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.checker import check
from twinloop.scheduling.files.problem import read_problem
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.problem.generate import classical_shop, rich_shop, with_due_dates
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.rescheduling.events import Breakdown
from twinloop.scheduling.rescheduling.replan import Settings, replan
from twinloop.scheduling.solvers.portfolio import solve_auto
from twinloop.scheduling.solvers.rules import dispatch

MAKESPAN = Goal.of("makespan")
DEFAULT = (
    *("ft10", "la21", "la24", "la27", "la29", "la36", "la37", "la38", "la40", "abz7", "abz8", "abz9"),
    *("swv01", "swv06", "ta01", "ta11", "ta21", "ta31", "ta41", "ta80"),
)
BRANDIMARTE = tuple(f"mk{number:02d}" for number in range(1, 16))
PROVED_AT_ONCE = ("ta71", "ta80")
Method = Callable[[JobShop, float, int, int], int | None]
TARDINESS = Goal.of("weighted_tardiness")
OPTIMA = Path(__file__).parent / "weighted_tardiness.json"
TWT = (
    *("ft10", "la16", "la17", "la18", "la19", "la20", "la38", "orb01", "orb02", "orb03", "orb04"),
    *("abz5", "abz7", "ta21", "ta31"),
)
TWT_FACTORS = (1.3, 1.6)
# Instances whose makespan others have published after 600 s (published_600s.json).
HELD_OUT = (*(f"ta{number}" for number in range(21, 81)), *(f"swv{number:02d}" for number in range(1, 21)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON on one line")
    parser.add_argument("--instances", type=Path, default=shared_instances(), help="folder with jsp/, fjsp/, bounds/")
    parser.add_argument("--all", action="store_true", help="every job-shop instance there, not the list of twenty")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=sorted(PARTS), nargs="+", default=sorted(set(PARTS) - {"held_out"}))
    parser.add_argument("--names", nargs="+", help="of these instances alone (job_shops, twt, twt_optima, held_out)")
    parser.add_argument("--factors", type=float, nargs="+", help="of these due dates alone (twt, twt_optima)")
    options = parser.parse_args()
    warm_up()
    figures: dict[str, Any] = {"seconds": options.seconds, "workers": options.workers, "seeds": options.seeds}
    for part in options.only:
        figures |= PARTS[part](options)
    print(json.dumps(figures, indent=None if options.json else 2))


def shared_instances() -> Path | None:
    """scheduling/ in the folder of real data that the tests use too, where there is one."""
    folder = Path(os.environ.get("TWINLOOP_DATA", Path(__file__).resolve().parents[2] / "shared/data")) / "scheduling"
    return folder if folder.is_dir() else None


def warm_up() -> None:
    """Load the compiled kernels, so that no method pays for them."""
    from twinloop.scheduling.problem import Alternative, Job, Operation

    machines = ("a", "b")
    jobs = tuple(Job(str(k), (Operation("a", 2, (Alternative("b", 3),)), Operation("b", 2))) for k in range(3))
    for goal in (MAKESPAN, TARDINESS):
        solve_auto(with_due_dates(JobShop(machines, jobs), 1.0), Question(goal, Limit(iterations=100)))


def instances(folder: Path | None, kind: str) -> dict[str, tuple[int | None, Path]]:
    """Instance → (best known makespan, file), of the files that are there; None where no makespan is known."""
    known: dict[str, tuple[int | None, Path]] = {}
    if folder is None:
        return known
    if not (folder / "bounds").is_dir():
        files = sorted(path for path in folder.rglob("*") if path.is_file()) if kind == "jsp" else []
        return {path.stem: (None, path) for path in files}
    for file in sorted((folder / "bounds").glob(f"{kind}_*.json")):
        for row in json.loads(file.read_text(encoding="utf-8")):
            if (folder / row["path"]).is_file():
                known[row["name"]] = (row.get("bks_ub") or row["ub"], folder / row["path"])
    return known


def auto(shop: JobShop, seconds: float, workers: int, seed: int) -> int | None:
    """This project's method; its plan is checked."""
    solution = solve_auto(shop, Question(MAKESPAN, Limit(seconds=seconds), seed=seed, workers=workers))
    if solution.plan is None:
        return None
    check(shop, solution.plan)
    return solution.objective


def auto_on_time(shop: JobShop, seconds: float, workers: int, seed: int) -> int | None:
    """This project's method for weighted tardiness; its plan is checked."""
    solution = solve_auto(shop, Question(TARDINESS, Limit(seconds=seconds), seed=seed, workers=workers))
    if solution.plan is None:
        return None
    check(shop, solution.plan)
    return TARDINESS.values(shop, solution.plan)[0]


def plain_cpsat(shop: JobShop, seconds: float, workers: int, seed: int, *, on_time: bool = False) -> int | None:
    """The textbook model in CP-SAT with its default parameters; on_time: for weighted tardiness."""
    cp = cp_model.CpModel()
    horizon = sum(operation.longest for job in shop.jobs for operation in job.operations)
    makespan = cp.new_int_var(0, horizon, "makespan")
    late: list[Any] = []
    rows: dict[str, list[cp_model.IntervalVar]] = {machine: [] for machine in shop.machines}
    for job in shop.jobs:
        ready: Any = 0
        for operation in job.operations:
            start, end = cp.new_int_var(0, horizon, ""), cp.new_int_var(0, horizon, "")
            cp.add(start >= ready)
            chosen = []
            for mode in operation.modes:
                present = cp.new_bool_var("")
                rows[mode.machine].append(cp.new_optional_fixed_size_interval_var(start, mode.duration, present, ""))
                cp.add(end == start + mode.duration).only_enforce_if(present)
                chosen.append(present)
            cp.add_exactly_one(chosen)
            ready = end
        cp.add(makespan >= ready)
        if on_time and job.due is not None:
            tardiness = cp.new_int_var(0, horizon, "")
            cp.add(tardiness >= ready - job.due)
            late.append(job.weight * tardiness)
    for row in rows.values():
        cp.add_no_overlap(row)
    cp.minimize(sum(late) if on_time else makespan)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = workers
    solver.parameters.random_seed = seed
    status = solver.solve(cp)
    return round(solver.objective_value) if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) else None


def pyjobshop(shop: JobShop, seconds: float, workers: int, seed: int, *, on_time: bool = False) -> int | None:
    """PyJobShop's model of the same shop, solved by its default solver; on_time: for weighted tardiness."""
    import pyjobshop as peer

    model = peer.Model()
    machines = {name: model.add_machine(name=name) for name in shop.machines}
    for job in shop.jobs:
        before = None
        owner = model.add_job(weight=job.weight, due_date=job.due) if on_time else model.add_job()
        for operation in job.operations:
            task = model.add_task(owner)
            for mode in operation.modes:
                model.add_mode(task, machines[mode.machine], mode.duration)
            if before is not None:
                model.add_end_before_start(before, task)
            before = task
    if on_time:
        model.set_objective(weight_total_tardiness=1)
    result = model.solve(time_limit=seconds, num_workers=workers, display=False, random_seed=seed)
    return round(result.objective) if result.best.tasks else None


def job_shop_lib(shop: JobShop, seconds: float, workers: int, seed: int) -> int | None:
    """JobShopLib's exact solver, which is CP-SAT by its own model."""
    import job_shop_lib as peer
    from job_shop_lib.constraint_programming import ORToolsSolver

    number = {name: place for place, name in enumerate(shop.machines)}
    jobs = [
        [peer.Operation(number[operation.machine], operation.duration) for operation in job.operations]
        for job in shop.jobs
    ]
    solver = ORToolsSolver(max_time_in_seconds=seconds)
    solver.solver.parameters.num_workers = workers
    solver.solver.parameters.random_seed = seed
    try:
        return int(solver(peer.JobShopInstance(jobs)).makespan())
    except peer.exceptions.NoSolutionFoundError:
        return None


def methods() -> dict[str, Method]:
    """Those that can run here."""
    here: dict[str, Method] = {"auto": auto, "cpsat": plain_cpsat}
    for name, method in {"pyjobshop": pyjobshop, "job_shop_lib": job_shop_lib}.items():
        if find_spec(name):
            here[name] = method
    return here


def on_time_methods() -> dict[str, Method]:
    """Those that can minimise weighted tardiness here."""
    here: dict[str, Method] = {"auto": auto_on_time, "cpsat": partial(plain_cpsat, on_time=True)}
    if find_spec("pyjobshop"):
        here["pyjobshop"] = partial(pyjobshop, on_time=True)
    return here


def gap(reached: int | None, best: int) -> float | None:
    """Percent above the best known makespan."""
    return None if reached is None else round(100 * (reached / best - 1), 3)


def median_gap(reached: list[int | None], best: int) -> float | None:
    """The median of the seeds that found a plan."""
    gaps = [share for value in reached if (share := gap(value, best)) is not None]
    return statistics.median(gaps) if gaps else None


def chosen(usual: Sequence[str], known: Container[str], options: argparse.Namespace) -> list[str]:
    """The instances asked for, or the usual ones, as far as they are there."""
    return [name for name in options.names or usual if name in known]


def tardiness(options: argparse.Namespace) -> dict[str, Any]:
    """Weighted tardiness of auto over that of the better peer: twt_mean_ratio, twt_worst_ratio, twt_behind.

    Of medians of the seeds, 0 counted as 1. twt: every method's median by instance and factor.
    """
    known = instances(options.instances, "jsp")
    table: dict[str, dict[str, float | None]] = {}
    ratios: dict[str, float] = {}
    for name in chosen(TWT, known, options):
        for factor in options.factors or TWT_FACTORS:
            shop = with_due_dates(read_problem(known[name][1]).shop, factor)
            row: dict[str, float | None] = {}
            for method, run in on_time_methods().items():
                reached = [run(shop, options.seconds, options.workers, seed) for seed in range(1, options.seeds + 1)]
                found = [value for value in reached if value is not None]
                row[method] = statistics.median(found) if found else None
            table[f"{name} {factor:g}"] = row
            ours, peers = row["auto"], [v for method, v in row.items() if method != "auto" and v is not None]
            if ours is not None and peers:
                ratios[f"{name} {factor:g}"] = max(1, ours) / max(1, min(peers))
            print(f"  {name} {factor:g}: {row}", flush=True, file=sys.stderr)
    if not ratios:
        return {}
    return {
        "twt_mean_ratio": round(statistics.fmean(ratios.values()), 3),
        "twt_worst_ratio": round(max(ratios.values()), 3),
        "twt_behind": sorted(name for name, ratio in ratios.items() if ratio > 1),
        "twt": table,
    }


def tardiness_optima(options: argparse.Namespace) -> dict[str, Any]:
    """Gap to the optimal weighted tardiness of Singer and Pinedo's shops, in percent of the sum, by factor and in all.

    twt_above: [instance and factor, median of the seeds, optimum] where it was not reached; twt_below disproves one.
    """
    known, seeds = instances(options.instances, "jsp"), range(1, options.seeds + 1)
    figures: dict[str, Any] = {}
    ours_in_all, best_in_all, off, gaps = 0.0, 0, list[tuple[str, float, int]](), list[float]()
    for factor, optima in json.loads(OPTIMA.read_text(encoding="utf-8"))["optima"].items():
        if options.factors and float(factor) not in options.factors:
            continue
        ours_here, best_here = 0.0, 0
        for name in chosen(list(optima), known.keys() & optima.keys(), options):
            shop = with_due_dates(read_problem(known[name][1]).shop, float(factor))
            reached = [auto_on_time(shop, options.seconds, options.workers, seed) for seed in seeds]
            ours = statistics.median(value for value in reached if value is not None)
            ours_here, best_here = ours_here + ours, best_here + optima[name]
            if optima[name]:
                gaps.append(100 * (ours / optima[name] - 1))
            if ours != optima[name]:
                off.append((f"{name} {factor}", ours, optima[name]))
            print(f"  {name} {factor}: {ours:g} for {optima[name]}", flush=True, file=sys.stderr)
        if best_here:
            figures[f"twt_gap_{factor}"] = round(100 * (ours_here / best_here - 1), 3)
        ours_in_all, best_in_all = ours_in_all + ours_here, best_in_all + best_here
    if not best_in_all:
        return {}
    return figures | {
        "twt_gap": round(100 * (ours_in_all / best_in_all - 1), 3),
        "twt_mean_gap": round(statistics.fmean(gaps), 3),
        "twt_above": [row for row in off if row[1] > row[2]],
        "twt_below": [row for row in off if row[1] < row[2]],
    }


def held_out(options: argparse.Namespace) -> dict[str, Any]:
    """makespan_heldout_mean_gap of auto, published_<solver>_mean_gap after 600 s on the same instances, in percent.

    Of other instances than these where the folder has none of them; to a lower bound where no best plan is known.
    """
    known = instances(options.instances, "jsp")
    path = options.instances / "bounds/published_600s.json" if options.instances else None
    published = json.loads(path.read_text(encoding="utf-8"))["makespan"] if path and path.is_file() else {}
    ours: dict[str, float] = {}
    theirs: dict[str, list[float]] = {}
    for name in chosen(HELD_OUT, known, options) or chosen(sorted(known), known, options):
        best, file = known[name]
        shop = read_problem(file).shop
        best = best or lower_bound(shop, MAKESPAN)
        runs = [auto(shop, options.seconds, options.workers, seed) for seed in range(1, options.seeds + 1)]
        reached = median_gap(runs, best)
        if reached is None:
            continue
        ours[name] = reached
        for solver, value in published.get(name, {}).items():
            theirs.setdefault(solver, []).append(100 * (value / best - 1))
        print(f"  {name}: {ours[name]} {published.get(name)} for {best}", flush=True, file=sys.stderr)
    if not ours:
        return {}
    means = {f"published_{solver}_mean_gap": round(statistics.fmean(gaps), 3) for solver, gaps in theirs.items()}
    return {"makespan_heldout_mean_gap": round(statistics.fmean(ours.values()), 3), **means, "held_out": ours}


def job_shops(options: argparse.Namespace) -> dict[str, Any]:
    """mean_gap of each method and per_instance, in percent, the median of the seeds.

    worst_excess: by how much auto's gap is above the best peer's where that is most.
    """
    known = instances(options.instances, "jsp")
    names = [name for name in DEFAULT if name in known]
    if options.all or not names:
        names = sorted(known)
    names = chosen(names, known, options)
    if not names:
        return {}
    seeds = range(1, options.seeds + 1)
    table: dict[str, dict[str, float | None]] = {}
    for name in names:
        best, path = known[name]
        shop = read_problem(path).shop
        reached = {
            method: [run(shop, options.seconds, options.workers, seed) for seed in seeds]
            for method, run in methods().items()
        }
        best = best or min(value for values in reached.values() for value in values if value is not None)
        table[name] = {method: median_gap(values, best) for method, values in reached.items()}
        print(f"  {name}: {table[name]}", flush=True, file=sys.stderr)
    figures: dict[str, Any] = {}
    for method in methods():
        solved = [row[method] for row in table.values() if row[method] is not None]
        figures[f"mean_gap_{method}"] = round(statistics.fmean(solved), 3)
    excess = [
        row["auto"] - min(others)
        for row in table.values()
        if row["auto"] is not None and (others := [v for name, v in row.items() if name != "auto" and v is not None])
    ]
    return {**figures, "worst_excess": round(max(excess), 3), "per_instance": table}


def flexible_shops(options: argparse.Namespace) -> dict[str, Any]:
    """mk10_gap and brandimarte_mean_gap of auto, in percent, and every instance of Brandimarte's."""
    known = instances(options.instances, "fjsp")
    table = {}
    for name in BRANDIMARTE:
        best, path = known.get(name, (None, None))
        if best is not None and path is not None:
            shop = read_problem(path).shop
            runs = [auto(shop, options.seconds, options.workers, seed) for seed in range(1, options.seeds + 1)]
            table[name] = median_gap(runs, best)
    if not table:
        return {}
    return {
        "mk10_gap": table.get("mk10"),
        "brandimarte_mean_gap": round(statistics.fmean(value for value in table.values() if value is not None), 3),
        "brandimarte": table,
    }


def proofs(options: argparse.Namespace) -> dict[str, Any]:
    """CPU seconds to prove ft10, seconds to prove ta71 and ta80, and a 200 × 20 shop's gap to its machine bound."""
    known = instances(options.instances, "jsp")
    figures: dict[str, Any] = {}
    for name in ("ft10", *PROVED_AT_ONCE):
        if name not in known:
            continue
        shop = read_problem(known[name][1]).shop
        wall, cpu = time.perf_counter(), time.process_time()
        solution = solve_auto(shop, Question(MAKESPAN, Limit(seconds=options.seconds), workers=options.workers))
        spent = time.process_time() - cpu if name == "ft10" else time.perf_counter() - wall
        key = f"{name}_proof_{'cpu_s' if name == 'ft10' else 's'}"
        figures[key] = round(spent, 2) if solution.status == "optimal" else None
    large = classical_shop(200, 20, time_seed=1, machine_seed=2)
    solution = solve_auto(large, Question(MAKESPAN, Limit(seconds=options.seconds), workers=options.workers))
    return figures | {"gen200x20_gap": gap(solution.objective, lower_bound(large, MAKESPAN))}


def rich_shops(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds to a first valid plan of 10 000 operations with set-ups, calendars and operators."""
    shop = rich_shop(1000, 40, 10, seed=1)
    dispatch(rich_shop(20, 4, 3, seed=1), "ATC")
    begun = time.perf_counter()
    plan = dispatch(shop, "ATC")
    spent = time.perf_counter() - begun
    assert plan is not None
    check(shop, plan)
    return {"feasible_rich_10000_ops_s": round(spent, 2)}


def reactions(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds to a repaired plan after a breakdown in a 100 × 20 shop, and its makespan beside right-shift's."""
    shop = classical_shop(100, 20, time_seed=3, machine_seed=4)
    plan = solve_auto(shop, Question(MAKESPAN, Limit(seconds=2.0), workers=options.workers)).plan
    assert plan is not None
    event = Breakdown(time=plan.makespan // 4, machine=shop.machines[0], repair=plan.makespan // 10)
    settings = Settings(goal=MAKESPAN)
    replan(shop, plan, event, method="repair", settings=settings)  # what numba compiles
    shifted = replan(shop, plan, event, method="right-shift", settings=settings)
    repaired = replan(shop, plan, event, method="repair", settings=settings)
    return {
        "reaction_s": round(repaired.reaction_s, 3),
        "repaired_makespan": repaired.solution.objective,
        "right_shifted_makespan": shifted.solution.objective,
    }


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "flexible": flexible_shops,
    "growth": scheduling_limits.growth,
    "held_out": held_out,
    "job_shops": job_shops,
    "large": scheduling_limits.large,
    "limits": scheduling_limits.overshoot,
    "proofs": proofs,
    "reaction": reactions,
    "rich": rich_shops,
    "twt": tardiness,
    "twt_optima": tardiness_optima,
}


if __name__ == "__main__":
    main()
