import math

import numpy as np
import pytest

from twinloop.config import Invalid, parse
from twinloop.errors import RunError
from twinloop.replication.streams import Streams
from twinloop.simulation import Distribution
from twinloop.simulation.model.distributions import durations, guarded, weibull_shape

SOME = [
    {"kind": "deterministic", "mean": 3.0},
    {"kind": "exponential", "mean": 3.0},
    {"kind": "lognormal", "mean": 3.0, "cv": 0.8},
    {"kind": "gamma", "mean": 3.0, "cv": 0.4},
    {"kind": "weibull", "mean": 3.0, "cv": 1.3},
    {"kind": "triangular", "low": 1.0, "mode": 2.0, "high": 6.0},
    {"kind": "uniform", "low": 1.0, "high": 5.0},
    {"kind": "geometric", "mean": 3.0},
    {"kind": "empirical", "values": [1.0, 1.0, 1.0, 9.0]},
]
SPREADS = {
    "deterministic": 0.0,
    "exponential": 3.0,
    "triangular": math.sqrt(21 / 18),
    "uniform": 4 / math.sqrt(12),
    "geometric": math.sqrt(6),
    "empirical": math.sqrt(12),
}


@pytest.mark.parametrize("values", SOME, ids=lambda values: values["kind"])
def test_draws_have_the_mean_and_spread_that_were_asked_for(values):
    distribution = parse(Distribution, values)
    drawn = distribution.sample(np.random.default_rng(1), 400_000)
    assert distribution.average == pytest.approx(3.0)
    assert drawn.mean() == pytest.approx(3.0, rel=0.01)
    assert drawn.std() == pytest.approx(SPREADS.get(values["kind"], 3.0 * values.get("cv", 0)), rel=0.02, abs=1e-9)
    assert drawn.min() >= 0


@pytest.mark.parametrize(("cv", "shape"), [(1.0, 1.0), (0.522723, 2.0), (2.236068, 0.5)])
def test_weibull_shape_is_found_from_the_coefficient_of_variation(cv, shape):
    assert weibull_shape(cv) == pytest.approx(shape, rel=1e-5)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"kind": "exponential"}, "exponential takes mean, got nothing"),
        ({"kind": "exponential", "mean": 1.0, "cv": 0.5}, "exponential takes mean, got mean and cv"),
        ({"kind": "lognormal", "mean": 1.0}, "lognormal takes mean and cv, got mean"),
        ({"kind": "exponential", "mean": 0.0}, "expected a number > 0"),
        ({"kind": "exponential", "mean": -2.0}, "expected a number > 0"),
        ({"kind": "exponential", "mean": float("nan")}, "expected a finite number"),
        ({"kind": "exponential", "mean": float("inf")}, "expected a finite number"),
        ({"kind": "uniform", "low": 4.0, "high": 2.0}, "low < high"),
        ({"kind": "uniform", "low": 2.0, "high": 2.0}, "low < high"),
        ({"kind": "triangular", "low": 1.0, "mode": 9.0, "high": 5.0}, "low ≤ mode ≤ high"),
        ({"kind": "geometric", "mean": 0.5}, "geometric expects mean ≥ 1, as it counts whole minutes from 1"),
        ({"kind": "empirical"}, "empirical takes values, got nothing"),
        ({"kind": "empirical", "values": []}, "empirical expects observed values, at least one of them > 0"),
        ({"kind": "empirical", "values": [1.0, -2.0]}, "values.1"),
        ({"kind": "empirical", "values": [1.0, float("nan")]}, "expected a finite number"),
        ({"kind": "empirical", "values": [0.0, 0.0]}, "empirical expects observed values, at least one of them > 0"),
        ({"kind": "exponentail", "mean": 1.0}, "did you mean 'exponential'"),
        ({"kind": "exponential", "meen": 1.0}, "did you mean 'mean'"),
    ],
)
def test_a_distribution_that_cannot_be_is_refused(values, expected):
    with pytest.raises(Invalid) as caught:
        parse(Distribution, values)
    assert expected in str(caught.value)


@pytest.mark.parametrize("values", SOME, ids=lambda values: values["kind"])
def test_the_stream_of_durations_equals_one_long_draw(values):
    distribution = parse(Distribution, values)
    streams = Streams(seed=3, replication=0)
    draw = durations(distribution, streams, "press", "cycle")
    assert np.array_equal([draw() for _ in range(600)], distribution.sample(streams.generator("press", "cycle"), 600))


def test_geometric_durations_are_whole_minutes_and_end_with_the_same_probability_each():
    drawn = Distribution(kind="geometric", mean=4.0).sample(np.random.default_rng(2), 200_000)
    counts = np.bincount(drawn.astype(int), minlength=4)
    assert counts[0] == 0
    assert (counts / len(drawn))[1:4] == pytest.approx([0.25, 0.75 * 0.25, 0.75**2 * 0.25], abs=0.004)


def test_observed_durations_come_as_often_as_they_were_observed():
    drawn = Distribution(kind="empirical", values=(2.0, 5.0, 5.0)).sample(np.random.default_rng(2), 60_000)
    assert set(drawn.tolist()) == {2.0, 5.0}
    assert (drawn == 5.0).mean() == pytest.approx(2 / 3, abs=0.01)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_a_duration_that_is_no_duration_names_its_source(value):
    with pytest.raises(RunError, match=r"press: repair: drew a duration of .*: expected a finite number ≥ 0"):
        guarded(np.array([1.0, value, 2.0]), "press: repair")
