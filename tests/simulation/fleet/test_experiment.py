import dataclasses
import json

import pytest

from tests.simulation.fleet.fleets import DAY, component, fleet, wear
from twinloop.config import parse
from twinloop.errors import InputError
from twinloop.simulation.fleet.engine import simulate
from twinloop.simulation.fleet.experiment import run_policy
from twinloop.simulation.fleet.policies import FixedInterval, RunToFailure
from twinloop.simulation.fleet.record import COST
from twinloop.simulation.fleet.standard import StandardFleet
from twinloop.simulation.fleet.world import World

FLEET = fleet(component(wear=wear(cv=0.3, mean_life_min=15 * DAY)), vehicles=5)
HOW = {"days": 60, "warmup_days": 10, "seed": 3}


def test_a_result_is_made_of_its_replications_and_paired_with_another():
    policies = FixedInterval({"pump": 9 * DAY}), RunToFailure()
    often, never = (run_policy(FLEET, policy, replications=4, **HOW) for policy in policies)
    world = World.of(FLEET, days=60, warmup_days=10, seed=3, replication=2)
    assert never.values(COST)[2] == simulate(world, RunToFailure()).figures()[COST]
    assert never.compare(often)[COST].mean == pytest.approx(often[COST].mean - never[COST].mean)
    assert "Roadside failures" in never._repr_html_()


def test_replications_go_on_until_the_precision_is_reached():
    result = run_policy(FLEET, RunToFailure(), replications=4, precision=0.08, max_replications=40, **HOW)
    assert result.reached
    assert 4 < len(result.replications) < 40


def test_parts_that_are_only_partly_restored_fail_sooner():
    half = fleet(component(wear=wear("gamma", mean_life_min=15 * DAY, restoration=0.5)), vehicles=5)
    whole = fleet(component(wear=wear("gamma", mean_life_min=15 * DAY)), vehicles=5)
    first, second = (run_policy(each, RunToFailure(), replications=3, **HOW) for each in (whole, half))
    assert second["failures"].mean > 1.5 * first["failures"].mean


def test_a_policy_that_does_not_fit_is_refused_before_anything_runs():
    with pytest.raises(InputError, match="did you mean 'pump'"):
        run_policy(FLEET, FixedInterval({"pumpe": 1.0}), replications=2, **HOW)


def test_the_standard_fleet_is_a_configuration():
    plain = json.loads(json.dumps(dataclasses.asdict(StandardFleet())))
    assert parse(StandardFleet, plain) == StandardFleet()
    assert len(parse(StandardFleet, {"vehicles": 300}).fleet().vehicles) == 300
