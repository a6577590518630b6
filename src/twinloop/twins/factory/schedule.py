"""Plan the job shop's orders, compare with dispatching rules, execute every plan under breakdowns, react, ask what if.

Windows for maintenance are placed in the plan by what the sensors of the shop's machines foretell (`upkeep`).
Scrap that the simulated line makes (its first-pass yield) is made up for by starting more pieces, so a
better inspection shows in lateness. Reads the metrics of simulate; times in files are minutes, in metrics hours.
When each better plan was found is measured time: as latency it has a file of its own, which only the report reads.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import polars as pl

from twinloop.contracts import Plan
from twinloop.errors import RunError
from twinloop.files import atomic, read_json, write_json
from twinloop.numbers import number
from twinloop.progress import bar
from twinloop.scheduling.checker import check
from twinloop.scheduling.execution.comparison import Comparison, compare
from twinloop.scheduling.execution.downtime import downtime_frame
from twinloop.scheduling.execution.execution import Disruptions, execute, realised_frame, replicate
from twinloop.scheduling.execution.robust import Trial, price_of_slack
from twinloop.scheduling.execution.whatif import what_if, with_job, with_machine
from twinloop.scheduling.files.shop_json import write_shop
from twinloop.scheduling.frames import load_frame, plan_frame, trace_frame
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.planning import solve, solve_rule
from twinloop.scheduling.problem import Job, JobShop
from twinloop.scheduling.problem.orders import orders, rush_job
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.rescheduling.events import RushJob
from twinloop.scheduling.rescheduling.replan import Settings as ReplanSettings
from twinloop.scheduling.rescheduling.rolling import COMPARED, compare_courses
from twinloop.scheduling.settings import Change, Objective, ScheduleSettings
from twinloop.scheduling.solution import Incumbent, Solution
from twinloop.scheduling.solvers.pareto import pareto_front
from twinloop.spreadsheets import as_texts
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.factory.upkeep import plan_windows
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop factory schedule"
MINUTES_PER_HOUR = 60
FRONT = {"makespan": pl.Int64, "weighted_tardiness": pl.Int64, "proved": pl.Boolean}
CHANGES = {
    "change": pl.String,
    **{f"{m}_{end}": pl.Float64 for m in ("makespan", "weighted_tardiness") for end in ("difference", "low", "high")},
}


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
    chosen = plans[settings.method]
    one = execute(shop, chosen, disruptions, seed=seed, replication=0)
    until = max(realised.end for realised in one)
    studies = _Studies(stage, shop, disruptions, first_pass_yield=first_pass_yield)

    windows = plan_windows(stage, shop, chosen, disruptions)

    out = stage.root / paths.SCHEDULE
    write_shop(out / "problem.json", shop)
    chosen.save(out / "plan.parquet")
    windows.save(stage)
    load = load_frame(shop, chosen)
    for path, frame in {
        out / "comparison.parquet": compared.frame,
        out / "executed.parquet": realised_frame(one),
        out / "replications.parquet": executions,
        out / "load.parquet": load,
        out / "downtime.parquet": downtime_frame(shop.machines, disruptions, seed=seed, replication=0, until=until),
        out / "pareto.parquet": studies.front(chosen),
        out / "robustness.parquet": studies.robustness(),
        out / "whatif.parquet": studies.changes(),
        out / "reactions.parquet": studies.reactions(chosen),
        stage.root / paths.INCUMBENTS: trace_frame(solutions),
    }.items():
        with atomic(path) as temporary:
            frame.write_parquet(temporary)
    for name, frame in {"plan": plan_frame(shop, chosen), "comparison": compared.frame, "load": load}.items():
        with atomic(out / f"{name}.csv") as temporary:
            as_texts(frame).write_csv(temporary)
    write_json(stage.root / paths.metrics("schedule"), _metrics(shop, compared, first_pass_yield) | windows.metrics)
    for row in compared.frame.iter_rows(named=True):
        figures = {key: float(value) for key, value in row.items() if isinstance(value, int | float)}
        stage.tracker.child(row["method"], params={"method": row["method"]}, metrics=figures)
    return _summary(shop, compared, settings.objective)


class _Studies:
    """What is asked beside the plan: other goals, more slack, another shop. Every plan here has the study's limit."""

    def __init__(
        self, stage: Stage[FactoryConfig], shop: JobShop, disruptions: Disruptions, *, first_pass_yield: float
    ) -> None:
        self.settings, self.shop, self.disruptions = stage.config.factory.schedule, shop, disruptions
        self.seed, self.workers = stage.config.seed, stage.workers
        self._described, self._yield = stage.config.factory.shop, first_pass_yield

    def front(self, start: Plan) -> pl.DataFrame:
        """Plans between the shortest and the most punctual: makespan, weighted_tardiness, proved."""
        if not self.settings.pareto_points:
            return pl.DataFrame(schema=FRONT)
        goal, limit = Goal.of("makespan", "weighted_tardiness"), Limit(deterministic=self.settings.pareto_limit)
        question = Question(goal, limit, seed=self.seed, start=start)
        front = pareto_front(self.shop, question, points=self.settings.pareto_points)
        return front.frame().rename({"first": "makespan", "second": "weighted_tardiness"}).select(list(FRONT))

    def robustness(self) -> pl.DataFrame:
        """What more and more slack promises and keeps."""
        trial = Trial(
            measure=self.settings.objective,
            training=2,
            fresh=self.settings.replications,
            tail=self.settings.tail,
            confidence=self.settings.confidence,
            seed=self.seed,
            workers=self.workers,
        )
        return price_of_slack(self.shop, self.disruptions, self.planner, slacks=self.settings.slacks, trial=trial)

    def changes(self) -> pl.DataFrame:
        """By how much each change moves the realised figures, paired."""
        return pl.DataFrame([self._change(change) for change in self.settings.changes], schema=CHANGES)

    def reactions(self, plan: Plan) -> pl.DataFrame:
        """What right-shift and repair make of the plan when breakdowns and unforeseen rush orders come (`COMPARED`)."""
        if not self.settings.reactions:
            return pl.DataFrame(schema=COMPARED)
        other: Objective = "makespan" if self.settings.objective == "weighted_tardiness" else "weighted_tardiness"
        found = compare_courses(
            self.shop,
            plan,
            self.disruptions,
            [RushJob(change.rush.release_min, self._rush(change)) for change in self.settings.changes if change.rush],
            methods=("right-shift", "repair"),
            settings=ReplanSettings(goal=Goal.of(self.settings.objective, other), seed=self.seed),
            seed=self.seed,
            replications=self.settings.reactions,
            confidence=self.settings.confidence,
            workers=self.workers,
        )
        return found.frame

    @property
    def planner(self) -> Callable[[JobShop], Solution]:
        settings = replace(self.settings, deterministic_limit=self.settings.study_limit)
        return lambda shop: solve(shop, settings, seed=self.seed)

    def _rush(self, change: Change) -> Job:
        assert change.rush is not None
        return rush_job(self._described, change.rush, name=change.name, first_pass_yield=self._yield)

    @cached_property
    def _today(self) -> Solution:
        return self.planner(self.shop)

    def _change(self, change: Change) -> dict[str, float | str | None]:
        like: dict[str, str] = {}
        if change.machine is not None:
            name = f"another {change.machine}"
            changed, like = with_machine(self.shop, name, like=change.machine), {name: change.machine}
        else:
            changed = with_job(self.shop, self._rush(change))
        found = what_if(
            self.shop,
            changed,
            self.planner,
            self.disruptions,
            like=like,
            today=self._today,
            seed=self.seed,
            replications=self.settings.replications,
            tail=self.settings.tail,
            confidence=self.settings.confidence,
            workers=self.workers,
        )
        row: dict[str, float | str | None] = {"change": change.name}
        if found.frame is not None:
            for figure in found.frame.iter_rows(named=True):
                name = figure["figure"]
                row[f"{name}_difference"] = figure["difference"]
                row[f"{name}_low"], row[f"{name}_high"] = figure["difference_low"], figure["difference_high"]
        return {name: row.get(name) for name in CHANGES}


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
