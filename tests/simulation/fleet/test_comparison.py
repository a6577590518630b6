import dataclasses
import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import invgauss

from tests.simulation.fleet.fleets import DAY, component, fleet, wear, workshop
from twinloop.contracts import AlertCurve, RiskTable
from twinloop.errors import InputError
from twinloop.simulation.fleet.comparison import FAILURE, INTERVAL, ORACLE, WEAR, compare_policies
from twinloop.simulation.fleet.engine import simulate
from twinloop.simulation.fleet.morning import Morning, Visit
from twinloop.simulation.fleet.policies import POLICIES, Alert, FixedInterval, Joint, RunToFailure, policy_of
from twinloop.simulation.fleet.record import COST
from twinloop.simulation.fleet.risks import Foresight, survival
from twinloop.simulation.fleet.tuning import FIRST, tuned
from twinloop.simulation.fleet.world import World
from twinloop.simulation.model.distributions import Distribution

PARTS = (component("pump", wear=wear("gamma", cv=0.4)), component("box", wear=wear("weibull", cv=0.5)))
FLEET = fleet(*PARTS, vehicles=8, notice_days=2)
HOURS_6 = Distribution(kind="deterministic", mean=360.0)
HOW = {"days": 120, "warmup_days": 40, "replications": 4, "tuning_replications": 2}


def curve(recall: float, *, lead_hours: float = 100.0, false_alarms: float = 0.0, draws: int = 0) -> AlertCurve:
    """Scores below 1 alert as given, at 1 nobody is warned; draws scatter the recall."""
    rng = np.random.default_rng(1)
    hits = np.clip(recall + 0.2 * rng.standard_normal(draws + 1) * (np.arange(draws + 1) > 0), 0, 1)
    shape = (draws + 1, 2)
    lead = np.broadcast_to(np.array([0.5, 1.0]) * lead_hours, (*shape, 2))
    return AlertCurve(
        thresholds=np.array([0.0, 1.0]),
        recall=np.stack([hits, 0 * hits], axis=1),
        lead_levels=np.array([0.0, 1.0]),
        lead_hours=lead,
        false_alarms=np.tile([false_alarms, 0.0], (draws + 1, 1)),
        failures=20,
        asset_months=100.0,
        threshold=0.0,
        model="made up",
    )


def every_due(morning: Morning, risks: RiskTable) -> list[Visit]:
    """A rule from outside: whatever is due comes on the earliest day, all of a vehicle together."""
    visits = []
    for vehicle, name in enumerate(morning.fleet.names):
        wanted = morning.due[vehicle] & ~morning.booked[vehicle]
        if morning.up[vehicle] and wanted.any():
            parts = tuple(part for part, due in zip(morning.fleet.parts, wanted, strict=True) if due)
            visits.append(Visit(name, parts, morning.earliest_day))
    return visits


@pytest.fixture(scope="module")
def compared():
    alert = Alert.of({"pump": curve(0.9)})
    return compare_policies(FLEET, {"alerts <b>": alert}, tune=("alerts <b>",), **HOW)


def test_the_best_interval_is_the_one_that_theory_finds():
    law = wear("weibull", cv=0.3, mean_life_min=100 * DAY)

    def rate(age: float) -> float:
        alive = float(survival(law, age))
        return (100 * alive + 400 * (1 - alive)) / quad(lambda t: float(survival(law, t)), 0, age)[0]

    best = minimize_scalar(rate, bounds=(10 * DAY, 150 * DAY), method="bounded")
    described = fleet(component(wear=law), vehicles=20)
    chosen = tuned(FixedInterval({}), described, days=600, warmup_days=100, replications=2).values["pump"]
    # The cost is flat around its least: what counts is what the chosen interval costs.
    assert rate(chosen) < 1.03 * best.fun
    assert best.fun < 0.8 * rate(20 * DAY)


def test_savings_lie_between_fixed_intervals_and_the_oracle(compared):
    costs = {name: compared.results[name][COST].mean for name in compared.results}
    assert list(compared.results) == [INTERVAL, FAILURE, "alerts <b>", WEAR, ORACLE]
    assert costs[ORACLE] < costs[WEAR] < costs[INTERVAL] < costs[FAILURE]
    assert compared.saving(INTERVAL).mean == 0 == compared.gap_saved(INTERVAL).mean
    assert compared.visible_share(WEAR).mean == pytest.approx(1.0)
    assert compared.gap_saved(ORACLE).mean == pytest.approx(1.0)
    assert 0 < compared.gap_saved(WEAR).mean < 1
    assert compared.results[ORACLE]["failures"].mean == 0
    assert compared.results[FAILURE]["visits"].mean == compared.results[FAILURE]["failures"].mean
    ratio = compared.saving("alerts <b>").mean / compared.saving(WEAR).mean
    assert compared.visible_share("alerts <b>").mean == pytest.approx(ratio)
    assert compared["alerts <b>"][COST].mean == pytest.approx(-compared.saving("alerts <b>").mean)


