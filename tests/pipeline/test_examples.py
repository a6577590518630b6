"""Every command that README and --help show is run after a smoke run, as a user would; one that is new fails here.

Those that change the configuration have a file of their own, test_changes.py.
"""

from pathlib import Path

import pytest
import yaml

from tests.pipeline.conftest import Loop
from tests.pipeline.readme import (
    COMMANDS,
    FOR_A_TEAM,
    SERVERS,
    SHOWN_ONLY,
    assert_answers,
    assert_ran,
    run,
    without_port,
)
from twinloop.files import sha256
from twinloop.twins.person import paths
from twinloop.twins.registry import chosen, find

STAGES = {twin.stage(verb).EXAMPLE: (twin.name, verb) for twin in chosen() for verb in twin.verbs}
# Simulate reads what export and evaluate measure of time: it comes before them, or it would read other times than the
# loop's.
COMPARED = ("prepare", "tune", "train", "simulate", "schedule", "evaluate")
# The loop has run every stage by the command that its help shows (test_loop.py), and test_chaos.py ends the factory's
# with one worker; by hand, and with one worker, those of the other twins are run.
BY_HAND = [
    find(twin).stage(verb).EXAMPLE
    for twin in ("fleet", "person")
    for verb in (*COMPARED, *(verb for verb in find(twin).verbs if verb not in COMPARED))
]
# Measured time, which is never the same twice.
MEASURED = {str(paths.PROFILE)}


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if not c.startswith((*FOR_A_TEAM, *SERVERS)) and c not in STAGES]
)
def test_the_command_runs_after_a_smoke_run(used: Loop, command: str) -> None:
    if "--example" in command:
        # The fixture has made it for the others.
        (used.clone / command.split()[-1]).unlink(missing_ok=True)
    assert_ran(run(used.clone, command.replace("make ", "make -n ") if command in SHOWN_ONLY else command))


@pytest.mark.parametrize("command", dict.fromkeys(without_port(c) for c in COMMANDS if c.startswith(SERVERS)))
def test_the_server_answers(used: Loop, command: str, tmp_path: Path) -> None:
    assert_answers(used.clone, command, tmp_path / "said")


@pytest.mark.parametrize("command", BY_HAND)
def test_a_stage_by_hand_with_one_worker_makes_what_the_loop_made_with_two(used: Loop, command: str) -> None:
    twin, verb = STAGES[command]
    assert_ran(run(used.clone, command, TWINLOOP_WORKERS="1"))
    if verb in COMPARED:
        lock = yaml.load((used.made / "dvc.lock").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        outs = {out["path"] for out in lock["stages"][f"{twin}-{verb}"]["outs"]} - MEASURED
        assert outs
        assert digests(used.clone, outs) == digests(used.made, outs)


def digests(root: Path, outs: set[str]) -> dict[str, str]:
    """Of every file that the outs are or hold."""
    files = [file for out in outs for file in ((root / out).rglob("*") if (root / out).is_dir() else [root / out])]
    return {str(file.relative_to(root)): sha256(file) for file in files if file.is_file()}
