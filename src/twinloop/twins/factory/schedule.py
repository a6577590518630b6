"""Plan the job shop's orders, compare CP-SAT with dispatching rules, and execute every plan under breakdowns.

Scrap that the simulated line makes (its first-pass yield) is made up for by starting more pieces, so a
better inspection shows in lateness. Reads the metrics of simulate; times in files are minutes, in metrics hours.
"""

from twinloop.errors import RunError
from twinloop.files import atomic, read_json, write_json
from twinloop.numbers import number
from twinloop.progress import bar
from twinloop.scheduling.checker import check
from twinloop.scheduling.execution.comparison import Comparison, compare
from twinloop.scheduling.execution.execution import Disruptions, execute, realised_frame, replicate
from twinloop.scheduling.files.shop_json import write_shop
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.problem.orders import orders
from twinloop.scheduling.settings import Objective, ScheduleSettings
from twinloop.scheduling.solution import Incumbent, Solution
from twinloop.scheduling.solvers.solver import solve, solve_rule
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop factory schedule"
MINUTES_PER_HOUR = 60


def run(stage: Stage[FactoryConfig]) -> str:
    """Write problem, plan, comparison and executions under paths.SCHEDULE, and the stage's metrics."""
    settings, seed = stage.config.factory.schedule, stage.config.seed
    simulated = read_json(stage.root / paths.metrics("simulate"))
    first_pass_yield = float(simulated["first_pass_yield"])
    shop = orders(stage.config.factory.shop, seed=seed, first_pass_yield=first_pass_yield)
    solutions = _solve_all(shop, settings, seed=seed)
    plans = {solution.method: solution.plan for solution in solutions if solution.plan is not None}
    for plan in plans.values():
        check(shop, plan)
    disruptions = Disruptions.of(stage.config.factory.shop)
    executions = replicate(
        shop, plans, disruptions, seed=seed, replications=settings.replications, workers=stage.workers
    )
    compared = compare(shop, solutions, executions, settings)
    one = execute(shop, plans[settings.method], disruptions, seed=seed, replication=0)

    out = stage.root / paths.SCHEDULE
    write_shop(out / "problem.json", shop)
    plans[settings.method].save(out / "plan.parquet")
    for name, frame in {
        "comparison": compared.frame,
        "executed": realised_frame(one),
        "replications": executions,
    }.items():
        with atomic(out / f"{name}.parquet") as temporary:
            frame.write_parquet(temporary)
    for name, frame in {"plan": plans[settings.method].frame(), "comparison": compared.frame}.items():
        with atomic(out / f"{name}.csv") as temporary:
            frame.write_csv(temporary)
    write_json(stage.root / paths.metrics("schedule"), _metrics(shop, compared, first_pass_yield))
    for row in compared.frame.iter_rows(named=True):
        figures = {key: float(value) for key, value in row.items() if isinstance(value, int | float)}
        stage.tracker.child(row["method"], params={"method": row["method"]}, metrics=figures)
    return _summary(shop, compared, settings.objective)


def _solve_all(shop: JobShop, settings: ScheduleSettings, *, seed: int) -> list[Solution]:
    with bar("plan", 1) as shown:

        def tell(found: Incumbent) -> None:
            shown.step(0, note=f"{settings.method} {settings.objective.replace('_', ' ')} {number(found.objective)}")

        chosen = solve(shop, settings, seed=seed, tell=tell)
        shown.step()
    if chosen.plan is None:
        raise RunError(f"schedule: {chosen.status}: {chosen.reason}")
    return [chosen, *(solve_rule(shop, rule, settings) for rule in settings.rules if rule != settings.method)]


def _metrics(shop: JobShop, compared: Comparison, first_pass_yield: float) -> dict[str, float | str | None]:
    chosen = compared.chosen
    hours = {
        "tardiness": chosen["tardiness_mean"],
        "tardiness_low": chosen["tardiness_low"],
        "tardiness_high": chosen["tardiness_high"],
        "tardiness_cvar": chosen["tardiness_cvar"],
        "planned_tardiness": chosen["planned_tardiness"],
        "makespan_planned": chosen["planned_makespan"],
        "makespan_realised": chosen["makespan_mean"],
        "gain_over_best_rule": compared.gain.mean if compared.gain else None,
        "gain_over_best_rule_low": compared.gain.low if compared.gain else None,
        "gain_over_best_rule_high": compared.gain.high if compared.gain else None,
    }
    return {name: None if minutes is None else minutes / MINUTES_PER_HOUR for name, minutes in hours.items()} | {
        "gap": chosen["gap"],
        "status": chosen["status"],
        "method": chosen["method"],
        "best_rule": compared.best_rule,
        "orders": len(shop.jobs),
        "operations": sum(len(job.operations) for job in shop.jobs),
        "first_pass_yield": first_pass_yield,
    }


def _summary(shop: JobShop, compared: Comparison, objective: Objective) -> str:
    chosen, measure = compared.chosen, "makespan" if objective == "makespan" else "tardiness"
    planned, realised = (chosen[key] / MINUTES_PER_HOUR for key in (f"planned_{measure}", f"{measure}_mean"))
    line = (
        f"{len(shop.jobs)} orders by {chosen['method']} ({chosen['status']}): "
        f"{objective.replace('_', ' ')} {number(planned)} h planned, {number(realised)} h realised"
    )
    if compared.gain is None:
        return line
    saved = compared.gain.mean / MINUTES_PER_HOUR
    difference = f"{number(abs(saved))} h {'less' if saved > 0 else 'more'} than" if saved else "as much as"
    return f"{line}, {difference} {compared.best_rule}"
