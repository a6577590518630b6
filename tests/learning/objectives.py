"""Objectives for tests of studies; in a module, because every trial's process imports them anew."""

import math
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.trial import TrialState

from twinloop.errors import InputError, RunError
from twinloop.learning.objectives import Objective
from twinloop.learning.rounds import Report
from twinloop.learning.settings import StudySettings
from twinloop.learning.study import Search, search
from twinloop.search_space import Dimension

HEIGHT = (Objective("height", "height"),)
BOTH = (*HEIGHT, Objective("cost", "cost", "minimize"))
SPACE = {
    "x": Dimension(kind="float", low=0.0, high=1.0),
    "depth": Dimension(kind="int", low=1, high=4),
    "kind": Dimension(kind="categorical", choices=("a", "b")),
}


def hill(values: Mapping[str, Any], report: Report) -> float:
    """Highest at x = 0.3, depth 2; the way up shows in five steps."""
    height = 1 - (values["x"] - 0.3) ** 2 - 0.1 * abs(values["depth"] - 2)
    for step in range(5):
        report(step, height - 1 / (step + 1))
    return float(height)


def compromise(values: Mapping[str, Any], report: Report) -> tuple[float, float]:
    """The higher x the better and the dearer; depth only costs, and kind b is never finite."""
    report(0, 0.0)
    report(1, values["x"])
    score = float("nan") if values["kind"] == "b" else values["x"]
    return score, values["x"] ** 2 + values["depth"]


def depth(values: Mapping[str, Any], report: Report) -> float:
    return float(values["depth"])


def diverging(values: Mapping[str, Any], report: Report) -> float:
    raise RunError("the loss is not a finite number")


def half_diverging(values: Mapping[str, Any], report: Report) -> float:
    return float("nan") if values["kind"] == "b" else hill(values, report)


def refused(values: Mapping[str, Any], report: Report) -> float:
    raise InputError("the images are not there")


def broken(values: Mapping[str, Any], report: Report) -> float:
    raise KeyError("a bug")


def always_killed(values: Mapping[str, Any], report: Report) -> float:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0.0


@dataclass(frozen=True)
class KilledOnce:
    """Like hill, but the first process that comes here is killed, as by a machine out of memory."""

    marker: Path

    def __call__(self, values: Mapping[str, Any], report: Report) -> float:
        try:
            self.marker.touch(exist_ok=False)
        except FileExistsError:
            return hill(values, report)
        os.kill(os.getpid(), signal.SIGKILL)
        return 0.0


@dataclass(frozen=True)
class TakenForDead:
    """Like hill, but while the first trial runs somebody else on the study finds that its heartbeat is late."""

    marker: Path
    storage: str

    def __call__(self, values: Mapping[str, Any], report: Report) -> float:
        try:
            self.marker.touch(exist_ok=False)
        except FileExistsError:
            return hill(values, report)
        (name,) = optuna.get_all_study_names(self.storage)
        study = optuna.load_study(study_name=name, storage=self.storage)
        (trial,) = [one for one in study.get_trials() if one.params == values]
        RetryHeartbeatStaleTrialCallback()(study, study.tell(trial.number, state=TrialState.FAIL))
        return hill(values, report)


@dataclass(frozen=True)
class Noisy:
    """Like hill on a processor whose last digits differ: every number is off by up to `size`."""

    size: float

    def __call__(self, values: Mapping[str, Any], report: Report) -> float:
        off = self.size * math.sin(1e6 * values["x"])
        return hill(values, lambda step, value: report(step, value + off)) + off


@dataclass(frozen=True)
class Slow:
    """Like hill, but every trial takes a while, and says in `folder` that it began."""

    folder: Path
    seconds: float

    def __call__(self, values: Mapping[str, Any], report: Report) -> float:
        parent = multiprocessing.parent_process()
        assert parent is not None
        (self.folder / f"{parent.pid}.{time.monotonic_ns()}").touch()
        time.sleep(self.seconds)
        return hill(values, report)


def run(objective: Any, database: Path, **changes: Any) -> Search:
    """A quick study of `objective`; `changes` go to search() or into its StudySettings."""
    known = StudySettings.__dataclass_fields__
    settings = {"trials": 8, "warmup_trials": 2, "warmup_epochs": 1, "heartbeat_s": 1}
    settings |= {name: value for name, value in changes.items() if name in known}
    others = {"space": SPACE, "objectives": HEIGHT, "inputs": "test", "workers": 2, "seed": 5, "name": "study"}
    others |= {name: value for name, value in changes.items() if name not in known}
    space = others.pop("space")
    return search(objective, space, settings=StudySettings(**settings), database=database, **others)


if __name__ == "__main__":
    found = run(Slow(Path(sys.argv[2]), 0.5), Path(sys.argv[1]), storage=sys.argv[3] if len(sys.argv) > 3 else "")
    print([(trial.values, trial.scores.get("height")) for trial in found.trials])
