import polars as pl
import pytest
from hypothesis import assume, given, settings

from tests.scheduling.shops import rich_plan, rich_shop, rich_shops
from twinloop.contracts import Plan
from twinloop.scheduling.checker import check
from twinloop.scheduling.frames import LOAD, PLAN, TIMELINE, TRACE, load_frame, plan_frame, timeline, trace_frame
from twinloop.scheduling.objectives import measure
from twinloop.scheduling.problem import Job, JobShop, Operation, Window
from twinloop.scheduling.solution import Incumbent, Solution
from twinloop.scheduling.solvers.rules import dispatch

# One operation that pauses in the second of two windows.
PAUSED = JobShop(
    ("mill",),
    (Job("a", (Operation("mill", 7, resumable=True),), due=9),),
    stops={"mill": (Window(0, 2), Window(5, 9))},
)


def pausing() -> Plan:
    plan = dispatch(PAUSED, "SPT")
    assert [(a.start, a.end) for a in plan] == [(2, 13)]
    return plan


def test_an_operation_has_its_setup_pauses_due_date_and_lateness():
    found = plan_frame(rich_shop(), rich_plan())
    assert found.schema == pl.Schema(PLAN)
    assert found.filter(pl.col("job") == "cover").row(0, named=True) == {
        "job": "cover",
        "operation": 0,
        "machine": "saw",
        "setup": 2,
        "start": 9,
        "end": 12,
        "paused": 0,
        "due": 20,
        "late": 0,
        "critical": True,
    }
    assert found.filter(pl.col("job") == "base").select("due", "late").row(0) == (None, None)
    assert plan_frame(PAUSED, pausing()).select("paused", "late").row(0) == (4, 4)


def test_a_pause_parts_the_work():
    assert timeline(PAUSED, pausing()).drop("machine", "job").rows() == [
        ("closed", 0, 2, None),
        ("closed", 5, 9, None),
        ("work", 2, 5, 0),
        ("pause", 5, 9, 0),
        ("work", 9, 13, 0),
    ]
    assert load_frame(PAUSED, pausing()).rows() == [("mill", 7, 0, 6, 0)]


def test_an_empty_plan_has_empty_tables_and_idle_machines_none():
    empty = Plan(())
    assert plan_frame(PAUSED, empty).schema == pl.Schema(PLAN)
    assert timeline(PAUSED, empty).schema == pl.Schema(TIMELINE)
    assert load_frame(PAUSED, empty).rows() == [("mill", 0, 0, 0, 0)]


@given(rich_shops())
@settings(deadline=None, max_examples=50)
def test_work_setup_closed_and_idle_time_are_those_of_every_single_minute(shop):
    plan = dispatch(shop, "EDD")
    assume(plan is not None)
    check(shop, plan)
    spans = timeline(shop, plan)
    load = load_frame(shop, plan)
    assert load.schema == pl.Schema(LOAD)
    for machine, *times in load.iter_rows():
        rows = spans.filter(pl.col("machine") == machine)
        counted = dict.fromkeys(("work", "setup", "closed", "idle"), 0)
        for minute in range(plan.makespan):
            kinds = set(rows.filter(pl.col("start") <= minute, pl.col("end") > minute)["kind"])
            assert len(kinds & {"work", "setup", "pause"}) <= 1
            closed = "closed" if kinds else "idle"
            counted[next((kind for kind in ("work", "setup") if kind in kinds), closed)] += 1
        assert times == list(counted.values())
    assert load["setup"].sum() == measure("setup", shop, plan)
    work = sum(shop.by_name[a.job].operations[a.operation].on(a.machine) for a in plan)
    assert load["work"].sum() == work


def test_a_trace_has_one_row_for_every_better_plan():
    found = Solution("CP-SAT", "feasible", None, (9,), 4, (Incumbent(12, 3, 0.5), Incumbent(9, 4, 2.0)))
    rule = Solution("EDD", "feasible", None, (15,), 3)
    frame = trace_frame([found, rule])
    assert frame.schema == pl.Schema(TRACE)
    assert frame.rows() == [("CP-SAT", 0.5, 12, 3), ("CP-SAT", 2.0, 9, 4)]
    assert trace_frame([rule]).rows() == []


@pytest.mark.parametrize("make", [plan_frame, timeline, load_frame])
def test_tables_can_be_read_in_a_spreadsheet(make, tmp_path):
    frame = make(rich_shop(), rich_plan())
    frame.write_csv(tmp_path / "table.csv")
    assert pl.read_csv(tmp_path / "table.csv", schema=frame.schema).equals(frame)
