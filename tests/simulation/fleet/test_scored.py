"""Scores whose alerts are known: the wear itself, the age, and one that never changes."""

import dataclasses

import numpy as np
import polars as pl
import pytest

from twinloop.errors import InputError
from twinloop.simulation.fleet import (
    Alert,
    FixedInterval,
    RunToFailure,
    Scored,
    StandardFleet,
    WearSeen,
    World,
    simulate,
)
from twinloop.simulation.fleet.standard import COMPONENTS

BRAKES = dataclasses.replace(COMPONENTS[1], suppliers=COMPONENTS[1].suppliers[:1])
FLEET = StandardFleet(vehicles=6, components=(BRAKES,)).fleet()
DAYS = 200
# Of the kind that drives longest: a score comes at a day's end.
DRIVING_DAY = 700.0


def world() -> World:
    return World.of(FLEET, days=DAYS, seed=5, replication=2)


def told(history, value) -> pl.DataFrame:
    """value(age, path) at every midnight in the life that a vehicle is in."""
    record, rows = history.record, []
    for vehicle, name in enumerate(history.fleet.names):
        midnights = np.arange(1, record.world.days + 1) * 1440.0
        odometer = record.driven(vehicle, midnights)[1]
        for part in record.services:
            if part.vehicle == vehicle:
                inside = (odometer > part.begin_odometer) & (odometer <= part.end_odometer)
                ages = odometer[inside] - part.begin_odometer
                rows += [
                    (name, "brakes", t, s) for t, s in zip(midnights[inside], value(ages, part.unit.path), strict=True)
                ]
    return pl.DataFrame(rows, schema=["asset", "component", "time_min", "score"], orient="row")


def wear(history):
    return told(history, lambda ages, path: path.level(ages) / path.limit)


def age(history):
    return told(history, lambda ages, path: ages)


def constant(history):
    return told(history, lambda ages, path: np.full(len(ages), 0.5))


def due_ages(policy, lives, numbers=range(4)):
    return np.array(
        [policy.due_age(lives, v, 0, n, lives.unit(v, 0, n)) for v in range(len(FLEET.names)) for n in numbers]
    )


def test_a_score_that_is_the_wear_alerts_where_seeing_it_does_within_a_days_driving():
    lives = world().lives
    seen = due_ages(WearSeen({"brakes": 0.6}), lives)
    alerts = due_ages(Scored({"brakes": 0.6}, wear, days=900), lives)
    lived = np.array([lives.unit(v, 0, n).path.life_min for v in range(len(FLEET.names)) for n in range(4)])
    late = (alerts - seen)[seen < lived - DRIVING_DAY]
    assert len(late) > 15
    assert (late >= 0).all()
    assert (late < DRIVING_DAY).all()


def test_a_score_that_is_the_age_is_a_fixed_interval():
    alerts = Scored({"brakes": 15_000.0}, age, days=900)
    costs = [simulate(world(), policy).ledger.cost for policy in (alerts, FixedInterval({"brakes": 15_000.0}))]
    assert costs[0] == pytest.approx(costs[1], rel=0.05)


def test_a_score_that_never_changes_renews_at_once_or_never():
    lives = world().lives
    assert np.isinf(due_ages(Scored({"brakes": 0.6}, constant, days=300), lives)).all()
    at_once = due_ages(Scored({"brakes": 0.5}, constant, days=900), lives, numbers=(1, 2))
    assert (at_once < DRIVING_DAY).all()
    never = simulate(world(), Scored({"brakes": 0.6}, constant, days=300))
    assert never.figures() == simulate(world(), RunToFailure()).figures()


def test_a_component_that_is_not_watched_has_its_interval():
    policy = Scored.of(Alert({}, {}, {"brakes": 9_000.0}), constant, days=100)
    assert set(due_ages(policy, world().lives)) == {9_000.0}


def test_parts_that_are_only_partly_restored_are_refused():
    half = dataclasses.replace(BRAKES, wear=dataclasses.replace(BRAKES.wear, restoration=0.5))
    with pytest.raises(InputError, match="brakes: expected repairs that make it as good as new"):
        simulate(
            World.of(StandardFleet(vehicles=2, components=(half,)).fleet(), days=10), Scored({"brakes": 0.5}, wear)
        )