def test_good_alerts_are_heeded_and_what_they_do_not_watch_keeps_its_interval(compared):
    policy = compared.policies["alerts <b>"]
    assert set(policy.values) == {"pump"}
    assert policy.values["pump"] < 1
    assert policy.intervals == compared.policies[INTERVAL].values
    assert compared.saving("alerts <b>").mean > 0


def test_whether_an_alert_is_heeded_is_asked_with_the_others_at_theirs():
    """Three components whose alerts spare a crowded workshop its failures, and one whose alerts only fill it."""
    good = [component(name, wear=wear("gamma", cv=0.4), repair=HOURS_6) for name in ("a", "b", "c")]
    dull = component("dull", wear=wear("weibull", cv=0.3), repair=HOURS_6, visit=300.0)
    crowded = fleet(*good, dull, vehicles=25, downtime_hour=20.0, workshop=workshop(bays=1))
    curves = {part.name: curve(0.95) for part in good} | {"dull": curve(0.95, lead_hours=1200.0)}
    how = {"days": 150, "warmup_days": 40, "replications": 3, "seed": 1}
    intervals = tuned(FixedInterval({}), crowded, **how).values
    alerts = tuned(Alert({}, curves, intervals), crowded, **how)
    assert {"a", "b", "c"} <= set(alerts.values)

    def cost(values: dict[str, float]) -> float:
        worlds = [World.of(crowded, days=150, warmup_days=40, seed=1, replication=FIRST + r) for r in range(3)]
        return sum(simulate(world, alerts.at(values)).ledger.by_component.sum() for world in worlds)

    for name in alerts.values:
        assert cost({own: value for own, value in alerts.values.items() if own != name}) >= cost(alerts.values)


def test_the_frame_and_the_face_say_what_was_found(compared):
    frame = compared.frame()
    assert frame.columns[:4] == ["policy", "kpi", "title", "unit"]
    assert set(frame["policy"]) == set(compared.results)
    assert len(frame) == 5 * 10
    face = compared._repr_html_()
    assert "alerts &lt;b&gt;" in face
    assert "<b>" not in face
    sure = compared.saving(compared.ranking[0]).low > 0
    assert compared.sentence.startswith(f"By {compared.ranking[0]} a vehicle costs" if sure else "No policy is surely")
    with pytest.raises(InputError, match="did you mean 'wear seen'"):
        compared.saving("wear_seen")
    with pytest.raises(InputError, match="did you mean 'wear seen'"):
        compared["wear_seen"]


def test_one_worker_or_four_give_the_same_numbers():
    how = {**HOW, "replications": 5, "days": 40}
    alone, shared = (compare_policies(FLEET, {"own": RunToFailure()}, workers=w, **how) for w in (1, 4))
    assert alone.frame().equals(shared.frame())
    assert alone.policies[INTERVAL].values == shared.policies[INTERVAL].values


def test_a_rule_from_outside_decides_as_a_policy_of_its_own_would():
    world = World.of(FLEET, days=120, seed=4)
    own = FixedInterval({"pump": 25 * DAY, "box": 20 * DAY})
    assert simulate(world, Joint(every_due, signals=own)).figures() == simulate(world, own).figures()


def test_a_rule_sees_what_is_agreed():
    days: list[float] = []

    def levelled(morning: Morning, risks: RiskTable) -> list[Visit]:
        """One vehicle a day, on the first day without a visit."""
        due = morning.due & ~morning.booked & morning.up[:, None]
        visits = []
        for vehicle in np.flatnonzero(due.any(axis=1))[:1].tolist():
            day = morning.earliest_day
            while day in morning.visit_day:
                day += 1
            days.append(day)
            visits.append(Visit(FLEET.names[vehicle], ("pump",), day))
        return visits

    record = simulate(World.of(FLEET, days=90), Joint(levelled, signals=FixedInterval({"pump": 10 * DAY})))
    planned = [stay.off / DAY for stay in record.stays if not stay.roadside]
    assert len(planned) > 20
    assert len(set(days)) == len(days)
    assert set(planned) <= set(days)


