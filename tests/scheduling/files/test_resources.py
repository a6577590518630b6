"""Set-ups, pools, people, stocks and work in progress of an order book; what may be misread is refused by its place."""

from datetime import datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.scheduling.files.books import write_book
from twinloop.contracts import Assignment
from twinloop.errors import InputError
from twinloop.scheduling.files.problem import read_problem
from twinloop.scheduling.files.reading import Reading
from twinloop.scheduling.problem import Changeover, Material, Operator

HOW = {"start": "2026-12-01T06:00", "zone": "Europe/Berlin"}
HEAD = ["order", "operation", "machine", "duration", "family"]
ORDERS = [HEAD, ["A", 10, "mill", 30, "red"], ["A", 20, "saw", 5, None], ["B", 10, "saw", 5, "blue"]]


def read(tmp_path: Path, how: dict[str, str] = HOW, **sheets: list[list[Any]]) -> Reading:
    return read_problem(write_book(tmp_path / "a.xlsx", **{"Orders": ORDERS, **sheets}), **how)


PAIRS = {("red", "blue"): 90, ("blue", "red"): 20}


@pytest.mark.parametrize(
    "sheets",
    [
        {"Setups": [["machine", "from", "to", "time"], ["mill", "red", "blue", "1:30"], ["mill", "blue", "red", 20]]},
        {
            "Setup_matrix": [
                ["machine", None, "red", "blue"],
                ["mill", "red", None, "90 min"],
                ["mill", "blue", 20, "-"],
            ]
        },
        {"Setups_mill": [["from \\ to (h)", "blue", "red"], ["red", 1.5, None], ["blue", None, "0:20"]]},
        {"Rüstzeiten_mill": [["Times of Ann"], ["von", "red", "blue"], ["red", None, time(1, 30)], ["blue", 20, None]]},
    ],
    ids=["a list", "a matrix with machines", "a matrix of one machine", "in German, below a title"],
)
def test_set_up_times_are_a_list_or_a_matrix(sheets: dict[str, list[list[Any]]], tmp_path: Path) -> None:
    assert read(tmp_path, **sheets).shop.setups == {"mill": PAIRS}


def test_crews_people_stocks_and_work_in_progress_are_read(tmp_path: Path) -> None:
    shop = read(
        tmp_path,
        Orders=[
            [*HEAD, "skills", "materials", "pools", "least run", "may pause"],
            ["A", 10, "mill", 30, "red", "weld: 2; turn", "bar: 3", "setters: 2, crane", "0:10", "yes"],
            ["A", 20, "saw", 5, None, None, None, None, None, None],
        ],
        Machines=[["machine", "set up for", "setup crew", "unattended"], ["mill", "red", "setters", "no"], ["saw"]],
        Pools=[["pool", "capacity"], ["setters", 2], ["crane", None]],
        Operators=[["name", "skills"], ["Ann", "weld, turn"], ["Bob", "weld; turn"], ["Cem", "weld"]],
        Materials=[["material", "stock"], ["bar", 1]],
        Deliveries=[["material", "date", "quantity"], ["bar", datetime(2026, 12, 1, 7, 0), 2]],
        In_progress=[
            ["order", "step", "machine", "from", "to"],
            ["A", 10, "mill", "2026-12-01 05:50", "2026-12-01 06:20"],
        ],
    ).shop
    (job,) = shop.jobs
    assert job.operations[0].materials == {"bar": 3}
    assert {"setters": 2, "crane": 1}.items() <= job.operations[0].pools.items()
    assert {name: n for name, n in job.operations[0].pools.items() if name.startswith("skill")} == {
        "skill turn+weld": 3,
        "skill turn": 1,
    }
    assert (job.operations[0].least_run, job.operations[0].resumable) == (10, True)
    assert shop.operators[0] == Operator("Ann", ("weld", "turn"))
    assert shop.changeovers == {"mill": Changeover("red", "setters")}
    assert shop.materials == (Material("bar", 1, ((60, 2),)),)
    assert shop.frozen == (Assignment("A", 0, "mill", -10, 20),)


def test_merged_cells_a_title_and_hidden_rows_are_read_and_said(tmp_path: Path) -> None:
    path = write_book(
        tmp_path / "a.xlsx",
        Orders=[["Week 49", None, None, None], HEAD[:4], ["A", 1, "mill", 5], [None, 2, "saw", 6], ["B", 1, "saw", 7]],
    )
    workbook = openpyxl.load_workbook(path)
    workbook["Orders"].merge_cells("A1:D1")
    workbook["Orders"].merge_cells("A3:A4")
    workbook["Orders"].row_dimensions[5].hidden = True
    workbook.save(path)
    reading = read_problem(path)
    assert [(job.name, len(job.operations)) for job in reading.shop.jobs] == [("A", 2), ("B", 1)]
    assert {"1 row above the header of Orders not read", "1 hidden row of Orders read as well"} <= set(reading.notes)


def test_a_family_or_column_that_says_nothing_is_said(tmp_path: Path) -> None:
    setups = [["from", "to", "time"], ["red", "green", 5]]
    reading = read(tmp_path, Setups=setups, Orders=[[*row, "x" if k else None] for k, row in enumerate(ORDERS)])
    assert {
        "families without set-up times: blue",
        "families of no order: green",
        "columns not read in Orders: number 6, which has no name",
    } <= set(reading.notes)


def row(**changes: Any) -> list[list[Any]]:
    cells = {"order": "A", "operation": 1, "machine": "mill", "duration": 30, **changes}
    return [list(cells), list(cells.values())]


