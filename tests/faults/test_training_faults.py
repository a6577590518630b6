"""Training and tuning that are killed, starved, changed or fed with the wrong files."""

import dataclasses
import os
import pickle
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from tests.learning import objectives
from tests.twins.factory.trained import prepared, stage
from twinloop import cli
from twinloop.errors import InputError, RunError
from twinloop.files import read_json, write_json
from twinloop.learning.fit import newest_checkpoint
from twinloop.search_space import Dimension
from twinloop.twins.factory import paths, train
from twinloop.twins.stage import STATE
from twinloop.vision.index import INDEX_FILE, load_images
from twinloop.vision.models.saving import load_detector
from twinloop.vision.models.settings import SearchSpace
from twinloop.vision.training.fitting import train_detector
from twinloop.vision.training.losses import DetectorLoss

EPOCHS = 12
RESULTS = (paths.DETECTOR / "weights.safetensors", paths.EPOCHS, paths.metrics("train"))


def _wait_for(what: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _start(repository: Path, *command: str) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(repository / "src"), str(repository)])
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=repository,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def _states(root: Path) -> list[Path]:
    return sorted((root / STATE).glob("factory-train-*"))


def _epochs_done(root: Path) -> int:
    return max((int(path.name[:5]) + 1 for path in (root / STATE).glob("*/*.ckpt")), default=0)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = prepared(tmp_path_factory.mktemp("uninterrupted"))
    train.run(stage(root, fit={"epochs": EPOCHS, "patience": EPOCHS}))
    return root


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A root whose training was killed by SIGKILL in an epoch after the third."""
    root = prepared(tmp_path_factory.mktemp("cut_off"))
    process = _start(repository, "tests.twins.factory.trained", str(root), str(EPOCHS))
    _wait_for(lambda: _epochs_done(root) >= 3, process)
    _kill(process)
    assert process.returncode == -signal.SIGKILL
    assert not (root / paths.EPOCHS).exists()
    return root


@pytest.fixture
def killed(cut_off: Path, tmp_path: Path) -> Path:
    """A copy of it to go on with."""
    return shutil.copytree(cut_off, tmp_path / "killed")


def _assert_same_results(root: Path, expected: Path) -> None:
    for path in RESULTS:
        assert (root / path).read_bytes() == (expected / path).read_bytes(), path


def test_1_a_killed_training_goes_on_to_the_same_result(
    killed: Path, uninterrupted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train.run(stage(killed, fit={"epochs": EPOCHS, "patience": EPOCHS}))
    assert "going on after epoch" in capsys.readouterr().err
    _assert_same_results(killed, uninterrupted)
    assert not _states(killed)


def test_2_changed_parameters_ignore_the_old_state(killed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (old,) = _states(killed)
    train.run(stage(killed, fit={"epochs": EPOCHS, "patience": EPOCHS, "learning_rate": 0.001}))
    assert "going on" not in capsys.readouterr().err
    assert read_json(killed / paths.metrics("train"))["epochs"] == EPOCHS
    assert _states(killed) == [old]


def test_3_a_checkpoint_cut_off_while_written_falls_back_to_the_one_before(
    killed: Path, uninterrupted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = newest_checkpoint(_states(killed)[0])
    assert newest is not None
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    train.run(stage(killed, fit={"epochs": EPOCHS, "patience": EPOCHS}))
    assert f"{newest}: damaged" in capsys.readouterr().err
    _assert_same_results(killed, uninterrupted)


def test_4_one_of_three_machines_killed_costs_no_trial(tmp_path: Path, repository: Path) -> None:
    (marks := tmp_path / "marks").mkdir()
    storage = f"sqlite:///{tmp_path / 'shared.db'}"
    command = ("tests.learning.objectives", str(tmp_path / "study.db"), str(marks), storage)
    workers = [_start(repository, *command) for _ in range(3)]
    _wait_for(lambda: bool(list(marks.glob(f"{workers[0].pid}.*"))), workers[0])
    _kill(workers[0])
    results = [worker.communicate(timeout=120) for worker in workers[1:]]
    assert [worker.returncode for worker in workers[1:]] == [0, 0], results
    assert [out.count("'kind'") for out, _ in results] == [8, 8]
    assert results[0][0] == results[1][0]
    with sqlite3.connect(tmp_path / "shared.db") as connection:
        dead, retried = (
            set(connection.execute(f"select param_name, param_value from trial_params where {chosen}"))
            for chosen in (
                "trial_id in (select trial_id from trials where state = 'FAIL')",
                "trial_id in (select trial_id from trial_system_attributes where key = 'failed_trial')",
            )
        )
    connection.close()
    assert retried
    assert retried <= dead


def test_4_a_killed_study_goes_on_to_the_same_result(
    tmp_path: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (marks := tmp_path / "marks").mkdir()
    process = _start(repository, "tests.learning.objectives", str(tmp_path / "killed.db"), str(marks))
    _wait_for(lambda: len(list(marks.iterdir())) >= 4, process)
    _kill(process)
    resumed = objectives.run(objectives.hill, tmp_path / "killed.db")
    whole = objectives.run(objectives.hill, tmp_path / "whole.db")
    assert [(trial.values, trial.scores) for trial in resumed.trials] == [
        (trial.values, trial.scores) for trial in whole.trials
    ]
    assert "of a run that was cut off, 2 are tried again" in capsys.readouterr().err


def test_5_a_changed_search_space_is_a_new_study_and_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    objectives.run(objectives.hill, tmp_path / "study.db", trials=2)
    narrower = objectives.SPACE | {"depth": Dimension(kind="int", low=1, high=2)}
    found = objectives.run(objectives.hill, tmp_path / "study.db", trials=2, space=narrower)
    assert [trial.number for trial in found.trials] == [0, 1]
    assert "the search space or what it searches on changed" in capsys.readouterr().err


def test_29_a_loss_that_becomes_nan_stops_with_the_last_good_checkpoint(tmp_path: Path) -> None:
    root = prepared(tmp_path)
    # A rate that rises to 1e9 over the last epochs: the first ones still go well.
    wild = {"learning_rate": 1e9, "gradient_clip": 0.0, "warmup": 0.9, "epochs": 40}
    with pytest.raises(
        RunError, match=r"the loss is not a finite number in epoch \d+.*lower the learning rate"
    ) as told:
        train.run(stage(root, fit=wild))
    assert told.value.exit_code == 1
    assert not (root / paths.metrics("train")).exists()
    assert not (root / paths.EPOCHS).exists()


def test_29_epochs_before_the_nan_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = prepared(tmp_path)
    whole = DetectorLoss.forward

    def broken(self: DetectorLoss, *outputs: torch.Tensor, **truth: torch.Tensor) -> torch.Tensor:
        # 72 training images in batches of 16: four steps an epoch.
        counted.append(1)
        loss = whole(self, *outputs, **truth)
        return loss * float("nan") if self.training and sum(counted) > 12 else loss

    counted: list[int] = []
    monkeypatch.setattr(DetectorLoss, "forward", broken)
    with pytest.raises(RunError, match=r"in epoch \d; the state after epoch \d is kept in .*factory-train-"):
        train.run(stage(root))
    (state,) = _states(root)
    kept = newest_checkpoint(state)
    assert kept is not None
    weights = torch.load(kept, weights_only=True)["state_dict"]
    assert all(value.isfinite().all() for value in weights.values())


def test_29_the_command_ends_with_status_1_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = prepared(tmp_path)

    def run(*_: object) -> None:
        train.run(stage(root, fit={"learning_rate": 1e9, "gradient_clip": 0.0, "epochs": 40}))

    monkeypatch.setattr(cli, "_dispatch", run)
    assert cli.main(["factory", "train"]) == 1
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith("train: the loss is not a finite number")


def test_a_validation_without_defects_is_shown_pasted_ones_and_gives_no_figures_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = prepared(tmp_path)
    index = root / paths.DATASET / INDEX_FILE
    frame = pl.read_parquet(index)
    frame.filter((pl.col("split") != "val") | (pl.col("label") == "good")).write_parquet(index)
    assert "no defect to validate on" in train.run(stage(root, fit={"epochs": 2}))
    assert "defects are pasted onto the validation images to choose the epoch by" in capsys.readouterr().err
    assert read_json(root / paths.metrics("train"))["val_auroc"] is None


def test_a_class_with_one_sample_is_trained_on(tmp_path: Path) -> None:
    root = prepared(tmp_path)
    index = root / paths.DATASET / INDEX_FILE
    frame = pl.read_parquet(index)
    dents = frame.filter((pl.col("label") == "dent") & (pl.col("split") == "train"))
    kept = (pl.col("label") != "dent") | (pl.col("image") == dents["image"][0])
    frame.filter(kept).write_parquet(index)
    train.run(stage(root, fit={"epochs": 1, "balance": "classes", "class_weights": "inverse"}))
    assert load_detector(root / paths.DETECTOR).classes == ("good", "dent", "spot")
    assert "val_recall_dent" not in read_json(root / paths.metrics("train"))


def test_31_a_state_of_another_architecture_is_refused_and_kept(tmp_path: Path) -> None:
    root = prepared(tmp_path)
    factory = stage(root, fit={"epochs": 1}).config.factory
    narrow = dataclasses.replace(factory.model, space=SearchSpace())
    sets: dict[str, Any] = {
        name: load_images(root / paths.DATASET, split, size=32, channels=1)
        for name, split in (("images", "train"), ("validation", "val"))
    }
    train_detector(narrow, factory.train, factory.augmentation, **sets, seed=3, state=tmp_path / "state")
    foreign = newest_checkpoint(tmp_path / "state")
    wide = dataclasses.replace(narrow, decoder_width=16)
    with pytest.raises(InputError, match=r"a checkpoint of another model: \d+ weights differ.*to start afresh"):
        train_detector(wide, factory.train, factory.augmentation, **sets, seed=3, state=tmp_path / "state")
    assert newest_checkpoint(tmp_path / "state") == foreign


def test_31_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    root = prepared(tmp_path)
    described = root / paths.DETECTOR / "model.json"
    content = read_json(described)
    content["settings"]["decoder_width"] = 32
    write_json(described, content)
    with pytest.raises(InputError, match=r"do not fit together .*train again"):
        load_detector(root / paths.DETECTOR)


class Gadget:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.marker,)


def test_31_a_pickled_or_foreign_detector_is_refused_without_running_it(tmp_path: Path) -> None:
    root, marker = prepared(tmp_path), tmp_path / "executed"
    weights = root / paths.DETECTOR / "weights.safetensors"
    weights.write_bytes(pickle.dumps(Gadget(marker)))
    with pytest.raises(InputError, match="pickled checkpoints are refused"):
        load_detector(root / paths.DETECTOR)
    torch.save({"state_dict": {"weight": torch.zeros(1)}}, weights)
    with pytest.raises(InputError, match="pickled checkpoints are refused"):
        load_detector(root / paths.DETECTOR)
    assert not marker.exists()
