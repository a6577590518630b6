"""What a foreman asks of the loop's results: who is due, why and when, and what a move would cost."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from twinloop.contracts import RiskTable
from twinloop.errors import InputError
from twinloop.files import read_json
from twinloop.twins.fleet import paths
from twinloop.twins.fleet.tools import book, risk

Ask = Callable[..., Any]


@pytest.fixture
def ask(fleet_root: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    def asked(tool: ModuleType, *words: str, root: Path = fleet_root) -> Any:
        parser = argparse.ArgumentParser()
        tool.arguments(parser)
        assert tool.run(parser.parse_args(words), root) == 0
        printed = capsys.readouterr().out
        return json.loads(printed) if "--json" in words else printed

    return asked


def test_the_likeliest_failures_come_first_with_what_is_left_and_booked(ask: Ask, fleet_root: Path) -> None:
    risks = RiskTable.load(fleet_root / paths.RISKS).frame
    answer = ask(risk, "--most", "7", "--json")
    rows = answer["rows"]
    assert answer["horizon_days"] == 14
    assert len(rows) == 7
    assert [row["probability"] for row in rows] == sorted((row["probability"] for row in rows), reverse=True)
    assert rows[0]["probability"] == risks["probability"].max()
    assert all(0 <= row["days_left_low"] <= row["days_left"] <= row["days_left_high"] for row in rows)
    visits = pl.read_parquet(fleet_root / paths.SCHEDULE / "calendar.parquet")
    first = read_json(fleet_root / paths.SCHEDULE / "book.json")["first_day"]
    booked = {row["asset"]: first + row["day"] for row in visits.iter_rows(named=True)}
    every = ask(risk, "--most", "1000", "--json")["rows"]
    assert {(row["asset"], row["booked_day"]) for row in every if row["booked_day"] is not None} == set(booked.items())


def test_one_vehicle_is_told_whole(ask: Ask, fleet_root: Path) -> None:
    asset = RiskTable.load(fleet_root / paths.RISKS).assets[0]
    rows = ask(risk, asset, "--json")["rows"]
    assert {row["asset"] for row in rows} == {asset}
    assert len(rows) == 6
    assert [row["component"] for row in ask(risk, asset, "--component", "battery", "--json")["rows"]] == ["battery"]
    printed = ask(risk, asset)
    assert printed.splitlines()[0].startswith("vehicle")
    assert len(printed.splitlines()) == 7


def test_the_book_is_shown_and_a_move_is_priced_but_not_made(ask: Ask, fleet_root: Path) -> None:
    before = (fleet_root / paths.SCHEDULE / "book.json").read_bytes()
    whole = ask(book, "--json")
    assert {"first_day", "visits", "waiting", "load"} == set(whole)
    if whole["visits"]:
        asset = whole["visits"][0]["asset"]
        slots = ask(book, asset, "--json")["slots"]
        assert slots == sorted(slots, key=lambda slot: slot["cost"])
        moved = ask(book, asset, "--to", str(slots[-1]["day"]), "--json")
        assert moved["day"] == slots[-1]["day"]
        assert ask(book, asset).startswith(f"{asset} could come")
    assert ask(book).splitlines()[0].startswith("day")
    assert (fleet_root / paths.SCHEDULE / "book.json").read_bytes() == before


@pytest.mark.parametrize(
    ("tool", "words", "message"),
    [
        (risk, ("VEH999",), "risk: unknown asset 'VEH999'; "),
        (risk, ("--component", "batery"), "risk: unknown component 'batery'; did you mean 'battery'?"),
        (risk, ("--most", "0"), "risk: --most 0: expected a number of at least 1"),
        (book, ("VEH999",), "booking: unknown asset 'VEH999'; "),
        (book, ("--to", "3"), "book: --to: expected the vehicle that is to come then: name it"),
        (book, ("VEH001", "--to", "99"), "booking: day 99 is beyond the book: expected one from 0 to 4"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(
    ask: Ask, tool: ModuleType, words: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError) as refused:
        ask(tool, *words)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("tool", [risk, book])
def test_before_the_loop_has_run_the_tool_says_what_to_run(ask: Ask, tool: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run"):
        ask(tool, root=tmp_path)