BAD: dict[str, tuple[dict[str, list[list[Any]]], str]] = {
    "a serial number for a date": ({"Orders": row(due=46357)}, "due = 46357: minutes, or 2026-12-01 as a spreadsheet"),
    "a serial number with hours": ({"Orders": row(release=46357.25)}, "release = 46357.25: minutes, or 2026-12-01 as"),
    "a time of no day": (
        {"Orders": row(due=time(14, 0))},
        "due = '14:00:00': expected a whole number of minutes or a da",
    ),
    "a text of no day": ({"Orders": row(due="14:00")}, "or a date: of which day? write it like 2026-12-01 14:00"),
    "a year of two digits": ({"Orders": row(due="01.12.26")}, "or a date, like 2026-12-01 14:00"),
    "a wrong century": ({"Orders": row(due="2126-12-01")}, "more than ten years behind the start: a wrong year?"),
    "a wrong century before": (
        {"Orders": row(release="1.12.1926")},
        "more than ten years before the start: a wrong year",
    ),
    "hours or minutes": ({"Orders": row(duration=1.5)}, "duration = 1.5: minutes or hours? write 1.5 min or 1.5 h"),
    "a date for a length": ({"Orders": row(duration=datetime(2026, 12, 1))}, "duration = "),
    "a date for a name": (
        {"Orders": row(order=datetime(2026, 12, 1))},
        "a date where a name is expected: format it as",
    ),
    "fewer than no pieces": (
        {"Orders": row(quantity=-4, piece_time=1)},
        "job A: quantity = -4: expected a whole number",
    ),
    "capitals alone": (
        {"Orders": [*ORDERS, ["C", 1, "Mill", 3, None]]},
        "machines, pools or people 'mill' and 'Mill' differ in capitals and spaces alone: one, or two?",
    ),
    "orders of one name": ({"Orders": [*ORDERS, ["a", 1, "mill", 3, None]]}, "orders 'A' and 'a' differ in capitals"),
    "families of one name": (
        {"Setups": [["from", "to", "time"], ["Red", "blue", 3]]},
        "families 'red' and 'Red' differ",
    ),
    "a sheet misspelt": (
        {"Calender": [["machine", "start", "end"]], "x": [["y"]]},
        "unknown sheet 'Calender': did you",
    ),
    "pools that are not there": ({"Orders": row(pools="crane")}, "unknown pool 'crane'; known: none"),
    "a pool twice": ({"Orders": row(pools="crane; crane: 2")}, "crane is there twice: give it once"),
    "half a crane": ({"Orders": row(pools="crane: 0.5")}, "pools: crane = '0.5': expected a whole number"),
    "a set-up of no machine": (
        {"Setups": [["machine", "from", "to", "time"], ["mil", "red", "blue", 3]]},
        "sheet Setups row 2: machine 'mil' is in no order: did you mean 'mill'?",
    ),
    "two times for one set-up": (
        {"Setups": [["from", "to", "time"], ["red", "blue", 3], ["red", "blue", 4]]},
        "row 3: set-up on mill from red to blue is 3 and 4: give it once",
    ),
    "a set-up without a time": ({"Setups": [["from", "to", "time"], ["red", "blue", None]]}, "row 2: time is empty"),
    "times without a head": ({"Setups": [["from", "to"], ["red", "blue"]]}, "Setups row 1: time missing"),
    "a matrix of nothing": ({"Setups": [["family"], ["red"]]}, "expected families before and after, with times, got"),
    "a matrix of words": ({"Setups": [["from", "blue"], ["red", "long"]]}, "set-up to blue = 'long': expected a whole"),
    "a group of nobody": (
        {"Machines": [["machine"], ["mill"], ["saw"]], "Groups": [["group", "machine"], ["all of them", "drill"]]},
        "machine 'drill' is not in Machines: known: mill, saw",
    ),
    "a machine twice": (
        {"Machines": [["machine"], ["mill"], ["saw"], ["mill"]]},
        "row 4: machine 'mill' is there twice",
    ),
    "machines counted": (
        {"Machines": [["machine", "capacity"], ["mill", 2]]},
        "machines that are alike have a row each",
    ),
    "no time to fail": ({"Machines": [["machine", "mttf", "mttr"], ["mill", 0, 5], ["saw"]]}, "mttf and mttr above 0"),
    "a delivery in the past": (
        {"Deliveries": [["material", "date", "quantity"], ["bar", datetime(2026, 11, 1), 5]]},
        "a delivery before the start: count it in the stock, or give its new time",
    ),
    "a delivery of nothing": (
        {"Materials": [["material"], ["bar"]], "Deliveries": [["material", "date", "quantity"], ["bra", 5, 5]]},
        "material 'bra' is not in Materials: did you mean 'bar'?",
    ),
    "a stock twice": ({"Materials": [["material", "stock"], ["bar", 1], ["bar", 2]]}, "material 'bar' is there twice"),
    "a way twice": (
        {"Transport": [["from", "to", "time"], ["mill", "saw", 3], ["mill", "saw", 4]]},
        "from mill to saw is 3 and 4: give it once",
    ),
    "an order that is not there": (
        {"In_progress": [["job", "operation", "machine", "start", "end"], ["C", 10, "mill", -5, 5]]},
        "order 'C' is not in Orders",
    ),
    "an operation that is not there": (
        {"In_progress": [["job", "operation", "machine", "start", "end"], ["A", 1, "mill", -5, 5]]},
        "order A has no operation 1; known: 10, 20",
    ),
}


@pytest.mark.parametrize(("sheets", "message"), BAD.values(), ids=BAD.keys())
def test_what_may_be_misread_is_refused_in_one_line(
    sheets: dict[str, list[list[Any]]], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="^[^\n]{1,300}$") as caught:
        read(tmp_path, **sheets)
    assert message in str(caught.value)
