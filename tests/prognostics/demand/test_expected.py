import numpy as np
import pytest

from tests.prognostics.demand.test_forecast import NAIVE, history
from twinloop.contracts import RiskTable
from twinloop.contracts.risk_table import Risk
from twinloop.errors import InputError
from twinloop.prognostics.demand import Work, forecast_demand, predicted_jobs, with_predicted

WORK = {"brakes": Work("mechanic", 90.0), "battery": Work("electrician", 60.0)}


def risks(component: str = "brakes", probability: float = 0.5) -> RiskTable:
    chances = ((168.0, probability), (336.0, 1 - (1 - probability) ** 2))
    rows = [Risk(asset, component, hours, p, p, p, 5, 2000.0) for asset in ("v1", "v2") for hours, p in chances]
    return RiskTable.of(rows, clock="calendar")


def test_the_jobs_of_two_weeks_are_the_failures_that_the_table_expects() -> None:
    told = predicted_jobs(risks(), WORK, first_week=20)
    # Half of each fails within a week: H = ln 2 a week, for two assets.
    count = 2 * np.log(2)
    assert told.filter(skill="mechanic").select("week", "jobs", "minutes", "variance").rows() == [
        pytest.approx((week, count, 90 * count, 90**2 * count)) for week in (20, 21)
    ]
    assert told.filter(skill="electrician")["jobs"].to_list() == [0, 0]


def test_hours_of_work_make_a_shorter_week() -> None:
    half = predicted_jobs(risks(), WORK, first_week=0, hours_per_week=84.0)
    assert half.filter(skill="mechanic")["jobs"][0] == pytest.approx(np.log(2))


def test_a_forecast_and_a_prediction_are_averaged_by_how_sure_they_are() -> None:
    forecast = forecast_demand(history(), NAIVE)
    predicted = predicted_jobs(risks(), WORK, first_week=20).filter(skill="mechanic")
    told = with_predicted(forecast, predicted)
    minutes, variance, own = predicted["minutes"][0], predicted["variance"][0], 100.0**2
    share = variance / (own + variance)
    assert told.expected["mechanic"].mean[0] == pytest.approx(share * 200 + (1 - share) * minutes)
    # Two forecasts do not halve the chance that neither of them knows.
    assert told.expected["mechanic"].deviation[0] == pytest.approx(share * 100 + (1 - share) * np.sqrt(variance))
    assert told.frame.filter(skill="painter").equals(forecast.frame.filter(skill="painter"))
    assert told.frame.select("skill", "week", "naive").equals(forecast.frame.select("skill", "week", "naive"))


def test_weeks_that_are_not_forecast_change_nothing() -> None:
    forecast = forecast_demand(history(), NAIVE)
    late = predicted_jobs(risks(), WORK, first_week=40).filter(skill="mechanic")
    assert with_predicted(forecast, late).frame.equals(forecast.frame)


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(InputError, match="component: unknown name 'tyres'"):
        predicted_jobs(risks("tyres"), WORK, first_week=0)
    with pytest.raises(InputError, match="skill: unknown name 'electrician'; known: mechanic, painter"):
        with_predicted(forecast_demand(history(), NAIVE), predicted_jobs(risks(), WORK, first_week=20))
