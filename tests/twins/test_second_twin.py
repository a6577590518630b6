"""A second twin moves in: only its own package, conf group, notebook and stages are added, and the house has it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.conftest import run_in
from tests.twins.stub import STUB_VERBS, install
from twinloop.files import read_json
from twinloop.reporting.front import PAGE
from twinloop.tracking import view
from twinloop.tracking.store import open_store


@pytest.fixture(scope="module")
def clone(fresh_clone: Callable[[], Path]) -> Path:
    """A clone with the stub twin, in which `make repro TWIN=stub` has run; what that printed is in `printed`.

    Its lock knows of nothing else: DVC reads it slowly.
    """
    clone = fresh_clone()
    (clone / "dvc.lock").unlink()
    install(clone)
    run_in(clone, "python", "-m", "tests.code_dependencies")
    done = run_in(clone, "python", "-m", "twinloop", "repro", "stub")
    (clone / "printed").write_text(done.stdout + done.stderr)
    return clone


def twinloop(clone: Path, *arguments: str, status: int = 0) -> str:
    done = run_in(clone, "python", "-m", "twinloop", *arguments, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def test_the_command_line_lists_its_stages_and_its_tool(clone: Path) -> None:
    shown = twinloop(clone)
    assert re.search(r"^  stub +prepare simulate report record$", shown, re.MULTILINE)
    assert re.search(r"^  toss +Say what betting on heads has earned\.$", shown, re.MULTILINE)
    listed = twinloop(clone, "stub").splitlines()
    assert [line.split()[0] for line in listed if line.startswith("  ")] == [*STUB_VERBS, "toss"]


def test_a_stage_that_it_does_not_have_is_one_line(clone: Path) -> None:
    message = twinloop(clone, "stub", "train", status=2)
    assert message == "stub: has no stage 'train'; stages: prepare, simulate, report, record; tools: toss\n"


def test_one_twin_runs_alone_and_its_answer_is_printed_and_on_the_front_page(clone: Path) -> None:
    printed = (clone / "printed").read_text()
    sentence = read_json(clone / "reports/answers/stub.json")["sentence"]
    assert f"stub       … {sentence}\n" in printed
    assert re.findall(r"^(\w+) +(\w+) .*\d\d:\d\d$", printed, re.MULTILINE) == [("stub", verb) for verb in STUB_VERBS]
    assert f"Open {PAGE}: one front page, 1 answer," in printed
    page = (clone / PAGE).read_text()
    assert sentence in page
    assert 'href="stub/index.html"' in page
    assert "factory/index.html" not in page
    assert sentence in (clone / "reports/stub/index.html").read_text()
    assert "Tosses of a coin" in (clone / "reports/stub/01_tosses.html").read_text()


def test_its_row_in_mlflow_holds_its_own_columns_and_its_page_shows_them(clone: Path) -> None:
    store = open_store(None, clone)
    experiment = store.experiment("stub")
    (row,) = store.client.search_runs([experiment], filter_string=f"tags.{view.LEVEL} = '{view.EXECUTION}'")
    assert row.data.metrics["heads"] == pytest.approx(0.75, abs=0.1)
    assert row.data.metrics["gain_per_toss"] == row.data.metrics["simulate.gain"]
    assert row.data.params["coin"] == "0.75"
    shown = store.client.get_experiment(experiment).tags[view.VIEW]
    assert "metrics.`gain_per_toss`" in shown
    assert "metrics.`AP`" not in shown
    stages = store.client.search_runs([experiment], filter_string=f"tags.{view.LEVEL} = '{view.STAGE}'")
    assert {run.info.run_name for run in stages} == set(STUB_VERBS)


def test_nothing_of_it_runs_again_without_a_change(clone: Path) -> None:
    repeated = run_in(clone, "python", "-m", "twinloop", "repro", "stub")
    assert re.findall(r"stub +(\w+) +unchanged", repeated.stderr) == list(STUB_VERBS)


def test_its_tool_is_called_with_and_without_its_name_and_speaks_of_params(clone: Path) -> None:
    sentence = read_json(clone / "reports/answers/stub.json")["sentence"]
    assert twinloop(clone, "stub", "toss") == twinloop(clone, "toss") == f"{sentence}\n"
    for call in (["stub", "toss"], ["toss"]):
        message = twinloop(clone, *call, "--tosses", "0", status=2)
        assert message == "toss: stub.data.tosses = 0: expected 1 or more\n"


def test_a_tool_that_two_twins_have_asks_for_the_twin(clone: Path) -> None:
    twice = clone / "src/twinloop/twins/stub/tools/predict.py"
    twice.write_text((twice.parent / "toss.py").read_text())
    try:
        message = twinloop(clone, "predict", status=2)
        assert "`python -m twinloop factory predict` or `python -m twinloop stub predict`" in message
        assert twinloop(clone, "stub", "predict").startswith("Betting on heads")
    finally:
        twice.unlink()


def test_an_error_of_its_stage_names_the_setting_as_params_do(clone: Path) -> None:
    params = clone / "params.yaml"
    before = params.read_text()
    changed = yaml.safe_load(before)
    changed["stub"]["data"]["tosses"] = 1
    params.write_text(yaml.safe_dump(changed, sort_keys=False))
    try:
        twinloop(clone, "stub", "prepare")
        message = twinloop(clone, "stub", "simulate", status=2)
        assert message == "simulate: stub.data.tosses = 1: expected 2 or more\n"
    finally:
        params.write_text(before)
        twinloop(clone, "stub", "prepare")


def test_doctor_looks_at_one_twin_or_at_all(clone: Path) -> None:
    assert "stub data" in twinloop(clone, "doctor", "stub")
    assert "factory data" not in twinloop(clone, "doctor", "stub")
    everything = twinloop(clone, "doctor")
    assert "stub data" in everything
    assert "factory data" in everything


def test_make_clean_takes_one_twins_outputs_and_leaves_the_others_and_the_headlines(clone: Path) -> None:
    (clone / "data/factory/dataset").mkdir(parents=True, exist_ok=True)
    (clone / "data/factory/dataset/image.png").touch()
    run_in(clone, "make", "clean", "TWIN=stub")
    assert [path.name for path in (clone / "data/stub").rglob("*") if path.is_file()] == ["report.json"]
    assert not (clone / "reports/answers/stub.json").exists()
    assert (clone / "data/factory/dataset").is_dir()
    run_in(clone, "make", "clean")
    assert not (clone / "data/factory/dataset").exists()
