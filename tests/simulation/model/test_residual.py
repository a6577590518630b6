import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.lines import exponential, fixed
from twinloop.simulation import Distribution
from twinloop.simulation.model.residual import residual

SPREAD = (
    exponential(4.0),
    Distribution(kind="lognormal", mean=4.0, cv=0.8),
    Distribution(kind="gamma", mean=4.0, cv=0.6),
    Distribution(kind="weibull", mean=4.0, cv=0.5),
    Distribution(kind="triangular", low=1.0, mode=3.0, high=8.0),
    Distribution(kind="uniform", low=1.0, high=7.0),
    Distribution(kind="geometric", mean=4.0),
    Distribution(kind="empirical", values=(1.0, 2.0, 4.0, 4.5, 9.0)),
)


@pytest.mark.parametrize("elapsed", [0.5, 2.5, 4.2])
@pytest.mark.parametrize("distribution", SPREAD, ids=str)
def test_what_is_left_is_distributed_as_in_those_that_lasted_as_long(distribution, elapsed):
    rng = np.random.default_rng(1)
    whole = distribution.sample(rng, 100_000)
    longer = whole[whole > elapsed] - elapsed
    drawn = np.array([residual(distribution, elapsed, rng) for _ in range(2000)])
    assert abs(drawn.mean() - longer.mean()) < 4 * longer.std() / np.sqrt(len(drawn))
    at = np.quantile(longer, np.linspace(0.05, 0.95, 19))
    shares = [np.searchsorted(np.sort(one), at, side="right") / len(one) for one in (drawn, longer)]
    assert np.abs(shares[0] - shares[1]).max() < 0.05


def test_an_exponential_duration_forgets_and_a_fixed_one_does_not():
    draws = [residual(exponential(4.0), elapsed, np.random.default_rng(3)) for elapsed in (0.0, 50.0)]
    assert draws[0] == pytest.approx(draws[1])
    assert residual(fixed(5.0), 3.5, np.random.default_rng(3)) == 1.5


@settings(max_examples=100, deadline=None)
@given(st.sampled_from((*SPREAD, fixed(4.0))), st.floats(0, 1e4), st.integers(0, 100))
def test_what_cannot_last_that_long_ends_now_and_nothing_is_ever_negative(distribution, elapsed, seed):
    left = residual(distribution, elapsed, np.random.default_rng(seed))
    assert np.isfinite(left)
    assert left >= 0
    if distribution.kind in ("deterministic", "triangular", "uniform", "empirical") and elapsed > 10:
        assert left == 0.0
