"""The whole loop: what `make repro` leaves, and what a second run, a changed value or another machine does to it."""

import re
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from tests.pipeline.conftest import Loop
from twinloop.files import read_json
from twinloop.tracking.store import FOLDER, open_store
from twinloop.twins.factory import paths
from twinloop.twins.registry import VERBS


def ran(output: str) -> list[str]:
    """The factory stages that a `dvc repro` really ran, in order."""
    return re.findall(r"Running stage 'factory-(\w+)'", output)


def test_every_stage_tells_its_line_and_the_answer_comes_last(loop: Loop) -> None:
    told = loop.first.stderr
    for verb in VERBS:
        assert re.search(rf"^factory +{verb} .*\d\d:\d\d$", told, re.MULTILINE), verb
    answer = read_json(loop.clone / paths.ANSWER)["sentence"]
    assert loop.first.stdout.strip() == answer
    assert "reports/index.html" in told
    assert "make ui" in told
    assert "PROFILE=default" in told.splitlines()[-1]


def test_every_declared_output_is_there(loop: Loop) -> None:
    for verb in VERBS[:-1]:
        assert read_json(loop.clone / paths.metrics(verb)), verb
    index = pl.read_parquet(loop.clone / paths.DATASET / "index.parquet")
    assert {"image", "mask", "label", "group", "split", "sha256"} <= set(index.columns)
    assert (loop.clone / paths.INDEX_PAGE).stat().st_size > 10_000
    assert len(list((loop.clone / paths.REPORTS).glob("0*.html"))) >= 7


def test_a_second_run_finds_everything_unchanged(loop: Loop) -> None:
    again = loop.run("python", "-m", "twinloop", "repro", "factory")
    assert re.findall(r"factory +(\w+) +unchanged", again.stderr) == list(VERBS)
    assert again.stdout == loop.first.stdout
    assert ran(loop.run("dvc", "repro").stdout) == []


def test_the_metrics_of_all_stages_are_dvc_metrics(loop: Loop) -> None:
    shown = loop.run("dvc", "metrics", "show", "--json").stdout
    for figure in ("profit_per_day", "auroc", "tardiness"):
        assert f'"{figure}"' in shown
    assert "epochs.csv" in loop.run("dvc", "plots", "show", "--json").stdout


def test_a_store_without_the_row_is_noticed_and_written_again(loop: Loop, tmp_path: Path) -> None:
    store = loop.clone / FOLDER
    for address in ("", f"sqlite:///{tmp_path}/team.db"):
        if not address:
            shutil.rmtree(store)
            refused = loop.run("python", "-m", "twinloop", "serve", "--port", "5971", check=False)
            assert "nothing is recorded in .twinloop/mlflow/mlflow.db: run `make repro` first" in refused.stderr
        remedied = loop.run("python", "-m", "twinloop", "repro", "factory", MLFLOW_TRACKING_URI=address)
        assert re.findall(r"factory +(\w+) +unchanged", remedied.stderr) == list(VERBS[:-1])
        opened = open_store(address or None, loop.clone)
        assert opened.client.search_model_versions("name='factory-detector'")
        unchanged = loop.run("python", "-m", "twinloop", "repro", "factory", MLFLOW_TRACKING_URI=address)
        assert re.findall(r"factory +(\w+) +unchanged", unchanged.stderr) == list(VERBS)


def test_an_altered_image_is_named_before_it_is_trained_on(loop: Loop) -> None:
    index = pl.read_parquet(loop.clone / paths.DATASET / "index.parquet")
    image = loop.clone / paths.DATASET / index.filter(split="test")["image"][0]
    original = image.read_bytes()
    altered = bytearray(original)
    altered[len(altered) // 2] ^= 0xFF
    # DVC may share the file with its cache: replace it instead of writing into it.
    image.unlink()
    image.write_bytes(bytes(altered))
    try:
        stopped = loop.run("python", "-m", "twinloop", "factory", "evaluate", check=False)
    finally:
        image.write_bytes(original)
    assert stopped.returncode == 1
    assert image.name in stopped.stderr.splitlines()[-1]


def test_a_changed_schedule_parameter_reruns_only_what_reads_it(loop: Loop) -> None:
    params = loop.clone / "params.yaml"
    before = params.read_text(encoding="utf-8")
    changed = yaml.safe_load(before)
    changed["factory"]["schedule"]["replications"] += 1
    params.write_text(yaml.safe_dump(changed, sort_keys=False), encoding="utf-8")
    try:
        assert ran(loop.run("dvc", "repro").stdout) == ["schedule", "report", "record"]
    finally:
        params.write_text(before, encoding="utf-8")
    # Going back costs nothing: the run cache has it. Only record, which has no outs, runs again.
    assert ran(loop.run("dvc", "repro").stdout) == ["record"]


def test_push_and_pull_carry_the_whole_state(loop: Loop, tmp_path: Path) -> None:
    loop.run("dvc", "remote", "add", "--local", "--default", "folder", str(tmp_path / "remote"))
    loop.run("dvc", "push")
    shutil.rmtree(loop.clone / ".dvc/cache")
    for folder in ("data/factory", "models/factory", "reports/factory"):
        shutil.rmtree(loop.clone / folder)
    loop.run("dvc", "pull")
    assert loop.run("dvc", "status").stdout.strip() in ("Data and pipelines are up to date.", "")
    assert ran(loop.run("dvc", "repro").stdout) == []


def test_two_queued_experiments_run_and_show_their_figures(loop: Loop) -> None:
    loop.run("git", "add", "-A")
    loop.run("git", "commit", "-q", "--allow-empty", "-m", "smoke run")
    for weight in (1, 2):
        override = f"factory.schedule.replications={3 + weight}"
        loop.run("dvc", "exp", "run", "--queue", "--name", f"queued-{weight}", "-S", "profile=smoke", "-S", override)
    loop.run("dvc", "exp", "run", "--run-all", "--jobs", "1")
    shown = loop.run("dvc", "exp", "show", "--csv").stdout
    rows = [line for line in shown.splitlines() if "queued-" in line]
    assert len(rows) == 2
    assert "tardiness" in shown.splitlines()[0]
    assert all("Failed" not in row and "Queued" not in row for row in rows)


# The last one: what it leaves holds other measured times than the report was made of.
@pytest.mark.parametrize("stage", ["tune", "train", "evaluate", "simulate", "schedule"])
def test_outputs_are_identical_with_one_and_two_workers(loop: Loop, stage: str) -> None:
    def outputs() -> list[dict[str, Any]]:
        lock = yaml.safe_load((loop.clone / "dvc.lock").read_text(encoding="utf-8"))
        found: list[dict[str, Any]] = lock["stages"][f"factory-{stage}"]["outs"]
        return [out for out in found if out["path"] != str(paths.INCUMBENTS)]

    with_two = outputs()
    loop.run("dvc", "repro", "--single-item", "--force", f"factory-{stage}", TWINLOOP_WORKERS="1")
    assert outputs() == with_two
