"""The whole loop: what `make repro` leaves, and what a second run, a changed value or another machine does to it."""

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest
import yaml

from tests.conftest import run_in
from tests.pipeline.conftest import Loop, digests, outs
from tests.twins.fleet import conftest as of_fleet
from tests.twins.fleet import small_loop as small_fleet
from tests.twins.person import conftest as of_person
from tests.twins.person import small_loop as small_person
from tests.twins.stub import STUB_VERBS, install
from twinloop.files import read_json
from twinloop.reporting.front import PAGE
from twinloop.tracking.execution import PARENT
from twinloop.tracking.store import FOLDER, open_store
from twinloop.twins.factory import paths
from twinloop.twins.factory.twin import TWIN
from twinloop.twins.fleet import paths as fleet
from twinloop.twins.person import paths as person
from twinloop.twins.registry import TWINS, VERBS, chosen, find
from twinloop.twins.stage import STATE

fleet_root, person_root = of_fleet.fleet_root, of_person.person_root
# Measured time, which is never the same twice.
MEASURED = {str(fleet.LATENCY), str(person.LATENCY), str(person.PROFILE)}


def ran(output: str, twin: str = "factory") -> list[str]:
    """The stages of a twin that a `dvc repro` really ran, in order."""
    return re.findall(rf"Running stage '{twin}-(\w+)'", output)


def same(printed: str, twin: str) -> list[str]:
    """The stages of a twin that were found unchanged, sorted: of two that are apart DVC may take either first."""
    return sorted(re.findall(rf"^{twin} +(\w+) +unchanged", printed, re.MULTILINE))


def answer(clone: Path, twin: str) -> str:
    """What `make repro` prints last of a twin."""
    return f"{twin:<10} … {read_json(clone / 'reports/answers' / f'{twin}.json')['sentence']}\n"


def test_every_stage_tells_its_line_and_the_answer_comes_last(loop: Loop) -> None:
    printed = loop.first.stderr
    for twin in TWINS:
        for verb in VERBS:
            assert re.search(rf"^{twin} +{verb} .*\d\d:\d\d$", printed, re.MULTILINE), f"{twin} {verb}"
    assert read_json(loop.clone / paths.ANSWER)["sentence"] in loop.first.stdout
    assert loop.first.stdout == "".join(answer(loop.clone, twin) for twin in TWINS)
    assert f"Open reports/index.html: one front page, {len(TWINS)} answers" in printed
    assert "make ui" in printed
    assert "PROFILE=default" in printed.splitlines()[-1]


def test_every_declared_output_is_there(loop: Loop) -> None:
    for twin in chosen():
        for verb in VERBS[:-1]:
            assert read_json(loop.clone / twin.metrics(verb)), f"{twin.name} {verb}"
    index = pl.read_parquet(loop.clone / paths.DATASET / "index.parquet")
    assert {"image", "mask", "label", "group", "split", "sha256"} <= set(index.columns)
    for page in (PAGE, *(twin.index_page for twin in chosen())):
        assert (loop.clone / page).stat().st_size > 10_000, page
    for notebook in (loop.clone / "notebooks").glob("*/*.ipynb"):
        assert (loop.clone / "reports" / notebook.parent.name / f"{notebook.stem}.html").is_file(), notebook


