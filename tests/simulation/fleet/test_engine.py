import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from tests.simulation.fleet.fleets import DAY, component, fleet, wear, workshop
from twinloop.errors import InputError
from twinloop.replication.statistics import interval
from twinloop.simulation.fleet.engine import simulate
from twinloop.simulation.fleet.morning import Visit
from twinloop.simulation.fleet.onset import Onset
from twinloop.simulation.fleet.policies import FixedInterval, Oracle, Policy, RunToFailure, WearSeen
from twinloop.simulation.fleet.record import COST
from twinloop.simulation.fleet.risks import survival
from twinloop.simulation.fleet.vehicle import Fleet, Kind
from twinloop.simulation.fleet.workshop import Shift
from twinloop.simulation.fleet.world import World
from twinloop.simulation.model.distributions import Distribution

VISIT, FAILURE = 100.0, 400.0


def figures(described: Fleet, policy: Policy, *, days: int, warmup_days: int, replications: int = 6) -> dict:
    worlds = [World.of(described, days=days, warmup_days=warmup_days, replication=r) for r in range(replications)]
    rows = [simulate(world, policy).figures() for world in worlds]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


@pytest.mark.parametrize(("kind", "cv"), [("gamma", 0.3), ("weibull", 0.5), ("wiener", 0.3)])
@pytest.mark.parametrize("share", [0.7, math.inf])
def test_age_replacement_costs_what_renewal_reward_says(kind, cv, share):
    # Barlow and Hunter (1960): expected cost of a life over its expected length.
    worn = wear(kind, cv=cv, mean_life_min=100 * DAY)
    age = share * worn.mean_life_min
    length = quad(lambda t: float(survival(worn, t)), 0, min(age, 8 * worn.mean_life_min), limit=200)[0]
    alive = float(survival(worn, age)) if math.isfinite(age) else 0.0
    theory = (VISIT * alive + FAILURE * (1 - alive)) / length * DAY
    described = fleet(component(wear=worn), vehicles=15)
    found = figures(described, FixedInterval({"pump": age}), days=1500, warmup_days=300)
    ends = interval(found[COST], confidence=0.99)
    # A morning's look comes up to a day late: at most a hundredth of this life.
    assert ends.low * 0.99 < theory < ends.high * 1.01
    assert ends.half_width < 0.1 * theory


@pytest.mark.parametrize(
    ("vehicles", "bays", "per_hour", "repairs_per_hour", "down", "availability"),
    [(5, 1, 0.05, 0.2, 1.796267, 0.640747), (10, 2, 0.1, 0.5, 2.403722, 0.759628)],
)
def test_machine_interference_has_its_known_values(vehicles, bays, per_hour, repairs_per_hour, down, availability):
    part = component(
        wear=wear(cv=1.0, mean_life_min=60 / per_hour),
        repair=Distribution(kind="exponential", mean=60 / repairs_per_hour),
    )
    described = fleet(part, vehicles=vehicles, workshop=workshop(bays))
    found = figures(described, RunToFailure(), days=120, warmup_days=10, replications=8)
    ends = interval(found["availability"], confidence=0.99)
    assert ends.low < availability < ends.high
    assert ends.half_width < 0.04
    standing = interval(vehicles * (1 - found["availability"]), confidence=0.99)
    assert standing.low < down < standing.high


def finite_source(vehicles: int, bays: int, per_hour: float, repairs_per_hour: float) -> tuple[float, float]:
    """Share of arrivals that wait, and the mean wait in hours, of the M/M/c//N queue by its birth-death chain."""
    weights = [1.0]
    for down in range(vehicles):
        weights.append(weights[-1] * (vehicles - down) * per_hour / (min(down + 1, bays) * repairs_per_hour))
    share, down = np.array(weights) / sum(weights), np.arange(vehicles + 1)
    arrivals = share * (vehicles - down) * per_hour
    return float(arrivals[bays:].sum() / arrivals.sum()), float(share @ np.maximum(down - bays, 0) / arrivals.sum())


