import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.signal import lfilter
from scipy.stats import binomtest

from twinloop.errors import InputError
from twinloop.replication.steady_state import batch_means, growth, moving_average, mser

SERIES = arrays(np.float64, st.integers(50, 200), elements=st.floats(-1e3, 1e3))


def autoregressive(rng: np.random.Generator, count: int, *, phi: float, start: float = 0.0) -> np.ndarray:
    """AR(1) around 0 from `start`, in its steady state apart from that."""
    noise = rng.standard_normal(count)
    noise[0] = noise[0] / np.sqrt(1 - phi**2) + start
    return lfilter([1.0], [1.0, -phi], noise)


def mser_by_definition(series: np.ndarray, batch: int) -> int:
    """White's statistic written out: variance of what remains over its number, cut by cut."""
    means = [series[at : at + batch].mean() for at in range(0, len(series) - batch + 1, batch)]
    statistic = [np.var(means[cut:]) / len(means[cut:]) for cut in range(len(means) + 1 - max(5, len(means) // 10))]
    return int(np.argmin(statistic)) * batch


def test_mser_cuts_a_step_where_it_ends():
    # 60 values at 10, then ±1 around 0: cutting less keeps the step, cutting more loses values.
    series = np.concatenate((np.full(60, 10.0), np.tile([1.0, -1.0, 1.0, -1.0, 0.0], 60)))
    assert mser(series).values == 60
    assert mser(series).settled
    assert mser(series, batch=1).values == 60


def test_mser_cuts_nothing_where_nothing_warms_up():
    assert mser(np.tile([1.0, -1.0], 100), batch=2).values == 0


@given(series=SERIES, batch=st.sampled_from([1, 5]))
@settings(max_examples=50)
def test_mser_is_whites_definition(series, batch):
    found = mser(series, batch=batch).values
    left = [
        np.var(part) / len(part)
        for cut in (found, mser_by_definition(series, batch))
        for part in [means(series, batch, cut)]
    ]
    assert left[0] == pytest.approx(left[1], rel=1e-6, abs=1e-9)


def means(series: np.ndarray, batch: int, cut: int) -> np.ndarray:
    return series[: len(series) // batch * batch].reshape(-1, batch).mean(axis=1)[cut // batch :]


def test_mser_takes_the_bias_of_a_start_out_of_an_autoregressive_series():
    # A start 20 above the mean decays as 0.9^t: after 60 values it is 0.04.
    rng = np.random.default_rng(8)
    series = np.mean([autoregressive(rng, 1000, phi=0.9, start=20.0) for _ in range(20)], axis=0)
    cut = mser(series)
    assert 25 <= cut.values <= 120
    assert abs(series[cut.values :].mean()) < 0.4 * abs(series.mean())


def test_a_series_that_still_grows_is_not_settled():
    assert not mser(np.arange(200.0) ** 2).settled


def test_welchs_average_is_the_hand_calculated_one():
    smooth = moving_average([1.0, 5.0, 3.0, 7.0, 9.0, 2.0, 4.0, 6.0], window=2)
    # 1; (1+5+3)/3; (1+5+3+7+9)/5; …
    assert smooth.tolist() == pytest.approx([1.0, 3.0, 5.0, 26 / 5, 25 / 5, 28 / 5])


def test_welchs_average_of_replications_is_that_of_their_mean():
    rng = np.random.default_rng(0)
    table = rng.standard_normal((5, 40))
    assert moving_average(table, window=3) == pytest.approx(moving_average(table.mean(axis=0), window=3))


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.8])
def test_batch_means_cover_the_mean_of_a_dependent_series_as_often_as_they_say(phi):
    rng = np.random.default_rng(11)
    hits = 0
    for _ in range(400):
        found = batch_means(autoregressive(rng, 4000, phi=phi), batches=20, confidence=0.9).interval
        hits += found.low <= 0 <= found.high
    assert binomtest(hits, 400, 0.9).pvalue > 0.001


def test_too_small_batches_are_betrayed_by_their_correlation():
    rng = np.random.default_rng(3)
    series = autoregressive(rng, 2000, phi=0.95)
    assert batch_means(series, batches=500).correlation > 0.5
    assert abs(batch_means(series, batches=10).correlation) < 0.5


@given(series=SERIES, shift=st.floats(-100, 100), scale=st.floats(0.1, 10))
@settings(max_examples=50)
def test_batch_means_follow_shift_and_scale(series, shift, scale):
    plain, moved = batch_means(series, batches=10), batch_means(scale * series + shift, batches=10)
    assert moved.interval.mean == pytest.approx(scale * plain.interval.mean + shift, rel=1e-6, abs=1e-6)
    assert moved.interval.half_width == pytest.approx(scale * plain.interval.half_width, rel=1e-6, abs=1e-6)


def test_values_that_fill_no_batch_are_left_out_at_the_start():
    found = batch_means([100.0, 1.0, 3.0, 5.0, 7.0], batches=2)
    assert (found.size, found.interval.mean) == (2, 4.0)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            lambda: mser(np.zeros(49)),
            "warm-up: expected at least 10 batches of 5 values, got 49 values: simulate longer",
        ),
        (lambda: mser([np.nan] * 100), "expected a series of finite numbers, got NaN or infinity"),
        (lambda: moving_average(np.zeros(20), window=6), "window = 6: expected 1 to a quarter of 20 values"),
        (lambda: moving_average(np.zeros(20), window=0), "window = 0: expected 1 to a quarter"),
        (lambda: batch_means(np.zeros(50), warmup=50), "the warm-up of 50 values is not shorter than the series of 50"),
        (lambda: batch_means(np.zeros(50), warmup=-1), "the warm-up of -1 values"),
        (lambda: batch_means(np.zeros(50), batches=1), "batches = 1: expected at least 2"),
        (lambda: batch_means(np.zeros(50), batches=40), "50 values after the warm-up do not fill 40 batches of two"),
    ],
)
def test_a_series_that_is_too_short_is_refused(call, expected):
    with pytest.raises(InputError) as caught:
        call()
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def levels(*, drift: float, replications: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Means of the second and the last quarter of reflected random walks of 4000 steps, which start at 0."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal((replications, 4000)) + drift
    walks = np.cumsum(steps, axis=1)
    walks -= np.minimum(np.minimum.accumulate(walks, axis=1), 0.0)
    return walks[:, 1000:2000].mean(axis=1), walks[:, 3000:].mean(axis=1)


@pytest.mark.parametrize(
    ("drift", "replications", "least", "most"),
    [
        (-0.05, 10, 0.0, 0.02),
        (-0.05, 400, 0.0, 0.02),
        (-0.02, 40, 0.0, 0.05),
        (0.0, 40, 0.3, 1.0),
        (0.05, 10, 0.95, 1.0),
    ],
    ids=["stable", "stable and precise", "stable, hardly filled", "at capacity", "overloaded"],
)
def test_growth_is_found_where_it_is_and_not_where_it_is_not(drift, replications, least, most):
    found = [growth(*levels(drift=drift, replications=replications, seed=seed)).sure for seed in range(60)]
    # The share of 60 seeds may differ from its bound by chance: by no more than has a probability of 1 in 1000.
    assert binomtest(sum(found), 60, least, alternative="less").pvalue > 1e-3 if least else True
    assert binomtest(sum(found), 60, most, alternative="greater").pvalue > 1e-3 if most < 1 else True


def test_what_never_varies_is_judged_by_what_it_is():
    assert growth([10.0, 10.0], [20.0, 20.0]).sure
    assert not growth([10.0, 10.0], [12.0, 12.0]).sure
    assert not growth([0.1, 0.1], [0.4, 0.4]).sure  # less than one thing is none
    assert not growth([100.0, 101.0], [100.5, 101.0], initial=100.0).sure
    with pytest.raises(ValueError, match="at least 2 replications, got 1"):
        growth([1.0], [2.0])
