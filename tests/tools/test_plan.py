"""`twinloop plan`: orders in, what is late and why out; page, sheets, calendar and JSON can be read again."""

import csv
import json
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pytest

from twinloop.cli import main
from twinloop.scheduling import Job, JobShop, Operation

START = ["--start", "2026-12-01T06:00+01:00"]
QUICK = ["--limit", "0.2"]
HOSTILE = "=<script>alert(1)</script>"
SHOP = JobShop(
    ("mill", "saw"),
    (
        Job("A", (Operation("saw", 20), Operation("mill", 40)), due=60, weight=3),
        Job("B", (Operation("saw", 30), Operation("mill", 20)), due=75),
        Job(HOSTILE, (Operation("saw", 10),), due=20),
    ),
)


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Path) -> Path:
    monkeypatch.chdir(repository)
    SHOP.write(tmp_path / "orders.csv")
    return tmp_path / "orders.csv"


def test_late_orders_and_load_are_told_and_everything_is_written(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", str(book), *START, *QUICK]) == 0
    told = capsys.readouterr()
    assert "read       orders.csv: order book (a table), 3 jobs × 2 machines, 5 operations" in told.err
    assert "plan       1 on time, 2 late; ends Tue 1 Dec 07:20   (optimal)" in told.out
    assert "late       B by 5 min: due Tue 1 Dec 07:15, ends Tue 1 Dec 07:20" in told.out
    assert "it waits for mill, which works on A until Tue 1 Dec 07:00" in told.out
    assert [line.split()[1] for line in told.out.splitlines() if line.startswith("load")] == ["saw", "mill"]
    written = sorted(path.name for path in (book.parent / "orders_plan").iterdir())
    assert written == [f"plan.{ending}" for ending in ("csv", "html", "ics", "json", "xlsx")]


def test_the_files_say_the_same_plan(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(book), *START, *QUICK, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    folder = book.parent / "orders_plan"
    assert json.loads((folder / "plan.json").read_text()) == record
    rows = record["operations"]
    assert rows[0]["start_at"] == "2026-12-01T06:00+01:00"
    assert {(row["job"], row["operation"]) for row in rows} == {("A", 0), ("A", 1), ("B", 0), ("B", 1), (HOSTILE, 0)}
    with (folder / "plan.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    keys = ("job", "operation", "machine", "start", "end", "end_at")
    quoted = [{**row, "job": f"'{row['job']}" if row["job"] == HOSTILE else row["job"]} for row in rows]
    assert [tuple(row[k] for k in keys) for row in table] == [tuple(str(row[k]) for k in keys) for row in quoted]
    workbook = openpyxl.load_workbook(folder / "plan.xlsx")
    assert workbook.sheetnames == ["Plan", "Late", "Load", "About"]
    header, *cells = workbook["Plan"].iter_rows(values_only=True)
    sheet = [dict(zip(header, row, strict=True)) for row in cells]
    assert [(row["job"], row["start"]) for row in sheet] == [(row["job"], row["start"]) for row in quoted]
    assert sheet[0]["start_at"] == datetime(2026, 12, 1, 6, 0)
    assert all(cell.data_type != "f" for one in workbook for row in one for cell in row)
    assert (folder / "plan.ics").read_bytes().count(b"BEGIN:VEVENT") == len(rows)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.outside += [value for name, value in attrs if name in ("src", "href") and value]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_asks_nobody_and_runs_no_name_of_a_job(book: Path) -> None:
    assert main(["plan", str(book), *START, *QUICK, "--out", str(book.parent / "a.html")]) == 0
    page = (book.parent / "a.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    tags = _Tags()
    tags.feed(page)
    assert tags.outside == []
    assert any("Tue 1 Dec 07:" in text for text in tags.text)


def test_without_a_start_times_are_minutes_and_no_calendar_is_written(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", str(book), *QUICK]) == 0
    told = capsys.readouterr()
    assert "no calendar (plan.ics) without dates: give --start" in told.err
    assert "due 75, ends " in told.out
    assert not (book.parent / "orders_plan/plan.ics").exists()


def test_no_plan_is_said_with_its_reason(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    JobShop(("mill",), (Job("a", (Operation("mill", 9),), due=5, firm=True),)).write(book.parent / "firm.csv")
    assert main(["plan", str(book.parent / "firm.csv"), *QUICK]) == 1
    assert "plan: infeasible: job a cannot meet its due date 5" in capsys.readouterr().err
    assert not (book.parent / "firm_plan").exists()


def test_the_example_is_planned(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(book.parent / "mine.xlsx")
    assert main(["plan", "--example", path]) == 0
    assert main(["plan", "--example", path]) == 2
    assert "is there already" in capsys.readouterr().err
    assert main(["plan", path, *START, *QUICK, "--out", str(book.parent / "a.json")]) == 0
    assert json.loads((book.parent / "a.json").read_text())["start"] == "2026-12-01T06:00:00+01:00"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "plan.doc"], "plan: plan.doc: expected a file name that ends in .html, .csv, .xlsx, .ics, .json"),
        (["--limit", "0"], "plan: --limit 0: expected more than 0 seconds"),
        (["--start", "soon"], "start = 'soon': no date with a time"),
        (["--zone", "UTC"], "zone = 'UTC': of which start?"),
        (["--kind", "jobshop"], "kind = 'jobshop': unknown; did you mean 'job shop'?"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    book: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", str(book), *arguments]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith(message)


def test_an_order_that_is_left_out_is_named_with_its_price(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    header = "job,operation,machine,duration,due,firm,optional,price"
    (tmp_path / "orders.csv").write_text(f"{header}\nA,0,mill,60,60,yes,yes,5\nB,0,mill,50,60,yes,yes,9\n")
    out = ["--out", str(tmp_path / "plan.xlsx"), "--out", str(tmp_path / "plan.html")]
    assert main(["plan", str(tmp_path / "orders.csv"), *START, *QUICK, *out]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == ("plan       1 on time, 0 late, 1 left out at a price of 5; ends Tue 1 Dec 06:50   (optimal)")
    reason = "mill is taken by B between Tue 1 Dec 06:00 and Tue 1 Dec 07:00"
    assert f"left out   A for a price of 5: {reason}" in lines
    sheet = openpyxl.load_workbook(tmp_path / "plan.xlsx")["Left out"]
    assert list(sheet.values) == [("job", "price", "reason"), ("A", 5, reason)]
    assert reason in (tmp_path / "plan.html").read_text()


def test_a_calendar_without_dates_is_refused(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(book), *QUICK, "--out", str(book.parent / "a.ics")]) == 2
    assert "a calendar needs dates: say when minute 0 is" in capsys.readouterr().err