def test_a_large_fleet_waits_as_in_an_m_m_c_queue():
    # C(3, 2.4) = 0.647191 (Erlang) and Wq = C / (cμ − λ); of 600 vehicles, those that stand lower the arrivals a bit.
    vehicles, bays = 600, 3
    limit = finite_source(20_000, bays, 2.4 / 20_000, 1.0)
    assert limit == pytest.approx((0.647191, 0.647191 / (3 - 2.4)), rel=0.005)
    waiting, wait = finite_source(vehicles, bays, 2.4 / vehicles, 1.0)
    part = component(
        wear=wear(cv=1.0, mean_life_min=60 * vehicles / 2.4), repair=Distribution(kind="exponential", mean=60.0)
    )
    described, shares, waits = fleet(part, vehicles=vehicles, workshop=workshop(bays)), [], []
    for replication in range(6):
        record = simulate(World.of(described, days=30, replication=replication), RunToFailure())
        waited = np.array([stay.start - stay.ready for stay in record.stays if stay.ready > 3 * DAY])
        shares.append(float((waited > 1e-6).mean()))
        waits.append(float(waited.mean()) / 60)
    assert interval(shares, confidence=0.99).low < waiting < interval(shares, confidence=0.99).high
    assert interval(waits, confidence=0.99).low < wait < interval(waits, confidence=0.99).high
    assert interval(shares, confidence=0.99).half_width < 0.15


def busy_fleet(bays: int = 2) -> Fleet:
    """Several components, closed nights and weekends, few parts, damage, notice: whatever can queue does."""
    return fleet(
        component("pump", wear=wear(cv=0.5, mean_life_min=8 * DAY), damage={"belt": 0.5}, stock=1, lead_days=3.0),
        component("belt", wear=wear("gamma", mean_life_min=9 * DAY), skill="electrician", failed_factor=2.0),
        vehicles=12,
        workshop=workshop(bays, technicians={"mechanic": bays, "electrician": 1}, shifts=(Shift(),)),
        notice_days=2,
        towing_min=90.0,
        downtime_hour=10.0,
    )


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), bays=st.integers(1, 4), share=st.floats(0.3, 1.0))
def test_nothing_is_lost_or_done_twice(seed, bays, share):
    world = World.of(busy_fleet(bays), days=60, warmup_days=0, seed=seed)
    record = simulate(world, FixedInterval({"pump": share * 8 * DAY, "belt": share * 9 * DAY}))
    ended = [service for service in record.services if service.reason != "in service"]
    failed = [service for service in ended if service.reason == "failure"]
    # Each failure leads to one repair, and each part is one of a chain of lives.
    assert record.ledger.failures == len(failed) == len({(s.vehicle, s.component, s.number) for s in failed})
    repaired = [(stay.vehicle, part) for stay in record.stays for part, _ in stay.components]
    assert sorted(repaired) == sorted((service.vehicle, service.component) for service in ended)
    for bay in range(bays):
        # A vehicle at a time, and no bay works longer than it is open.
        spans = sorted((stay.start, stay.done) for stay in record.stays if stay.bay == bay)
        assert all(first[1] <= second[0] + 1e-6 for first, second in pairwise(spans))
    served = [stay for stay in record.stays if stay.bay >= 0]
    last = max(stay.done for stay in served)
    assert sum(stay.busy_min for stay in served) <= bays * world.opening.passed(last) + 1e-6
    for stay in record.stays:
        assert stay.off <= stay.arrived <= stay.ready <= stay.start <= stay.done
        assert stay.roadside == any(reason == "failure" for _, reason in stay.components)
        assert world.opening.passed(stay.done) - world.opening.passed(stay.start) == pytest.approx(stay.busy_min)
    # Vehicles drive what was planned unless they stand.
    planned = world.duties.minutes[:, :60].sum()
    assert record.odometer.sum() == pytest.approx(planned - record.ledger.lost_min)
    assert record.ledger.cost == pytest.approx(record.ledger.by_component.sum())


