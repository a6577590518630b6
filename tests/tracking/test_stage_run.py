"""A stage's run: where it hangs, what it holds, and how it ends."""

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from twinloop.errors import RunError
from twinloop.files import write_json
from twinloop.tracking.execution import PARENT, find_or_create
from twinloop.tracking.stage_run import StageRun, stage_run, unfinished
from twinloop.tracking.store import FILE, Store
from twinloop.twins.stage import Tracker

PARAMS = {"factory": {"train": {"epochs": 3}}}


def begin(store: Store, stage: str = "train", key: str = "k", system_metrics: bool = False):  # type: ignore[no-untyped-def]
    return stage_run(
        store, twin="factory", stage=stage, execution_key=key, params=PARAMS, tags={}, system_metrics=system_metrics
    )


def test_a_stage_run_is_nested_under_its_executions_row(store: Store, tmp_path: Path) -> None:
    write_json(tmp_path / "train.json", {"val_ap": 0.9, "device": "cpu", "stopped_early": True, "reason": None})
    with begin(store) as run:
        for epoch in range(3):
            run.log({"loss": 1 / (epoch + 1)}, step=epoch)
        run.finish(tmp_path / "train.json")
    held = store.client.get_run(run.run_id)
    assert held.info.run_name == "train"
    assert held.info.status == "FINISHED"
    assert held.data.tags[PARENT] == find_or_create(store, twin="factory", key="k").run_id
    assert held.data.params == {"factory.train.epochs": "3"}
    assert held.data.metrics == {"loss": pytest.approx(1 / 3), "val_ap": 0.9, "stopped_early": 1.0}
    assert held.data.tags["device"] == "cpu"
    history = store.client.get_metric_history(run.run_id, "loss")
    assert [point.step for point in history] == [0, 1, 2]


def test_it_is_what_stages_expect_of_a_tracker(store: Store) -> None:
    with begin(store) as run:
        tracker: Tracker = run
        tracker.child("trial 0", params={"width": 16}, metrics={"ap": 0.7})
    below = store.client.search_runs([run.execution.experiment_id], filter_string=f"tags.`{PARENT}` = '{run.run_id}'")
    assert [(child.info.run_name, child.data.params, child.data.metrics) for child in below] == [
        ("trial 0", {"width": "16"}, {"ap": 0.7})
    ]


def test_what_is_learnt_later_of_a_child_joins_what_is_known(store: Store) -> None:
    with begin(store, "tune") as run:
        run.child("trial 0", params={"width": 16}, metrics={"ap": 0.7})
        run.child("trial 1", params={"width": 8}, metrics={"ap": 0.6})
        run.child("trial 0", params={}, metrics={}, tags={"pareto": "true"})
    experiment = [run.execution.experiment_id]
    (found,) = store.client.search_runs(experiment, filter_string="tags.pareto = 'true'")
    assert (found.info.run_name, found.data.metrics, found.info.status) == ("trial 0", {"ap": 0.7}, "FINISHED")
    assert len(store.client.search_runs(experiment, filter_string=f"tags.`{PARENT}` = '{run.run_id}'")) == 2


def test_a_file_is_kept_beside_the_run(store: Store, tmp_path: Path) -> None:
    (tmp_path / "fit-simple.txt").write_text("where the time went")
    with begin(store) as run:
        run.artifact(tmp_path / "fit-simple.txt")
    assert [file.path for file in store.client.list_artifacts(run.run_id)] == ["fit-simple.txt"]


def test_system_metrics_arrive_where_they_are_asked_for_and_nowhere_else(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.05")
    with begin(store) as plain:
        pass
    with begin(store, "tune", system_metrics=True) as watched:
        deadline = time.monotonic() + 60
        while not store.client.get_run(watched.run_id).data.metrics and time.monotonic() < deadline:
            time.sleep(0.05)
    measured = store.client.get_run(watched.run_id)
    assert 0 <= measured.data.metrics["system/cpu_utilization_percentage"] <= 100
    assert measured.data.metrics["system/system_memory_usage_megabytes"] > 0
    assert measured.info.status == "FINISHED"
    assert store.client.get_run(plain.run_id).data.metrics == {}
    assert not [thread for thread in threading.enumerate() if thread.name == "SystemMetricsMonitor"]


def test_more_figures_than_one_request_takes_all_arrive(store: Store) -> None:
    with begin(store) as run:
        for step in range(1203):
            run.log({"loss": 0.5, "ap": 0.6}, step=step)
    assert len(store.client.get_metric_history(run.run_id, "ap")) == 1203


def test_stages_of_one_execution_share_the_row(store: Store) -> None:
    with begin(store, "train") as train:
        pass
    with begin(store, "export") as export:
        pass
    assert train.execution == export.execution


@pytest.mark.parametrize(("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_a_stage_that_does_not_finish_says_so_on_its_run_and_row(
    error: type[BaseException], status: str, store: Store
) -> None:
    with pytest.raises(error), begin(store) as run:
        raise error
    assert store.client.get_run(run.run_id).info.status == status
    assert store.client.get_run(run.execution.run_id).info.status == status


def test_a_killed_stages_run_is_closed_when_the_stage_begins_again(store: Store) -> None:
    killed = begin(store)
    run = killed.__enter__()
    with begin(store) as again:
        assert unfinished(store, again.execution) == {again.run_id: "train"}
    assert store.client.get_run(run.run_id).info.status == "KILLED"
    killed.__exit__(None, None, None)


def test_a_store_that_goes_away_is_told_once_and_the_stage_goes_on(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_json(tmp_path / "train.json", {"val_ap": 0.9})
    with begin(store) as run:
        with closing(sqlite3.connect(store.folder / FILE)) as connection:
            connection.execute("ALTER TABLE runs RENAME TO gone")
        for trial in range(3):
            run.child(f"trial {trial}", params={}, metrics={"ap": 0.5})
        run.log({"loss": 0.5}, step=0)
        run.finish(tmp_path / "train.json")
    assert run.lost
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert told[0].startswith("factory train: warning: the MLflow store went away (")
    assert "dvc repro factory-record" in told[0]


def test_a_stage_without_its_metrics_file_is_told(store: Store, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"train\.json: expected a stage's metrics"), begin(store) as run:
        run.finish(tmp_path / "train.json")


def test_no_run_is_left_active_for_others_to_write_into(store: Store) -> None:
    import mlflow

    with begin(store) as run:
        assert isinstance(run, StageRun)
        assert mlflow.active_run() is None