@pytest.mark.parametrize("twin", TWINS)
def test_every_stage_was_run_by_the_command_that_its_help_shows(loop: Loop, twin: str) -> None:
    lock = yaml.load((loop.clone / "dvc.lock").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["stages"]
    for verb in VERBS:
        assert lock[f"{twin}-{verb}"]["cmd"] == f"PYTHONPATH=src {find(twin).stage(verb).EXAMPLE}"


@pytest.mark.parametrize("twin", TWINS)
def test_every_stage_of_a_loop_lies_below_one_row(loop: Loop, twin: str) -> None:
    store = open_store(None, loop.clone)
    runs = store.client.search_runs([store.experiment(twin)], order_by=["attributes.start_time ASC"])
    row = next(run for run in runs if run.data.tags["level"] == "execution")
    below = {run.data.tags["stage"] for run in runs if run.data.tags.get(PARENT) == row.info.run_id}
    assert below == set(VERBS)
    evaluated = read_json(loop.clone / find(twin).metrics("evaluate"))
    headlines = {name: key for name, (stage, key) in find(twin).columns.metrics.items() if stage == "evaluate"}
    measured = {name: evaluated[key] for name, key in headlines.items() if evaluated[key] is not None}
    assert measured
    assert {name: row.data.metrics[name] for name in measured} == measured


@pytest.mark.parametrize(
    ("twin", "stages"), [("fleet", small_fleet.STAGES), ("person", small_person.STAGES)], ids=["fleet", "person"]
)
def test_outputs_are_identical_with_one_and_two_workers_wherever_they_are_made(
    looped: Path, request: pytest.FixtureRequest, twin: str, stages: tuple[str, ...]
) -> None:
    """The loop had two, the twin's small loop one; of the factory test_chaos.py tells it."""
    made, alone = looped / "twinloop", request.getfixturevalue(f"{twin}_root")
    for verb in stages:
        compared = outs(made, twin, verb) - MEASURED
        assert compared
        assert digests(alone, compared) == digests(made, compared), verb


def test_a_second_run_finds_everything_unchanged(loop: Loop) -> None:
    again = loop.run("python", "-m", "twinloop", "repro")
    for twin in TWINS:
        assert same(again.stderr, twin) == sorted(VERBS)
    assert again.stdout == loop.first.stdout
    assert "Running stage" not in loop.run("dvc", "repro").stdout


def test_the_headlines_are_dvc_metrics_and_no_more_than_people_can_read(loop: Loop) -> None:
    shown = json.loads(loop.run("dvc", "metrics", "show", "--json").stdout)[""]["data"]
    assert set(shown) == {f"data/{twin}/metrics/report.json" for twin in TWINS}
    values = shown[str(paths.metrics("report"))]["data"]
    assert set(TWIN.columns.metrics) | {"results"} >= set(values) >= {"AP", "profit_per_day", "tardiness"}
    assert "epochs.csv" in loop.run("dvc", "plots", "show", "--json").stdout


def test_a_store_without_the_row_is_noticed_and_written_again(loop: Loop) -> None:
    shutil.rmtree(loop.clone / FOLDER)
    refused = loop.run("python", "-m", "twinloop", "serve", "--port", "5971", check=False)
    assert "nothing is recorded in .twinloop/mlflow/mlflow.db: run `make repro` first" in refused.stderr
    assert_written_again(loop, TWINS)


def test_a_team_s_store_without_the_row_gets_it(loop: Loop, tmp_path: Path) -> None:
    assert_written_again(loop, ("fleet",), address=f"sqlite:///{tmp_path}/team.db")


def assert_written_again(loop: Loop, twins: tuple[str, ...], *, address: str = "") -> None:
    """`repro` runs record alone, and the second time nothing; the store has every model."""
    chosen_one = () if twins == TWINS else twins
    remedied, unchanged = (
        loop.run("python", "-m", "twinloop", "repro", *chosen_one, MLFLOW_TRACKING_URI=address) for _ in range(2)
    )
    opened = open_store(address or None, loop.clone)
    for twin in twins:
        assert same(remedied.stderr, twin) == sorted(VERBS[:-1])
        assert same(unchanged.stderr, twin) == sorted(VERBS)
        for name in map(find(twin).registered, find(twin).models):
            assert opened.client.search_model_versions(f"name='{name}'"), name


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
    # The headlines lie in git; the rest is DVC's to fetch.
    outs = [
        loop.clone / out
        for stage in yaml.safe_load((loop.clone / "dvc.yaml").read_text(encoding="utf-8"))["stages"].values()
        for out in stage.get("outs", [])
        if isinstance(out, str)
    ]
    for out in outs:
        shutil.rmtree(out) if out.is_dir() else out.unlink()
    loop.run("dvc", "pull")
    assert all(out.exists() for out in outs)
    assert loop.run("dvc", "status").stdout.strip() in ("Data and pipelines are up to date.", "")
    assert "Running stage" not in loop.run("dvc", "repro").stdout


def test_every_twin_runs_and_the_front_page_shows_every_answer(loop: Loop, tmp_path: Path) -> None:
    house = tmp_path / "house"
    shutil.copytree(loop.clone, house, symlinks=True)
    install(house, "profile=smoke")
    done = run_in(house, "python", "-m", "twinloop", "repro")
    for twin in TWINS:
        assert same(done.stderr, twin) == sorted(VERBS)
    assert re.findall(r"^stub +(\w+) .*\d\d:\d\d$", done.stderr, re.MULTILINE) == list(STUB_VERBS)
    assert done.stdout == "".join(answer(house, twin) for twin in (*TWINS, "stub"))
    assert f"one front page, {len(TWINS) + 1} answers" in done.stderr
    page = (house / PAGE).read_text(encoding="utf-8")
    assert page.index('href="factory/index.html"') < page.index('href="stub/index.html"')
    # Plain DVC makes the same page.
    (house / PAGE).unlink()
    run_in(house, "dvc", "repro")
    assert (house / PAGE).read_text(encoding="utf-8") == page


def test_a_changed_figure_runs_the_report_and_only_the_notebooks_that_show_it(loop: Loop) -> None:
    module = loop.clone / "src/twinloop/reporting/figures/planning.py"
    before = module.read_text(encoding="utf-8")
    module.write_text(before + "\n# another look\n", encoding="utf-8")
    try:
        assert ran(loop.run("dvc", "repro", "factory-report").stdout) == ["report"]
        kept = loop.clone / STATE / "reports/factory/executed"
        newest = max(kept.glob("*.json"), key=lambda file: file.stat().st_mtime)
        assert newest.stem == "07_scheduling"
        others = [file.stat().st_mtime for file in kept.glob("*.json") if file != newest]
        assert max(others) < module.stat().st_mtime
    finally:
        module.write_text(before, encoding="utf-8")
    loop.run("dvc", "repro", "factory-report")
