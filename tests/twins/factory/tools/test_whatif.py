"""The tool plans and executes a shop and its change, and says what the change is worth."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.scheduling.shops import rich_shop, single
from twinloop.cli import main
from twinloop.scheduling.files.shop_json import write_shop
from twinloop.scheduling.files.table import write_table

SHOP = single((30, 0, 50, 1), (10, 0, 15, 4), (25, 5, 60, 2))
QUICK = ["--limit", "0.2", "--replications", "20"]


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Path) -> str:
    monkeypatch.chdir(repository)
    write_table(tmp_path / "book.csv", SHOP)
    return str(tmp_path / "book.csv")


def test_another_machine_is_planned_executed_and_compared(book: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["whatif", book, "--add-machine", "mill", "--mttf", "60", "--mttr", "20", "--json", *QUICK]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["today"]["status"], told["changed"]["objective"]) == ("optimal", 0)
    rows = {row["figure"]: row for row in told["figures"]}
    assert rows["planned makespan"]["difference"] < 0
    row = rows["makespan"]
    assert row["difference_low"] < row["difference"] < row["difference_high"] < 0
    assert rows["weighted_tardiness CVaR"]["difference"] < 0


def test_the_table_shows_today_the_change_and_the_difference(book: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["whatif", book, "--rush", "urgent:mill=20@30", "--cancel", "c", "--cv", "0.2", *QUICK]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["times", "in", "minutes", "today", "changed", "difference", "(95", "%", "interval)"]
    assert [line[:22].strip() for line in lines[1:7]] == [
        "planned makespan",
        "planned weighted tardi",
        "makespan",
        "makespan CVaR",
        "weighted tardiness",
        "weighted tardiness CVa",
    ]
    assert "late: c, due 60: 5 min late → not in the shop" in lines[7:]
    assert "late: a, due 50: on time → 10 min late" in lines[7:]
    assert "−5" in lines[1]
    assert "…" in lines[3]


def test_what_is_left_out_of_either_plan_is_named(
    book: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = tuple(replace(job, due=30, firm=True, price=5 + k) for k, job in enumerate(SHOP.jobs[:2]))
    write_shop(tmp_path / "optional.json", replace(SHOP, jobs=jobs))
    assert main(["whatif", str(tmp_path / "optional.json"), "--add-machine", "mill", *QUICK]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["price", "left", "out", "5", "0", "−5"]
    assert lines[-1] == "left out: a at a price of 5: today, done then"


def test_a_longer_shift_helps_a_shop_with_calendars(
    book: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_shop(tmp_path / "rich.json", rich_shop())
    assert main(["whatif", str(tmp_path / "rich.json"), "--shift", "mill:8-10", "--json", *QUICK]) == 0
    rows = json.loads(capsys.readouterr().out)["figures"]
    assert all(row["difference"] <= 0 for row in rows if row["figure"].endswith("makespan"))


def test_a_shop_without_a_plan_is_said_so(book: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_shop(tmp_path / "firm.json", single((30, 0, 20, 1), (10, 0, 15, 4), firm=True))
    assert main(["whatif", str(tmp_path / "firm.json"), "--cancel", "a", *QUICK]) == 1
    told = capsys.readouterr()
    assert "whatif: today: infeasible: job a cannot meet its due date 20: shortest route ends at 30" in told.err
    assert "no comparison: at least one of the shops has no plan" in told.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "whatif: nothing is changed: give --add-machine, --shift, --rush or --cancel"),
        (["--add-machine", "lathe"], "what if: machine 'lathe' is not in the shop; known: mill"),
        (["--shift", "mill"], "whatif: --shift mill: expected MACHINE:FROM..TO, like mill:480..960"),
        (
            ["--shift", "mill:5"],
            "whatif: --shift mill:5: expected FROM..TO, both as dates like 2026-12-01T22:00, or both",
        ),
        (["--shift", "mill:5..soon"], "whatif: --shift mill:5..soon: expected FROM..TO, both as dates"),
        (["--shift", "mill:60..2026-12-02"], "whatif: --shift mill:60..2026-12-02: expected FROM..TO, both as dates"),
        (["--shift", "mill:9..3"], "what if: shift 9 … 3: expected a start from 0 on and an end after it"),
        (
            ["--shift", "mill:2026-12-01..2026-12-02"],
            "whatif: --shift mill:2026-12-01..2026-12-02: time = '2026-12-01' is",
        ),
        (["--shift", "lathe:0-9"], "what if: machine 'lathe' is not in the shop; known: mill"),
        (["--shift", "mill:0-9"], "what if: nothing is closed between 0 and 9"),
        (
            ["--rush", "urgent"],
            "whatif: --rush urgent: expected NAME:MACHINE=LENGTH,…[@DUE], like urgent:saw=30,mill=1:30",
        ),
        (
            ["--rush", "urgent:mill=x"],
            "whatif: --rush urgent:mill=x: 'x': expected whole minutes, 1:30, or a number with",
        ),
        (["--rush", "urgent:mill=1.5"], "whatif: --rush urgent:mill=1.5: '1.5': expected whole minutes, 1:30, or"),
        (["--rush", "urgent:mill=-5"], "whatif: --rush urgent:mill=-5: '-5': expected whole minutes"),
        (["--rush", "urgent:mill=5@"], "whatif: --rush urgent:mill=5@: expected NAME:MACHINE=LENGTH,…[@DUE]"),
        (
            ["--rush", "urgent:mill=5@soon"],
            "whatif: --rush urgent:mill=5@soon: 'soon': expected a date like 2026-12-01T14",
        ),
        (
            ["--rush", "urgent:mill=5@2026-12-01"],
            "whatif: --rush urgent:mill=5@2026-12-01: time = '2026-12-01' is a date",
        ),
        (["--rush", "urgent:mill=45:300"], "whatif: --rush urgent:mill=45:300: '45:300': expected whole minutes, 1:30"),
        (["--rush", "urgent:lathe=5"], "job urgent operation 0: unknown machine 'lathe'; known: mill"),
        (["--cancel", "z"], "what if: job 'z' is not in the shop; known: a, b, c"),
        (["--cancel", "a", "--limit", "0"], "whatif: --limit 0: expected more than 0 seconds"),
        (["--cancel", "a", "--replications", "1"], "what if: replications = 1: expected at least 2"),
        (["--cancel", "a", "--mttf", "-3"], "whatif: --mttf: '-3': expected whole minutes, 1:30, or a number"),
        (["--cancel", "a", "--mttf", "0"], "breakdowns of mill: mean time to failure = 0: expected more than 0"),
        (["--cancel", "a", "--mttr", "9"], "whatif: --mttr without --mttf: give both"),
    ],
)
def test_what_does_not_fit_exits_with_2_and_one_line(
    book: str, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["whatif", book, *arguments]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith(message)


def test_without_a_problem_the_command_to_run_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dvc.yaml").write_text("")
    monkeypatch.chdir(tmp_path)
    assert main(["whatif", "--cancel", "a"]) == 2
    assert "problem.json: no such file: run `make repro` first, or name a file with a shop" in capsys.readouterr().err


def test_breakdowns_of_a_files_machines_disturb_its_plan(
    book: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "plant"
    folder.mkdir()
    (folder / "orders.csv").write_text(Path(book).read_text())
    told = {}
    for name, machines in (("calm", "machine\nmill\n"), ("broken", "machine,mttf,mttr\nmill,60,20\n")):
        (folder / "machines.csv").write_text(machines)
        assert main(["whatif", str(folder), "--cancel", "c", "--json", *QUICK]) == 0
        captured = capsys.readouterr()
        told[name] = {row["figure"]: row for row in json.loads(captured.out)["figures"]}
        assert ("no breakdowns and no spread are known" in captured.err) == (name == "calm")
    assert told["calm"]["makespan"]["today"] == told["calm"]["planned makespan"]["today"]
    assert told["broken"]["makespan"]["today"] > told["calm"]["makespan"]["today"]


def test_late_jobs_and_ends_are_dates_where_the_start_is_given(book: str, capsys: pytest.CaptureFixture[str]) -> None:
    start = ["--start", "2026-12-01T06:00+01:00"]
    assert main(["whatif", book, "--rush", "urgent:mill=20@30", *start, *QUICK]) == 0
    told = capsys.readouterr()
    planned = next(line for line in told.out.splitlines() if line.startswith("planned end of all"))
    assert planned.split("  ")[-1].strip() == "+20 min"
    assert "Tue 1 Dec 07:05 Tue 1 Dec 07:25" in planned
    assert "late: a, due Tue 1 Dec 06:50: on time → 35 min late" in told.out
    assert "rush       urgent: mill 20 min, due Tue 1 Dec 06:30" in told.err


SAME = (
    ("mill:8-10", "urgent:mill=90@120"),
    ("mill:8 min to 10 min", "urgent:mill=1:30@2 h"),
    ("mill:2026-12-01T06:08..2026-12-01T06:10", "urgent:mill=1.5 h@2026-12-01T08:00"),
    ("mill:2026-12-01T06:08-2026-12-01T06:10", "urgent:mill=90 min@2026-12-01T07:00Z"),
    ("mill:1.12.2026 06:08/1.12.2026 06:10", "urgent:mill=1:30@1.12.2026 08:00"),
)


@pytest.mark.parametrize(("shift", "rush"), SAME)
def test_times_are_typed_as_dates_lengths_or_minutes(
    book: str, tmp_path: Path, shift: str, rush: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_shop(tmp_path / "rich.json", rich_shop())
    start = ["--start", "2026-12-01T06:00", "--zone", "Europe/Berlin"]
    assert main(["whatif", str(tmp_path / "rich.json"), "--shift", shift, "--rush", rush, *start, *QUICK]) == 0
    told = capsys.readouterr().err
    assert "shift      mill is open Tue 1 Dec 06:08 … Tue 1 Dec 06:10" in told
    assert "rush       urgent: mill 1 h 30 min, due Tue 1 Dec 08:00" in told
