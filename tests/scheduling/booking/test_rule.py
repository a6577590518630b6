from dataclasses import replace

import numpy as np
import pytest

from tests.simulation.fleet import fleets
from twinloop.contracts import AlertCurve
from twinloop.contracts.alert_rates import Watched
from twinloop.prognostics.evaluation.leads import lead_curve
from twinloop.scheduling.booking.rule import (
    CROWDED,
    BookingRule,
    cost_rates,
    dearest_minute,
    joint_rule,
    standing_price,
    tuned_joint_rule,
)
from twinloop.simulation.fleet import (
    Alert,
    FixedInterval,
    Fleet,
    Joint,
    Morning,
    StandardFleet,
    World,
    run_policy,
    simulate,
)
from twinloop.simulation.fleet.record import COST
from twinloop.simulation.fleet.tuning import FIRST
from twinloop.simulation.fleet.vehicle import Component
from twinloop.simulation.model.wear import Wear

FLEET = StandardFleet(vehicles=6).fleet()


def world(fleet: Fleet, number: int = 0) -> World:
    return World.of(fleet, days=30, warmup_days=10, seed=3, replication=number)


def test_the_cost_of_lives_without_memory_is_their_failures_whatever_is_done() -> None:
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


def morning(**known: object) -> Morning:
    """The first morning of a fleet of which nothing is worn, due or agreed."""
    shape = len(FLEET.vehicles), len(FLEET.components)
    fresh = Morning(
        fleet=FLEET,
        day=0,
        time_min=0.0,
        earliest_day=3,
        odometer_min=np.zeros(shape[0]),
        age_min=np.zeros(shape),
        due=np.zeros(shape, dtype=bool),
        due_since_min=np.zeros(shape),
        standing_min=np.zeros(shape),
        up=np.ones(shape[0], dtype=bool),
        visit_day=np.full(shape, np.nan),
    )
    return replace(fresh, **known)  # type: ignore[arg-type]


NOTHING = np.zeros((len(FLEET.components), 7))


def test_the_minutes_of_the_workshop_are_those_of_its_shifts_without_agreed_visits() -> None:
    visits = np.full((len(FLEET.vehicles), len(FLEET.components)), np.nan)
    visits[0, 0] = 4.0  # the water pump of the first vehicle, on the fifth day
    opening = FLEET.opening_minutes(0, 7)
    garage = BookingRule({}).garage(morning(visit_day=visits), opening, failing=NOTHING)
    assert garage is not None
    hours = FLEET.workshop.shifts[0]
    expected = [int(minutes) * FLEET.workshop.bays for minutes in opening]
    assert max(opening) == int(hours.ends_min - hours.begins_min)
    assert opening[4] > 0
    expected[4] -= 150
    assert list(garage.bays) == expected
    assert garage.minutes["electrician"] == tuple(int(m) for m in opening)


def test_vehicles_that_stand_take_the_first_minutes_of_the_workshop() -> None:
    standing = np.zeros((len(FLEET.vehicles), len(FLEET.components)))
    standing[:5, 0] = 150.0  # five water pumps: 750 minutes of a mechanic, of 720 on the first day
    opening = FLEET.opening_minutes(0, 7)
    garage = BookingRule({}).garage(morning(standing_min=standing), opening, failing=NOTHING)
    assert garage is not None
    assert garage.bays[:2] == (0, 690)
    assert garage.minutes["mechanic"][:2] == (0, 690)
    assert garage.minutes["electrician"][:2] == (720, 720)


def test_failures_to_be_expected_take_their_share_of_each_day() -> None:
    failing = NOTHING.copy()
    failing[3] = 45.0  # of batteries, which an electrician renews
    opening = FLEET.opening_minutes(0, 7)
    garage = BookingRule({}).garage(morning(), opening, failing=failing)
    assert garage is not None
    assert garage.bays[:5] == garage.minutes["electrician"][:5] == (675,) * 5
    assert garage.minutes["mechanic"][:5] == (720,) * 5
    assert not any(garage.bays[5:])


