import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.scheduling.shops import shops, single
from twinloop.contracts import Assignment, Plan
from twinloop.errors import RunError
from twinloop.scheduling.dispatching import RULES
from twinloop.scheduling.execution.disruptions import Rework
from twinloop.scheduling.execution.execution import CALM, Disruptions, execute, outcome, realised_frame, replicate
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.problem.settings import ShopMachine, ShopSettings
from twinloop.scheduling.solvers.rules import dispatch

ROUGH = Disruptions({"m0": (10.0, 5.0), "m1": (20.0, 8.0)}, duration_cv=0.4)


@given(shops(), st.sampled_from(list(RULES)))
def test_without_disruption_execution_equals_the_plan(shop: JobShop, rule: str) -> None:
    plan = dispatch(shop, rule)  # type: ignore[arg-type]
    realised = execute(shop, plan, CALM, seed=1, replication=0)
    assert {(r.planned, r.start, r.end) for r in realised} == {(a, a.start, a.end) for a in plan}


@hypothesis_settings(max_examples=50)
@given(shops(), st.integers(0, 5))
def test_disturbed_execution_keeps_sequences_routes_and_releases(shop: JobShop, replication: int) -> None:
    plan = dispatch(shop, "FIFO")
    realised = execute(shop, plan, ROUGH, seed=2, replication=replication)
    assert len(realised) == len(plan)
    ends = {(r.planned.job, r.planned.operation): r.end for r in realised}
    for machine in shop.machines:
        row = [r for r in realised if r.planned.machine == machine]
        assert [r.planned for r in row] == [a for a in plan if a.machine == machine]
        assert all(a.end <= b.start for a, b in itertools.pairwise(row))
    for r in realised:
        job = shop.by_name[r.planned.job]
        assert r.start >= job.release
        assert r.planned.operation == 0 or r.start >= ends[job.name, r.planned.operation - 1]
        assert all(r.start >= ends[o, len(shop.by_name[o].operations) - 1] for o in job.after)


def test_breakdowns_alone_only_delay() -> None:
    shop = single((30, 0, 40, 1), (50, 5, 90, 2))
    plan = dispatch(shop, "FIFO")
    for replication in range(20):
        realised = execute(shop, plan, Disruptions({"mill": (40.0, 20.0)}), seed=1, replication=replication)
        assert all(r.start >= r.planned.start and r.end >= r.planned.end for r in realised)


def test_mean_duration_under_breakdowns_is_that_of_theory() -> None:
    # An operation of p minutes that starts on a machine that is up meets p/MTTF failures of MTTR each.
    shop, replications = single((100, 0, 100, 1)), 4000
    plan = dispatch(shop, "FIFO")
    found = replicate(shop, {"only": plan}, Disruptions({"mill": (50.0, 20.0)}), seed=1, replications=replications)
    values = found["makespan"].to_numpy()
    expected = 100 * (1 + 20 / 50)
    # Compound Poisson: variance = rate × time × E[repair²].
    deviation = np.sqrt(100 / 50 * 2 * 20**2 / replications)
    assert values.mean() == pytest.approx(expected, abs=4 * deviation)


def test_durations_have_the_configured_mean_and_spread() -> None:
    shop = single((100, 0, 100, 1))
    found = replicate(
        shop, {"only": dispatch(shop, "FIFO")}, Disruptions({}, duration_cv=0.3), seed=1, replications=4000
    )
    values = found["makespan"].to_numpy()
    assert values.mean() == pytest.approx(100, abs=4 * 30 / 4000**0.5)
    assert values.std() == pytest.approx(30, rel=0.1)


def test_all_plans_meet_the_same_disruptions() -> None:
    shop = single((30, 0, 40, 1), (50, 5, 90, 2), (20, 0, 30, 1))
    plans = {"one": dispatch(shop, "FIFO"), "the same again": dispatch(shop, "FIFO"), "other": dispatch(shop, "LPT")}
    disruptions = Disruptions({"mill": (100.0, 30.0)}, 0.2)
    found = replicate(shop, plans, disruptions, seed=1, replications=20)
    one, again, other = (found.filter(method=name)["makespan"].to_numpy() for name in plans)
    assert (one == again).all()
    # Without idle time the last end depends on total work and breakdowns, not on the sequence.
    assert np.allclose(one, other)
    alone = replicate(shop, {"other": plans["other"]}, disruptions, seed=1, replications=20)
    assert (alone["makespan"].to_numpy() == other).all()


def test_outcome_counts_weighted_lateness() -> None:
    shop = single((3, 0, 2, 4), (5, 0, 8, 1))
    assert outcome(shop, execute(shop, dispatch(shop, "FIFO"), CALM, seed=1, replication=0)) == (8.0, 4.0)


def test_the_frame_has_planned_and_realised_times() -> None:
    shop = single((3, 0, 2, 4), (5, 0, 8, 1))
    frame = realised_frame(execute(shop, dispatch(shop, "FIFO"), CALM, seed=1, replication=0))
    assert frame.columns == ["job", "operation", "machine", "planned_start", "planned_end", "start", "end"]
    assert frame.row(1) == ("b", 0, "mill", 3, 8, 3.0, 8.0)


def test_sequences_that_block_each_other_are_named() -> None:
    shop = JobShop(
        ("mill", "press"),
        (
            Job("a", (Operation("mill", 1), Operation("press", 1))),
            Job("b", (Operation("press", 1), Operation("mill", 1))),
        ),
    )
    crossed = Plan.of(
        [
            Assignment("a", 1, "press", 0, 1),
            Assignment("b", 0, "press", 1, 2),
            Assignment("b", 1, "mill", 0, 1),
            Assignment("a", 0, "mill", 1, 2),
        ]
    )
    with pytest.raises(RunError, match="mill waits for job b operation 0; press waits for job a operation 0"):
        execute(shop, crossed, CALM, seed=1, replication=0)


def test_disruptions_come_from_the_shops_settings() -> None:
    machines = (
        ShopMachine(name="mill", mean_time_to_failure_min=50.0, mean_repair_min=9.0),
        ShopMachine(name="press", rework_probability=0.2, rework_min=5.0),
    )
    products = [{"name": "plate", "routing": [{"machine": "mill"}]}]
    shop = ShopSettings(machines=machines, products=products, duration_cv=0.3)  # type: ignore[arg-type]
    assert Disruptions.of(shop) == Disruptions({"mill": (50.0, 9.0)}, 0.3, {"press": Rework(0.2, 5.0)})
