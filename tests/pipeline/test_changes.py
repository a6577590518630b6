"""Every block of README that changes the configuration is run in README's order, in a copy of the loop."""

import csv
import shutil
from pathlib import Path

import pytest

from tests.pipeline.conftest import PEOPLE, Loop
from tests.pipeline.readme import CHANGING_BLOCKS, SERVERS, assert_answers, assert_ran, run

FIRST_STAGE = {
    "make repro": "dvc repro factory-prepare",
    "make repro TWIN=fleet": "dvc repro fleet-prepare",
    "make repro TWIN=person": "dvc repro person-prepare",
}


@pytest.fixture
def changed(used: Loop, tmp_path: Path) -> Path:
    """A copy of the loop for commands that change the configuration."""
    copy = tmp_path / "twinloop"
    shutil.copytree(used.clone, copy, symlinks=True)
    # README introduces them.
    shutil.rmtree(copy / PEOPLE)
    run(copy, "git add -A")
    run(copy, "git commit -q --allow-empty -m smoke")
    return copy


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("commands", CHANGING_BLOCKS, ids=lambda commands: commands[0])
def test_what_changes_the_configuration_runs_in_readmes_order(
    changed: Path, commands: list[str], tmp_path: Path
) -> None:
    for command in commands:
        if command.startswith(SERVERS):
            assert_answers(changed, command, tmp_path / "said")
            continue
        if "--say" in command and shutil.which("flite") is None:
            continue
        # Of `make repro` the first stage reads the data; a changed loop is run whole by the experiments.
        assert_ran(run(changed, FIRST_STAGE.get(command, command)))
    if "dvc exp run --run-all" in commands:
        shown = list(csv.DictReader(run(changed, "dvc exp show --csv").stdout.splitlines()))
        assert {"AP", "profit_per_day", "tardiness"} <= {column.rpartition(":")[2] for column in shown[0]}
        assert not any("Failed" in str(row) or "Queued" in str(row) for row in shown)
        # In the workspace and from the queue alike, what was chosen before holds.
        made = [row for row in shown if row["Experiment"]]
        assert sorted(row["factory.evaluate.line_defect_rate"] for row in made) == ["0.01", "0.03"]
        assert {(row["profile"], row["factory.schedule.replications"]) for row in made} == {("smoke", "400")}
