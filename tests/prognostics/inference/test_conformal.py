import numpy as np
import pytest

from twinloop.errors import InputError
from twinloop.prognostics.inference.conformal import calibrate


def units(rng: np.random.Generator, count: int, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of one unit share most of their error, and it grows with the prediction."""
    unit = np.repeat(np.arange(count), rows)
    predicted = rng.uniform(0, 100, len(unit))
    error = rng.normal(size=count)[unit] + 0.3 * rng.normal(size=len(unit))
    return predicted + (1 + predicted / 20) * error, predicted, unit


def test_of_exchangeable_units_the_promised_share_is_covered() -> None:
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(150):
        actual, predicted, unit = units(rng, 60, 8)
        conformal = calibrate(actual, predicted, unit, coverage=0.9)
        new, said, _ = units(rng, 40, 1)
        low, high = conformal.interval(said)
        covered.append(((low <= new) & (new <= high)).mean())
    assert np.mean(covered) == pytest.approx(0.91, abs=0.02)


def test_intervals_are_narrow_where_errors_are_small() -> None:
    conformal = calibrate(*units(np.random.default_rng(1), 200, 5))
    low, high = conformal.interval(np.array([5.0, 95.0]))
    assert (high - low)[1] > 2 * (high - low)[0]


def test_a_unit_of_many_rows_weighs_as_one_of_few() -> None:
    actual, predicted, unit = units(np.random.default_rng(2), 30, 2)
    many = [np.concatenate([part, np.repeat(part[unit == 0], 50)]) for part in (actual, predicted, unit)]
    assert calibrate(*many).factor < 2 * calibrate(actual, predicted, unit).factor


def test_intervals_stay_within_what_can_be() -> None:
    low, high = calibrate(*units(np.random.default_rng(3), 40, 3)).interval(
        np.array([1.0, 99.0]), least=0.0, most=100.0
    )
    assert low.min() >= 0
    assert high.max() <= 100


def test_too_few_units_promise_nothing() -> None:
    actual, predicted, unit = units(np.random.default_rng(4), 8, 5)
    with pytest.raises(InputError, match="expected at least 9 units for a coverage of 0.9, got 8: lower it"):
        calibrate(actual, predicted, unit)
