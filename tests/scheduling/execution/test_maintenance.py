import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings

from tests.scheduling.shops import rich_shops
from twinloop.contracts import Assignment, Plan, Risk, RiskTable
from twinloop.errors import InputError
from twinloop.replication.streams import Streams
from twinloop.scheduling.checker import check
from twinloop.scheduling.execution.maintenance import WINDOWS, Upkeep, place_maintenance
from twinloop.scheduling.execution.simulated_risks import simulated_risks
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import Job, JobShop, Operation, Window
from twinloop.scheduling.solution import Solution
from twinloop.scheduling.solvers.rules import dispatch
from twinloop.simulation.model.wear import Wear
from twinloop.simulation.model.wear_path import WearPath

LATE = Goal.of("weighted_tardiness")


def table(*rows: tuple[float, float], asset: str = "mill", cost: float = 1000.0) -> RiskTable:
    return RiskTable.of(Risk(asset, "belt", hours, p, p, p, 5, cost) for hours, p in rows)


def shop(*due: int) -> JobShop:
    """Jobs of one hour each on the mill."""
    return JobShop(("mill", "saw"), tuple(Job(str(k), (Operation("mill", 60),), due=d) for k, d in enumerate(due)))


def in_turn(count: int) -> Plan:
    return Plan.of(Assignment(str(k), 0, "mill", 60 * k, 60 * (k + 1)) for k in range(count))


def test_the_window_goes_where_saved_failures_outweigh_lateness() -> None:
    # Wear-out: nothing in the first two hours, then a failure per hour.
    risks = table((2.0, 0.0), (4.0, 1 - math.exp(-2)))
    four, plan = shop(60, 120, 1000, 1000), in_turn(4)
    found = place_maintenance(four, plan, [Upkeep("mill", 30, cost=50.0)], risks, goal=LATE, euro_per_unit=10.0)
    assert found.windows == {"mill": Window(120, 150)}
    assert found.cost_before == pytest.approx(2000)
    assert (found.cost, found.saved) == pytest.approx((50, 1950))
    check(found.shop, found.plan)
    assert [a.start for a in found.plan] == [0, 60, 150, 210]
    assert found.frame.columns == list(WINDOWS)
    assert found.frame.row(0) == pytest.approx(("mill", 120, 150, 2000.0, 0.0, 50.0))


def test_what_is_not_worth_it_is_left_out() -> None:
    risks = table((4.0, 0.01))
    found = place_maintenance(
        shop(60, 120), in_turn(2), [Upkeep("mill", 30, 500.0)], risks, goal=LATE, euro_per_unit=1.0
    )
    assert (found.windows, found.saved, found.plan) == ({}, 0, in_turn(2))
    assert found.frame["start"].to_list() == [None]


def test_dear_lateness_moves_the_window_behind_the_urgent_jobs() -> None:
    risks = table((4.0, 0.8))  # a constant hazard: the earlier, the better
    jobs, plan = shop(60, 120, 180, 1000), in_turn(4)
    starts = [
        place_maintenance(jobs, plan, [Upkeep("mill", 30)], risks, goal=LATE, euro_per_unit=euro).windows["mill"].start
        for euro in (0.0, 100.0)
    ]
    assert starts == [0, 180]


def test_a_partial_maintenance_saves_less_and_a_renewed_machine_fails_too() -> None:
    risks = table((4.0, 0.8))
    arguments = {"goal": LATE, "euro_per_unit": 0.0}
    whole = place_maintenance(shop(999), in_turn(1), [Upkeep("mill", 30)], risks, **arguments)
    half = place_maintenance(shop(999), in_turn(1), [Upkeep("mill", 30, restoration=0.5)], risks, **arguments)
    renewed = place_maintenance(
        shop(999), in_turn(1), [Upkeep("mill", 30)], risks, renewed=table((4.0, 0.3)), **arguments
    )
    assert half.saved == pytest.approx(whole.saved / 2)
    assert renewed.saved == pytest.approx(whole.saved - table((4.0, 0.3)).failures("mill", hours=1.0)[1])


@hypothesis_settings(max_examples=25, deadline=None)
@given(rich_shops())
def test_windows_in_any_shop_leave_a_valid_plan_and_never_cost_more(rich: JobShop) -> None:
    plan = dispatch(rich, "EDD")
    assume(plan is not None)
    assert plan is not None
    risks = RiskTable.of(risk for machine in rich.machines for risk in table((1.0, 0.3), asset=machine))
    upkeep = [Upkeep(machine, 3, 1.0) for machine in rich.machines]

    def again(changed: JobShop) -> Solution:
        other = dispatch(changed, "ATC")
        return (
            Solution("ATC", "no plan", None, None, 0)
            if other is None
            else Solution.of("ATC", changed, goal=LATE, plan=other, bound=0)
        )

    found = place_maintenance(rich, plan, upkeep, risks, goal=LATE, euro_per_unit=0.5, planner=again)
    check(found.shop, found.plan)
    assert found.saved >= 0
    for machine, window in found.windows.items():
        work = [a for a in found.plan if a.machine == machine and a.start < a.end]
        assert not any(a.start < window.end and window.start < a.start for a in work)


