import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.replication.statistics import (
    Sample,
    holm,
    interval,
    p_value,
    paired,
    paired_ratio,
    standard_error,
    wilson,
)


def test_an_interval_is_students():
    # Student's sleep data (1908), difference of two drugs: mean 1.58, 95 % interval 0.7001 … 2.4599.
    sleep = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    found = interval(sleep)
    assert (found.mean, found.low, found.high) == pytest.approx((1.58, 0.7001142, 2.4598858), abs=1e-6)
    assert found.excludes_zero
    assert interval(sleep, confidence=0.99).half_width > found.half_width


def test_the_probability_of_a_difference_by_chance_is_students():
    # The same sleep data: t = 4.0621 on 9 degrees of freedom, two-sided p = 0.002833 (as R's t.test prints it).
    sleep = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    assert p_value(sleep) == p_value([-hours for hours in sleep]) == pytest.approx(0.002833, abs=1e-6)
    assert p_value([1.0, -1.0, 2.0, -2.0]) == pytest.approx(1.0)
    # On one degree of freedom Student's distribution is Cauchy's: t = 1 has 0.25 beyond it on each side.
    assert p_value([0.0, 2.0]) == pytest.approx(0.5)


def test_a_difference_that_never_varies_is_sure_unless_it_is_none():
    assert p_value([2.0, 2.0, 2.0]) == 0.0
    assert p_value([0.0, 0.0, 0.0]) == 1.0


def test_probabilities_of_several_comparisons_are_holms():
    # As R's p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") has it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5, 0.001]) == pytest.approx([1.0, 1.0, 0.003])
    assert holm([0.02]) == pytest.approx([0.02])
    assert holm([]).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_adjusted_probabilities_keep_their_order_and_never_shrink(probabilities):
    adjusted = holm(probabilities)
    assert all(
        given <= new <= min(1, len(probabilities) * max(probabilities))
        for given, new in zip(probabilities, adjusted, strict=True)
    )
    assert np.all(np.diff(adjusted[np.argsort(probabilities, kind="stable")]) >= 0)


def test_an_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    found = [interval(rng.normal(3.0, 2.0, 8)) for _ in range(4000)]
    assert np.mean([one.low <= 3.0 <= one.high for one in found]) == pytest.approx(0.95, abs=0.01)


def test_what_the_model_adds_enters_in_full_and_the_lines_luck_by_its_share():
    # Effects of the draws -1, 0, 1 have variance 1; estimates 10, 12, 14 have variance 4: error 1·(1 + 1/3) + 4/3.
    found = interval(Sample(np.array([9.0, 12.0, 15.0]), np.array([10.0, 12.0, 14.0])))
    assert found.mean == 12
    assert found.half_width == pytest.approx(4.302653 * np.sqrt(8 / 3), rel=1e-6)


def test_more_replications_do_not_measure_the_model_better():
    rng = np.random.default_rng(2)
    widths = {}
    for count in (20, 2000):
        luck = rng.normal(0, 1.0, count)
        widths[count] = interval(Sample(luck + rng.normal(0, 1.0, count), luck)).half_width
    assert widths[2000] == pytest.approx(1.96, rel=0.1)
    assert widths[20] < 2 * widths[2000]


def test_an_interval_with_draws_covers_the_true_model_however_loud_the_lines_luck():
    rng = np.random.default_rng(3)
    for spread in (0.5, 5.0):
        covered = []
        for _ in range(2000):
            truth = rng.normal(0, 1.0)  # the line's real model is one more draw of what was believed
            luck = rng.normal(0, spread, 40)
            found = interval(Sample(luck + rng.normal(0, 1.0, 40), luck))
            covered.append(found.low <= truth <= found.high)
        assert np.mean(covered) == pytest.approx(0.95, abs=0.02)


def test_draws_that_change_nothing_leave_students_interval():
    values = np.array([1.0, 2.0, 2.5, 1.0])
    assert interval(Sample(values, values)) == interval(values)


def test_a_change_that_does_not_touch_the_model_is_as_sure_as_without_it():
    rng = np.random.default_rng(5)
    luck, effect = rng.normal(100, 20, 30), rng.normal(0, 10, 30)
    gains = rng.normal(3, 0.5, 30)
    change = paired(Sample(luck + effect + gains, luck + gains), Sample(luck + effect, luck))
    alone = paired(luck + gains, luck)
    assert (change.mean, change.half_width) == pytest.approx((alone.mean, alone.half_width))


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


