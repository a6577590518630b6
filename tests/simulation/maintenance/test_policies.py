import dataclasses

import numpy as np
import pytest

from tests.simulation.lines import fixed, serial_line
from tests.simulation.worn import policy, press, wear, worn_line
from twinloop.errors import InputError
from twinloop.simulation.maintenance.policies import with_policy
from twinloop.simulation.model import maintenance, policies
from twinloop.simulation.model.maintenance import Maintenance
from twinloop.simulation.model.policies.policy import NEVER, Policy
from twinloop.simulation.model.policies.predictive import alert_age
from twinloop.simulation.model.predictor import Predictor
from twinloop.simulation.model.wear_path import WearPath

COUNT = 20_000


def straight(life: float = 100.0) -> WearPath:
    """Health falls evenly from 1 to 0."""
    return WearPath(np.array([0.0, life]), np.array([0.0, 2.0]), np.empty(0), np.empty(0), 2.0, life)


def due(maintained: Maintenance) -> float:
    return maintained.due_age(straight(), np.random.default_rng(0))


def test_every_policy_knows_of_a_life_what_it_may_know():
    assert due(policy("failure")) == NEVER
    assert due(policy("interval", interval_min=70.0)) == 70.0
    assert due(policy("interval", interval_min=500.0)) == 500.0
    assert due(policy("opportunistic", health_below=0.25)) == pytest.approx(75.0)
    assert due(policy("oracle")) == 100.0


def test_a_condition_is_seen_at_the_next_inspection_or_not_in_time():
    assert due(policy("condition", interval_min=30.0, health_below=0.25)) == 90.0
    assert due(policy("condition", interval_min=25.0, health_below=0.25)) == 75.0
    assert due(policy("condition", interval_min=80.0, health_below=0.1)) == NEVER
    assert due(policy("condition", interval_min=200.0, health_below=0.9)) == NEVER


def predictor(*, recall: float = 1.0, lead: tuple[float, float] = (0.0, 1.0), false_alarms: float = 0.0) -> Predictor:
    return Predictor(
        recall=(recall, 0.0), lead_levels=(0.0, 1.0), lead_hours=(lead,) * 2, false_alarms_per_hour=(false_alarms, 0.0)
    )


def alerts(asked: Predictor, *, life: float = 600.0, draw: int = 0) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.array([alert_age(asked, life, rng, draw=draw) for _ in range(COUNT)])


def test_a_predictor_alerts_with_its_recall_and_its_lead_times():
    ages = alerts(predictor(recall=0.7, lead=(1.0, 3.0)))
    assert np.isfinite(ages).mean() == pytest.approx(0.7, abs=0.01)
    lead = (600.0 - ages[np.isfinite(ages)]) / 60
    assert (lead.min(), lead.mean(), lead.max()) == pytest.approx((1.0, 2.0, 3.0), abs=0.02)


def of_lives(dependence: float, recall: float = 0.8) -> Predictor:
    """Lives of 10 to 90 hours; up to half of one is left at its alert."""
    shares, lives = (0.0, 0.1, 0.5), (10.0, 50.0, 90.0)
    return Predictor(
        recall=(recall,),
        lead_levels=(0.0, 0.5, 1.0),
        lead_hours=((0.0, 5.0, 45.0),),
        false_alarms_per_hour=(0.0,),
        life_hours=(lives,),
        lead_shares=(shares,),
        dependence=(dependence,),
    )


@pytest.mark.parametrize("life", [300.0, 1500.0, 3600.0, 9000.0])
@pytest.mark.parametrize(
    "asked", [of_lives(0.6), of_lives(-0.9), of_lives(0.0), of_lives(0.7, 1.0), predictor(recall=0.7, lead=(1.0, 30.0))]
)
def test_the_law_of_the_first_alert_is_that_of_alerts_drawn(asked, life):
    ages = alerts(asked, life=life)
    for age in life * np.array([0.0, 0.4, 0.8, 0.95, 1.0]):
        assert asked.alerted(life, age) == pytest.approx((ages <= age).mean(), abs=0.015)
    assert asked.alerted(life, -1.0) == 0.0


