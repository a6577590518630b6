"""The loop is killed, with all that it started, at random moments, and started again: what it makes is the same, and
so is what one worker makes in the end instead of two.
"""

import os
import random
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import environment, run_in
from twinloop.twins.factory import paths

# `make chaos` asks for a hundred.
KILLS = int(os.environ.get("CHAOS_KILLS", "3"))
LONGEST_S = 60
# Stages whose outputs hold no measured times, and what of them does.
STAGES = ("prepare", "tune", "train", "evaluate", "simulate", "schedule")
MEASURED = {str(paths.INCUMBENTS)}
REPRO = ("python", "-m", "twinloop", "repro", "factory")


def outputs(clone: Path) -> dict[str, Any]:
    """Digest of each output, by dvc.lock."""
    stages = yaml.safe_load((clone / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    made = [out for name in STAGES for out in stages[f"factory-{name}"]["outs"]]
    return {out["path"]: out["md5"] for out in made if out["path"] not in MEASURED}


def killed(clone: Path, *, after_s: float) -> bool:
    """Run the loop and kill its whole process group after so many seconds; False where it ended before."""
    running = subprocess.Popen(
        REPRO,
        cwd=clone,
        env=environment(clone) | {"TWINLOOP_WORKERS": "2"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        running.wait(timeout=after_s)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        return True
    assert running.returncode == 0
    return False


def forget(clone: Path) -> None:
    """Back to a clone in which nothing has run."""
    for made in ("data/factory", "models/factory", "reports/factory", ".dvc/cache", ".twinloop"):
        shutil.rmtree(clone / made, ignore_errors=True)
    run_in(clone, "git", "checkout", "-q", "dvc.lock")


@pytest.mark.timeout(3600 + 120 * KILLS)
def test_killed_at_random_moments_the_loop_makes_the_same(looped: Path, fresh_clone: Callable[[], Path]) -> None:
    clone, expected, moments = fresh_clone(), outputs(looped / "twinloop"), random.Random(KILLS)
    run_in(clone, "python", "-m", "twinloop", "conf", "profile=smoke")
    kills = 0
    while kills < KILLS:
        if killed(clone, after_s=moments.uniform(1, LONGEST_S)):
            kills += 1
        else:
            assert outputs(clone) == expected, f"after {kills} kills"
            forget(clone)
    # What comes behind the last stage holds measured times.
    run_in(clone, "dvc", "repro", f"factory-{STAGES[-1]}", TWINLOOP_WORKERS="1")
    assert outputs(clone) == expected
