import numpy as np
import pytest

from twinloop.simulation.statistics import interval, paired, paired_ratio, variance_components


def test_an_interval_is_students():
    # Student's sleep data (1908), difference of two drugs: mean 1.58, 95 % interval 0.7001 … 2.4599.
    sleep = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    found = interval(sleep)
    assert (found.mean, found.low, found.high) == pytest.approx((1.58, 0.7001142, 2.4598858), abs=1e-6)
    assert found.excludes_zero
    assert interval(sleep, confidence=0.99).half_width > found.half_width


def test_an_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    found = [interval(rng.normal(3.0, 2.0, 8)) for _ in range(4000)]
    assert np.mean([one.low <= 3.0 <= one.high for one in found]) == pytest.approx(0.95, abs=0.01)


def test_variance_between_groups_is_split_off_as_the_analysis_of_variance_does():
    # Three groups of two with means 1, 5, 9 and one unit within: MSB = 32, MSW = 2, so σ² between = 15.
    between, within, count = variance_components(np.array([0.0, 2.0, 4.0, 6.0, 8.0, 10.0]), [1, 1, 2, 2, 3, 3])
    assert (between, within, count) == pytest.approx((15.0, 2.0, 3))


def test_more_replications_do_not_measure_the_model_better():
    rng = np.random.default_rng(2)
    model = rng.normal(0, 1.0, 20)
    widths = {}
    for uses in (2, 200):
        groups = np.tile(np.arange(20), uses)
        values = model[groups] + rng.normal(0, 1.0, len(groups))
        widths[uses] = interval(values, groups=groups.tolist()).half_width
    assert widths[200] > 0.6 * widths[2]
    assert interval(values).half_width < 0.1


def test_an_interval_with_draws_covers_the_true_model():
    rng = np.random.default_rng(3)
    covered = []
    for _ in range(1500):
        groups = np.tile(np.arange(10), 2)
        truth = rng.normal(0, 1.0)  # the line's real model is one more draw of what was believed
        values = rng.normal(0, 1.0, 10)[groups] + rng.normal(0, 0.5, 20)
        found = interval(values, groups=groups.tolist())
        covered.append(found.low <= truth <= found.high)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.02)


def test_groups_that_do_not_differ_change_nothing():
    values = [1.0, 2.0, 2.0, 1.0]
    assert interval(values, groups=[1, 1, 2, 2]) == interval(values)


def test_a_paired_interval_removes_what_both_sides_share():
    rng = np.random.default_rng(4)
    shared = rng.normal(100, 30, 20)
    gain = paired(shared + rng.normal(2, 0.5, 20), shared)
    assert gain.low < 2 < gain.high
    assert gain.half_width < 0.5


def test_a_relative_gain_is_the_ratio_of_means():
    base = np.array([90.0, 110.0, 95.0, 105.0])
    ratio = paired_ratio(1.04 * base, base)
    assert (ratio.mean, ratio.low, ratio.high) == pytest.approx((0.04, 0.04, 0.04))


@pytest.mark.parametrize("baseline", [[-1.0, -2.0], [0.0, 0.0]])
def test_a_share_of_a_loss_is_not_told(baseline):
    assert paired_ratio([1.0, 2.0], baseline) is None


def test_one_replication_has_no_interval():
    with pytest.raises(ValueError, match="at least 2 replications"):
        interval([1.0])
    with pytest.raises(ValueError, match="as many replications on both sides"):
        paired([1.0, 2.0], [1.0, 2.0, 3.0])