def test_lives_are_the_same_under_every_policy():
    world = World.of(busy_fleet(), days=80, seed=3)
    policies = (RunToFailure(), FixedInterval({"pump": 3 * DAY}), Oracle())
    drawn = [{s[:3]: s.unit.path.life_min for s in simulate(world, policy).services} for policy in policies]
    shared = set(drawn[0]) & set(drawn[1]) & set(drawn[2])
    assert len(shared) > 30
    assert all(drawn[0][life] == drawn[1][life] == drawn[2][life] for life in shared)
    again = simulate(World.of(busy_fleet(), days=80, seed=3), policies[1])
    assert again.figures() == simulate(world, policies[1]).figures()
    assert again.figures() != simulate(World.of(busy_fleet(), days=80, seed=4), policies[1]).figures()


def test_more_bays_never_mean_longer_waits():
    part = component(wear=wear(cv=0.5, mean_life_min=5 * DAY), repair=Distribution(kind="gamma", mean=120.0, cv=1.0))
    waits = []
    for bays in (1, 2, 4):
        shop = workshop(bays, technicians={"mechanic": 4}, shifts=(Shift(),))
        described = fleet(part, vehicles=15, workshop=shop)
        waits.append(figures(described, RunToFailure(), days=100, warmup_days=20)["waiting_hours"])
    assert interval(waits[0] - waits[1]).low > 0
    assert waits[1].mean() > waits[2].mean()


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), share=st.floats(0.4, 1.2), level=st.floats(0.3, 0.95), visit=st.floats(0, FAILURE))
def test_no_policy_beats_the_oracle_where_a_visit_costs_no_more_than_a_failure(seed, share, level, visit):
    parts = [
        component(name, wear=wear(kind, cv=0.4), visit=visit)
        for name, kind in (("a", "gamma"), ("b", "wiener"), ("c", "weibull"))
    ]
    world = World.of(fleet(*parts, vehicles=8), days=300, seed=seed)
    best = simulate(world, Oracle()).ledger.cost
    ages, levels = dict.fromkeys("abc", share * 40 * DAY), dict.fromkeys("abc", level)
    for policy in (RunToFailure(), FixedInterval(ages), WearSeen(levels)):
        assert simulate(world, policy).ledger.cost >= best * (1 - 1e-9)


def test_waiting_for_the_workshop_to_open_costs_downtime():
    # Fails on Friday evening, is repaired on Monday: a night and two days of a driving week without rest are lost.
    part = component(repair=Distribution(kind="deterministic", mean=60.0), wear=wear(cv=0.01))
    described = fleet(part, vehicles=1, downtime_hour=10.0, workshop=workshop(1, shifts=(Shift(),)))
    world = World.of(described, days=60, seed=2)
    stays = simulate(world, RunToFailure()).stays
    opened = world.opening.opens(stays[0].off)
    assert stays[0].start == opened
    assert stays[0].lost_min == pytest.approx(opened + 60 - stays[0].off)
    assert stays[0].cost == pytest.approx(FAILURE + 10 * stays[0].lost_min / 60)


def test_a_visit_waits_for_notice_and_parts():
    part = component(stock=0, lead_days=5.0)
    record = simulate(World.of(fleet(part, vehicles=1, notice_days=3), days=40), FixedInterval({"pump": 10 * DAY}))
    assert [stay.off / DAY for stay in record.stays[:2]] == [15.0, 31.0]  # 10 days, then 5 until the part is there
    record = simulate(World.of(fleet(vehicles=1, notice_days=3), days=40), FixedInterval({"pump": 10 * DAY}))
    assert [stay.off / DAY for stay in record.stays[:2]] == [13.0, 27.0]


def test_a_visit_on_a_closed_day_is_on_the_next_that_is_open():
    closed = workshop(shifts=(Shift(),), closed=(14,))  # day 14 is a Monday
    record = simulate(World.of(fleet(vehicles=1, workshop=closed), days=30), FixedInterval({"pump": 12 * DAY}))
    assert record.stays[0].off == 15 * DAY + 420.0