def test_risks_grow_with_age_and_jump_with_an_alert():
    tables: list[tuple[Morning, RiskTable]] = []

    def watching(morning: Morning, risks: RiskTable) -> list[Visit]:
        tables.append((morning, risks))
        return []

    sharp = curve(0.9, lead_hours=60.0)
    rule = Joint(watching, signals=Alert.of({"pump": sharp}), foresight=Foresight({"pump": sharp}))
    simulate(World.of(FLEET, days=50), rule)
    for morning, risks in tables[10:]:
        for part, hazard in risks.components("VEH001").items():
            assert hazard.until(20.0) <= hazard.until(80.0)
            place = morning.fleet.component(part)
            if morning.due[0, place]:
                assert hazard.until(80.0) > 0.5
    ages = [float(risks.components("VEH002")["box"].until(40.0)) for _, risks in tables[:10]]
    assert ages == sorted(ages)


@pytest.mark.parametrize("kind", ["gamma", "wiener", "weibull"])
def test_the_survival_function_is_that_of_the_lives_drawn(kind):
    law = wear(kind, cv=0.4)
    lives = World.of(fleet(component(wear=law), vehicles=400), days=1).lives
    drawn = np.array([lives.unit(vehicle, 0, 0).path.life_min for vehicle in range(400)])
    for share in (0.6, 1.0, 1.5):
        alive = float((drawn > share * law.mean_life_min).mean())
        assert alive == pytest.approx(float(survival(law, share * law.mean_life_min)), abs=0.08)


@pytest.mark.parametrize("cv", [0.02, 0.05, 0.3])
def test_lives_of_a_wiener_process_are_inverse_gaussian(cv):
    law, age = wear("wiener", cv=cv, mean_life_min=1000.0), 1000.0 * (1 + cv)
    theory = invgauss(cv**2, scale=1000.0 / cv**2).sf(age)
    assert float(survival(law, age)) == pytest.approx(float(theory), rel=1e-6)


def test_what_is_not_known_about_a_predictor_widens_the_interval():
    sure, unsure = (
        compare_policies(FLEET, {"alerts": Alert.of({"pump": curve(0.6, draws=draws)})}, **HOW) for draws in (0, 6)
    )
    assert sure.results["alerts"].estimate is None
    assert unsure.results["alerts"].estimate is not None
    assert unsure.results[FAILURE].estimate is None
    assert unsure.saving("alerts").half_width > sure.saving("alerts").half_width


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InputError, match="'oracle' is always compared"):
        compare_policies(FLEET, {ORACLE: RunToFailure()}, **HOW)
    with pytest.raises(InputError, match="tune names 'mine'"):
        compare_policies(FLEET, {"mine": RunToFailure()}, tune=("mine",), **HOW)
    with pytest.raises(InputError, match="precision"):
        compare_policies(FLEET, precision=0.1, **HOW)
    with pytest.raises(InputError, match="expected hours of work, got hours of calendar"):
        compare_policies(
            FLEET, {"alerts": Alert.of({"pump": dataclasses.replace(curve(0.9), clock="calendar")})}, **HOW
        )
    with pytest.raises(InputError, match="did you mean 'pump'"):
        compare_policies(FLEET, {"mine": FixedInterval({"pumps": math.inf})}, **HOW)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (Alert({"pump": 0.5}), "Alert: pump: expected an alert curve for its threshold 0.5"),
        (Alert({"pump": math.nan}, {"pump": curve(0.9)}), "Alert: pump: expected a number as its threshold, got nan"),
        (Alert({}, intervals={"pump": -1.0}), "Alert: intervals: pump = -1.0: expected minutes of driving ≥ 0"),
    ],
)
def test_alerts_need_thresholds_with_curves(policy, message):
    with pytest.raises(InputError, match=message):
        simulate(World.of(FLEET, days=2), policy)


def test_no_days_are_no_replication():
    with pytest.raises(InputError, match="expected days ≥ 1 and warmup_days ≥ 0, got 0 and 0"):
        World.of(FLEET, days=0)


def test_every_policy_has_a_name():
    assert {INTERVAL, FAILURE, WEAR, ORACLE} < set(POLICIES)
    assert policy_of(INTERVAL, values={"pump": 5.0}).values == {"pump": 5.0}
    with pytest.raises(InputError, match="did you mean 'oracle'"):
        policy_of("oracel")
