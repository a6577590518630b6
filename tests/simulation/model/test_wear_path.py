import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammainc
from scipy.stats import invgauss, kstest, weibull_min

from twinloop.simulation.model.wear import Shocks, Wear
from twinloop.simulation.model.wear_path import WearPath
from twinloop.simulation.model.wear_process import (
    GRID,
    gamma_parameters,
    gamma_process,
    weibull_parameters,
    wiener_parameters,
)

LIMIT = 2.0
COUNT = 3000


def worn(kind: str, *, cv: float = 0.3, life: float = 100.0, shocks: Shocks | None = None) -> Wear:
    return Wear(kind=kind, mean_life_min=life, cv=cv, limit=LIMIT, shocks=shocks)


def paths(wear: Wear, *, count: int = COUNT, start: float = 0.0) -> list[WearPath]:
    rng = np.random.default_rng(7)
    return [WearPath.draw(wear, rng, start=start) for _ in range(count)]


def lives(wear: Wear, *, start: float = 0.0) -> np.ndarray:
    return np.array([path.life_min for path in paths(wear, start=start)])


@pytest.mark.parametrize(
    ("kind", "cv"), [("gamma", 0.1), ("gamma", 0.3), ("gamma", 0.9), ("wiener", 0.3), ("wiener", 1.0), ("weibull", 0.5)]
)
def test_the_life_has_the_mean_and_the_spread_that_were_asked_for(kind: str, cv: float) -> None:
    found = lives(worn(kind, cv=cv))
    assert found.mean() == pytest.approx(100.0, abs=3 * 100 * cv / np.sqrt(COUNT))
    assert found.std() / found.mean() == pytest.approx(cv, rel=0.07)


def test_the_life_of_a_gamma_process_follows_the_incomplete_gamma_function() -> None:
    wear = worn("gamma")
    rate, scale = gamma_parameters(wear)
    assert kstest(lives(wear), lambda age: 1 - gammainc(rate * age, LIMIT / scale)).pvalue > 0.05


def test_the_first_passage_of_a_wiener_process_is_inverse_gaussian() -> None:
    wear = worn("wiener", cv=0.6)
    drift, deviation = wiener_parameters(wear)
    mean, shape = LIMIT / drift, (LIMIT / deviation) ** 2
    assert mean == pytest.approx(100.0)
    assert LIMIT * deviation**2 / drift**3 == pytest.approx((0.6 * 100.0) ** 2)
    assert kstest(lives(wear), invgauss(mean / shape, scale=shape).cdf).pvalue > 0.05


def test_the_life_under_a_weibull_hazard_is_weibull() -> None:
    wear = worn("weibull", cv=0.5)
    shape, scale = weibull_parameters(wear)
    assert kstest(lives(wear), weibull_min(shape, scale=scale).cdf).pvalue > 0.05


def test_the_level_of_a_gamma_process_has_its_mean_and_variance_at_a_grid_point() -> None:
    wear = worn("gamma", cv=0.2)
    rate, scale = gamma_parameters(wear)
    age = 30 * wear.mean_life_min / GRID
    levels = np.array([float(path.level(age)) for path in paths(wear)])
    assert levels.mean() == pytest.approx(rate * age * scale, rel=0.01)
    assert levels.var() == pytest.approx(rate * age * scale**2, rel=0.08)


def test_the_level_of_a_wiener_process_has_its_mean_and_variance_long_before_the_limit() -> None:
    wear = worn("wiener")
    drift, deviation = wiener_parameters(wear)
    levels = np.array([float(path.level(30.0)) for path in paths(wear)])
    assert levels.mean() == pytest.approx(drift * 30.0, rel=0.03)
    assert levels.var() == pytest.approx(deviation**2 * 30.0, rel=0.08)


def test_shocks_are_a_compound_poisson_process() -> None:
    shocks = Shocks(every_min=10.0, jump=0.004, cv=0.5)
    levels = np.array([float(path.level(500.0)) for path in paths(worn("weibull", life=1e6, shocks=shocks))])
    count = 500.0 / 10.0
    assert levels.mean() == pytest.approx(count * 0.004, rel=0.02)
    assert levels.var() == pytest.approx(count * 0.004**2 * (1 + 0.5**2), rel=0.08)


def test_a_shock_beyond_the_limit_ends_the_life_at_once() -> None:
    found = lives(worn("gamma", life=1e6, shocks=Shocks(every_min=100.0, jump=50 * LIMIT, cv=0.1)))
    assert found.mean() == pytest.approx(100.0, rel=0.05)
    assert found.std() == pytest.approx(100.0, rel=0.07)


def test_a_worn_start_leaves_the_life_that_is_left() -> None:
    half = LIMIT / 2
    drift, deviation = wiener_parameters(worn("wiener"))
    mean, shape = half / drift, (half / deviation) ** 2
    assert kstest(lives(worn("wiener"), start=half), invgauss(mean / shape, scale=shape).cdf).pvalue > 0.05
    rate, scale = gamma_parameters(worn("gamma"))
    assert kstest(lives(worn("gamma"), start=half), lambda t: 1 - gammainc(rate * t, half / scale)).pvalue > 0.05
    law = weibull_min(*(weibull_parameters(worn("weibull"))[:1]), scale=weibull_parameters(worn("weibull"))[1])
    used = law.ppf(0.5)
    assert kstest(lives(worn("weibull"), start=half), lambda t: 1 - law.sf(used + t) / law.sf(used)).pvalue > 0.05


def test_without_a_worn_start_a_gamma_path_begins_at_zero_and_ends_at_or_above_the_limit() -> None:
    ages, levels = gamma_process(worn("gamma"), np.random.default_rng(1), 0.0)
    assert ages[0] == levels[0] == 0.0
    assert levels[-2] < LIMIT <= levels[-1]
    assert ages[-1] - ages[-2] < 1e-4 * ages[-1]


@given(
    kind=st.sampled_from(["gamma", "wiener", "weibull"]),
    cv=st.floats(0.05, 0.85),
    start=st.floats(0.0, 0.9),
    shocked=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_the_drawn_life_is_the_first_time_its_path_reaches_the_limit(
    kind: str, cv: float, start: float, shocked: bool, seed: int
) -> None:
    shocks = Shocks(every_min=30.0, jump=0.3) if shocked else None
    path = WearPath.draw(worn(kind, cv=cv, shocks=shocks), np.random.default_rng(seed), start=start * LIMIT)
    before = np.linspace(0.0, path.life_min * (1 - 1e-9), 200)
    assert 0 < path.life_min < np.inf
    assert path.life_min <= path.age[-1]
    assert (path.level(before) < LIMIT).all()
    assert path.level(path.life_min) == LIMIT
    assert path.health(path.life_min) == 0.0
    assert path.health(0.0) == pytest.approx(1 - start)
    health = path.health(before)
    assert ((health >= 0) & (health <= 1)).all()
    warned = path.age_below(0.05)
    assert warned <= path.life_min
    assert (path.health(before[before < warned * (1 - 1e-9)]) >= 0.05 - 1e-9).all()


def test_the_same_stream_draws_the_same_path() -> None:
    shocks = Shocks(every_min=30.0, jump=0.3)
    first, second = (WearPath.draw(worn("gamma", shocks=shocks), np.random.default_rng(3)) for _ in range(2))
    assert first.life_min == second.life_min
    assert np.array_equal(first.base, second.base)
    assert np.array_equal(first.risen, second.risen)