def test_a_workshop_that_closes_for_good_leaves_its_vehicles_standing():
    shut = workshop(closed=tuple(range(10, 200)))
    described = fleet(component(wear=wear(cv=0.3, mean_life_min=15 * DAY)), vehicles=6, workshop=shut)
    record = simulate(World.of(described, days=40), RunToFailure())
    assert sum(math.isinf(stay.done) for stay in record.stays) == 6
    standing, odometer = record.driven(0, np.array([0.0, 40 * DAY]))
    assert standing.tolist() == [False, True]
    assert odometer[-1] == pytest.approx(record.odometer[0])
    assert 0 < record.figures()["availability"] < 0.6


def test_a_failure_destroys_what_it_may_damage():
    parts = component("pump", damage={"belt": 1.0}), component("belt", wear=wear(mean_life_min=4000 * DAY))
    record = simulate(World.of(fleet(*parts, vehicles=5), days=100), RunToFailure())
    assert record.ledger.failures > 5
    assert all(dict(stay.components) == {0: "failure", 1: "damage"} for stay in record.stays)
    assert record.ledger.by_component.tolist() == [FAILURE * record.ledger.failures, VISIT * record.ledger.failures]


def test_a_part_that_begins_to_fail_fails_when_it_was_said():
    world = World.of(fleet(vehicles=3, notice_days=0), days=60)
    quiet, told = simulate(world, RunToFailure()), simulate(world, RunToFailure(), onsets=(Onset(1, 0, 12, 6),))
    first = next(stay for stay in told.stays if stay.vehicle == 1)
    assert first.off == pytest.approx(18 * DAY)
    others = [[(s.vehicle, s.off, s.done) for s in run.stays if s.vehicle != 1] for run in (told, quiet)]
    assert others[0] == others[1]
    seen = simulate(world, WearSeen({"pump": 0.7}), onsets=(Onset(1, 0, 12, 6),))
    assert next(stay for stay in seen.stays if stay.vehicle == 1).off < 18 * DAY
    assert seen.ledger.failures < told.ledger.failures


def test_harder_use_and_worse_parts_shorten_lives():
    kinds = (Kind(name="van", duty=fleet().kinds[0].duty, stress={"pump": 2.0}),)
    usual, harder = (World.of(described, days=1) for described in (fleet(), fleet(kinds=kinds)))
    bad = World.of(fleet(), days=1, batch_life={("pump", "first", batch): 0.25 for batch in range(8)})
    life = usual.lives.unit(0, 0, 0).path.life_min
    assert harder.lives.unit(0, 0, 0).path.life_min == pytest.approx(life / 2)
    assert bad.lives.unit(0, 0, 0).path.life_min == pytest.approx(life / 4)


class Wrong(Policy):
    def __init__(self, visit: Visit) -> None:
        self.visit = visit

    def visits(self, morning):
        return [self.visit] if morning.day == 3 else []


@pytest.mark.parametrize(
    ("visit", "message"),
    [
        (Visit("VEH001", ("pump",), 3), "expected day 5 or later, 2 days ahead"),
        (Visit("VEH01", ("pump",), 5), "did you mean 'VEH0"),
        (Visit("VEH001", ("pumps",), 5), "did you mean 'pump'"),
        (Visit("VEH001", (), 5), "expected components without a visit, got none"),
    ],
)
def test_a_visit_that_cannot_be_agreed_is_refused_by_name(visit, message):
    with pytest.raises(InputError, match=message):
        simulate(World.of(fleet(notice_days=2), days=10), Wrong(visit))


@pytest.mark.parametrize("value", [math.nan, -1.0])
def test_a_policy_needs_numbers(value):
    with pytest.raises(InputError, match="FixedInterval: pump = .*: expected minutes of driving ≥ 0"):
        simulate(World.of(fleet(), days=2), FixedInterval({"pump": value}))
    with pytest.raises(InputError, match="did you mean 'pump'"):
        simulate(World.of(fleet(), days=2), FixedInterval({"pomp": 5.0}))
