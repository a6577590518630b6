from dataclasses import replace

import numpy as np
import pytest

from tests.simulation.fleet.fleets import component, fleet, wear
from twinloop.contracts import AlertCurve
from twinloop.simulation.fleet import Alert, World
from twinloop.simulation.fleet.risks import Warnings

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
    known = Warnings.of(curve)
    for low, high in ((0.2, 0.6), (0.6, 0.9), (0.9, 1.3)):
        own = (due < life) & (due >= low * mean) & (due < high * mean)
        rightly, falsely = known.meant(law, due[own])
        drawn = (due == right)[own]
        assert (rightly.sum(axis=1) / (rightly.sum(axis=1) + falsely)).mean() == pytest.approx(drawn.mean(), abs=0.05)
        leads = (rightly @ known.lead_min) / rightly.sum(axis=1)
        assert leads[drawn].mean() == pytest.approx((life - due)[own][drawn].mean(), rel=0.1)
    for age in (0.3, 0.8, 1.1):
        quiet = ((right > age * mean) & (life > age * mean)).mean()
        assert known.quiet(law, age * mean) == pytest.approx(quiet, abs=0.03)


def without_false_alarms(curve: AlertCurve) -> AlertCurve:
    """The same hits and leads, as they are drawn from the same stream."""
    return replace(curve, false_alarms=0.0 * curve.false_alarms)
