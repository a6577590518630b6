"""What a stage reads is what was made: altered files are named, a bad object leaves the cache, the remedy works."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import environment
from twinloop import outputs
from twinloop.errors import RunError

PIPELINE = """
stages:
  plant-make:
    cmd: mkdir -p out/a && echo one > out/a/x && echo two > out/a-b && echo three > out/y && echo {} > out.json
    outs: [out, out.json]
  plant-use:
    cmd: cat out/a/x out.json > used
    deps: [out, out.json]
    outs: [used]
  plant-record:
    cmd: echo recorded
    deps: [used]
"""


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """A pipeline that has run."""
    root = tmp_path / "plant"
    root.mkdir()
    (root / "dvc.yaml").write_text(PIPELINE)
    (root / ".dvcignore").write_text("*.pyc\n.ipynb_checkpoints\n")
    shell(root, "git init -q && dvc init -q && dvc repro")
    return root


def shell(root: Path, command: str) -> str:
    done = subprocess.run(command, cwd=root, env=environment(root), shell=True, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_was_made_passes_with_what_dvc_ignores_beside_it(plant: Path) -> None:
    (plant / "out/.ipynb_checkpoints").mkdir()
    (plant / "out/.ipynb_checkpoints/x").write_text("kept by an editor")
    outputs.verify(plant, "plant-use", main=plant)
    outputs.verify(plant, "plant-make", main=plant)


def test_an_object_altered_in_the_cache_is_named_removed_and_made_again_by_the_remedy(plant: Path) -> None:
    altered = plant / outputs.CACHE / (name := outputs.md5(plant / "out/a/x"))[:2] / name[2:]
    altered.chmod(0o644)
    altered.write_text("altered")
    shell(plant, "rm -r out && dvc checkout")
    assert (plant / "out/a/x").read_text() == "altered", "DVC hands it out unread"
    with pytest.raises(RunError) as caught:
        outputs.verify(plant, "plant-use", main=plant)
    line = str(caught.value)
    assert line.startswith("out/a/x: not what plant-make made (1 bad in the cache of DVC, removed): run `rm -r out`")
    shell(plant, "rm -r out && dvc repro")
    outputs.verify(plant, "plant-use", main=plant)
    assert (plant / "out/a/x").read_text() == "one\n"


@pytest.mark.parametrize("change", ["echo x > out/y", "echo x > out/new", "rm out/y"])
def test_a_file_changed_added_or_missing_in_a_folder_is_named(change: str, plant: Path) -> None:
    shell(plant, change)
    with pytest.raises(RunError, match=r"^out/(y|new): not what plant-make made: run `rm -r out`"):
        outputs.verify(plant, "plant-use", main=plant)


def test_a_changed_single_file_is_named(plant: Path) -> None:
    (plant / "out.json").write_text("[]")
    with pytest.raises(RunError, match=r"^out\.json: not what plant-make made"):
        outputs.verify(plant, "plant-use", main=plant)


def test_the_digest_is_of_all_that_the_stages_made_and_of_nothing_else(plant: Path) -> None:
    before = outputs.digest(plant, "plant")
    shell(plant, "dvc repro --force plant-record --single-item")
    assert outputs.digest(plant, "plant") == before
    assert outputs.digest(plant, "fleet") != before
    (plant / "dvc.yaml").write_text(PIPELINE.replace("three", "four"))
    shell(plant, "dvc repro")
    assert outputs.digest(plant, "plant") != before


def test_before_anything_ran_there_is_nothing_to_verify(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    outputs.verify(tmp_path, "plant-use", main=tmp_path)
