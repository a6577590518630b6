"""What PSPLIB, JobShopLib and PyJobShop write is read as far as a shop reaches; the rest is refused by name."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from twinloop.errors import InputError
from twinloop.scheduling.files.problem import read_problem
from twinloop.scheduling.problem import Alternative, Operation, Pool, Window

PROJECT = """************************************************************************
file with basedata            : mine.bas
projects                      :  1
jobs (incl. supersource/sink ):  5
RESOURCES
  - renewable                 :  1   R
  - nonrenewable              :  0   N
  - doubly constrained        :  0   D
************************************************************************
PRECEDENCE RELATIONS:
jobnr.    #modes  #successors   successors
   1        1          2           2   3
   2        1          1           4
   3        1          1           5
   4        1          1           5
   5        1          0
************************************************************************
REQUESTS/DURATIONS:
jobnr. mode duration  R 1
------------------------------------------------------------------------
  1      1     0       0
  2      1     4       1
  3      1     5       2
  4      1     3       1
  5      1     0       0
************************************************************************
RESOURCEAVAILABILITIES:
  R 1
    2
************************************************************************
"""


def test_a_project_is_planned_within_its_resources(tmp_path: Path) -> None:
    (tmp_path / "a.sm").write_text(PROJECT)
    reading = read_problem(tmp_path / "a.sm")
    assert reading.form == "project (PSPLIB)"
    assert reading.shop.pools == (Pool("R1", 2),)
    assert reading.shop.by_name["4"].after == ("2",)
    # Activity 3 needs both units: 4 + 3 and 5 one after the other.
    assert reading.shop.solve("makespan", method="CP-SAT", deterministic=2).objective == 12


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("   2        1          1           4", "   2        3          1           4", "activity 2 has 3 modes"),
        ("nonrenewable              :  0", "nonrenewable              :  2", "2 nonrenewable resources"),
        ("   2        1          1           4", "   2        1          1           9", "unknown successor 9"),
        ("sink ):  5", "sink ):  6", "6 jobs are announced, 5 are there"),
        ("  3      1     5       2", "  3      1     5       3", "needs 3 of pool R1, which has 2"),
        ("  3      1     5       2", "  3      1     5", "expected at least 4 whole numbers"),
    ],
)
def test_a_project_that_a_shop_cannot_say_is_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in PROJECT
    (tmp_path / "a.sm").write_text(PROJECT.replace(old, new))
    with pytest.raises(InputError, match=message):
        read_problem(tmp_path / "a.sm")


MATRICES: dict[str, Any] = {
    "name": "mine",
    "duration_matrix": [[3, 2], [2, 4]],
    "machines_matrix": [[0, [1, 2]], [2, 1]],
    "metadata": {"optimum": 9},
    "due_dates_matrix": [[None, 9], [None, None]],
}


def test_jobshoplibs_matrices_are_a_shop(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(MATRICES))
    shop = read_problem(tmp_path / "a.json").shop
    assert shop.machines == ("machine_0", "machine_1", "machine_2")
    assert shop.jobs[0].operations[1] == Operation("machine_1", 2, (Alternative("machine_2", 2),))
    assert (shop.jobs[0].due, shop.jobs[1].due) == (9, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"machines_matrix": [[0, 1], [2]]}, "machines_matrix: expected as many rows and entries"),
        ({"duration_matrix": [[3, 2.5], [2, 4]]}, "expected a whole number, got 2.5"),
        ({"machines_matrix": [[0, -1], [2, 1]]}, "machines_matrix: expected whole numbers"),
        ({"due_dates_matrix": [[4, 9], [None, None]]}, "earlier operations have dates of their own"),
        ({"deadlines_matrix": [[None, 9], [None, 8]]}, "a due date and a deadline"),
        ({"duration_matrix": 3}, "duration_matrix: expected a list of rows"),
    ],
)
def test_matrices_that_a_shop_cannot_say_are_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(MATRICES | change))
    with pytest.raises(InputError, match=message):
        read_problem(tmp_path / "a.json")


PROBLEM: dict[str, Any] = {
    "jobs": [{"tasks": [0, 1], "weight": 2, "due_date": 7, "name": "frame"}, {"tasks": [2], "deadline": 30}],
    "resources": [
        {"type": "machine", "breaks": [[3, 4]], "name": "saw"},
        {"type": "machine", "breaks": []},
        {"type": "renewable", "capacity": 2, "breaks": []},
    ],
    "tasks": [{"job": 0}, {"job": 0, "allow_breaks": True}, {"job": 1}],
    "modes": [
        {"task": 0, "resources": [0], "duration": 3},
        {"task": 1, "resources": [0, 2], "duration": 2, "demands": [0, 1]},
        {"task": 1, "resources": [1, 2], "duration": 4, "demands": [0, 1]},
        {"task": 2, "resources": [1], "duration": 5},
    ],
    "constraints": {"end_before_start": [{"task1": 0, "task2": 1, "delay": 0}, {"task1": 1, "task2": 2}]},
}


def test_pyjobshops_problem_is_a_shop(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(PROBLEM))
    shop = read_problem(tmp_path / "a.json").shop
    frame, other = shop.jobs
    assert (frame.name, frame.due, frame.weight, other.due, other.firm) == ("frame", 7, 2, 30, True)
    assert other.after == ("frame",)
    assert frame.operations[1] == Operation(
        "saw", 2, (Alternative("machine_1", 4),), pools={"machine_2": 1}, resumable=True
    )
    assert (shop.stops, shop.pools) == ({"saw": (Window(3, 4),)}, (Pool("machine_2", 2),))


def _without_order(problem: dict[str, Any]) -> None:
    problem["constraints"] = {}


def _two_machines(problem: dict[str, Any]) -> None:
    problem["modes"][0]["resources"] = [0, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without_order, "job frame: tasks 0 and 1 have no order"),
        (_two_machines, "task 0: a mode on 2 machines at once"),
        (
            lambda p: p["constraints"].update(consecutive=[{"task1": 0, "task2": 1}]),
            "constraints.consecutive: a shop has",
        ),
        (lambda p: p["constraints"]["end_before_start"][0].update(delay=2), "a delay of 2: expected none"),
        (lambda p: p["tasks"][0].update(optional=True), "task 0: optional = True: a shop has no such limit"),
        (lambda p: p["tasks"][1].update(latest_end=9), "task 1: latest_end = 9"),
        (lambda p: p["modes"][0].update(duration=-1), "duration = -1: expected a whole number"),
        (lambda p: p["modes"][0].update(resources=[7]), "resource 7: expected a number from 0 to 2"),
        (lambda p: p["modes"].pop(0), "task 0: expected a mode, found none"),
        (lambda p: p["modes"][2].update(demands=[0, 2]), "task 1: its modes need different resources"),
        (lambda p: p["tasks"].__setitem__(0, 3), "tasks: expected a list of objects"),
    ],
)
def test_a_problem_that_a_shop_cannot_say_is_refused(change: Any, message: str, tmp_path: Path) -> None:
    problem = copy.deepcopy(PROBLEM)
    change(problem)
    (tmp_path / "a.json").write_text(json.dumps(problem))
    with pytest.raises(InputError, match=message):
        read_problem(tmp_path / "a.json")