def narrow() -> Fleet:
    """Twenty vehicles whose workshop is open for three hours a day: less than their work takes."""
    fleet = StandardFleet(vehicles=20).fleet()
    shift = replace(fleet.workshop.shifts[0], ends_min=fleet.workshop.shifts[0].begins_min + 180)
    return replace(fleet, workshop=replace(fleet.workshop, shifts=(shift,)))


def test_a_workshop_that_cannot_do_all_work_is_not_booked_beyond_what_it_can_do() -> None:
    fleet = narrow()
    joint = simulate(world(fleet), Joint(BookingRule(cost_rates(fleet)))).figures()
    every = simulate(world(fleet), FixedInterval({c.name: 0.3 * c.wear.mean_life_min for c in fleet.components}))
    assert joint["visits"] > joint["failures"]
    assert joint["waiting_hours"] < every.figures()["waiting_hours"]
    assert joint["availability"] > every.figures()["availability"]


def test_where_downtime_is_cheap_vehicles_rather_wait_than_fail() -> None:
    fleet = replace(narrow(), downtime_hour=20.0)
    rates = cost_rates(fleet)
    price = standing_price(fleet, rates)
    assert price == 0.0  # an hour of driving costs more than that
    assert standing_price(narrow(), rates) == pytest.approx(narrow().downtime_hour - sum(rates.values()))
    waits, drives = (
        simulate(world(fleet), Joint(BookingRule(rates, standing=standing))).figures() for standing in (price, None)
    )
    assert waits["failures"] < drives["failures"]
    assert waits["waiting_hours"] > drives["waiting_hours"]


def test_weeks_in_which_the_workshop_is_closed_are_no_reason_to_stop() -> None:
    shut = replace(FLEET, workshop=replace(FLEET.workshop, closed=tuple(range(5, 25))))
    assert not shut.opening_minutes(5, 20).any()
    figures = simulate(world(shut), Joint(BookingRule(cost_rates(shut)))).figures()
    assert figures["visits"] > 0


def test_an_hour_that_a_standard_vehicle_stands_costs_at_least_twice_one_that_it_is_driven() -> None:
    assert FLEET.downtime_hour > 2 * sum(cost_rates(FLEET).values())


def test_the_joint_rule_knows_each_alert_at_its_threshold_and_its_own_cost_rates() -> None:
    hours = np.arange(1.0, 101.0) * 60
    curve = lead_curve([Watched(hours, hours, 6000.0 + lead, failed=True) for lead in range(30)], model="m", draws=2)
    alerts = Alert({"brakes": 5400.0}, {"brakes": curve, "tyres": curve})
    joint = joint_rule(FLEET, alerts, ahead=6)
    assert {name: own.threshold for name, own in joint.foresight.curves.items()} == {"brakes": 5400.0}
    assert joint.signals is alerts
    assert joint.draws == 2
    assert isinstance(joint.rule, BookingRule)
    assert joint.rule.rates == cost_rates(FLEET, curves=joint.foresight.curves)
    assert joint.rule.standing == standing_price(FLEET, joint.rule.rates)


def test_where_a_minute_of_a_bay_is_dear_lives_cost_more_and_the_longer_their_repair_the_more() -> None:
    plain, dear = cost_rates(FLEET), cost_rates(FLEET, minute=5.0)
    more = {name: dear[name] - plain[name] for name in plain}
    assert min(more.values()) > 0
    assert more["injectors"] > more["water_pump"] > more["battery"]  # 180, 150 and 60 minutes
    lives = {c.name: c.wear.mean_life_min / 60 for c in FLEET.components}
    assert all(
        more[name] >= 5.0 * c.repair.average / lives[name] / 1.3
        for name, c in zip(plain, FLEET.components, strict=True)
    )


