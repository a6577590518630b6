import math

import numpy as np
import pytest

from twinloop.contracts import Risk, RiskTable
from twinloop.errors import InputError
from twinloop.scheduling.booking.candidates import Work, candidates, priced

PUMP = Work("engine", 90, cost=200.0, parts={"pump": 1})
# Three days of eight hours of work.
HOURS = (0.0, 8.0, 16.0, 24.0)


def risks(*rows: tuple[str, str, float], cost: float = 1000.0) -> RiskTable:
    """Cumulative hazard within 24 hours by asset and component."""
    return RiskTable.of(
        Risk(asset, component, 24.0, 1 - math.exp(-hazard), 0.0, 1.0, 5, cost) for asset, component, hazard in rows
    )


def test_a_day_costs_the_risk_until_then_and_the_work_if_it_lasts_that_long() -> None:
    [found] = candidates(risks(("V1", "pump", 0.9)), {"pump": PUMP}, hours=HOURS, visit_cost=40.0)
    [task] = found.tasks
    until = 1 - np.exp(-np.array([0.0, 0.3, 0.6]))
    assert task.cost_by_day == pytest.approx(until * 1000 + (1 - until) * 200)
    assert task.cost_without == pytest.approx((1 - math.exp(-0.9)) * 1000)
    assert (found.asset, found.visit_cost, found.days, task.minutes) == ("V1", 40.0, None, 90)
    assert task.parts == {"pump": 1}


def test_whoever_renews_later_has_had_the_time_for_nothing() -> None:
    constant = risks(("V1", "pump", 0.9)).hazards
    hours = np.array([8.0, 40.0])
    failing = 1 - np.exp(-0.9 / 24 * hours)
    lived = failing / (0.9 / 24)  # of an exponential life
    found = priced(constant, hours[None], cost=np.array([200.0]), rate=np.array([5.0]))
    assert found[0] == pytest.approx(failing * 1000 + (1 - failing) * 200 - 5 * lived, rel=1e-3)


def test_a_component_that_does_not_age_is_never_renewed_at_its_own_long_run_cost() -> None:
    # Its lives cost 1000 euro each and last 24 / 0.9 hours on average, whatever is done.
    never = Work("engine", 90, cost=200.0, rate=1000 * 0.9 / 24)
    assert candidates(risks(("V1", "pump", 0.9)), {"pump": never}, hours=HOURS) == []


def test_what_saves_nothing_on_any_day_is_left_out() -> None:
    table = risks(("V1", "pump", 0.9), ("V1", "belt", 0.01), ("V2", "belt", 0.02))
    [found] = candidates(table, {"pump": PUMP, "belt": Work("engine", 30, cost=100.0)}, hours=HOURS)
    assert [task.component for task in found.tasks] == ["pump"]


def test_hours_costs_and_days_may_differ_by_asset() -> None:
    table = risks(("V1", "pump", 0.9), ("V2", "pump", 0.9))
    first, second = candidates(
        table,
        {"pump": PUMP},
        hours={"V1": HOURS, "V2": (0.0, 0.0, 0.0, 24.0)},
        visit_cost={"V1": 10.0, "V2": 20.0},
        days={"V2": [1, 2]},
    )
    assert (first.days, second.days, second.visit_cost) == (None, (1, 2), 20.0)
    assert second.tasks[0].cost_by_day == pytest.approx([200.0] * 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"work": {"pumps": PUMP}}, "booking: V1: no work for component 'pump'; did you mean 'pumps'"),
        ({"hours": {"V2": HOURS}}, "booking: V1: expected its hours by day, got none; "),
        ({"hours": (0.0, 8.0, 4.0)}, "booking: V1: expected hours until each day and until the end, ascending"),
        ({"visit_cost": {"V2": 1.0}}, "booking: V1: expected the cost of its visit, got none; "),
        ({"hours": (0.0,)}, "booking: V1: expected hours until each day and until the end"),
        ({"hours": (0.0, math.nan)}, "booking: V1: expected hours until each day and until the end"),
    ],
)
def test_what_cannot_be_priced_is_refused_in_one_line(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        candidates(risks(("V1", "pump", 0.9)), **{"work": {"pump": PUMP}, "hours": HOURS} | changes)  # type: ignore[arg-type]
    assert str(caught.value).startswith(message)


def test_work_that_costs_less_than_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="booking: work: cost = -1.0: expected a number of at least 0"):
        Work("engine", 30, cost=-1.0)
    with pytest.raises(InputError, match="booking: work: rate = nan: expected a number of at least 0"):
        Work("engine", 30, cost=1.0, rate=math.nan)


def test_who_may_wait_in_the_workshop_comes_at_once_where_driving_on_is_dearer() -> None:
    table = risks(("V1", "pump", 2.4))  # a tenth of a failure an hour
    [drives] = candidates(table, {"pump": PUMP}, hours=HOURS)
    [waits] = candidates(table, {"pump": PUMP}, hours=HOURS, standing=10.0)
    assert waits.tasks[0].cost_by_day == pytest.approx([200.0, 280.0, 360.0])
    assert [waits.tasks[0].since(day) for day in range(3)] == [0, 0, 0]
    assert drives.tasks[0].cost_by_day[2] > 360.0
    [dear] = candidates(table, {"pump": PUMP}, hours=HOURS, standing=1000.0)
    assert dear.tasks[0].cost_by_day == drives.tasks[0].cost_by_day
    assert [dear.tasks[0].since(day) for day in range(3)] == [0, 1, 2]
    # Nobody waits from a day on which they cannot come.
    [late] = candidates(table, {"pump": PUMP}, hours=HOURS, standing=10.0, days={"V1": [1, 2]})
    assert late.tasks[0].cost_by_day[2] == pytest.approx(drives.tasks[0].cost_by_day[1] + 80.0)
