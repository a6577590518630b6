import dataclasses

import numpy as np
import pytest

from tests.simulation.worn import policy, wear, worn_line
from twinloop.contracts import AlertCurve
from twinloop.errors import InputError
from twinloop.prognostics.evaluation.failures import threshold_for
from twinloop.simulation.degradation.history import WORKING
from twinloop.simulation.degradation.lived import COMPONENT, SENSORS
from twinloop.simulation.maintenance.foresight import Foresight, learn
from twinloop.simulation.maintenance.settings import ForesightSettings
from twinloop.simulation.maintenance.watching import WatchedRun, foreseen
from twinloop.simulation.model.physics import Physics

SETTINGS = ForesightSettings(window_hours=4.0, runs=5, days=10.0, trees=10, least_failures=20)
CLEAR = Physics(temperature_noise_c=0.0, vibration_noise=0.0, power_noise=0.0)
# What sensors show has nothing to do with wear.
DEAF = Physics(wear_rise_c=0.0, wear_mm_s=0.0, wear_kw=0.0)


def learnt(kind: str, cv: float, physics: Physics, *, seed: int = 1) -> tuple[Foresight, list[WatchedRun], AlertCurve]:
    line = worn_line(wear(kind, cv=cv), maintenance=policy("failure"))
    foresight, fresh = foreseen(line, physics, SETTINGS, seed=seed)
    return foresight, fresh, foresight.alerts([life for run in fresh for life in run.all_lives], seed=seed)


@pytest.fixture(scope="module")
def clear() -> tuple[Foresight, list[WatchedRun], AlertCurve]:
    """A wear level that grows evenly and that sensors without noise show: nothing is left to chance."""
    return learnt("gamma", 0.1, CLEAR)


def recall_at(alerts: AlertCurve, *, false_alarms_per_life: float) -> float:
    per_month = false_alarms_per_life * alerts.failures / alerts.asset_months
    return alerts.at(threshold_for(alerts, false_alarms=per_month)).recall_at()


def test_sensors_that_show_all_foresee_nearly_every_failure(clear):
    foresight, fresh, alerts = clear
    assert not foresight.by_age
    assert recall_at(alerts, false_alarms_per_life=0.1) > 0.95
    lives = sum(len(run.all_lives) for run in fresh)
    assert alerts.failures == lives - len(fresh)  # each run ends in the middle of one


def test_sensors_that_show_nothing_are_worth_what_age_is():
    """With a hazard that does not grow, neither age nor any sensor tells more than the base rate."""
    _, _, deaf = learnt("weibull", 1.0, DEAF)
    assert recall_at(deaf, false_alarms_per_life=0.1) < 0.4
    seeing = learnt("gamma", 0.6, Physics())[2]
    blind = learnt("gamma", 0.6, DEAF)[2]
    # Of some fifty lives a share strays by 0.07.
    assert recall_at(seeing, false_alarms_per_life=0.3) > recall_at(blind, false_alarms_per_life=0.3) + 0.1


def test_as_many_fail_within_the_hours_as_the_risks_say(clear):
    foresight, fresh, _ = clear
    lives = [life for run in fresh for life in run.all_lives if life.failed]
    for age_min, tolerance in ((700.0, 0.1), (850.0, 0.1)):
        old = [one.until(age_min, asset=one.asset) for one in lives if one.end_min > age_min]
        left = np.array([one.end_min - age_min for one in lives if one.end_min > age_min])
        risks = foresight.risks(old, cost=100.0).frame
        for hours in (4.0, 8.0):
            said = risks.filter(horizon_hours=hours)["probability"].mean()
            assert said == pytest.approx((left <= 60 * hours).mean(), abs=tolerance)


def test_a_new_machine_is_less_at_risk_than_an_old_one(clear):
    foresight, fresh, _ = clear
    lives = [life for run in fresh for life in run.all_lives if life.failed]
    old = foresight.risks([lives[0].until(900.0, asset="press")], cost=50.0)
    new = foresight.renewed(lives, "press", cost=50.0)
    assert old.assets == new.assets == ("press",)
    assert old.clock == new.clock == "work"
    assert new.failures("press", hours=8.0)[0] < 0.2 * old.failures("press", hours=8.0)[0]


def test_a_machine_that_has_hardly_worked_is_not_judged(clear):
    foresight, fresh, _ = clear
    with pytest.raises(InputError, match=r"foresight: press: expected at least 40 minutes of work .* got 5: watch it"):
        foresight.risks([fresh[0].lives[0][0].until(5.0, asset="press")], cost=1.0)


def test_lives_are_told_in_hours_of_work_without_what_comes_after_them(clear):
    _, fresh, _ = clear
    run = fresh[0]
    work = sum(one.end_min for one in run.lives[0])
    assert work == pytest.approx(run.machines[0].minutes_in(WORKING, np.array([run.machines[0].horizon]))[0])
    for one in run.all_lives:
        assert one.rows.columns == ["time_min", *SENSORS]
        assert one.rows["time_min"].is_sorted()
        assert one.rows["time_min"].max() <= one.end_min + 1e-9
        assert one.rows["load"].is_between(0, 1 + 1e-9).all()


def test_few_failures_are_said_to_be_few(clear):
    foresight, fresh, _ = clear
    learning = [life for run in fresh[:1] for life in run.all_lives]
    shy = learn(learning, dataclasses.replace(SETTINGS, least_failures=500), seed=1)
    assert (shy.by_age, shy.name, foresight.note) == (True, "age", "")
    assert shy.note.startswith(f"{shy.learnt} failures to learn from, 500 are needed")
    ages = shy.model.components[COMPONENT].age
    assert ages.shape > 5