def test_recall_and_shares_over_all_lives_are_those_measured_however_they_hang_together():
    rng = np.random.default_rng(4)
    lives = 60 * np.interp(rng.random(COUNT), (0.0, 0.5, 1.0), (10.0, 50.0, 90.0))
    for dependence in (-1.0, 0.0, 0.5, 1.0):
        ages = np.array([alert_age(of_lives(dependence), life, rng) for life in lives])
        hit = np.isfinite(ages)
        assert hit.mean() == pytest.approx(0.8, abs=0.01)
        share = 1 - ages[hit] / lives[hit]
        assert np.quantile(share, (0.5, 1.0)) == pytest.approx((0.1, 0.5), abs=0.01)
        assert np.sign(lives[hit].mean() - lives[~hit].mean()) == np.sign(dependence) or dependence == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"life_hours": ()}, "expected 1 draws of life_hours, lead_shares and dependence, or none of all three"),
        ({"dependence": (0.1, 0.2)}, "expected 1 draws of life_hours"),
        ({"lead_shares": ((0.0, 0.1),)}, "expected 3 life_hours and lead_shares per draw"),
        ({"dependence": (1.5,)}, "expected a number ≤ 1"),
    ],
)
def test_a_law_by_life_that_cannot_be_is_refused(changes, reason):
    with pytest.raises(ValueError, match=reason):
        dataclasses.replace(of_lives(0.5), **changes)


def test_false_alarms_are_a_poisson_process_of_their_rate():
    ages = alerts(predictor(recall=0.0, false_alarms=0.5))
    assert ages.mean() == pytest.approx(120.0, rel=0.02)
    assert ages.std() == pytest.approx(120.0, rel=0.03)


def test_an_alert_longer_ahead_than_the_life_comes_at_its_beginning():
    assert alerts(predictor(lead=(20.0, 30.0))).max() == 0.0


def test_a_draw_of_the_predictor_replaces_its_estimate():
    assert not np.isfinite(alerts(predictor(false_alarms=0.5), draw=1)).any()


def test_a_line_gets_a_policy_wherever_it_can_be_maintained():
    line = with_policy(worn_line(wear(), maintenance=policy("failure")), "interval", interval_min=50.0)
    assert line.stations[0].maintenance == policy("interval", interval_min=50.0)
    back = with_policy(line, "oracle")
    assert back.stations[0].maintenance.interval_min is None
    assert back.stations[0].maintenance.duration == fixed(20.0)


def test_a_policy_without_a_place_is_refused():
    with pytest.raises(InputError, match="serial has no station with wear and maintenance: describe one"):
        with_policy(serial_line(2, buffer=1), "oracle")
    with pytest.raises(InputError, match="station press has no maintenance: give it one with a duration"):
        with_policy(press(wear()), "oracle")


class Halfway(Policy):
    """Maintained at half of every life."""

    def due_age(self, settings, path, rng, *, draw=0):
        return path.life_min / 2


def test_a_policy_of_ones_own_is_one_class_and_one_entry(monkeypatch):
    registry = {**policies.POLICIES, "halfway": Halfway()}
    monkeypatch.setattr(maintenance, "POLICIES", registry)
    line = with_policy(worn_line(wear(), maintenance=policy("failure")), "halfway")
    assert due(line.stations[0].maintenance) == 50.0
    result = line.run(days=20, warmup_days=0, replications=2)
    assert result["failures_per_day"].mean == 0.0
    assert result["maintenances_per_day"].mean > 1.0
    with pytest.raises(InputError, match="did you mean 'halfway'"):
        with_policy(line, "halfwy")


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("interval", {"interval_min": 0.0}, "interval_min = 0.0: expected a number > 0"),
        ("interval", {}, "policy interval takes interval_min, got nothing"),
        ("predictive", {}, "make the predictor from a RiskTable and an AlertCurve"),
        ("interval", {"intervall_min": 5.0}, "did you mean 'interval_min'"),
        ("yearly", {}, "policy = 'yearly': expected one of 'failure', 'interval'"),
        ("opportunist", {}, "did you mean 'opportunistic'?"),
    ],
)
def test_settings_that_a_policy_does_not_take_are_refused_in_one_line(name, settings, expected):
    with pytest.raises(InputError, match="maintenance: press: ") as caught:
        with_policy(worn_line(wear(), maintenance=policy("failure")), name, **settings)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
