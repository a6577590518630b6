"""Order books as people have them: any delimiter and encoding, dates, units, sheets; nothing is misread in silence."""

from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings

from tests.scheduling.shops import flexible_shops, shops
from twinloop.errors import InputError
from twinloop.scheduling.files.example import write_example
from twinloop.scheduling.files.problem import read_problem
from twinloop.scheduling.problem import Job, JobShop, Operation, Window

START = "2026-12-01T06:00+01:00"
PLAIN = "job,operation,machine,duration\nA,0,mill,30\nA,1,saw,15\n"
WANTED = (Job("A", (Operation("mill", 30), Operation("saw", 15))),)
SAME = {
    "semicolons": PLAIN.replace(",", ";"),
    "tabs": PLAIN.replace(",", "\t"),
    "spaces behind commas": PLAIN.replace(",", ", "),
    "capitals": PLAIN.replace("job,operation,machine,duration", "Job,Operation,MACHINE,Duration"),
    "other names": PLAIN.replace("job,operation,machine,duration", "Order No,Step,Resource,Minutes"),
    "a mark and CRLF": "\ufeff" + PLAIN.replace("\n", "\r\n"),
    "operations from 1": PLAIN.replace("A,1", "A,2").replace("A,0", "A,1"),
    "operations in tens": PLAIN.replace("A,1", "A,20").replace("A,0", "A,10"),
    "clock times": PLAIN.replace("30", "0:30").replace("15", "0:15"),
    "units": PLAIN.replace("30", "0.5 h").replace("15", "15 min"),
    "hours in the header": PLAIN.replace("duration", "duration (h)").replace("30", "0.5").replace("15", "0.25"),
    "decimal commas": "job;operation;machine;duration_h\nA;0;mill;0,5\nA;1;saw;0,25\n",
    "a column of units": "job,operation,machine,duration,unit\nA,0,mill,0.5,h\nA,1,saw,15,min\n",
    "whole decimals": PLAIN.replace("30", "30.0"),
    "a hint at semicolons": "sep=;\n" + PLAIN.replace(",", ";"),
    "blank lines": PLAIN.replace("\n", "\n\n"),
    "a line of blanks": PLAIN + ",,,\n",
    "other columns": "job,customer,operation,machine,duration\nA,Ann,0,mill,30\nA,Ann,1,saw,15\n",
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME.keys())
def test_the_same_orders_are_read_however_they_are_written(text: str, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(text.encode())
    assert read_problem(tmp_path / "orders.csv").shop.jobs == WANTED


def test_a_table_is_known_without_its_ending_and_latin_1_is_said(tmp_path: Path) -> None:
    (tmp_path / "orders.txt").write_bytes(PLAIN.replace("mill", "Fräse").encode("latin-1"))
    reading = read_problem(tmp_path / "orders.txt")
    assert reading.shop.machines == ("Fräse", "saw")
    assert "text read as Latin-1" in reading.notes


def test_what_is_rounded_or_left_out_is_said(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("job,operation,machine,duration,customer\nA,0,mill,30.5,Ann\n")
    reading = read_problem(tmp_path / "orders.csv")
    assert reading.shop.jobs[0].operations[0].duration == 31
    assert {"columns not read: customer", "1 time rounded to whole minutes"} <= set(reading.notes)


DATED = "job,operation,machine,duration,release,due\nA,0,mill,30,{release},{due}\n"
DATES = {
    "ISO, local": ("2026-12-01T07:00", "2026-12-01 14:30", 60, 510),
    "with an offset": ("2026-12-01T06:00Z", "2026-12-01T15:00+02:00", 60, 480),
    "days": ("2026-12-02", "2026-12-02", 18 * 60, 42 * 60),
    "day.month.year": ("1.12.2026 07:00", "01.12.2026 14:30", 60, 510),
    "minutes": ("60", "510", 60, 510),
    "before the start": ("2026-11-30", "2026-11-30T22:00", -1800, -480),
}


@pytest.mark.parametrize(("release", "due", "opens", "closes"), DATES.values(), ids=DATES.keys())
def test_dates_are_minutes_from_the_start(release: str, due: str, opens: int, closes: int, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(DATED.format(release=release, due=due))
    for how in ({"start": START}, {"start": "2026-12-01T06:00", "zone": "Europe/Berlin"}):
        (job,) = read_problem(tmp_path / "orders.csv", **how).shop.jobs
        assert (job.release, job.due) == (opens, closes)


def test_a_clock_that_is_put_forward_takes_an_hour(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(DATED.format(release="", due="2027-03-28T06:00"))
    how = {"start": "2027-03-27T06:00", "zone": "Europe/Berlin"}
    assert read_problem(tmp_path / "orders.csv", **how).shop.jobs[0].due == 23 * 60
    (tmp_path / "orders.csv").write_text(DATED.format(release="", due="2027-03-28T02:30"))
    with pytest.raises(InputError, match="no such time in Europe/Berlin"):
        read_problem(tmp_path / "orders.csv", **how)


HEAD = "job,operation,machine,duration"
BAD = {
    "a date without a start": (DATED.format(release="", due="2026-12-01"), {}, ":2: due = '2026-12-01' is a date: say"),
    "day or month": (DATED.format(release="", due="12/01/2026"), {"start": START}, "day or month first?"),
    "no such day": (
        DATED.format(release="", due="2026-13-45"),
        {"start": START},
        "expected a whole number of minutes or a",
    ),
    "a thousand or a fraction": (f"{HEAD}\nA,0,mill,1.500\n", {}, "duration = '1.500': a thousand or a fraction?"),
    "no length": (f"{HEAD}\nA,0,mill,soon\n", {}, ":2: duration = 'soon': expected a whole number of minutes, 1:30"),
    "too many minutes": (f"{HEAD}\nA,0,mill,1:75\n", {}, "duration = '1:75'"),
    "no duration": (f"{HEAD},piece_time\nA,0,mill,,\n", {}, ":2: duration is empty: expected a duration, a piece_time"),
    "less than nothing": (f"{HEAD}\nA,0,mill,-1\n", {}, ":2: duration = '-1': expected a length of time, 0 or longer"),
    "a date in one number": (
        DATED.format(release="", due="20261201"),
        {"start": START},
        ":2: due = '20261201': a date? write 2026-12-01; minutes? name the column due (min)",
    ),
    "pieces without a time": (
        f"{HEAD},quantity\nA,0,mill,5,3\n",
        {},
        "quantity = 3, but no operation has a",
    ),
    "a group in a column": (
        f"{HEAD},machine_group\nA,0,mill,5,mills\n",
        {},
        "column 'machine_group': give it as machine",
    ),
    "two units": (f"{HEAD}_h\nA,0,mill,30 min\n", {}, "two units, min and h"),
    "clock times in minutes": (f"{HEAD}_min\nA,0,mill,1:30\n", {}, "hours and minutes in a column of min"),
    "a cell too many": (
        f"{HEAD}\nA,0,mill,1,5\n",
        {},
        ":2: expected 4 cells as in the header, got 5",
    ),
    "an open quote": (f'{HEAD}\nA,0,"mill,5\n', {}, "cannot be read as CSV"),
    "quantities": (
        "order,item,qty,due\n1001,bracket,40,5\n",
        {},
        "operation missing; known: job, operation, machine",
    ),
    "priority": (f"{HEAD},priority\nA,0,mill,5,1\n", {}, "column 'priority': is 1 urgent or idle? give it as weight"),
    "two columns for one": (f"{HEAD},order\nA,0,mill,5,B\n", {}, "columns 'job' and 'order' both say job"),
    "misspelt": (f"{HEAD},relase\nA,0,mill,5,3\n", {}, "unknown column 'relase': did you mean 'release'?"),
    "operations from 2": (f"{HEAD}\nA,2,mill,5\n", {}, "expected operations from 0, 1 or 10 on, got [2]"),
    "neither yes nor no": (f"{HEAD},firm\nA,0,mill,5,maybe\n", {}, "firm = 'maybe': expected yes or no"),
    "no rows": (f"{HEAD}\n", {}, "got no rows below the header"),
    "nothing": ("\n", {}, "expected a header with job, operation"),
    "a start of no zone": (PLAIN, {"start": "2026-12-01T06:00"}, "a time of which zone?"),
    "no zone": (PLAIN, {"start": START, "zone": "Europe/Nowhere"}, "zone = 'Europe/Nowhere': not known"),
    "no start": (PLAIN, {"start": "soon"}, "start = 'soon': no date with a time"),
}


def test_backlog_pieces_lots_milestones_and_groups_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "book"
    folder.mkdir()
    (folder / "Orders.csv").write_text(
        "order,operation,machine,duration,piece_time_s,quantity,lot,max_wait,due\n"
        "A,1,mills,10,30,40,20,,2026-11-30T22:00\n"
        "A,2,oven,0,15,40,20,1:00,\n"
        "B,1,mill_1,5,,,,,\n"
        "B,2,oven,0,,,,,\n"
    )
    (folder / "Machines.csv").write_text("machine,group\nmill_1,mills\nmill_2,mills\noven,\n")
    shop = read_problem(folder, start=START, zone="Europe/Berlin").shop
    order = {job.name: job for job in shop.jobs}
    assert order["A"].due == -480
    assert {name for name in order if name.startswith("A/")} == {"A/1", "A/2"}
    for lot in ("A/1", "A/2"):
        first, second = order[lot].operations
        assert {(mode.machine, mode.duration) for mode in first.modes} == {("mill_1", 20), ("mill_2", 20)}
        assert (second.duration, second.max_wait) == (5, 60)
    assert order["B"].operations[1].milestone


@pytest.mark.parametrize(("text", "how", "message"), BAD.values(), ids=BAD.keys())
def test_what_may_be_misread_is_refused_in_one_line(
    text: str, how: dict[str, str], message: str, tmp_path: Path
) -> None:
    (tmp_path / "orders.csv").write_text(text)
    with pytest.raises(InputError, match="^[^\n]*$") as caught:
        read_problem(tmp_path / "orders.csv", **how)
    assert message in str(caught.value)


def book(path: Path, **sheets: list[list[Any]]) -> Path:
    """A workbook of these sheets."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


HEADER = ["job", "operation", "machine", "duration", "due"]


def test_a_workbook_has_orders_machines_and_a_calendar(tmp_path: Path) -> None:
    path = book(
        tmp_path / "orders.xlsx",
        Orders=[
            HEADER,
            [1001, 10, "mill", time(1, 30), datetime(2026, 12, 1, 14, 0)],
            [1001, 20, "saw", 15, date(2026, 12, 1)][:4],
        ],
        Machines=[["Machine", "MTTF (h)", "MTTR"], ["mill", 40, "1:30"], ["saw", None, None], ["idle", None, None]],
        Calendar=[
            ["machine", "from", "to"],
            ["all", datetime(2026, 12, 1, 12, 0), datetime(2026, 12, 1, 13, 0)],
            ["saw", "2026-12-01 13:00", "2026-12-01 14:00"],
            ["saw", datetime(2026, 11, 1), datetime(2026, 11, 2)],
        ],
        Remember=[["this", "too"]],
    )
    reading = read_problem(path, start=START)
    assert reading.shop.machines == ("mill", "saw", "idle")
    assert reading.shop.jobs == (Job("1001", (Operation("mill", 90), Operation("saw", 15)), due=480),)
    assert reading.shop.stops == {"mill": (Window(360, 420),), "saw": (Window(360, 480),), "idle": (Window(360, 420),)}
    assert reading.breakdowns == {"mill": (2400, 90)}
    assert {
        "sheet not read: Remember",
        "1 closed window before the start left out",
        "each closed window happens once: machines are open behind the last one",
    } <= set(reading.notes)
    assert "order book (Orders, Machines, Calendar), 1 job × 3 machines, 2 operations" in str(reading)


def test_orders_and_operations_may_be_sheets_of_their_own(tmp_path: Path) -> None:
    path = book(
        tmp_path / "a.xlsx",
        Orders=[["order", "due", "weight"], ["B", 90, 2], ["A", 60, None]],
        Operations=[HEADER[:4], ["A", 1, "mill", 30], ["B", 1, "mill", 20], ["B", 2, "saw", 10]],
    )
    b, a = read_problem(path).shop.jobs
    assert (b, a) == (
        Job("B", (Operation("mill", 20), Operation("saw", 10)), due=90, weight=2),
        Job("A", (Operation("mill", 30),), due=60),
    )


def test_a_folder_of_tables_is_an_order_book(tmp_path: Path) -> None:
    (tmp_path / "Orders.csv").write_text(PLAIN)
    (tmp_path / "calendar.csv").write_text("machine;start;end\nmill;10;20\n")
    assert read_problem(tmp_path).shop.stops == {"mill": (Window(10, 20),)}
    (tmp_path / "Orders.csv").unlink()
    (tmp_path / "calendar.csv").rename(tmp_path / "other.csv")
    (tmp_path / "more.csv").write_text(PLAIN)
    with pytest.raises(InputError, match="expected a sheet or table called Orders, got more, other"):
        read_problem(tmp_path)


ROW = ["A", 1, "mill", 30, 60]
BAD_BOOKS: dict[str, tuple[dict[str, list[list[Any]]], str]] = {
    "a machine that Machines has not": (
        {"Orders": [HEADER, ROW], "Machines": [["machine"], ["mlil"]]},
        "sheet Orders row 2: machine 'mill' is not in Machines: did you mean 'mlil'?",
    ),
    "a calendar of no machine": (
        {"Orders": [HEADER, ROW], "Calendar": [["machine", "start", "end"], ["saw", 1, 2]]},
        "sheet Calendar row 2: 'saw' is no machine, pool or person of the book: known: mill",
    ),
    "backwards": (
        {"Orders": [HEADER, ROW], "Calendar": [["machine", "start", "end"], ["mill", 9, 2]]},
        "closed from 9 to 2: expected its end after its start",
    ),
    "a formula without a value": (
        {"Orders": [HEADER, ["A", 1, "mill", "=3*4", 60]]},
        "cell D2 is a formula without a value",
    ),
    "half of the means": (
        {"Orders": [HEADER, ROW], "Machines": [["machine", "mttf", "mttr"], ["mill", 100, None]]},
        "machine mill: expected mttf and mttr, or neither",
    ),
    "an order without operations": (
        {"Orders": [["job"], ["A"], ["B"]], "Operations": [HEADER[:4], ROW[:4]]},
        "sheet Orders row 3: order 'B' has no rows in Operations",
    ),
    "no orders": (
        {"Sheet1": [["x"]], "Sheet2": [["y"]]},
        "expected a sheet or table called Orders, got Sheet1, Sheet2",
    ),
}


@pytest.mark.parametrize(("sheets", "message"), BAD_BOOKS.values(), ids=BAD_BOOKS.keys())
def test_a_workbook_that_cannot_be_used_names_sheet_and_row(
    sheets: dict[str, list[list[Any]]], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="^[^\n]*$") as caught:
        read_problem(book(tmp_path / "a.xlsx", **sheets))
    assert message in str(caught.value)


@pytest.mark.parametrize("content", [b"PK\x03\x04dummy", b"PK\x03\x04" + b"\x00" * 400])
def test_a_broken_workbook_is_called_one(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(InputError, match="an XLSX workbook that is broken or cut short"):
        read_problem(tmp_path / "a.xlsx")


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(shop=shops() | flexible_shops())
def test_an_order_book_reads_back_equal(shop: JobShop, ending: str, tmp_path: Path) -> None:
    used = {mode.machine for job in shop.jobs for o in job.operations for mode in o.modes}
    if ending == ".csv" and used != set(shop.machines):
        with pytest.raises(InputError, match="machines without work"):
            shop.write(tmp_path / "a.csv")
        return
    shop.write(tmp_path / f"a{ending}")
    read = read_problem(tmp_path / f"a{ending}").shop
    assert read.jobs == shop.jobs
    assert set(read.machines) == set(shop.machines)


def test_calendar_power_and_formulas_read_back_equal_from_a_workbook(tmp_path: Path) -> None:
    jobs = (Job("=1+1", (Operation("@mill", 3, family="-a", resumable=True),), due=9, firm=True, earliness_weight=2),)
    shop = JobShop(("@mill", "saw"), jobs, stops={"@mill": (Window(1, 2), Window(4, 6))}, power={"@mill": 7})
    shop.write(tmp_path / "a.xlsx")
    assert read_problem(tmp_path / "a.xlsx").shop == shop
    cells = openpyxl.load_workbook(tmp_path / "a.xlsx")["Orders"]
    assert cells["A2"].value == "'=1+1"
    assert {cell.data_type for row in cells for cell in row} == {"s", "n"}


def test_the_example_is_an_order_book(tmp_path: Path) -> None:
    write_example(tmp_path / "a.xlsx")
    reading = read_problem(tmp_path / "a.xlsx", start=START)
    assert (len(reading.shop.jobs), len(reading.breakdowns)) == (8, 4)
    assert "\n" not in str(reading)


PRICED = "job,operation,machine,duration,optional,price\nA,0,mill,30,yes,12\nA,1,saw,15,,\nB,0,saw,5,no,99.5\n"


def test_an_order_may_be_left_out_where_a_column_says_so(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(PRICED)
    shop = read_problem(tmp_path / "orders.csv").shop
    assert [(job.name, job.price) for job in shop.jobs] == [("A", 12), ("B", None)]
    for name in ("again.csv", "again.xlsx", "again.json"):
        shop.write(tmp_path / name)
        assert read_problem(tmp_path / name).shop == shop
    with pytest.raises(InputError, match="write JSON"):
        shop.write(tmp_path / "orders.jsp")


def test_a_price_alone_is_what_the_order_sells_for(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(PRICED.replace("optional", "customer"))
    reading = read_problem(tmp_path / "orders.csv")
    assert [job.price for job in reading.shop.jobs] == [None, None]
    assert any(note.startswith("prices not read") for note in reading.notes)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("yes,", r"orders\.csv:2: optional, but price is empty"),
        ("maybe,3", r"orders\.csv:2: optional = 'maybe': expected yes or no"),
        ("yes,2.5", r"orders\.csv:2: price = '2\.5': expected a whole number"),
        ("yes,-2", "job A: price = -2: expected a whole number"),
    ],
)
def test_prices_of_optional_orders_are_checked(cells: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(f"job,operation,machine,duration,optional,price\nA,0,mill,30,{cells}\n")
    with pytest.raises(InputError, match=message):
        read_problem(tmp_path / "orders.csv")
