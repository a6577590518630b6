import numpy as np
import pytest
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.prognostics.demand.methods import METHODS, Expected, ets, last_value, seasonal_naive, stl
from twinloop.prognostics.demand.settings import DemandSettings

Floats = NDArray[np.float64]
SETTINGS = DemandSettings()
# Oil production of Saudi Arabia, million tonnes, 1996 to 2007, and what statsmodels' documentation of exponential
# smoothing estimates from it: the weight of the newest value, and the level at the beginning.
OIL = np.array([446.7, 454.5, 455.7, 423.6, 456.3, 440.6, 425.3, 485.1, 506.0, 526.8, 514.3, 494.2])
ALPHA, LEVEL = 0.891871, 447.478440


def season(weeks: int, *, noise: float = 0.0, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    wave = 100 + 30 * np.sin(2 * np.pi * np.arange(weeks) / 52)
    return np.maximum(wave + noise * rng.normal(size=weeks), 0)


def test_the_last_value_is_as_uncertain_as_a_random_walk() -> None:
    told = last_value(np.array([1.0, 4.0, 0.0]), DemandSettings(horizon=4))
    assert told.mean.tolist() == [0, 0, 0, 0]
    assert told.deviation == pytest.approx(np.sqrt(12.5) * np.sqrt([1, 2, 3, 4]))


def test_a_year_before_is_found_beyond_a_year_too() -> None:
    told = seasonal_naive(np.arange(110.0), DemandSettings(horizon=53))
    assert told.mean[[0, 51, 52]].tolist() == [58, 109, 58]
    assert told.deviation == pytest.approx(52.0)


def test_exponential_smoothing_is_that_of_the_documented_example() -> None:
    level, errors = LEVEL, []
    for value in OIL:
        errors.append(value - level)
        level += ALPHA * errors[-1]
    told = ets(OIL, SETTINGS)
    assert told.mean == pytest.approx(level, rel=1e-3)
    # Hyndman et al., 2008, table 6.2: the variance h weeks ahead is σ² (1 + (h - 1) α²).
    growth = np.sqrt(1 + np.arange(4) * ALPHA**2)
    assert told.deviation == pytest.approx(np.sqrt(np.mean(np.square(errors))) * growth, rel=1e-2)


def test_exponential_smoothing_is_the_closed_form_where_nothing_is_learnt_but_the_mean() -> None:
    noise = 1000 + 100 * np.random.default_rng(4).normal(size=300)
    told = ets(noise, SETTINGS)
    assert told.mean == pytest.approx(noise.mean(), abs=25)
    assert told.deviation == pytest.approx(noise.std(), rel=0.1)


def test_a_season_of_two_years_is_continued() -> None:
    past, coming, half_a_year = season(130, noise=3), season(156)[130:], DemandSettings(horizon=26)
    told, unmoved = (method(past, half_a_year).mean for method in (stl, last_value))
    assert abs(told - coming).mean() < 4 < 15 < abs(unmoved - coming).mean()


@pytest.mark.parametrize("name", [name for name in METHODS if name != "prophet"])
@pytest.mark.parametrize("level", [0.0, 90.0])
def test_a_demand_that_never_changes_goes_on(name: str, level: float) -> None:
    told = METHODS[name](np.full(120, level), SETTINGS)
    assert told.quantiles == pytest.approx(np.full((3, 4), level))


def test_quantiles_are_those_of_a_normal_distribution_and_never_below_0() -> None:
    assert Expected(np.array([10.0, 1.0]), np.array([2.0, 5.0])).quantiles == pytest.approx(
        np.array([[10 - 2.563103, 0], [10, 1], [10 + 2.563103, 1 + 5 * 1.281552]])
    )


@pytest.mark.parametrize(("method", "weeks", "least"), [(seasonal_naive, 52, 53), (stl, 103, 104)])
def test_a_history_too_short_for_a_season_is_refused(method: object, weeks: int, least: int) -> None:
    with pytest.raises(
        InputError, match=f"expected a history of at least {least} weeks, got {weeks}: use method='ets'"
    ):
        method(season(weeks), SETTINGS)  # type: ignore[operator]


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # Prophet 1.5 on pandas 3
def test_prophet_continues_a_season_or_says_that_it_is_not_installed() -> None:
    try:
        import prophet  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        with pytest.raises(InputError, match=r"Prophet is not installed: pip install 'twinloop\[prophet\]'"):
            METHODS["prophet"](season(130), SETTINGS)
        return
    told = METHODS["prophet"](season(130, noise=3), DemandSettings(horizon=13))
    assert told.mean == pytest.approx(season(143)[130:], abs=10)
    assert told.deviation.mean() == pytest.approx(3, rel=0.5)
