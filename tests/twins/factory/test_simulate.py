import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
import yaml

from tests.simulation.lines import curve
from twinloop.config import parse
from twinloop.contracts import AlertCurve, OperatingPoint, RiskTable, Thresholds
from twinloop.errors import InputError
from twinloop.files import read_json, write_json
from twinloop.simulation import Economy, ExperimentSettings, Line
from twinloop.simulation.events.kpi import KPIS
from twinloop.simulation.maintenance.machines import MACHINES
from twinloop.simulation.maintenance.settings import MaintenanceSettings, UpkeepSettings
from twinloop.twins.factory import paths, simulate
from twinloop.twins.stage import Stage

TABLES = (
    *("scenarios", "sensitivity", "threshold_curve", "states", "events"),
    *("optimisation", "maintenance", "risks", "alerts"),
)
RECORDS = ("answer.json", "optimisation.json", "today.json")
MODELS = {"fp32": 0.5, "int8": 0.45}


class Recorder:
    """Keeps what a stage reports."""

    def __init__(self) -> None:
        self.children: dict[str, Mapping[str, float]] = {}

    def log(self, metrics: Mapping[str, float], *, step: int) -> None:
        raise AssertionError("simulate has no epochs")

    def child(self, name: str, *, params: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
        self.children[name] = metrics


def put_inputs(root: Path) -> None:
    """What evaluate and export leave for simulate: curves of both formats, operating point, latency."""
    for name, accept in MODELS.items():
        shares = {"prevalence": (0.95, 0.05), "draws": 6, "spread": 0.05}
        measured = curve(accept=accept, reject=accept, rho=0.8, model=f"digest of {name}", **shares)
        measured.save(root / paths.EVALUATION / f"operating_curve_{name}.parquet")
        if name == "fp32":
            measured.save(root / paths.EVALUATION / "operating_curve.parquet")
    OperatingPoint(
        classes=("good", "crack"),
        model="digest of fp32",
        accept_below=0.8,
        reject_from=0.95,
        calibration={},
        heat_threshold=0.5,
        today=Thresholds(0.5, 0.5),
    ).save(root / paths.OPERATING_POINT)
    write_json(root / paths.LATENCY, {name: {"quantised_ms": 5.0, "p50_ms": 3.21} for name in MODELS})


def stage_in(root: Path, repository: Path, *, workers: int = 1) -> Stage[Any]:
    configured = yaml.safe_load((repository / "conf/factory/simulate/default.yaml").read_text())
    short = {"days": 0.5, "warmup_days": 0.1, "replications": 8, "thresholds": 3}
    few = {"trials": 4, "batch": 2, "random_trials": 2, "replications": 2, "final_replications": 4}
    configured["optimise"] |= few | {"max_replications": 8}
    maintenance = yaml.safe_load((repository / "conf/factory/maintenance/default.yaml").read_text())
    few_runs = {"runs": 3, "days": 2.0, "trees": 10, "least_failures": 10}
    brief = {"foresight": few_runs, "days": 0.5, "warmup_days": 0.0, "replications": 3}
    upkeep = yaml.safe_load((repository / "conf/factory/upkeep/default.yaml").read_text())
    upkeep["machines"] = upkeep["machines"][:1]
    upkeep["foresight"] |= {"runs": 3, "days": 12.0, "trees": 5, "least_failures": 10}
    sections = SimpleNamespace(
        line=Line.from_yaml(repository / "conf/factory/line/assembly.yaml"),
        economy=Economy(),
        simulate=parse(ExperimentSettings, configured | short),
        maintenance=parse(MaintenanceSettings, maintenance | brief),
        upkeep=parse(UpkeepSettings, upkeep),
    )
    return Stage(config=SimpleNamespace(seed=1, factory=sections), root=root, tracker=Recorder(), workers=workers)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> tuple[Stage[Any], str]:
    root = tmp_path_factory.mktemp("simulate")
    put_inputs(root)
    stage = stage_in(root, repository)
    return stage, simulate.run(stage)


def test_the_stage_writes_its_tables_and_says_what_it_did(done):
    stage, line = done
    out = stage.root / paths.SIMULATION
    expected = {*RECORDS, *(f"{name}.parquet" for name in TABLES)}
    assert {file.name for file in out.iterdir()} == expected
    assert "scenarios × 8 replications" in line
    assert len(stage.tracker.children) == pl.read_parquet(out / "scenarios.parquet")["scenario"].n_unique()


def test_metrics_are_flat_and_start_with_the_profit(done):
    stage, _ = done
    metrics = read_json(stage.root / paths.metrics("simulate"))
    assert list(metrics)[:3] == ["profit_per_day", "profit_per_day_low", "profit_per_day_high"]
    assert metrics["profit_per_day_low"] < metrics["profit_per_day"] < metrics["profit_per_day_high"]
    assert set(KPIS) <= set(metrics)
    assert all(value is None or isinstance(value, int | float | str) for value in metrics.values())
    # The uniform "detector" rejects half of the good parts today: any higher threshold earns more.
    assert metrics["gain_per_day_low"] > 0
    assert metrics["gain_per_day"] == pytest.approx(metrics["profit_per_day"] - metrics["profit_per_day_today"])


def test_the_answer_is_one_sentence_with_the_numbers_behind_it(done):
    stage, _ = done
    answer = read_json(stage.root / paths.SIMULATION / "answer.json")
    assert answer["sentence"].startswith(
        "Looking again at parts between 0.80 and 0.95 instead of rejecting from 0.50 earns "
    )
    assert answer["gain_per_day"]["low"] > 0
    assert answer["chosen"] == {"accept_below": 0.8, "reject_from": 0.95}


def test_the_search_and_the_policies_are_answered_with_numbers(done):
    stage, _ = done
    out, metrics = stage.root / paths.SIMULATION, read_json(stage.root / paths.metrics("simulate"))
    found = read_json(out / "optimisation.json")
    assert found["sentence"].endswith(".")
    assert found["gain"]["mean"] == metrics["optimised_gain_per_day"]
    trials = pl.read_parquet(out / "optimisation.parquet")
    assert trials["finalist"].sum() >= 1
    policies = pl.read_parquet(out / "maintenance.parquet")
    assert set(policies["policy"]) == {
        *("oracle", "run to failure", "fixed interval", "condition", "opportunistic", "predictive")
    }
    assert metrics["best_policy"] in set(policies["policy"])
    assert RiskTable.load(out / "risks.parquet").assets == ("welding",)
    alerts = AlertCurve.load(out / "alerts.parquet")
    assert alerts.failures > 0
    assert metrics["failures_foreseen"] == alerts.recall_at()
    assert metrics["foreseen_by"] == alerts.model == "sensors"
    assert metrics["failures_learnt_from"] >= 10


def test_the_shops_machines_stand_as_worn_as_they_are_and_are_told_by_their_sensors(done):
    stage, _ = done
    machines = pl.read_parquet(stage.root / paths.MACHINES / "machines.parquet")
    assert dict(machines.schema) == MACHINES
    assert machines["machine"].to_list() == ["mill_1"]
    assert 0 < machines["health"].item() < 1
    now, new = (RiskTable.load(stage.root / paths.MACHINES / f"{name}.parquet") for name in ("risks", "renewed"))
    assert now.assets == new.assets == ("mill_1",)
    assert now.failures("mill_1", hours=8.0)[0] > new.failures("mill_1", hours=8.0)[0]


def test_without_trials_nothing_is_searched_and_said_so(tmp_path, repository):
    put_inputs(tmp_path)
    stage = stage_in(tmp_path, repository)
    nothing = dataclasses.replace(stage.config.factory.simulate.optimise, trials=0)
    sections = stage.config.factory
    sections.simulate = dataclasses.replace(sections.simulate, optimise=nothing, levers=sections.simulate.levers[:1])
    simulate.run(stage)
    found = read_json(tmp_path / paths.SIMULATION / "optimisation.json")
    assert found == {"sentence": "Nothing was searched (optimise.trials: 0).", "today": None, "gain": None}
    assert pl.read_parquet(tmp_path / paths.SIMULATION / "optimisation.parquet").is_empty()


def test_levers_of_the_default_configuration_are_all_ranked(done):
    stage, _ = done
    table = pl.read_parquet(stage.root / paths.SIMULATION / "sensitivity.parquet")
    assert set(table["lever"]) >= {"threshold", "model", "maintenance", "buffer", "plan"}
    assert {"station 3's repair time", "buffer 5", "the INT8 model", "grouped lots"} <= set(table["name"])
    assert table.filter(hypothetical=True)["name"].to_list() == ["a model with half the errors"]


def test_events_are_those_of_one_baseline_replication(done):
    stage, _ = done
    events = pl.read_parquet(stage.root / paths.SIMULATION / "events.parquet")
    assert events["time_min"].max() <= 0.6 * 960
    assert {"enter", "ship", "running", "reject"} <= set(events["event"])


def test_two_workers_write_the_same_bytes(done, tmp_path, repository):
    stage, line = done
    put_inputs(tmp_path)
    assert simulate.run(stage_in(tmp_path, repository, workers=2)) == line
    for name in [*(f"{table}.parquet" for table in TABLES), "answer.json"]:
        one, two = (root / paths.SIMULATION / name for root in (stage.root, tmp_path))
        assert one.read_bytes() == two.read_bytes(), name
    for name in ("risks", "renewed", "machines"):
        one, two = (root / paths.MACHINES / f"{name}.parquet" for root in (stage.root, tmp_path))
        assert one.read_bytes() == two.read_bytes(), name
    metrics = paths.metrics("simulate")
    assert (stage.root / metrics).read_bytes() == (tmp_path / metrics).read_bytes()


def test_a_deployed_curve_of_another_model_is_refused(tmp_path, repository):
    put_inputs(tmp_path)
    foreign = curve(accept=0.5, reject=0.5)
    foreign.save(tmp_path / paths.EVALUATION / "operating_curve.parquet")
    with pytest.raises(InputError, match="belongs to none of the exported formats: run the evaluate stage again"):
        simulate.run(stage_in(tmp_path, repository))


def test_too_few_failures_are_said_in_the_summary_and_the_metrics(tmp_path, repository):
    put_inputs(tmp_path)
    stage = stage_in(tmp_path, repository)
    sections = stage.config.factory
    nothing = dataclasses.replace(sections.simulate.optimise, trials=0)
    sections.simulate = dataclasses.replace(sections.simulate, optimise=nothing, levers=sections.simulate.levers[:1])
    foresight = dataclasses.replace(sections.maintenance.foresight, least_failures=1000)
    sections.maintenance = dataclasses.replace(sections.maintenance, foresight=foresight)
    summary = simulate.run(stage)
    assert "1000 are needed to learn from sensors: failures are foreseen by age alone" in summary
    assert read_json(tmp_path / paths.metrics("simulate"))["foreseen_by"] == "age"
