"""What was used is what is recorded: an edit while a stage runs stops the stage, through the real dvc too."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import run_in
from twinloop.errors import RunError
from twinloop.twins.inputs import Inputs

PIPELINE = """stages:
  plant-train:
    cmd: 'true'
    deps:
      - src
      - ${plant.source}
    params:
      - seed
      - plant.train
"""
PARAMS = "seed: 1\nother: 1\nplant:\n  source: images\n  train:\n    epochs: 3\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "dvc.yaml": PIPELINE,
        "params.yaml": PARAMS,
        "src/model.py": "a = 1\n",
        "src/__pycache__/model.pyc": "x",
        "images/good/1.png": "pixels",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("params.yaml", "epochs: 3", "epochs: 4", "params.yaml: plant.train"),
        ("params.yaml", "seed: 1", "seed: [", "params.yaml"),
        ("src/model.py", "a = 1", "a = 2", "src/model.py"),
        ("images/good/1.png", "pixels", "Pixels", "images/good/1.png"),
    ],
)
def test_an_edit_while_the_stage_runs_is_named(root: Path, name: str, old: str, new: str, told: str) -> None:
    inputs = Inputs.of(root, "plant-train")
    edit(root / name, old, new)
    with pytest.raises(RunError, match=rf"^plant-train: {told} changed while the stage ran"):
        inputs.require_unchanged()


def test_a_file_that_comes_or_goes_while_the_stage_runs_is_named(root: Path) -> None:
    inputs = Inputs.of(root, "plant-train")
    (root / "images/good/1.png").rename(root / "images/good/2.png")
    assert inputs.changes() == ["images/good/1.png", "images/good/2.png"]


def test_an_edit_that_keeps_size_and_time_of_modification_is_noticed(root: Path) -> None:
    image = root / "images/good/1.png"
    os.utime(image, ns=(10**18, 10**18))
    inputs = Inputs.of(root, "plant-train")
    image.write_text("Pixels", encoding="utf-8")
    os.utime(image, ns=(10**18, 10**18))
    assert inputs.changes() == ["images/good/1.png"]


def test_what_the_stage_does_not_read_and_what_only_looks_changed_may_move(root: Path) -> None:
    inputs = Inputs.of(root, "plant-train")
    edit(root / "params.yaml", "other: 1", "other: 2")
    (root / "src/__pycache__/model.pyc").write_text("compiled", encoding="utf-8")
    (root / "src/model.py").touch()
    edit(root / "images/good/1.png", "pixels", "pixels")
    inputs.require_unchanged()


def test_a_file_beyond_what_is_read_is_known_by_its_times(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twinloop.twins.inputs.READ_AT_MOST", 0)
    inputs = Inputs.of(root, "plant-train")
    inputs.require_unchanged()
    time.sleep(0.01)
    edit(root / "images/good/1.png", "pixels", "Pixels")
    assert inputs.changes() == ["images/good/1.png"]


def test_dvc_locks_nothing_of_a_stage_whose_code_was_edited_while_it_ran(fresh_clone: Callable[[], Path]) -> None:
    clone = fresh_clone()
    # The stage itself edits its own module when it is done, as a person would in another window.
    edit(
        clone / "src/twinloop/twins/factory/prepare.py",
        "    defects = len(class_names(prepared.index)) - 1\n",
        "    with open(__file__, 'a') as own:\n        own.write('# edited')\n"
        "    defects = len(class_names(prepared.index)) - 1\n",
    )
    run_in(clone, "python", "-m", "twinloop", "conf", "profile=smoke")
    lock = (clone / "dvc.lock").read_text(encoding="utf-8")
    stopped = run_in(clone, "dvc", "repro", "factory-prepare", check=False)
    told = stopped.stdout + stopped.stderr
    assert stopped.returncode != 0
    assert "factory-prepare: src/twinloop/twins/factory/prepare.py changed while the stage ran" in told
    after = (clone / "dvc.lock").read_text(encoding="utf-8")
    assert lock[lock.index("factory-prepare") :] == after[after.index("factory-prepare") :]
