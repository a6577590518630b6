from dataclasses import replace

import numpy as np
import pytest

from tests.simulation.fleet.fleets import component, fleet, wear
from twinloop.contracts import AlertCurve
from twinloop.contracts.alert_rates import Watched
from twinloop.prognostics.evaluation.leads import lead_curve
from twinloop.simulation.fleet import Alert, FixedInterval, World, simulate
from twinloop.simulation.fleet.risks import Warnings, survival
from twinloop.simulation.maintenance.prediction import predictor_of

LIVES = 4000


def predictor(mean_life_hours: float) -> AlertCurve:
    """Of ten failures it warns of seven, some 80 hours before, and of none once in two lives."""
    return AlertCurve(
        thresholds=np.array([0.5]),
        recall=np.array([[0.7]]),
        lead_levels=np.linspace(0, 1, 11),
        lead_hours=np.linspace(0, 160, 11)[None, None],
        false_alarms=np.array([[0.5]]),
        failures=100,
        asset_months=100.0,
        threshold=0.5,
        model="m",
        hours_per_month=mean_life_hours,
        clock="work",
    )


@pytest.mark.parametrize("kind", ["gamma", "wiener", "weibull"])
def test_an_alert_is_right_as_often_and_as_early_at_its_age_as_alerts_of_lives_drawn(kind):
    law = wear(kind, cv=0.3)
    mean = law.mean_life_min
    curve = predictor(mean / 60)
    lives = World.of(fleet(component(wear=law), vehicles=LIVES), days=1, seed=2).lives
    units = [lives.unit(vehicle, 0, 0) for vehicle in range(LIVES)]
    life = np.array([unit.path.life_min for unit in units])
    all_alerts, right_ones = (Alert.of({"pump": one}) for one in (curve, without_false_alarms(curve)))
    due, right = (
        np.array([alert.due_age(lives, vehicle, 0, 0, unit) for vehicle, unit in enumerate(units)])
        for alert in (all_alerts, right_ones)
    )
    known = Warnings(predictor_of(curve), law)
    steps = np.linspace(0.0, 160 * 60.0, 81)
    middles = (steps[1:] + steps[:-1]) / 2
    for low, high in ((0.2, 0.6), (0.6, 0.9), (0.9, 1.3)):
        own = (due < life) & (due >= low * mean) & (due < high * mean)
        rightly, falsely = known.meant(due[own], np.zeros(own.sum()), steps)
        drawn = (due == right)[own]
        assert (rightly.sum(axis=1) / (rightly.sum(axis=1) + falsely)).mean() == pytest.approx(drawn.mean(), abs=0.05)
        leads = (rightly @ middles) / rightly.sum(axis=1)
        assert leads[drawn].mean() == pytest.approx((life - due)[own][drawn].mean(), rel=0.1)
    for age in (0.3, 0.8, 1.1):
        quiet = ((right > age * mean) & (life > age * mean)).mean()
        assert known.quiet(age * mean) == pytest.approx(quiet, abs=0.03)


def without_false_alarms(curve: AlertCurve) -> AlertCurve:
    """The same hits and leads, as they are drawn from the same stream."""
    return replace(curve, false_alarms=0.0 * curve.false_alarms)


def watched_by_age(law) -> list[Watched]:
    """Lives of a law whose scores are their ages: foresight of nothing."""
    drawn = World.of(fleet(component(wear=law), vehicles=400), days=1, seed=8).lives
    life = [drawn.unit(vehicle, 0, 0).path.life_min for vehicle in range(400)]
    return [Watched(age := np.linspace(0.005, 1.0, 200) * end, age, end, failed=True) for end in life]


def test_an_alert_at_a_fixed_age_is_worth_that_interval_and_no_more():
    law = wear("gamma", cv=0.4)
    age = 0.8 * law.mean_life_min
    curve = lead_curve(watched_by_age(law), model="age", thresholds=np.array([age]), draws=0)
    own = fleet(component(wear=law), vehicles=20)
    by_alerts, by_age = (
        np.array([simulate(World.of(own, days=400, seed=9, replication=r), policy).ledger.cost for r in range(4)])
        for policy in (Alert.of({"pump": curve}), FixedInterval({"pump": age}))
    )
    assert by_alerts.mean() == pytest.approx(by_age.mean(), rel=0.03)
    careless = replace(curve, by_life=None)
    believed = simulate(World.of(own, days=400, seed=9), Alert.of({"pump": careless})).ledger.cost
    assert believed < 0.95 * by_age[0]


def test_after_an_alert_at_a_fixed_age_and_without_one_a_life_has_the_risk_of_its_age():
    law = wear("gamma", cv=0.4)
    mean = law.mean_life_min
    curve = lead_curve(watched_by_age(law), model="age", thresholds=np.array([0.8 * mean]), draws=0)
    known, ahead = Warnings(predictor_of(curve), law), np.array([0.1, 0.3]) * mean

    def by_age(age: float) -> np.ndarray:
        return 1 - survival(law, age + ahead) / survival(law, age)

    alerted = known.failing_alerted(np.array([0.8 * mean]), np.array([0.1 * mean]), ahead)[0]
    assert alerted == pytest.approx(by_age(0.9 * mean), abs=0.04)
    quiet = known.failing(np.array([0.4 * mean]), np.zeros(1), ahead)[0]
    assert quiet == pytest.approx(by_age(0.4 * mean), abs=0.02)  # nobody alerts before
    assert known.in_time(0.0) == pytest.approx(float(survival(law, 0.8 * mean)), abs=0.03)
    assert known.quiet(1.1 * mean) == pytest.approx(0.0, abs=0.03)
