"""Intervals over groups: they cover what they promise, know pairs, and refuse what does not fit together."""

import numpy as np
import pytest

from twinloop.dialogue.evaluation.groups import grouped_difference, grouped_mean
from twinloop.errors import InputError


def grouped(rng: np.random.Generator, groups: int, each: int, spread: float) -> tuple[np.ndarray, list[str]]:
    level = rng.normal(0.0, spread, groups).repeat(each)
    return 1.0 + level + rng.normal(0.0, 0.1, groups * each), [f"g{k}" for k in range(groups) for _ in range(each)]


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    inside = 0
    for number in range(200):
        values, groups = grouped(rng, 40, 5, 0.5)
        interval = grouped_mean(values, groups, draws=400, seed=number)
        inside += interval.low <= 1.0 <= interval.high
    # 190 expected of 200, standard deviation 3.1; percentiles of 40 groups are a little short.
    assert 178 <= inside <= 199


def test_questions_of_one_group_do_not_count_as_many() -> None:
    values, groups = grouped(np.random.default_rng(3), 12, 50, 0.5)
    by_group = grouped_mean(values, groups, seed=1)
    alone = grouped_mean(values, [f"q{k}" for k in range(len(values))], seed=1)
    assert by_group.mean == alone.mean
    assert by_group.half_width > 3 * alone.half_width


def test_a_paired_difference_is_surer_than_two_means() -> None:
    values, groups = grouped(np.random.default_rng(5), 30, 4, 0.8)
    better = grouped_difference(values + 0.05, values, groups, seed=2)
    assert better.mean == pytest.approx(0.05)
    assert better.excludes_zero
    assert grouped_mean(values, groups, seed=2).half_width > 0.1


def test_a_word_error_rate_is_errors_per_word_of_all() -> None:
    errors, words = np.array([1.0, 0.0, 6.0]), np.array([10.0, 2.0, 12.0])
    interval = grouped_mean(errors / words, ["a", "b", "c"], weights=words, seed=0)
    assert interval.mean == pytest.approx(7 / 24)
    assert interval.low == 0.0
    assert interval.high == pytest.approx(0.5)


def test_one_group_tells_nothing_of_the_spread() -> None:
    interval = grouped_mean([0.0, 1.0, 1.0], ["a"] * 3, seed=0)
    assert (interval.low, interval.high) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("values", "groups", "weights", "reason"),
    [
        ([], [], None, "found 0 values"),
        ([1.0, 2.0], ["a"], None, "1 groups"),
        ([1.0], ["a"], [1.0, 2.0], "2 weights"),
        ([1.0, 2.0], ["a", "b"], [0.0, 0.0], "weights above 0"),
    ],
)
def test_what_does_not_fit_is_refused(values: list, groups: list, weights: list | None, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        grouped_mean(values, groups, weights=weights, seed=0)


def test_pairs_of_other_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="expected pairs, found 2 values beside 1"):
        grouped_difference([1.0, 2.0], [1.0], ["a", "b"], seed=0)
