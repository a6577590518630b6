import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.prognostics.features.windows import Closed, Windows

FEATURES = ("mean", "last", "low", "high", "spread", "slope", "step", "fast_energy", "crest", "above", "below")


def by_definition(time: np.ndarray, x: np.ndarray, low: float, high: float) -> dict[str, float]:
    """Of the known values of one window, in two passes."""
    known = np.isfinite(x)
    x = np.where(known, x, np.nan)
    steps = np.diff(x)[np.isfinite(np.diff(x))]
    x, hours = x[known], time[known] / 60
    spread, varies = x.std(), np.ptp(x) > 0
    away = hours - hours.mean()
    return {
        "mean": x.mean(),
        "last": x[-1],
        "low": x.min(),
        "high": x.max(),
        "spread": spread,
        "slope": (away * (x - x.mean())).sum() / (away**2).sum() if len(x) > 1 else 0.0,
        "step": abs(steps).max() if len(steps) else np.nan,
        "fast_energy": (steps**2).sum() / (4 * len(x) * spread**2) if varies else 0.0,
        "crest": abs(x - x.mean()).max() / spread if varies else 0.0,
        "above": (x > high).mean(),
        "below": (x < low).mean(),
    }


def closed(time: np.ndarray, x: np.ndarray, *, low: float = -1.0, high: float = 1.0) -> Closed:
    windows = Windows(60.0, np.array([low]), np.array([high]))
    windows.add(np.zeros(len(time), np.int64), time, [x.astype(np.float32)])
    return windows.close(np.array([0]))


@settings(max_examples=60)
@given(st.integers(1, 60), st.sampled_from([0.0, 1e3, -1e6]), st.floats(0, 0.9), st.integers(0, 10_000))
def test_a_window_has_what_its_definition_says(rows: int, offset: float, lost: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    time = 1e6 * 60 + np.sort(rng.choice(np.arange(1.0, 61.0), rows, replace=False))
    x = (offset + rng.normal(size=rows)).astype(np.float32).astype(np.float64)
    x[rng.random(rows) < lost] = np.nan
    x[rng.random(rows) < lost / 4] = np.inf
    made = closed(time, x, low=offset - 1, high=offset + 1)
    assert made.rows.tolist() == [rows]
    assert made.course.missing[0, 0] == pytest.approx((~np.isfinite(x)).mean())
    if not np.isfinite(x).any():
        assert all(np.isnan(getattr(made.course, name)[0, 0]) for name in FEATURES)
        return
    expected = by_definition(time - 1e6 * 60, x, offset - 1, offset + 1)
    assert {name: getattr(made.course, name)[0, 0] for name in FEATURES} == pytest.approx(
        expected, rel=1e-9, abs=1e-9, nan_ok=True
    )


def test_a_constant_has_no_spread_however_great_it_is() -> None:
    course = closed(np.arange(1.0, 61.0), np.full(60, 1e7 / 3)).course
    assert [getattr(course, name)[0, 0] for name in ("spread", "slope", "step", "fast_energy", "crest")] == [0.0] * 5


def test_a_first_value_far_from_the_others_costs_no_precision() -> None:
    x = np.append(1e6, np.random.default_rng(0).normal(size=59)).astype(np.float32).astype(np.float64)
    made = closed(np.arange(1.0, 61.0), x).course
    assert made.spread[0, 0] == pytest.approx(x.std(), rel=1e-12)
    assert made.mean[0, 0] == pytest.approx(x.mean(), rel=1e-12)
