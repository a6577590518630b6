"""Order books hold all that a shop knows: what is written reads back to the same shop, in every form."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.scheduling.calendars import planned_shops, some_windows
from tests.scheduling.shops import rich_shop, rich_shops
from twinloop.contracts import Assignment
from twinloop.errors import InputError
from twinloop.scheduling.files.problem import read_problem
from twinloop.scheduling.problem import (
    Calendar,
    Changeover,
    Day,
    Job,
    JobShop,
    Material,
    Operation,
    Operator,
    Pool,
    Shift,
    Window,
)

ZONES = ("UTC", "Europe/Berlin")
EMPTY_SAYS_NOTHING = ("closed", "setups", "stops", "overtime")


@st.composite
def booked_shops(draw: st.DrawFn) -> JobShop:
    """Shops of everything that a book has a sheet for; their calendars count in minutes."""
    fields: dict[str, Any] = draw(planned_shops())
    zone = draw(st.sampled_from(ZONES))

    def minutes(calendar: Calendar) -> Calendar:
        return replace(calendar, unit_s=60, zone=zone)

    fields["calendars"] = {name: minutes(calendar) for name, calendar in fields["calendars"].items()}
    fields["pools"] = tuple(
        replace(pool, calendar=None if pool.calendar is None else minutes(pool.calendar)) for pool in fields["pools"]
    )
    machines, jobs = fields["machines"], list(fields["jobs"])
    if draw(st.booleans()):
        fields["groups"] = {"all of them": machines[::-1]}
        jobs.append(Job("grouped", (Operation("all of them", draw(st.integers(1, 3))),)))
    if draw(st.booleans()):
        steps = (Operation(machines[0], 1, piece_time=0.5), Operation(machines[-1], 0, piece_time=0.25))
        jobs.append(Job("lots", steps, release=-5, due=-2, quantity=draw(st.integers(1, 9)), lot=3))
    if draw(st.booleans()):
        away = draw(some_windows(9))
        people = (Operator("Ann", ("weld", "turn"), stops=away), Operator("Bob", ("weld",), stops=away))
        fields["operators"] = people
        jobs.append(Job("=welded", (Operation(machines[0], 2, skills={"weld": 2}),)))
    if draw(st.booleans()):
        fields["materials"] = (Material("bar", 1, ((draw(st.integers(0, 9)), 2),)), Material("nut"))
        jobs.append(Job("'tis cut", (Operation(machines[0], 1, materials={"bar": 3}), Operation(machines[0], 0))))
    first = jobs[0]
    if draw(st.booleans()) and jobs[0].operations[0].duration > 1:
        fields["frozen"] = (Assignment(first.name, 0, first.operations[0].machine, -3, 2),)
    if draw(st.booleans()):
        fields["power"] = {machines[0]: draw(st.integers(0, 9))}
    try:
        return JobShop(**{**fields, "jobs": tuple(jobs)})
    except InputError:
        assume(False)
        raise


def plainly(shop: JobShop) -> JobShop:
    """Without what is empty."""
    full = {kind: {key: value for key, value in getattr(shop, kind).items() if value} for kind in EMPTY_SAYS_NOTHING}
    return replace(shop, **full)


@pytest.mark.parametrize("form", ["a.xlsx", "folder"])
@hypothesis_settings(max_examples=60, deadline=None)
@given(shop=booked_shops() | rich_shops())
def test_a_book_reads_back_to_the_same_shop(shop: JobShop, form: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / form
        if form == "folder":
            path.mkdir()
        shop.write(path)
        reading = read_problem(path)
    assert plainly(reading.shop) == plainly(shop)
    assert not [note for note in reading.notes if "not read" in note]


EARLY = Calendar("2026-12-01T06:00", (Shift("06:00", "14:00", ("Mon", "Tue")),), zone="Europe/Berlin")
LATE = replace(EARLY, shifts=(Shift("14:00", "22:00", (), 1), Shift("22:00", "06:00", ("Sat",), 2)))
HOLIDAYS = (Day("2026-12-24"), Day("2026-12-23", (Shift("06:00", "10:00"), Shift("11:00", "12:00"))))


def test_hours_crews_and_work_in_progress_are_all_there(tmp_path: Path) -> None:
    shop = replace(
        rich_shop(),
        calendars={"saw": replace(EARLY, exceptions=HOLIDAYS)},
        pools=(Pool("cutter", 2, calendar=LATE, overtime=(Window(1, 5),)), Pool("setter", stops=(Window(3, 9),))),
        closed={"lathe": (Window(2, 5), Window(8, 9))},
        repeat={"lathe": 60},
        changeovers={"mill": Changeover("brass", "setter", unattended=True)},
        groups={"big": ("lathe", "mill")},
        frozen=(Assignment("shaft", 0, "saw", -9, 4),),
    )
    shop.write(tmp_path / "a.xlsx")
    assert read_problem(tmp_path / "a.xlsx").shop == shop
    sheets = openpyxl.load_workbook(tmp_path / "a.xlsx").sheetnames
    assert {"Start", "Shifts", "Exceptions", "Setups", "In progress", "Groups"} <= set(sheets)


ONE = JobShop(("mill",), (Job("a", (Operation("mill", 3),)),))
BEHIND = (Job("a;b", (Operation("mill", 3),)), Job("c", (Operation("mill", 3),), after=("a;b",)))
UNSAYABLE: dict[str, tuple[dict[str, Any], str, str]] = {
    "calendars in hours": (
        {"calendars": {"mill": replace(EARLY, unit_s=3600)}},
        "a.xlsx",
        "an order book counts in minutes, its calendars in other units: write JSON",
    ),
    "a list that is cut": ({"jobs": BEHIND}, "a.xlsx", "name 'a;b' stands in lists and has a comma or semicolon"),
    "a name of spaces": ({"jobs": (Job(" a", ONE.jobs[0].operations),)}, "a.xlsx", "name ' a': spaces around it"),
    "an apostrophe of ours": ({"jobs": (Job("'=a", ONE.jobs[0].operations),)}, "a.xlsx", 'name "\'=a": spaces'),
    "two of one name": ({"pools": (Pool("mill"),)}, "a.xlsx", "'mill' is the name of two things in an order book"),
    "a machine called all": (
        {"machines": ("mill", "All")},
        "a.xlsx",
        "'All' is the name of two things in an order book: write JSON",
    ),
    "capitals": (
        {"machines": ("mill", "Mill")},
        "a.xlsx",
        "'mill' and 'Mill' differ in capitals and spaces alone: one, or two? write the same, or other names: or write",
    ),
    "one table": ({"pools": (Pool("p"),)}, "a.csv", "one table knows no Pools: write JSON, XLSX or a folder"),
    "a machine without work": ({"machines": ("mill", "saw")}, "a.csv", "knows no machines without work"),
    "power in one table": ({"power": {"mill": 3}}, "a.csv", "their power and how they are set up: write JSON"),
}


@pytest.mark.parametrize(("changes", "name", "message"), UNSAYABLE.values(), ids=UNSAYABLE.keys())
def test_what_a_book_cannot_say_is_refused_and_json_can(
    changes: dict[str, Any], name: str, message: str, tmp_path: Path
) -> None:
    shop = replace(ONE, **changes)
    with pytest.raises(InputError, match="^[^\n]*$") as caught:
        shop.write(tmp_path / name)
    assert message in str(caught.value)
    shop.write(tmp_path / "a.json")
    assert read_problem(tmp_path / "a.json").shop == shop


def test_a_folder_with_tables_is_not_mixed_with_new_ones(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("job\n")
    with pytest.raises(InputError, match="has tables already, like orders.csv: name an empty folder"):
        ONE.write(tmp_path)
