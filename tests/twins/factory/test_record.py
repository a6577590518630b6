"""The record stage: one complete row per execution, from files alone."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.tracking import conftest as stores
from tests.tracking.tiny import export
from twinloop.config import parse
from twinloop.config.compose import compose
from twinloop.errors import RunError
from twinloop.files import read_json, write_json
from twinloop.tracking.execution import PARENT
from twinloop.tracking.stage_run import StageRun, stage_run
from twinloop.tracking.store import Store
from twinloop.twins.factory import paths, record
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.factory.twin import TWIN
from twinloop.twins.stage import Stage

empty_store, store = stores.empty_store, stores.store
METRICS: dict[str, dict[str, Any]] = {
    "prepare": {"images": 64, "parts": 32, "dataset_sha256": "ab" * 32, "data": "synthetic"},
    "tune": {"tune_val_ap": None, "source": "configured", "trials": 0},
    "train": {"val_ap": 0.91, "parameters": 171_234, "encoder": "resnet10t", "values": "configured"},
    "export": {"format": "fp32", "int8": "within limits"},
    "evaluate": {
        "ap": 0.93,
        "ece": 0.02,
        "escape_rate": 0.05,
        "threshold": 0.734,
        "reject_from": 0.8,
        "threshold_today": 0.5,
        "line_defect_rate": 0.03,
        "auroc": 0.97,
    },
    "simulate": {"throughput_per_day": 912.5, "oee": 0.71, "profit_per_day": 9345.0},
    "schedule": {"tardiness": 12.5, "status": "feasible"},
    "report": {"pages": 7, "results": "c0ffee"},
}


@pytest.fixture
def config(repository: Path) -> FactoryConfig:
    values = compose(repository / "conf", ["profile=smoke"]).values
    return parse(FactoryConfig, {key: values[key] for key in ("profile", "seed", "factory")})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """What the stages before leave."""
    for name, values in METRICS.items():
        write_json(tmp_path / paths.metrics(name), values)
    write_json(tmp_path / paths.LATENCY, {"fp32": {"p95_ms": 4.25}, "int8": {"p95_ms": 3.5}})
    exported, point = export(tmp_path / "export")
    (tmp_path / paths.ONNX).parent.mkdir(parents=True, exist_ok=True)
    exported.rename(tmp_path / paths.ONNX)
    (tmp_path / paths.EVALUATION).mkdir(parents=True)
    point.rename(tmp_path / paths.EVALUATION / "operating_point.json")
    (tmp_path / paths.FIGURES).mkdir(parents=True)
    Image.new("L", (8, 8)).save(tmp_path / paths.FIGURES / "profit_against_threshold.png")
    (tmp_path / paths.MODEL_CARD).write_text("# A detector\n", encoding="utf-8")
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\n")
    return tmp_path


def recorded(store: Store, config: FactoryConfig, root: Path, key: str = "k") -> tuple[StageRun, str]:
    with stage_run(store, twin="factory", stage="record", execution_key=key, params={}, tags={}) as tracker:
        told = record.run(Stage(config=config, root=root, tracker=tracker, workers=1))
    return tracker, told


def rows(store: Store, tracker: StageRun, filter_string: str = "") -> list[Any]:
    found = store.client.search_runs([tracker.execution.experiment_id], filter_string=filter_string)
    return [run for run in found if PARENT not in run.data.tags]


def test_the_row_holds_model_and_business_figures_together(store: Store, config: FactoryConfig, root: Path) -> None:
    tracker, told = recorded(store, config, root)
    (row,) = rows(store, tracker)
    figures = row.data.metrics
    assert {name: figures[name] for name in TWIN.columns.metrics} == {
        "AP": 0.93,
        "ECE": 0.02,
        "escape_rate": 0.05,
        "throughput_per_day": 912.5,
        "oee": 0.71,
        "profit_per_day": 9345.0,
        "tardiness": 12.5,
        "latency_p95_ms": 4.25,
    }
    assert figures["evaluate.auroc"] == 0.97
    assert (row.data.params["data"], row.data.params["model"]) == ("synthetic", "resnet10t 0.17M")
    assert row.data.params["factory.data.kind"] == "synthetic"
    assert row.data.tags["profile"] == "smoke"
    assert row.data.tags["schedule.status"] == "feasible"
    assert row.info.run_name == "synthetic · resnet10t 0.17M · 0.5→0.73"
    assert row.info.status == "FINISHED"
    models = "factory-detector version 1, factory-scheduler version 1"
    assert told == f"{row.info.run_name}: 8 headline metrics, 1 pictures, {models}"


def test_pictures_and_the_datas_digest_are_on_the_row(store: Store, config: FactoryConfig, root: Path) -> None:
    tracker, _ = recorded(store, config, root)
    (row,) = rows(store, tracker)
    kept = store.client.list_artifacts(row.info.run_id, "figures")
    assert [file.path for file in kept] == ["figures/profit_against_threshold.png"]
    (used,) = row.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("synthetic", ("ab" * 32)[:36])
    assert row.data.tags["dataset_digest"] == "ab" * 32


def test_recording_twice_leaves_one_row_one_history_and_one_model_version(
    store: Store, config: FactoryConfig, root: Path
) -> None:
    recorded(store, config, root)
    tracker, told = recorded(store, config, root)
    (row,) = rows(store, tracker)
    assert len(store.client.get_metric_history(row.info.run_id, "profit_per_day")) == 1
    assert len(row.inputs.dataset_inputs) == 1
    assert told.endswith("version 1")


def test_every_formats_times_and_the_machine_are_on_the_row(store: Store, config: FactoryConfig, root: Path) -> None:
    times = {"fp32": {"p50_ms": 3.0, "p95_ms": 4.25, "speedup": 1.0}, "int8": {"p50_ms": 2.0, "speedup": 1.5}}
    write_json(root / paths.LATENCY, {**times, "hardware": {"cpu": "EPYC", "cores": 2}})
    tracker, _ = recorded(store, config, root)
    (row,) = rows(store, tracker, "metrics.`latency.int8.speedup` > 1.1")
    assert row.data.metrics["latency.fp32.p50_ms"] == 3.0
    assert row.data.tags["latency.cpu"] == "EPYC"


def test_a_figure_measured_anew_replaces_the_old_one(store: Store, config: FactoryConfig, root: Path) -> None:
    recorded(store, config, root)
    write_json(root / paths.LATENCY, {"fp32": {"p95_ms": 5.0}})
    tracker, _ = recorded(store, config, root)
    (row,) = rows(store, tracker)
    assert row.data.metrics["latency_p95_ms"] == 5.0


def test_the_filter_that_people_type_finds_the_row(store: Store, config: FactoryConfig, root: Path) -> None:
    recorded(store, config, root)
    simulated = root / paths.metrics("simulate")
    write_json(simulated, read_json(simulated) | {"profit_per_day": 8000.0})
    tracker, _ = recorded(store, dataclasses.replace(config, seed=config.seed + 1), root, key="other")
    assert len(rows(store, tracker)) == 2
    (rich,) = rows(store, tracker, "metrics.profit_per_day > 9000")
    assert rich.data.metrics["profit_per_day"] == 9345.0
    assert len(rows(store, tracker, "params.data = 'synthetic' and metrics.AP > 0.9")) == 2


def test_a_figure_that_a_stage_did_not_measure_is_named(store: Store, config: FactoryConfig, root: Path) -> None:
    write_json(root / paths.metrics("schedule"), {"makespan": 3})
    with pytest.raises(RunError, match="column tardiness: expected a value 'tardiness' among the metrics of schedule"):
        recorded(store, config, root)


def test_a_figure_that_is_null_is_left_out(store: Store, config: FactoryConfig, root: Path) -> None:
    write_json(root / paths.metrics("schedule"), {"tardiness": None})
    tracker, told = recorded(store, config, root)
    (row,) = rows(store, tracker)
    assert "tardiness" not in row.data.metrics
    assert "7 headline metrics" in told


def test_the_registered_detector_is_described_by_the_reports_card(
    store: Store, config: FactoryConfig, root: Path
) -> None:
    recorded(store, config, root)
    assert store.client.get_model_version(TWIN.registered("detector"), "1").description == "# A detector\n"


def test_the_scheduler_is_registered_once_for_its_settings(store: Store, config: FactoryConfig, root: Path) -> None:
    assert "factory-scheduler version 1" in recorded(store, config, root)[1]
    assert "factory-scheduler version 1" in recorded(store, config, root, key="other")[1]
    slower = dataclasses.replace(config.factory.schedule, deterministic_limit=99.0)
    other = dataclasses.replace(config, factory=dataclasses.replace(config.factory, schedule=slower))
    assert "factory-scheduler version 2" in recorded(store, other, root, key="third")[1]


def test_the_row_is_found_by_the_digest_that_the_report_shows(store: Store, config: FactoryConfig, root: Path) -> None:
    tracker, _ = recorded(store, config, root)
    assert len(rows(store, tracker, "tags.results = 'c0ffee'")) == 1
