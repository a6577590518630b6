"""What the schedule stage leaves, made without a search: a small order book planned by rules."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl

from twinloop.config import parse
from twinloop.contracts import Plan, Risk, RiskTable
from twinloop.files import atomic, write_json
from twinloop.scheduling.execution.comparison import compare
from twinloop.scheduling.execution.downtime import downtime_frame
from twinloop.scheduling.execution.execution import Disruptions, execute, realised_frame, replicate
from twinloop.scheduling.execution.robust import Trial, price_of_slack
from twinloop.scheduling.files.shop_json import write_shop
from twinloop.scheduling.frames import load_frame, trace_frame
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.problem.orders import orders
from twinloop.scheduling.problem.settings import ShopSettings
from twinloop.scheduling.rescheduling.rolling import compare_courses
from twinloop.scheduling.settings import ScheduleSettings
from twinloop.scheduling.solution import Incumbent, Solution
from twinloop.scheduling.solvers.rules import dispatch
from twinloop.simulation.maintenance.machines import MACHINES
from twinloop.simulation.maintenance.settings import UpkeepSettings, WornMachine
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.wear import Wear
from twinloop.twins.factory import paths
from twinloop.twins.factory.upkeep import plan_windows
from twinloop.twins.stage import Stage

HOSTILE = "<script>alert(1)</script>"


def _step(machine: str, setup_min: float, piece_min: float) -> dict[str, object]:
    return {"machine": machine, "setup_min": setup_min, "piece_min": piece_min}


SETTINGS = parse(
    ShopSettings,
    {
        "machines": [
            {"name": "saw", "mean_time_to_failure_min": 400.0, "mean_repair_min": 40.0},
            {"name": "mill", "mean_time_to_failure_min": 600.0, "mean_repair_min": 60.0},
            {"name": "paint"},
        ],
        "products": [
            {"name": "shaft", "share": 2.0, "routing": [_step("saw", 10, 1.0), _step("mill", 20, 2.0)]},
            {"name": HOSTILE, "routing": [_step("mill", 15, 1.5), _step("paint", 30, 1.0)]},
        ],
        "orders": 8,
        "release_window_min": 240,
        "due_tightness": 1.5,
    },
)
SCHEDULE = ScheduleSettings(replications=12)
UPKEEP = UpkeepSettings(
    machines=(
        WornMachine(
            name="mill", wear=Wear(kind="gamma", mean_life_min=900.0), age_min=600.0, minutes=20, failure_cost=900.0
        ),
    ),
    cycle=Distribution(kind="deterministic", mean=5.0),
    interarrival=Distribution(kind="exponential", mean=6.0),
    delay_hour=10.0,
)
SEED = 3


def put_machines(root: Path, upkeep: UpkeepSettings) -> None:
    """What simulate leaves of machines that wear: half worn, told to fail soon, and new ones to last."""
    for name, hour in (("risks", 0.1), ("renewed", 0.005)):
        table = RiskTable.of(
            Risk(machine.name, "wear part", hours, p, p, p, 5, machine.failure_cost)
            for machine in upkeep.machines
            for hours in (1.0, 10.0)
            for p in [1 - (1 - hour) ** hours]
        )
        table.save(root / paths.MACHINES / f"{name}.parquet")
    rows = [
        (machine.name, machine.age_min, machine.wear.limit * 0.7, 0.3, "age", 3, "3 failures to learn from: age alone")
        for machine in upkeep.machines
    ]
    with atomic(root / paths.MACHINES / "machines.parquet") as temporary:
        pl.DataFrame(rows, schema=MACHINES, orient="row").write_parquet(temporary)


def write_outputs(root: Path, *, objective: str = "weighted_tardiness") -> None:
    """Files below `root`; the chosen method is the rule ATC under the name of a solver."""
    shop = orders(SETTINGS, seed=SEED)
    goal, disruptions = Goal.of(objective), Disruptions.of(SETTINGS)
    plans = {name: _dispatched(shop, rule) for name, rule in (("CP-SAT", "ATC"), ("SPT", "SPT"), ("LPT", "LPT"))}
    trace = [Incumbent(9000, 20, 0.02), Incumbent(4000, 50, 0.9)]
    solutions = [
        Solution.of(name, shop, goal=goal, plan=plan, bound=60, trace=trace if name == "CP-SAT" else ())
        for name, plan in plans.items()
    ]
    runs = replicate(shop, plans, disruptions, seed=SEED, replications=SCHEDULE.replications)
    compared = compare(shop, solutions, runs, SCHEDULE)
    chosen = plans["CP-SAT"]
    trial = Trial("weighted_tardiness", training=4, fresh=8, seed=SEED)
    price = price_of_slack(shop, disruptions, lambda longer: _solved(longer, goal), slacks=(0.0, 1.0, 2.0), trial=trial)
    out = root / paths.SCHEDULE
    write_shop(out / "problem.json", shop)
    chosen.save(out / "plan.parquet")
    tardiness = int(shop.weighted_tardiness({a.job: a.end for a in chosen}))
    frames = {
        "comparison": compared.frame,
        "replications": runs,
        "executed": realised_frame(execute(shop, chosen, disruptions, seed=SEED, replication=0)),
        "downtime": downtime_frame(shop.machines, disruptions, seed=SEED, replication=0, until=chosen.makespan * 1.2),
        "load": load_frame(shop, chosen),
        "pareto": pl.DataFrame(
            {
                "makespan": [chosen.makespan - 60, chosen.makespan],
                "weighted_tardiness": [tardiness + 300, tardiness],
                "proved": [True, False],
            }
        ),
        "robustness": price,
        "reactions": compare_courses(
            shop, chosen, disruptions, methods=("right-shift", "repair"), seed=SEED, replications=3
        ).frame,
        "whatif": pl.DataFrame(
            [
                ("one more mill", -50.0, -80.0, -20.0, -400.0, -700.0, -100.0),
                (HOSTILE, 9.0, -5.0, 23.0, 60.0, -9.0, 129.0),
            ],
            schema=[
                "change",
                *(
                    f"{measure}_{end}"
                    for measure in ("makespan", "weighted_tardiness")
                    for end in ("difference", "low", "high")
                ),
            ],
            orient="row",
        ),
    }
    tables = {out / f"{name}.parquet": frame for name, frame in frames.items()}
    for path, frame in {**tables, root / paths.INCUMBENTS: trace_frame(solutions)}.items():
        with atomic(path) as temporary:
            frame.write_parquet(temporary)
    row = compared.chosen
    metrics = {
        "method": "CP-SAT",
        "status": row["status"],
        "gap": row["gap"],
        "orders": len(shop.jobs),
        "operations": len(chosen),
        "first_pass_yield": 1.0,
        "best_rule": compared.best_rule,
        "makespan_planned": row["planned_makespan"] / 60,
        "makespan_realised": row["makespan_mean"] / 60,
        "planned_tardiness": row["planned_tardiness"] / 60,
    }
    metrics |= {f"tardiness{end}": row[f"tardiness_{end.strip('_') or 'mean'}"] / 60 for end in ("", "_low", "_high")}
    if compared.gain:
        gain = compared.gain
        metrics |= {
            f"gain_over_best_rule{end}": value / 60
            for end, value in zip(("", "_low", "_high"), (gain.mean, gain.low, gain.high), strict=True)
        }
    put_machines(root, UPKEEP)
    asked = SimpleNamespace(seed=SEED, factory=SimpleNamespace(shop=SETTINGS, schedule=SCHEDULE, upkeep=UPKEEP))
    stage: Stage[Any] = Stage(config=asked, root=root, tracker=None, workers=1)  # type: ignore[arg-type]
    windows = plan_windows(stage, shop, chosen, disruptions)
    windows.save(stage)
    write_json(root / paths.metrics("schedule"), metrics | windows.metrics)


def _solved(shop: JobShop, goal: Goal) -> Solution:
    return Solution.of("ATC", shop, goal=goal, plan=_dispatched(shop, "ATC"), bound=0)


def _dispatched(shop: JobShop, rule: str) -> Plan:
    plan = dispatch(shop, rule)
    assert plan is not None
    return plan
