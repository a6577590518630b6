import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulation.fleet.fleets import fleet
from twinloop.errors import InputError
from twinloop.simulation.fleet.duty import Dates, Duties, Duty
from twinloop.simulation.fleet.vehicle import Kind, Vehicle

RNG = np.random.default_rng(1)


def test_weekdays_and_seasons_follow_the_start():
    duty = Duty(week=(100.0, 100.0, 100.0, 100.0, 100.0, 50.0, 0.0), season=(1.0, 2.0) + (1.0,) * 10)
    dates = Dates.of(6, start="2026-01-30T00:00:00+01:00")  # a Friday
    assert duty.minutes(dates, RNG).tolist() == [100, 50, 0, 200, 200, 200]
    assert duty.minutes(Dates.of(2), RNG).tolist() == [100, 100]
    assert Dates.of(3, first=-1).weekday.tolist() == [6, 0, 1]


def test_the_usual_hours_of_driving_are_told_ahead():
    weeks = Kind(name="van", duty=Duty(week=(60.0,) * 5 + (0.0, 0.0), cv=0.5)), Kind(name="bus", duty=Duty())
    vehicles = (Vehicle(name="one", kind="bus"), Vehicle(name="two", kind="van"))
    hours = fleet(kinds=weeks, vehicles=vehicles).driving_hours(3, 5)
    assert hours[1].tolist() == [0.0, 1.0, 2.0, 2.0, 2.0, 3.0]
    assert hours[0, -1] == pytest.approx(3 * 250 / 60)


def test_the_spread_keeps_the_mean_and_the_day():
    duty = Duty(week=(300.0,) * 7, cv=0.4, begins_min=700.0)
    minutes = duty.minutes(Dates.of(4000), np.random.default_rng(2))
    assert minutes.max() <= 740.0
    assert minutes.mean() == pytest.approx(300.0, rel=0.02)
    assert minutes.std() / minutes.mean() == pytest.approx(0.4, rel=0.1)


@given(
    minutes=st.lists(st.floats(0, 1000), min_size=1, max_size=12).filter(any),
    begins=st.floats(0, 440),
    share=st.floats(0, 1),
)
def test_work_and_calendar_are_each_others_inverse(minutes, begins, share):
    duties = Duties(np.array([minutes]), np.array([begins]))
    total = sum(minutes)
    asked = share * total
    time = duties.when(0, asked)
    assert duties.work(0, time) == pytest.approx(asked, abs=1e-6)
    assert duties.work(0, 1e9) == pytest.approx(total)
    assert duties.when(0, total + 1) == float("inf")
    assert duties.work(0, time / 2) <= duties.work(0, time)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"week": (0.0,) * 7}, "expected minutes of driving on some day"),
        ({"week": (100.0,) * 6}, "expected at least 7 items, got 6"),
        ({"week": (float("nan"),) * 7}, "expected a finite number"),
        ({"week": (1441.0,) * 7}, "expected a number ≤ 1440"),
        ({"week": (-1.0,) * 7}, "expected a number ≥ 0"),
        ({"begins_min": 1300.0}, "begin earlier or drive less"),
        ({"cv": -0.1}, "expected a number ≥ 0"),
    ],
)
def test_a_duty_that_cannot_be_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        Duty(**values)


def test_planned_driving_is_finite():
    with pytest.raises(InputError, match="expected finite minutes"):
        Duties(np.array([[1.0, np.nan]]), np.array([0.0]))
