"""Every command that README and --help show is run after a smoke run, as a user would; one that is new fails here.

Those that change the configuration have a file of their own, test_changes.py.
"""

from pathlib import Path

import pytest

from tests.pipeline.conftest import Loop, digests, outs
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
from twinloop.twins.registry import chosen

STAGES = {twin.stage(verb).EXAMPLE: (twin.name, verb) for twin in chosen() for verb in twin.verbs}
# DVC has run every stage by the command that its help shows (test_loop.py). By hand, and with one worker, run the first
# one and those of which neither test_loop.py nor test_chaos.py compares what one worker makes.
BY_HAND = (
    "python -m twinloop factory prepare",
    "python -m twinloop person simulate",
    "python -m twinloop person schedule",
)


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
    made = outs(used.made, twin, verb)
    assert made
    assert digests(used.clone, made) == digests(used.made, made)
