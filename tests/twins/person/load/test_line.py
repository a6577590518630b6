"""A measured service as a line, against exact theory and against what was measured."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.networks import finite_source
from tests.simulation.test_queues import holds
from tests.twins.person.profiles import exponential, profile, spoken
from twinloop.errors import InputError
from twinloop.twins.person.load.line import Service


def run(service: Service, users: int, *, hours: float = 2.0, replications: int = 16, seed: int = 3):
    return service.line(users).run(days=hours, warmup_days=0.1, replications=replications, seed=seed)


@pytest.mark.parametrize(("cores", "users", "think", "work"), [(1, 5, 20.0, 5.0), (2, 12, 8.0, 1.4), (4, 20, 6.0, 2.0)])
def test_one_part_on_shared_cores_waits_as_a_finite_source(cores, users, think, work):
    """M/M/c//N: machine interference (Cox and Smith, 1961)."""
    throughput, response = finite_source(cores, users, think, work)
    service = Service(profile({"hear": exponential(work)}), cores, think, 10.0)
    estimate = run(service, users).estimate
    assert holds(estimate["turn_mean_min"].to_numpy(), response / 60)
    assert holds(estimate["turn_per_min"].to_numpy(), 60 * throughput)
    assert holds(estimate["core_utilisation"].to_numpy(), throughput * work / cores)


def test_who_is_alone_waits_for_nothing_but_the_work():
    service = Service(profile(spoken(400), {"speak": [0.2] * 400}), 1, 2.0, 0.9)
    result = run(service, 1, hours=8.0)
    assert holds(result.estimate["turn_mean_min"].to_numpy(), service.alone.mean() / 60)
    assert holds(result.estimate["turn_within"].to_numpy(), (service.alone <= 0.9).mean())
    # The parts of a turn are one row: drawn apart, its 95th percentile would be that of a sum of strangers.
    together = np.quantile(service.alone, 0.95)
    rng = np.random.default_rng(2)
    apart = 0.2 + np.quantile(sum(rng.permutation(seconds) for seconds in spoken(400).values()), 0.95)
    assert result.estimate["turn_p95_min"].mean() * 60 == pytest.approx(together, rel=0.01)
    assert together > 1.02 * apart


def test_time_that_was_only_waited_keeps_no_core_busy():
    service = Service(profile({"find": [0.1] * 10}, {"hear": [1.0] * 10}), 1, 9.0, 2.0)
    result = run(service, 10)
    rate = result["turn_per_min"].mean
    assert result["core_utilisation"].mean == pytest.approx(rate * 0.1 / 60, rel=0.01)
    assert result["turn_mean_min"].mean * 60 < 1.2


@settings(max_examples=12, derandomize=True, deadline=None)
@given(
    cores=st.integers(1, 3),
    users=st.integers(1, 20),
    more=st.integers(2, 10),
    hear=st.floats(0.1, 1.0),
    seed=st.integers(0, 99),
)
def test_more_people_never_lower_the_95th_percentile(cores, users, more, hear, seed):
    service = Service(profile(spoken(hear=hear, seed=seed)), cores, 12.0, 1.5)
    few, many = (run(service, count, hours=0.5, replications=4)["turn_p95_min"].mean for count in (users, users + more))
    # One and the same row more or less moves a percentile where nobody waits at all.
    assert many >= 0.98 * few


def test_a_part_twice_as_fast_takes_half_its_work_and_half_its_waiting():
    service = Service(profile(spoken(), {"hear": [0.4] * 40}), 2, 12.0, 1.5)
    faster = dataclasses.replace(service, speed={"hear": 2.0})
    assert np.allclose(faster.cpu_s[:, 0], service.cpu_s[:, 0] / 2)
    assert np.allclose(faster.waiting_s[:, 0], 0.2)
    assert np.allclose(faster.cpu_s[:, 1:], service.cpu_s[:, 1:])


def test_turns_from_the_cache_are_neither_looked_up_nor_answered_again():
    service = Service(profile(spoken()), 2, 12.0, 1.5, cached=0.25)
    known = service.cpu_s[:, 1] == 0
    assert known.sum() == 10
    assert (service.cpu_s[known, 2] == 0).all()
    assert (service.cpu_s[:, [0, 3]] > 0).all()
    # Neither the short ones nor the long ones alone.
    assert service.cpu_s[known, 0].mean() == pytest.approx(service.cpu_s[:, 0].mean(), rel=0.1)


def test_turns_under_way_are_limited_and_others_turned_away():
    service = Service(profile(spoken()), 1, 1.0, 1.5, limit=2)
    result = run(service, 8, hours=0.1, replications=3)
    assert result["refused_share"].mean > 0.3
    # At most one other turn was there before.
    assert result["turn_mean_min"].mean * 60 < 2 * service.alone.max()


def test_a_batch_takes_as_long_as_batches_of_its_size_were_measured_to_take():
    batches = {"hear": {1: 1.0, 2: 1.0, 4: 1.0}}
    service = Service(profile({"hear": [1.0] * 5}, batches=batches), 1, 1.0, 3.0, batched="hear", most=4)
    single = dataclasses.replace(service, most=1)
    together, one_by_one = (run(one, 6, hours=0.1, replications=3)["turn_per_min"].mean for one in (service, single))
    assert one_by_one == pytest.approx(60, rel=0.02)
    assert together > 1.8 * one_by_one


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"speed": {"heer": 2.0}}, r"service: speed: part.*heer.*hear"),
        ({"batched": "hear", "most": 4}, r"service: hear: batches of 4 were not measured"),
        ({"cached": 1.2}, r"service: cached = 1.2: expected a share"),
        ({"profile": profile({}, {"hear": [1.0]})}, r"no part of a turn works on this machine"),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    given_ = {"profile": profile(spoken()), "cores": 2, "think_s": 12.0, "target_s": 1.5}
    with pytest.raises(InputError, match=message):
        Service(**given_ | changes)
