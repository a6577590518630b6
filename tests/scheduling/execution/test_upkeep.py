import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.contracts import Assignment, Plan, Risk, RiskTable
from twinloop.errors import InputError
from twinloop.replication.streams import Streams
from twinloop.scheduling.execution.disruptions import CALM, Disruptions, Luck
from twinloop.scheduling.execution.floor import Floor
from twinloop.scheduling.execution.maintenance import Maintained, Upkeep, place_maintenance
from twinloop.scheduling.execution.renewal import with_repairs
from twinloop.scheduling.execution.simulated_risks import simulated_risks
from twinloop.scheduling.execution.upkeep import WindowsWorth, windows_worth
from twinloop.scheduling.execution.wearing import Wearing
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import Job, JobShop, Operation, Window
from twinloop.simulation.model.wear import Wear

LATE = Goal.of("weighted_tardiness")
WEAR = Wear(kind="gamma", mean_life_min=600.0, cv=0.3)


def shop(count: int, *, minutes: int = 60, due: int = 240) -> JobShop:
    """Jobs of one hour each on the mill."""
    return JobShop(("mill",), tuple(Job(str(k), (Operation("mill", minutes),), due=due) for k in range(count)))


def in_turn(count: int, *, minutes: int = 60) -> Plan:
    return Plan.of(Assignment(str(k), 0, "mill", minutes * k, minutes * (k + 1)) for k in range(count))


def finished(count: int, wearing: Wearing, *, seed: int = 1, stops: tuple[Window, ...] = ()) -> Floor:
    closed = shop(count).stopped({"mill": stops})
    plan = in_turn(count)
    floor = Floor(closed, plan, Luck(CALM, Streams(seed, 0)), wearing={"mill": wearing})
    floor.finish()
    return floor


def test_a_machine_fails_each_time_that_a_life_of_work_is_used_up() -> None:
    wearing = Wearing(WEAR, 30.0)
    lives = wearing.lives("mill", Streams(1, 0))
    ends = np.cumsum([next(lives) for _ in range(9)])
    for count in (1, 8, 20, 50):
        assert finished(count, wearing).worn["mill"].failures == int((ends < 60 * count).sum())


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 50), st.floats(0.0, 0.9), st.integers(0, 40))
def test_repairs_are_all_that_wear_adds_to_a_calm_day(count: int, level: float, seed: int) -> None:
    floor = finished(count, Wearing(WEAR, 30.0, level=level), seed=seed)
    end = max(r.end for r in floor.realised)
    assert (end > 60 * count + 1e-6) == (floor.worn["mill"].failures > 0)
    again = finished(count, Wearing(WEAR, 30.0, level=level), seed=seed)
    assert again.realised == floor.realised


def test_a_maintenance_begins_the_life_that_a_failure_would_have_begun() -> None:
    lives = Wearing(WEAR, 30.0).lives("mill", Streams(1, 0))
    begin = int(next(lives)) - 5
    wearing, window = Wearing(WEAR, 30.0, renewed=(begin,)), Window(begin, begin + 40)
    after = np.cumsum([next(lives) for _ in range(9)])
    for count in (8, 30, 50):
        floor = finished(count, wearing, stops=(window,))
        assert floor.worn["mill"].failures == int((after < 60 * count - begin).sum())
        assert not any(window.start < r.start < window.end for r in floor.realised)


def test_a_worn_machine_fails_sooner_than_a_new_one() -> None:
    failures = [
        np.mean([finished(8, Wearing(WEAR, 30.0, level=level), seed=seed).worn["mill"].failures for seed in range(60)])
        for level in (0.0, 0.5, 0.95)
    ]
    assert failures[0] < failures[1] < failures[2]


def maintained(*, failure_cost: float, risks: RiskTable | None = None, age: float = 480.0) -> Maintained:
    told, new = (
        simulated_risks(
            {"mill": WEAR},
            age_min={"mill": at},
            horizons_hours=(1, 2, 4, 8, 16),
            failure_cost={"mill": failure_cost},
            seed=1,
        )
        for at in (age, 0.0)
    )
    told, new = (with_repairs(table, new, hours=8.0) for table in (risks or told, new))
    upkeep = [Upkeep("mill", 30, 20.0)]
    return place_maintenance(shop(8), in_turn(8), upkeep, told, goal=LATE, euro_per_unit=0.1, renewed=new)


