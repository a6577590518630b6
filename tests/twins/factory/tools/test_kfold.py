import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.twins.factory.exported import write_inputs
from twinloop import cli
from twinloop.tracking import execution
from twinloop.tracking.store import open_store
from twinloop.twins import configuration

OVERRIDES = (
    "profile=smoke",
    "factory.model.size_px=32",
    "factory.train.epochs=1",
    "factory.train.accelerator=cpu",
)
Kfold = Callable[..., int]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A project with composed parameters and a prepared dataset of 144 images of 72 parts."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(repository / "conf", folder / "conf")
    shutil.copy(repository / "dvc.yaml", folder)
    configuration.write(folder, OVERRIDES)
    write_inputs(folder)
    return folder


@pytest.fixture
def kfold(root: Path, monkeypatch: pytest.MonkeyPatch) -> Kfold:
    monkeypatch.chdir(root)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return lambda *arguments: cli.main(["kfold", "--workers", "1", *arguments])


def test_folds_are_printed_with_their_mean_and_kept_as_runs(
    kfold: Kfold, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kfold("--folds", "2", "--average-exposures") == 0
    first, second, mean = capsys.readouterr().out.splitlines()
    assert first.startswith("fold 1/2  AUROC 0.")
    assert second.startswith("fold 2/2")
    assert mean.startswith("mean of 2 folds: AUROC 0.")
    assert ", part AUROC 0." in mean
    assert mean.count(" ± ") == mean.count(",") + 1
    store = open_store(None, root)
    runs = store.client.search_runs([store.experiment("factory")])
    by_name = {run.info.run_name: run for run in runs}
    parent = by_name["kfold"]
    assert parent.info.status == "FINISHED"
    assert f"AUROC {parent.data.metrics['kfold_auroc']:.3f} ±" in mean
    for number in (1, 2):
        fold = by_name[f"fold {number}"]
        assert fold.data.tags[execution.PARENT] == parent.info.run_id
        assert {"auroc", "ap", "part_auroc"} <= set(fold.data.metrics)
    assert not [path.name for path in (root / ".twinloop/state").iterdir() if path.name.startswith("kfold")]


def test_a_finished_row_stays_finished_and_json_is_all_that_is_printed(
    kfold: Kfold, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = open_store(None, root)
    rows = store.client.search_runs([store.experiment("factory")], filter_string="tags.level = 'execution'")
    for row in rows:
        store.client.set_terminated(row.info.run_id)
    assert kfold("--folds", "2", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert [fold["number"] for fold in shown["folds"]] == [0, 1]
    assert set(shown["means"]["auroc"]) == {"mean", "half_width", "folds"}
    assert sum(fold["test_images"] for fold in shown["folds"]) == 144
    assert {store.client.get_run(row.info.run_id).info.status for row in rows} == {"FINISHED"}


def test_too_few_folds_are_wrong_use(kfold: Kfold, capsys: pytest.CaptureFixture[str]) -> None:
    assert kfold("--folds", "1") == 2
    assert "--folds 1: expected 2 or more" in capsys.readouterr().err


def test_more_folds_than_parts_are_wrong_use(kfold: Kfold, capsys: pytest.CaptureFixture[str]) -> None:
    assert kfold("--folds", "90") == 2
    assert "folds (independent parts), found 90" in capsys.readouterr().err