def test_at_the_dearest_minute_an_hour_of_driving_earns_what_one_of_standing_does() -> None:
    minute = dearest_minute(FLEET)
    assert minute > 0
    assert sum(cost_rates(FLEET, minute=minute).values()) == pytest.approx(FLEET.downtime_hour)
    assert dearest_minute(replace(FLEET, downtime_hour=20.0)) == 0.0  # dearer to drive than to stand already


def predictor(recall: float, false_alarms: float, lead_hours: float, component: Component) -> AlertCurve:
    """A curve of one threshold; false alarms by the mean life, leads spread evenly up to twice their mean."""
    levels = np.linspace(0, 1, 11)
    return AlertCurve(
        thresholds=np.array([0.5]),
        recall=np.array([[recall]]),
        lead_levels=levels,
        lead_hours=2 * lead_hours * levels[None, None],
        false_alarms=np.array([[false_alarms]]),
        failures=100,
        asset_months=100.0,
        threshold=0.5,
        model="m",
        hours_per_month=component.wear.mean_life_min / 60,
    )


def test_the_cost_of_lives_that_end_by_alerts_is_that_of_lives_drawn() -> None:
    part = fleets.component(wear=fleets.wear(cv=0.4))
    one = fleets.fleet(part, vehicles=3000)
    curve = predictor(0.8, 0.5, 60.0, part)
    lives, alert = World.of(one, days=1, seed=5).lives, Alert.of({"pump": curve})
    lasted = np.array([lives.unit(vehicle, 0, 0).path.life_min for vehicle in range(3000)])
    due = np.array([alert.due_age(lives, v, 0, 0, lives.unit(v, 0, 0)) for v in range(3000)])
    drawn = np.where(due < lasted, part.visit, part.failure).mean() / (np.minimum(due, lasted).mean() / 60)
    told = cost_rates(one, curves={"pump": curve})["pump"]
    assert told < cost_rates(one)["pump"]
    assert told == pytest.approx(drawn, rel=0.04)


def test_one_component_is_renewed_as_cheaply_as_by_the_best_interval_of_renewal_reward() -> None:
    part = fleets.component(wear=fleets.wear(cv=0.3, mean_life_min=20 * fleets.DAY))
    one = fleets.fleet(part, vehicles=20)
    rates = cost_rates(one)
    how = {"days": 160, "warmup_days": 40, "seed": 4}
    joint = run_policy(one, Joint(BookingRule(rates)), replications=5, **how)[COST]
    assert joint.low <= 24 * rates["pump"] <= joint.high
    assert joint.half_width < 0.1 * joint.mean


def test_in_a_crowded_workshop_the_rule_costs_less_than_thresholds_whose_alerts_come_early() -> None:
    fleet = narrow()
    alerts = Alert.of({c.name: predictor(0.8, 0.0, 120.0, c) for c in fleet.components})
    how = {"days": 50, "warmup_days": 20, "seed": 6, "replications": 4}
    rule = joint_rule(fleet, alerts, minute=0.5 * dearest_minute(fleet))
    thresholds, joint = (run_policy(fleet, policy, **how) for policy in (alerts, rule))
    change = thresholds.compare(joint)
    assert change[COST].mean < 0
    assert change["availability"].mean > 0


def test_of_the_prices_of_a_crowded_workshop_the_one_that_costs_least_is_taken() -> None:
    fleet = narrow()
    how = {"days": 12, "warmup_days": 2, "seed": 3}
    rule = tuned_joint_rule(fleet, Alert({}, {}), replications=2, **how)
    chosen = run_policy(fleet, rule, replications=2, first=FIRST, **how)[COST].mean
    plain = run_policy(fleet, joint_rule(fleet, Alert({}, {})), replications=2, first=FIRST, **how)[COST].mean
    assert chosen <= plain
    assert isinstance(rule.rule, BookingRule)
    prices = [cost_rates(fleet, minute=share * dearest_minute(fleet)) for share in CROWDED]
    assert rule.rule.rates in prices
