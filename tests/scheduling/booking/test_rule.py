import numpy as np
import pytest

from twinloop.scheduling.booking.rule import BookingRule, cost_rates
from twinloop.simulation.fleet import FixedInterval, Fleet, Joint, StandardFleet, Workshop, World, simulate
from twinloop.simulation.fleet.vehicle import Component
from twinloop.simulation.model.wear import Wear

FLEET = StandardFleet(vehicles=6).fleet()


def world(fleet: Fleet, number: int = 0) -> World:
    return World.of(fleet, days=30, warmup_days=10, seed=3, replication=number)


def test_the_cost_of_lives_without_memory_is_their_failures_whatever_is_done() -> None:
    from dataclasses import replace

    part = Component(name="fuse", wear=Wear(kind="weibull", cv=1.0, mean_life_min=6000.0), visit=500.0, failure=2000.0)
    fleet = replace(FLEET, components=(part,), kinds=tuple(replace(kind, stress={}) for kind in FLEET.kinds))
    assert cost_rates(fleet)["fuse"] == pytest.approx(2000 / 100, rel=0.02)


def test_a_component_that_wears_evenly_costs_little_more_than_its_visits() -> None:
    rates = cost_rates(FLEET)
    least = {c.name: c.visit / (c.wear.mean_life_min / 60) for c in FLEET.components}
    assert all(rate > least[name] for name, rate in rates.items())
    assert rates["water_pump"] < rates["brakes"]  # the same life with less spread


def test_a_fleet_that_is_booked_by_cost_fails_less_often_than_one_that_is_not_booked() -> None:
    rule = BookingRule(cost_rates(FLEET), visit_cost=20.0)
    booked, not_booked = ([], [])
    for number in range(4):
        booked.append(simulate(world(FLEET, number), Joint(rule)).figures()["failures"])
        not_booked.append(simulate(world(FLEET, number), FixedInterval({})).figures()["failures"])
    assert np.mean(booked) < np.mean(not_booked)


def test_the_same_morning_gives_the_same_visits() -> None:
    rule = BookingRule(cost_rates(FLEET), visit_cost=20.0)
    first, second = (simulate(world(FLEET), Joint(rule)).figures() for _ in range(2))
    assert first == second


def test_where_everything_is_kept_in_reserve_nothing_is_booked() -> None:
    rule = BookingRule(cost_rates(FLEET), reserve={"mechanic": 0.999, "electrician": 0.999})
    assert simulate(world(FLEET), Joint(rule)).figures() == simulate(world(FLEET), FixedInterval({})).figures()


def test_the_minutes_of_the_workshop_are_those_of_its_shifts() -> None:
    from twinloop.simulation.fleet.duty import Dates

    garage = BookingRule({}).garage(FLEET, Dates.of(7, start=FLEET.start), 0)
    hours = FLEET.workshop.shifts[0]
    assert isinstance(FLEET.workshop, Workshop)
    assert set(garage.bays) <= {0, int(hours.ends_min - hours.begins_min) * FLEET.workshop.bays}
    assert 0 < sum(day > 0 for day in garage.bays) <= 7