def test_the_interval_of_a_relative_gain_ends_where_the_difference_is_just_sure():
    # Means 5 and 4: +25 %. At an end r of Fieller's interval the differences less r times the baseline are as far from
    # zero as Student's t on 3 degrees of freedom allows.
    values, base = np.array([7.5, 3.0, 4.75, 4.75]), np.array([5.0, 3.0, 4.0, 4.0])
    ratio = paired_ratio(values, base)
    assert ratio.mean == pytest.approx(0.25)
    for end in (ratio.low, ratio.high):
        left = values - base - end * base
        assert abs(left.mean()) == pytest.approx(3.182446 * left.std(ddof=1) / 2, rel=1e-6)
    assert paired_ratio(values, base, confidence=0.99).half_width > ratio.half_width
    assert paired_ratio([1.0, 1.0], [0.5, 0.5]).mean == pytest.approx(1.0)


@given(st.lists(st.tuples(st.floats(50, 150), st.floats(-40, 60)), min_size=3, max_size=12))
def test_a_relative_gain_is_sure_where_the_difference_is(rows: list[tuple[float, float]]):
    base, gain = np.array(rows).T
    ratio, change = paired_ratio(base + gain, base), paired(base + gain, base)
    if ratio is not None and min(abs(change.low), abs(change.high)) > 1e-6:
        assert (ratio.low > 0, ratio.high < 0) == (change.low > 0, change.high < 0)


def test_no_share_is_told_of_a_baseline_that_may_be_nothing():
    assert paired_ratio([5.0, 6.0, 7.0], [-4.0, 1.0, 6.0]) is None
    assert paired_ratio([5.0, 6.0], [-4.0, -5.0]) is None


def test_a_relative_gain_under_draws_is_free_of_what_both_sides_share_and_carries_the_rest():
    rng = np.random.default_rng(6)
    luck, effect = rng.normal(100, 5, 50), rng.normal(0, 4, 50)
    base = Sample(luck + effect, luck)
    doubled = paired_ratio(Sample(2 * (luck + effect), 2 * luck), base)
    assert (doubled.mean, doubled.half_width) == pytest.approx((1.0, 0.0), abs=1e-9)
    # Only one side feels the model, by 4 of 100: the interval is at least ±1.96 · 4 %.
    felt = paired_ratio(base, luck)
    assert felt.mean == pytest.approx(effect.mean() / luck.mean())
    assert felt.half_width == pytest.approx(2.0096 * effect.std(ddof=1) / luck.mean() * np.sqrt(1 + 1 / 50), rel=0.02)


def test_samples_subtract_and_scale_replication_by_replication():
    drawn = Sample(np.array([9.0, 12.0]), np.array([10.0, 14.0]))
    plain = Sample.of([1.0, 2.0])
    assert Sample.of(drawn) is drawn
    assert plain.estimate is None
    for sample, values, estimate in [
        (drawn - 1.0, [8.0, 11.0], [9.0, 13.0]),
        (plain - 1.0, [0.0, 1.0], None),
        (drawn - plain, [8.0, 10.0], [9.0, 12.0]),
        (plain - drawn, [-8.0, -10.0], [-9.0, -12.0]),
        (plain - plain, [0.0, 0.0], None),
        (drawn * 2, [18.0, 24.0], [20.0, 28.0]),
        (plain * 2, [2.0, 4.0], None),
    ]:
        assert sample.values.tolist() == values
        assert (None if sample.estimate is None else sample.estimate.tolist()) == estimate
    with pytest.raises(dataclasses.FrozenInstanceError):
        plain.values = np.zeros(2)
    assert {plain: 1}[plain] == 1


def test_two_replications_are_enough_for_an_interval():
    # One degree of freedom: t at 97.5 % is 12.7062; values 1 and 3 have the standard error 1.
    assert interval([1.0, 3.0]).half_width == pytest.approx(12.706205)
    assert standard_error([1.0, 3.0]) == pytest.approx(1.0)


@pytest.mark.parametrize("baseline", [[-1.0, -2.0], [0.0, 0.0]])
def test_a_share_of_a_loss_is_not_told(baseline):
    assert paired_ratio([1.0, 2.0], baseline) is None


def test_one_replication_has_no_interval():
    with pytest.raises(ValueError, match="at least 2 replications"):
        interval([1.0])
    with pytest.raises(ValueError, match="at least 2 replications for an interval, got 0"):
        interval([])
    with pytest.raises(ValueError, match="as many replications on both sides, got 2 and 3"):
        paired([1.0, 2.0], [1.0, 2.0, 3.0])


def test_wilsons_limits_are_those_of_the_literature():
    # Newcombe (1998), table I: 81 of 263 gives 0.2553 … 0.3662.
    share = wilson(81, 263)
    assert (share.low, share.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20).low == 0 < wilson(0, 20).high
    assert wilson(20, 20).high == 1