def test_simulated_wear_gives_the_share_of_lives_that_end_within_the_horizon() -> None:
    wear = {"mill": Wear(kind="weibull", mean_life_min=3000, cv=0.3)}
    risks = simulated_risks(wear, age_min={"mill": 2500}, horizons_hours=(4, 16), failure_cost={"mill": 900.0}, seed=1)
    # Other luck, other draws: the interval of the table holds what they do.
    lives = np.array([WearPath.draw(wear["mill"], Streams(2, 0).generator("x", str(k))).life_min for k in range(4000)])
    left = lives[lives > 2500] - 2500
    for risk in risks:
        share = (left <= 60 * risk.horizon_hours).mean()
        assert risk.low - 0.03 <= share <= risk.high + 0.03
        assert (risk.asset, risk.component, risk.cost) == ("mill", "wear", 900.0)


def test_maintenance_by_simulated_wear_prevents_the_failures_that_simulated_machines_have() -> None:
    wear = {"mill": Wear(kind="weibull", mean_life_min=600, cv=0.2)}
    hours, age = (1, 2, 4, 8), {"mill": 480.0}
    cost = {"mill": 1000.0}
    risks = simulated_risks(wear, age_min=age, horizons_hours=hours, failure_cost=cost, lives=2000, seed=1)
    new = simulated_risks(wear, age_min={}, horizons_hours=hours, failure_cost=cost, lives=2000, seed=1)
    found = place_maintenance(
        shop(400, 400, 400, 400),
        in_turn(4),
        [Upkeep("mill", 30, 20.0)],
        risks,
        goal=LATE,
        euro_per_unit=1.0,
        renewed=new,
    )
    assert found.windows["mill"].start == 0
    # Of machines of this age, so many fail within the four hours of the plan; hazard counts renewals as well.
    lives = np.array([WearPath.draw(wear["mill"], Streams(3, 0).generator("x", str(k))).life_min for k in range(3000)])
    failing = (lives[lives > 480] <= 480 + 240).mean()
    assert found.cost_before == pytest.approx(-1000 * math.log1p(-failing), rel=0.15)
    assert found.saved > 0.9 * found.cost_before - 20 - 10


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Upkeep("mill", 0), "maintenance of mill: minutes = 0: expected a whole number from 1"),
        (lambda: Upkeep("mill", 30, -1.0), "maintenance of mill: cost = -1: expected a number of at least 0"),
        (lambda: Upkeep("mill", 30, restoration=1.5), "maintenance of mill: restoration = 1.5: expected a number from"),
        (
            lambda: place_maintenance(
                shop(60), in_turn(1), [Upkeep("press", 9)], table((1, 0.1)), goal=LATE, euro_per_unit=1
            ),
            "maintenance: machine 'press' is not in the shop; known: mill, saw",
        ),
        (
            lambda: place_maintenance(
                shop(60), in_turn(1), [Upkeep("saw", 9)], table((1, 0.1)), goal=LATE, euro_per_unit=1
            ),
            "maintenance: the risk table has no row for 'saw'; known: mill",
        ),
        (
            lambda: place_maintenance(
                shop(60),
                in_turn(1),
                [Upkeep("mill", 9)],
                table((1, 0.1)),
                renewed=table((1, 0.1), asset="saw"),
                goal=LATE,
                euro_per_unit=1,
            ),
            "maintenance: the risk table has no row for 'mill'; known: saw",
        ),
        (
            lambda: place_maintenance(
                shop(60),
                in_turn(1),
                [Upkeep("mill", 9)],
                RiskTable.of(table((1, 0.1)), clock="calendar"),
                goal=LATE,
                euro_per_unit=1,
            ),
            "maintenance: expected hours of work, got hours of calendar: machines wear by the hours that they work",
        ),
        (
            lambda: simulated_risks(
                {"mill": Wear(kind="weibull", mean_life_min=60)},
                age_min={"mill": 999},
                horizons_hours=(1,),
                failure_cost={"mill": 1},
                lives=100,
                seed=1,
            ),
            "risks: mill: 0 of 100 simulated lives reach the age of 999 min: expected a younger machine",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(call, message):  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value).startswith(message)
