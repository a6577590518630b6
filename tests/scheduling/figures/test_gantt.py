from datetime import datetime

import polars as pl
import pytest

from tests.scheduling.shops import rich_plan, rich_shop
from twinloop.contracts import Assignment, Plan
from twinloop.palette import GROUPS
from twinloop.scheduling.clock import Clock
from twinloop.scheduling.figures.colours import LATE, grouped
from twinloop.scheduling.figures.gantt import MOST_JOBS
from twinloop.scheduling.problem import Job, JobShop, Operation

HOSTILE = "<b>desk</b>"
DOWN = pl.DataFrame({"machine": ["mill", "mill"], "start": [2.0, 90.0], "end": [5.0, 99.0]})


def queue(count: int) -> tuple[JobShop, Plan]:
    """Jobs of ten minutes behind each other on one machine, the same due date for all."""
    jobs = tuple(Job(f"{k:03d}", (Operation("mill", 10),), due=500) for k in range(count))
    plan = Plan.of(Assignment(job.name, 0, "mill", 10 * k, 10 * k + 10) for k, job in enumerate(jobs))
    return JobShop(("mill",), jobs), plan


@pytest.fixture(scope="module")
def traces() -> dict:
    figure = rich_shop().gantt(
        rich_plan(), groups={"shaft": "steel", "base": "brass"}, downtime=DOWN, unit="time units"
    )
    return {trace.name: trace for trace in figure.data}


def spans(trace) -> list[tuple[int, float, float]]:
    return sorted(
        (lane, start, start + length) for lane, start, length in zip(trace.y, trace.base, trace.x, strict=True)
    )


def test_everything_a_machine_does_is_an_entry_of_the_legend(traces):
    assert set(traces) == {
        "closed", "brass", "other", "steel", "set-up", "down", "critical path", "job at work", "due date",
    }  # fmt: skip
    assert spans(traces["closed"]) == [(1, 8, 10), (1, 20, 24)]
    assert spans(traces["set-up"]) == [(0, 7, 9)]
    assert spans(traces["steel"]) == [(0, 3, 7), (1, 10, 16)]


def test_downtime_behind_the_end_of_the_plan_is_left_out(traces):
    assert spans(traces["down"]) == [(1, 2, 5)]


def test_a_bar_tells_job_step_times_due_date_and_what_held_it(traces):
    (first, second) = traces["other"].hovertext
    assert first.startswith("cover: due 20 time units, 1 time units early<br>operation 1 of 2 on saw, 9 … 12")
    assert "set-up before it: 2" in first
    assert "critical path, held by material bar" in first
    assert "critical path, held by job cover" in second


def test_the_critical_path_is_outlined_from_its_first_step_to_the_last_end(traces):
    x = [value for value in traces["critical path"].x if value is not None]
    assert (min(x), max(x)) == (9, 24)


def test_hours_are_minutes_by_sixty():
    shop, plan = queue(2)
    figure = shop.gantt(plan)
    assert figure.layout.xaxis2.title.text == "time (hours)"
    assert spans(next(t for t in figure.data if t.name == "001")) == [(0, 10 / 60, pytest.approx(20 / 60))]


def test_jobs_stand_by_due_date_and_what_is_late_is_marked_from_there():
    shop = JobShop(("mill",), (Job("b", (Operation("mill", 30),), due=20), Job("a", (Operation("mill", 5),), due=90)))
    plan = Plan.of([Assignment("b", 0, "mill", 0, 30), Assignment("a", 0, "mill", 30, 35)])
    figure = shop.gantt(plan, unit="minutes")
    assert figure.layout.yaxis2.ticktext == ("b", "a")
    (late,) = [trace for trace in figure.data if trace.name == "late"]
    assert spans(late) == [(0, 20, 30)]
    assert late.marker.color == (LATE,)
    due = next(trace for trace in figure.data if trace.name == "due date")
    assert list(due.x) == [20, 90]
    assert "10.00 minutes late" not in due.hovertext[0]
    assert "b: due 20 minutes, 10 minutes late" in due.hovertext[0]


def test_of_too_many_jobs_the_latest_are_shown():
    shop, plan = queue(MOST_JOBS + 5)
    figure = shop.gantt(plan)
    assert len(figure.layout.yaxis2.ticktext) == MOST_JOBS
    assert figure.layout.yaxis2.ticktext[0] == "005"
    assert "latest" in figure.layout.yaxis2.title.text


def test_without_due_dates_there_is_one_panel():
    shop = JobShop(("mill",), (Job("a", (Operation("mill", 5),)),))
    figure = shop.gantt(Plan.of([Assignment("a", 0, "mill", 0, 5)]))
    assert "yaxis2" not in figure.layout
    assert figure.layout.xaxis.title.text == "time (hours)"


def test_hostile_names_are_escaped():
    shop = JobShop((HOSTILE,), (Job(HOSTILE, (Operation(HOSTILE, 5),), due=3),))
    plan = Plan.of([Assignment(HOSTILE, 0, HOSTILE, 0, 5)])
    text = shop.gantt(plan, groups={HOSTILE: HOSTILE}, title=HOSTILE).to_json()
    assert "desk" in text
    assert "<b>desk" not in text
    assert "\\u003cb\\u003edesk" not in text


def test_colours_are_one_for_each_job_while_they_suffice():
    few, many = queue(len(GROUPS))[0].by_name, queue(len(GROUPS) + 1)[0].by_name
    assert len(set(grouped(few, None)[1].values())) == len(GROUPS)
    assert set(grouped(many, None)[0].values()) == {"jobs"}
    assert grouped(few, {"000": "x"})[0]["001"] == "other"
    assert LATE not in GROUPS


def test_with_a_clock_the_axis_and_the_words_are_dates():
    figure = rich_shop().gantt(rich_plan(), downtime=DOWN, clock=Clock.of("2026-12-01T06:00+01:00"))
    assert {axis.type for axis in figure.select_xaxes()} == {"date"}
    assert figure.layout.xaxis.range[0] == datetime(2026, 12, 1, 6, 0)
    by_name = {trace.name: trace for trace in figure.data}
    # The set-up of two minutes before cover: bars on an axis of dates are milliseconds long.
    assert by_name["set-up"].base[0] == datetime(2026, 12, 1, 6, 7)
    assert by_name["set-up"].x[0] == 2 * 60_000
    assert "cover: due Tue 1 Dec 06:20, 1 min early" in by_name["cover"].hovertext[0]
    assert "on saw, Tue 1 Dec 06:09 … Tue 1 Dec 06:12" in by_name["cover"].hovertext[0]
    assert datetime(2026, 12, 1, 6, 20) in by_name["due date"].x
