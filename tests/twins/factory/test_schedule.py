from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
import yaml

from tests.twins.factory.planned import put_machines
from twinloop.config import parse
from twinloop.contracts import Plan
from twinloop.errors import InputError, RunError
from twinloop.files import read_json, sha256, write_json
from twinloop.scheduling import ScheduleSettings, ShopSettings
from twinloop.scheduling.checker import check
from twinloop.scheduling.files.shop_json import read_shop
from twinloop.scheduling.frames import plan_frame
from twinloop.simulation.maintenance.settings import UpkeepSettings
from twinloop.twins.factory import paths, schedule
from twinloop.twins.stage import Stage

OUTPUTS = (
    *("problem.json", "plan.parquet", "plan.csv", "comparison.parquet", "comparison.csv", "executed.parquet"),
    *("load.parquet", "load.csv", "downtime.parquet", "pareto.parquet", "robustness.parquet", "whatif.parquet"),
    *("reactions.parquet", "maintained.json", "maintained.parquet", "windows.json"),
    *("windows.parquet", "windows_executed.parquet", "windows_worth.parquet"),
)
# Enough executions for a second process.
MANY = 300


class Recorder:
    """Keeps what a stage reports."""

    def __init__(self) -> None:
        self.children: dict[str, Mapping[str, float]] = {}

    def log(self, metrics: Mapping[str, float], *, step: int) -> None:
        raise AssertionError("schedule has no epochs")

    def child(self, name: str, *, params: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
        self.children[name] = metrics


def stage_in(
    root: Path, repository: Path, *, workers: int = 1, first_pass_yield: float = 0.9, **changes: Any
) -> Stage[Any]:
    write_json(root / paths.metrics("simulate"), {"profit_per_day": 1.0, "first_pass_yield": first_pass_yield})
    upkeep = parse(UpkeepSettings, yaml.safe_load((repository / "conf/factory/upkeep/default.yaml").read_text()))
    put_machines(root, upkeep)
    shop, plan = (
        yaml.safe_load((repository / f"conf/factory/{section}/default.yaml").read_text())
        for section in ("shop", "schedule")
    )
    few = {"pareto_points": 2, "pareto_limit": 0.1, "slacks": [0.0, 1.0], "study_limit": 0.05, "reactions": 2}
    short = {"orders": 10, "deterministic_limit": 0.1, "replications": 20} | few | changes
    sections = SimpleNamespace(
        shop=parse(ShopSettings, shop | {key: value for key, value in short.items() if key in shop}),
        schedule=parse(ScheduleSettings, plan | {key: value for key, value in short.items() if key in plan}),
        upkeep=changes.get("upkeep", upkeep),
    )
    return Stage(config=SimpleNamespace(seed=1, factory=sections), root=root, tracker=Recorder(), workers=workers)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> tuple[Path, str, Recorder]:
    root = tmp_path_factory.mktemp("schedule")
    stage = stage_in(root, repository, replications=MANY)
    summary = schedule.run(stage)
    assert isinstance(stage.tracker, Recorder)
    return root, summary, stage.tracker


def test_the_saved_plan_is_valid_for_the_saved_problem(done: tuple[Path, str, Recorder]) -> None:
    root, _, _ = done
    shop, plan = read_shop(root / paths.SCHEDULE / "problem.json"), Plan.load(root / paths.SCHEDULE / "plan.parquet")
    check(shop, plan)
    assert pl.read_csv(root / paths.SCHEDULE / "plan.csv", schema_overrides={"job": pl.String}).equals(
        plan_frame(shop, plan)
    )


def test_the_metrics_are_those_of_the_chosen_plan_in_hours(done: tuple[Path, str, Recorder]) -> None:
    root, _, _ = done
    metrics = read_json(root / paths.metrics("schedule"))
    assert next(iter(metrics)) == "tardiness"
    executions = pl.read_parquet(root / paths.SCHEDULE / "replications.parquet")
    chosen = executions.filter(pl.col("method") == "auto")
    assert metrics["tardiness"] == pytest.approx(chosen["weighted_tardiness"].mean() / 60)
    plan = Plan.load(root / paths.SCHEDULE / "plan.parquet")
    assert metrics["makespan_planned"] == plan.makespan / 60
    assert metrics["tardiness_low"] <= metrics["tardiness"] <= metrics["tardiness_high"] <= metrics["tardiness_cvar"]
    assert metrics["orders"] == 10
    assert metrics["first_pass_yield"] == 0.9
    assert metrics["best_rule"] in {"SPT", "LPT", "FIFO", "EDD", "MWKR", "ATC"}
    assert all(value is None or isinstance(value, str | int | float) for value in metrics.values())


def test_one_execution_is_kept_beside_its_plan(done: tuple[Path, str, Recorder]) -> None:
    root, _, _ = done
    executed = pl.read_parquet(root / paths.SCHEDULE / "executed.parquet")
    plan = Plan.load(root / paths.SCHEDULE / "plan.parquet")
    assert len(executed) == len(plan)
    first = pl.read_parquet(root / paths.SCHEDULE / "replications.parquet").filter(method="auto", replication=0)
    assert executed["end"].max() == first["makespan"].item()


def test_every_method_is_reported_to_the_tracker(done: tuple[Path, str, Recorder]) -> None:
    _, _, tracker = done
    assert set(tracker.children) == {"auto", "SPT", "LPT", "FIFO", "EDD", "MWKR", "ATC"}
    assert tracker.children["auto"]["tardiness_mean"] >= 0


def test_the_summary_says_planned_and_realised(done: tuple[Path, str, Recorder]) -> None:
    _, summary, _ = done
    assert summary.startswith("10 orders by auto (")
    assert "h planned" in summary
    assert "h realised" in summary


def test_two_workers_write_the_same_bytes(done: tuple[Path, str, Recorder], tmp_path: Path, repository: Path) -> None:
    schedule.run(stage_in(tmp_path, repository, workers=2, replications=MANY))
    for name in (*OUTPUTS, "replications.parquet"):
        assert sha256(tmp_path / paths.SCHEDULE / name) == sha256(done[0] / paths.SCHEDULE / name), name
    assert sha256(tmp_path / paths.metrics("schedule")) == sha256(done[0] / paths.metrics("schedule"))


def test_more_scrap_on_the_line_makes_orders_later(
    done: tuple[Path, str, Recorder], tmp_path: Path, repository: Path
) -> None:
    schedule.run(stage_in(tmp_path, repository, first_pass_yield=0.6))
    late, today = (read_json(root / paths.metrics("schedule"))["tardiness"] for root in (tmp_path, done[0]))
    assert late > today


def test_windows_go_where_failures_are_dear_and_pay_when_executed(done: tuple[Path, str, Recorder]) -> None:
    root, _, _ = done
    out, metrics = root / paths.SCHEDULE, read_json(root / paths.metrics("schedule"))
    check(read_shop(out / "maintained.json"), Plan.load(out / "maintained.parquet"))
    windows = pl.read_parquet(out / "windows.parquet")
    assert windows.drop_nulls("start").height == metrics["windows"] > 0
    executed = pl.read_parquet(out / "windows_executed.parquet")
    before, after = (executed.filter(plan=f"{name} windows")["cost"].to_numpy() for name in ("without", "with"))
    assert metrics["windows_saved"] == pytest.approx((before - after).mean())
    assert 0 < metrics["windows_saved_low"] < metrics["windows_saved"] < metrics["windows_saved_high"]
    sentence = read_json(out / "windows.json")["sentence"]
    assert " saved " in sentence
    assert sentence.endswith("age alone.")  # what the predictors say of themselves


def test_without_machines_that_wear_no_window_is_placed_and_said_so(tmp_path: Path, repository: Path) -> None:
    upkeep = parse(UpkeepSettings, yaml.safe_load((repository / "conf/factory/upkeep/default.yaml").read_text()))
    schedule.run(stage_in(tmp_path, repository, method="EDD", upkeep=replace(upkeep, machines=())))
    metrics = read_json(tmp_path / paths.metrics("schedule"))
    assert (metrics["windows"], metrics["windows_saved"]) == (0, None)
    sentence = read_json(tmp_path / paths.SCHEDULE / "windows.json")["sentence"]
    assert sentence == "No machine of the shop is said to wear, so no maintenance was planned."


def test_a_rule_can_be_the_method(tmp_path: Path, repository: Path) -> None:
    summary = schedule.run(stage_in(tmp_path, repository, method="EDD", rules=["SPT", "EDD"], objective="makespan"))
    makespan = read_json(tmp_path / paths.metrics("schedule"))["makespan_planned"]
    assert summary.startswith("10 orders by EDD (")
    assert f"): makespan {makespan:.3g} h planned" in summary
    comparison = pl.read_parquet(tmp_path / paths.SCHEDULE / "comparison.parquet")
    assert comparison["method"].to_list() == ["EDD", "SPT"]


def test_promises_that_cannot_be_kept_stop_the_stage_with_the_reason(tmp_path: Path, repository: Path) -> None:
    stage = stage_in(tmp_path, repository, firm_due_dates=True, due_tightness=1.0, release_window_min=0)
    with pytest.raises(RunError, match=r"^schedule: infeasible: [^\n]*job[^\n]*$"):
        schedule.run(stage)
    assert not (tmp_path / paths.SCHEDULE).exists()


def test_a_line_that_makes_only_scrap_is_refused(tmp_path: Path, repository: Path) -> None:
    with pytest.raises(InputError, match="first-pass yield above 0"):
        schedule.run(stage_in(tmp_path, repository, first_pass_yield=0.0))
