import numpy as np
import pytest
from scipy import stats

from twinloop.errors import InputError
from twinloop.prognostics.models.weibull import Weibull, fit_weibull


def lives(shape: float, scale: float, *, n: int = 3000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    life, cut = scale * rng.weibull(shape, n), rng.uniform(0.2 * scale, 2 * scale, n)
    return np.minimum(life, cut), life <= cut


def test_the_likelihood_of_cut_lives_is_scipy_s() -> None:
    hours, failed = lives(1.7, 400.0, n=50)
    ours = Weibull(1.4, 350.0)
    theirs = stats.weibull_min(1.4, scale=350.0)
    expected = theirs.logpdf(hours[failed]).sum() + theirs.logsf(hours[~failed]).sum()
    assert ours.log_likelihood(hours, failed) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("shape", "scale"), [(0.7, 100.0), (1.0, 2000.0), (2.5, 400.0)])
def test_cut_lives_give_back_the_law_they_came_from(shape: float, scale: float) -> None:
    fitted = fit_weibull(*lives(shape, scale))
    assert fitted.shape == pytest.approx(shape, rel=0.06)
    assert fitted.scale == pytest.approx(scale, rel=0.06)


def test_the_fit_is_scipy_s_maximum() -> None:
    hours, failed = lives(2.0, 300.0, n=200)
    data = stats.CensoredData.right_censored(hours, ~failed)
    shape, _, scale = stats.weibull_min.fit(data, floc=0)
    assert fit_weibull(hours, failed) == pytest.approx((shape, scale), rel=1e-3)


def test_leaving_cut_lives_out_would_make_all_lives_too_short() -> None:
    hours, failed = lives(2.0, 300.0)
    assert fit_weibull(hours[failed], failed[failed]).scale < 0.8 * fit_weibull(hours, failed).scale


def test_the_hazard_of_days_multiplies_to_survival() -> None:
    law, age = Weibull(2.0, 500.0), np.array([0.0, 100.0, 900.0])
    survived = (1 - law.hazard(age, days=10, period_h=24.0)).prod(axis=1)
    assert survived == pytest.approx(law.survival(age + 240) / law.survival(age))


@pytest.mark.parametrize(
    ("hours", "failed", "words"),
    [([1.0, 2.0], [False, False], "none of 2 lives ended in a failure"), ([0.0, 2.0], [True, True], "more than 0 h")],
)
def test_what_cannot_be_fitted_is_refused(hours: list[float], failed: list[bool], words: str) -> None:
    with pytest.raises(InputError, match=words):
        fit_weibull(np.array(hours), np.array(failed))