def worth(found: Maintained, *, failure_cost: float, level: float = 0.8, **changes: Any) -> WindowsWorth:
    how: dict[str, Any] = {"seed": 1, "replications": 60} | changes
    return windows_worth(
        shop(8),
        in_turn(8),
        found,
        {"mill": Wearing(WEAR, 60.0, level=level)},
        Disruptions({}, duration_cv=0.1),
        failure_cost={"mill": failure_cost},
        delay_cost=lambda makespan, late: 0.1 * late,
        **how,
    )


def test_where_failure_is_dear_the_windows_pay_when_executed() -> None:
    found = maintained(failure_cost=1000.0)
    assert found.windows
    value = worth(found, failure_cost=1000.0)
    assert value.saved.low > 0
    assert value.saved.mean == pytest.approx(found.saved, rel=0.4)
    figures = {row["figure"]: row for row in value.frame.iter_rows(named=True)}
    assert figures["failures"]["difference_high"] < 0
    assert figures["maintenance_cost"]["with_mean"] == 20.0
    parts = sum(figures[name]["difference_mean"] for name in ("failure_cost", "maintenance_cost"))
    assert figures["cost"]["difference_mean"] == pytest.approx(
        parts + 0.1 * figures["weighted_tardiness"]["difference_mean"]
    )


def test_without_any_risk_no_window_is_placed_and_both_executions_are_one() -> None:
    calm = RiskTable.of([Risk("mill", "wear", hours, 0.0, 0.0, 0.0, 5, 1000.0) for hours in (1.0, 16.0)])
    found = maintained(failure_cost=1000.0, risks=calm)
    assert (found.windows, found.saved) == ({}, 0)
    value = worth(found, failure_cost=1000.0)
    assert (value.saved.mean, value.saved.low, value.saved.high) == (0, 0, 0)
    before, after = (value.executions.filter(plan=f"{name} windows").drop("plan") for name in ("without", "with"))
    assert before.equals(after)


def test_cheap_failures_are_not_prevented() -> None:
    assert maintained(failure_cost=5.0).windows == {}


def test_executions_are_the_same_for_any_number_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twinloop.scheduling.execution.execution.EXECUTIONS_PER_WORKER", 10)
    found = maintained(failure_cost=1000.0)
    one, two = (worth(found, failure_cost=1000.0, replications=20, workers=workers) for workers in (1, 2))
    assert one.executions.equals(two.executions)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Wearing(WEAR, 30.0, level=1.0), "wearing: level = 1: expected less than the limit 1"),
        (lambda: Wearing(WEAR, 0.0), "wearing: repair_min = 0: expected a finite number above 0"),
        (lambda: Wearing(WEAR, math.inf), "wearing: repair_min = inf: expected a finite number above 0"),
        (
            lambda: windows_worth(
                shop(8), in_turn(8), maintained(failure_cost=1e3), {}, CALM,
                failure_cost={}, delay_cost=max, seed=1, replications=2,
            ),
            "windows: mill is maintained, but it is not said how it wears: add it to wearing",
        ),
        (
            lambda: windows_worth(
                shop(8), in_turn(8), maintained(failure_cost=1e3), {"mill": Wearing(WEAR, 30.0)}, CALM,
                failure_cost={}, delay_cost=max, seed=1, replications=2,
            ),
            "windows: mill wears, but not what its failure costs: add it to failure_cost",
        ),
        (
            lambda: windows_worth(
                shop(8), in_turn(8), maintained(failure_cost=1e3), {"mil": Wearing(WEAR, 30.0)}, CALM,
                failure_cost={}, delay_cost=max, seed=1, replications=2,
            ),
            "windows: machine: unknown name 'mil'; did you mean 'mill'?",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_executed_is_refused_in_one_line(call: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value).startswith(message)


def test_people_who_change_shifts_within_work_on_what_wears_are_refused() -> None:
    floor = Floor(shop(1), in_turn(1), Luck(CALM, Streams(1, 0)), wearing={"mill": Wearing(WEAR, 30.0)})
    with pytest.raises(InputError, match="execution: mill wears, and its people change shifts within an operation"):
        floor.worn["mill"].work_in_shifts()
