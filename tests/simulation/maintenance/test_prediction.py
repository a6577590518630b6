import dataclasses

import numpy as np
import pytest

from tests.simulation.lines import log_of
from tests.simulation.worn import policy, wear, worn_line
from twinloop.contracts import AlertCurve, Risk, RiskTable
from twinloop.errors import InputError
from twinloop.simulation import Economy
from twinloop.simulation.degradation.history import histories, watched_lives
from twinloop.simulation.degradation.sensors import telemetry
from twinloop.simulation.events.log import DOWN, MAINTENANCE
from twinloop.simulation.maintenance.comparison import compare_policies
from twinloop.simulation.maintenance.prediction import best_threshold, predictor_of, with_prediction
from twinloop.simulation.maintenance.upkeep import FAILURE

LINE = worn_line(wear("weibull"), maintenance=policy("failure"))


def alerts(*, false_alarms: tuple[float, float, float] = (30.0, 3.0, 0.0)) -> AlertCurve:
    return AlertCurve(
        thresholds=np.array([0.1, 0.5, 0.9]),
        recall=np.array([[1.0, 0.8, 0.1], [0.9, 0.6, 0.1]]),
        lead_levels=np.array([0.0, 1.0]),
        lead_hours=np.tile([0.5, 1.5], (2, 3, 1)),
        false_alarms=np.array([false_alarms, false_alarms]),
        failures=30,
        asset_months=1.0,
        threshold=0.9,
        model="test",
        hours_per_month=100.0,
    )


def risks(*, cost: float = 500.0, asset: str = "press") -> RiskTable:
    # Six failures in a month of 100 hours, one in 1 000 minutes.
    probability = 1 - float(np.exp(-6.0))
    row = Risk(asset, "spindle", 100.0, probability, 0.9, 1.0, 6, cost)
    return RiskTable.of([row])


def test_a_predictor_is_the_curve_at_its_threshold_in_hours():
    found = predictor_of(alerts().at(0.5))
    assert found.recall == (0.8, 0.6)
    assert found.lead_hours == ((0.5, 1.5), (0.5, 1.5))
    assert found.false_alarms_per_hour == pytest.approx((0.03, 0.03))


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (10.0, None),  # an alert costs more than the failure it prevents
        # cost per month at 0.1, 0.5, 0.9: (6 + 30) × 20; 0.2 × 6 cost + (4.8 + 3) × 20; 0.9 × 6 cost + 0.6 × 20
        (30.0, 0.9),  # 720, 192, 174
        (100.0, 0.5),  # 720, 276, 552
        (600.0, 0.1),  # 720, 876, 3252
    ],
)
def test_the_threshold_is_the_one_of_least_expected_cost(cost, expected):
    assert best_threshold(risks(cost=cost), alerts(), "press", maintenance_cost=20.0) == expected


def test_hours_of_the_calendar_and_hours_of_work_are_not_mixed():
    by_calendar = dataclasses.replace(alerts(), clock="calendar")
    with pytest.raises(InputError, match="risk table: expected hours of calendar, got hours of work: give both by"):
        best_threshold(risks(), by_calendar, "press", maintenance_cost=20.0)
    with pytest.raises(InputError, match="predictor: expected hours of work, got hours of calendar: machines wear"):
        predictor_of(by_calendar)


def test_the_line_acts_on_alerts_or_runs_to_failure_where_they_do_not_pay():
    for cost, name in ((100.0, "predictive"), (10.0, "failure")):
        line = with_prediction(LINE, risks(cost=cost), alerts(), economy=Economy(maintenance=20.0))
        assert line.stations[0].maintenance.policy == name


def test_misses_and_false_alarms_of_the_curve_happen_on_the_line():
    line = with_prediction(LINE, risks(cost=100.0), alerts(), economy=Economy(maintenance=20.0))
    log = log_of(line, minutes=200_000.0)  # replication 0 uses draw 1, with a recall of 0.6
    failures, maintenances = (int((log.event == kind).sum()) for kind in (DOWN, MAINTENANCE))
    # A life ends at a false alarm first (0.03 per hour) with probability 1 - E[exp(-rate × age)] ≈ 0.37.
    assert failures / (failures + maintenances) == pytest.approx(0.4 * 0.63, abs=0.05)
    deaf = dataclasses.replace(alerts(), recall=np.zeros((2, 3)))
    ignoring = with_prediction(LINE, risks(cost=100.0), deaf, economy=Economy(maintenance=20.0))
    assert not (log_of(ignoring, minutes=20_000.0).event == MAINTENANCE).any()


def test_a_risk_table_of_another_plant_is_refused():
    with pytest.raises(InputError, match="risk table: asset: unknown name 'presss'; did you mean 'press'"):
        with_prediction(LINE, risks(asset="presss"), alerts(), economy=Economy())
    with pytest.raises(InputError, match=r"risk table: no row for asset 'press' \(known: none\)"):
        with_prediction(LINE, RiskTable.of([]), alerts(), economy=Economy())


def test_alerts_learnt_from_the_telemetry_of_the_twin_pay_on_the_twin():
    line = worn_line(wear("gamma"), maintenance=policy("failure"))
    log = log_of(line, minutes=60_000.0, seed=11)
    history = next(histories(line, log, seed=11, replication=0))
    wide = telemetry(line, log, seed=11, replication=0).of_asset("press")
    lives = watched_lives(history, wide["time_min"].to_numpy(), wide["vibration"].to_numpy())
    curve = AlertCurve.of_lives(
        lives, thresholds=np.linspace(2.0, 7.5, 23), window_hours=3.0, model="vibration", draws=20
    )
    prices = Economy(failure=800.0, maintenance=100.0)
    predictive = with_prediction(line, risks(cost=850.0), curve, economy=prices)
    assert predictive.stations[0].maintenance.policy == "predictive"
    found = compare_policies(line, {"predictive": predictive}, economy=prices, days=10, replications=5, seed=12)
    assert found.ranking == ("predictive", FAILURE)
    assert found.figure("predictive").high < found.figure(FAILURE).low
    assert found.regret("predictive").mean > 0
