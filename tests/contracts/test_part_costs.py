import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from tests.contracts.curves import CLASSES, measured, perfect
from twinloop.contracts import OperatingCurve
from twinloop.contracts.curve_settings import PartCosts
from twinloop.contracts.part_costs import both_below, cheapest, expected_costs, least_cost_thresholds, outcome


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.8, 0.99, 1.0])
def test_the_second_look_follows_the_bivariate_normal(correlation: float) -> None:
    curve = OperatingCurve(
        thresholds=np.array([0.2, 0.8]),
        classes=("good", "crack"),
        below=np.array([[[0.90, 0.98], [0.10, 0.35]]]),
        prevalence=np.array([0.95, 0.05]),
        counts=np.array([10, 10]),
        repeatability=correlation,
        accept_below=0.2,
        reject_from=0.8,
        model="test",
    )
    from scipy.special import ndtri

    for row, (low, high) in enumerate([(0.90, 0.98), (0.10, 0.35)]):
        if correlation == 1.0:
            twice = 0.0  # the same score again: still in the band
        else:
            both = multivariate_normal(cov=[[1, correlation], [correlation, 1]])
            twice = both.cdf([ndtri(high), ndtri(low)]) - both.cdf([ndtri(low), ndtri(low)])
        assert outcome(curve, PartCosts()).accepted[row] == pytest.approx(low + twice, abs=2e-4)
    assert outcome(curve, PartCosts()).reinspected == pytest.approx([0.08, 0.25])


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.99))
def test_the_joint_probability_lies_between_independence_and_the_smaller_one(x: float, y: float, rho: float) -> None:
    both = float(both_below(np.array(x), np.array(y), rho))
    assert x * y - 1e-9 <= both <= min(x, y) + 1e-9
    assert both == pytest.approx(float(both_below(np.array(y), np.array(x), rho)), abs=1e-12)
    assert float(both_below(np.array(x), np.array(1.0), rho)) == pytest.approx(x, abs=1e-12)


def test_expected_cost_of_a_hand_computed_case() -> None:
    curve = perfect(100, 20).at(0.5)
    costs = PartCosts(escape=100, false_reject=10, reinspect=1)
    escape, false_reject = 0.5 / 21, 0.5 / 101
    assert outcome(curve, costs).cost_per_part == pytest.approx(0.03 * escape * 100 + 0.97 * false_reject * 10)


def three_classes(**changes: object) -> OperatingCurve:
    """Four thresholds and whole percents, to compute with by hand; looks at one part agree always."""
    fields: dict[str, object] = {
        "thresholds": np.array([0.2, 0.4, 0.6, 0.8]),
        "classes": CLASSES,
        "below": np.array([[[0.50, 0.90, 0.95, 1.00], [0.00, 0.10, 0.20, 0.50], [0.10, 0.40, 0.50, 0.80]]]),
        "prevalence": np.array([0.8, 0.15, 0.05]),
        "counts": np.array([10, 10, 10]),
        "repeatability": 1.0,
        "accept_below": 0.4,
        "reject_from": 0.6,
        "model": "test",
    }
    return OperatingCurve(**{**fields, **changes})  # type: ignore[arg-type]


def test_costs_of_all_pairs_are_those_computed_by_hand() -> None:
    costs = PartCosts(escape=100, false_reject=10, reinspect=2)
    table = expected_costs(three_classes(), costs)
    # One threshold at 0.4: a tenth of good parts is rejected, 10 % and 40 % of the defective parts escape.
    assert table[1, 1] == pytest.approx(0.8 * 0.1 * 10 + 100 * (0.15 * 0.1 + 0.05 * 0.4))
    # Looks that agree keep a part of the band in it: the second look costs and decides nothing.
    assert table[1, 2] == pytest.approx(table[1, 1] + 2 * (0.8 * 0.05 + 0.15 * 0.1 + 0.05 * 0.1))
    assert np.isinf(table[np.tril_indices(4, -1)]).all()
    assert np.isfinite(table[np.triu_indices(4)]).all()
    alone = expected_costs(three_classes(), costs, reinspection=False)
    assert np.isfinite(alone).tolist() == np.eye(4, dtype=bool).tolist()
    assert outcome(three_classes(), costs).cost_per_part == pytest.approx(table[1, 2])


def test_looks_that_agree_by_chance_alone_give_a_part_a_fresh_second_chance() -> None:
    found = outcome(three_classes(repeatability=0.0), PartCosts())
    assert found.accepted == pytest.approx([0.9 + 0.05 * 0.9, 0.1 + 0.1 * 0.1, 0.4 + 0.1 * 0.4])
    assert found.reinspected == pytest.approx([0.05, 0.1, 0.1])
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.cost_per_part = 0.0  # type: ignore[misc]


def test_an_outcome_is_the_estimates_unless_a_draw_is_named() -> None:
    curve = three_classes(below=np.concatenate([three_classes().below, three_classes().below / 2]))
    assert outcome(curve, PartCosts()).accepted == pytest.approx([0.9, 0.1, 0.4])
    assert outcome(curve, PartCosts(), draw=1).accepted == pytest.approx([0.45, 0.05, 0.2])


def table_with(*cheap: tuple[int, int]) -> np.ndarray:
    """Costs of 2 everywhere, 1 at the places named."""
    table = np.full((6, 6), 2.0)
    table[tuple(zip(*cheap, strict=True))] = 1.0
    return table


@pytest.mark.parametrize(
    ("cheap", "accept", "reject"),
    [
        ([(2, 2)], 2, 2),
        ([(1, 1), (2, 2), (3, 3)], 2, 2),
        ([(1, 1), (2, 2), (3, 3), (4, 4)], 2, 2),  # of two in the middle the lower
        ([(0, 3), (4, 4), (0, 5)], 4, 4),  # no band where none is needed
        ([(1, 3)], 1, 3),
        ([(1, 3), (1, 4), (1, 5)], 1, 4),
        ([(1, 2), (1, 3), (1, 4), (1, 5)], 1, 3),
        ([(0, 5), (1, 5), (2, 5), (3, 5)], 1, 5),
        ([(0, 1), (1, 3), (2, 5)], 1, 3),
    ],
)
def test_of_thresholds_that_cost_the_same_the_middle_is_taken(
    cheap: list[tuple[int, int]], accept: int, reject: int
) -> None:
    curve = dataclasses.replace(
        three_classes(), thresholds=np.arange(1, 7) / 10, below=np.tile(np.arange(1, 7) / 10, (1, 3, 1))
    )
    assert cheapest(curve, table_with(*cheap)) == pytest.approx(((accept + 1) / 10, (reject + 1) / 10))
    # A difference of rounding is none, one of a thousandth is.
    table = table_with(*cheap)
    table[cheap[-1]] *= 1 + 1e-12
    assert cheapest(curve, table) == pytest.approx(((accept + 1) / 10, (reject + 1) / 10))
    table = table_with(*cheap)
    table[cheap[0]] -= 0.001
    assert cheapest(curve, table) == pytest.approx(((cheap[0][0] + 1) / 10, (cheap[0][1] + 1) / 10))


def test_where_nothing_costs_anything_any_threshold_will_do() -> None:
    free = PartCosts(escape=0, false_reject=0, reinspect=0)
    assert least_cost_thresholds(three_classes(), free) == (0.4, 0.4)


@pytest.mark.parametrize("correlation", [-0.9, -0.5, 0.0, 0.5, 0.9])
def test_two_looks_at_the_median_agree_as_sheppard_says(correlation: float) -> None:
    # Sheppard (1899): P(X ≤ 0 and Y ≤ 0) = 1/4 + arcsin ρ / 2π.
    both = float(both_below(np.array(0.5), np.array(0.5), correlation))
    assert both == pytest.approx(0.25 + np.arcsin(correlation) / (2 * np.pi), abs=1e-9)


def test_independent_looks_multiply_and_looks_that_agree_take_the_smaller() -> None:
    first, second = np.array([0.0, 0.2, 0.5, 0.7, 1.0]), np.array([0.3, 0.9, 0.5, 0.1, 1.0])
    assert both_below(first, second, 0.0) == pytest.approx(first * second)
    assert both_below(first, second, 1.0).tolist() == np.minimum(first, second).tolist()
    assert both_below(first, second, 0.9989) == pytest.approx(np.minimum(first, second), abs=0.02)


def test_separable_scores_get_a_threshold_midway_in_log_odds() -> None:
    accept, reject = least_cost_thresholds(perfect(100, 20), PartCosts())
    assert accept == reject
    assert accept == pytest.approx(0.5, abs=0.05)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.floats(1, 500), st.floats(0.1, 50), st.floats(0, 5))
def test_no_pair_of_grid_thresholds_costs_less(seed: int, escape: float, false_reject: float, again: float) -> None:
    curve = measured(seed=seed, draws=1, thresholds=20)
    costs = PartCosts(escape=escape, false_reject=false_reject, reinspect=again)
    chosen = outcome(curve.at(*least_cost_thresholds(curve, costs)), costs).cost_per_part
    everything = [
        outcome(curve.at(low, high), costs).cost_per_part
        for place, low in enumerate(curve.thresholds)
        for high in curve.thresholds[place:]
    ]
    assert chosen == pytest.approx(min(everything), abs=1e-9)


def test_without_reinspection_there_is_one_threshold() -> None:
    costs = PartCosts(escape=100, false_reject=20, reinspect=0.0)
    curve = dataclasses.replace(measured(good=400, crack=100, pit=100), repeatability=0.1)
    low, high = least_cost_thresholds(curve, costs)
    assert low < high
    single, same = least_cost_thresholds(curve, costs, reinspection=False)
    assert single == same
    assert outcome(curve.at(low, high), costs).cost_per_part < outcome(curve.at(single), costs).cost_per_part


def test_dearer_escapes_never_raise_the_threshold() -> None:
    curve = measured(good=400, crack=100, pit=100)
    chosen = [
        least_cost_thresholds(curve, PartCosts(escape=escape), reinspection=False)[0] for escape in (5, 20, 80, 320)
    ]
    assert chosen == sorted(chosen, reverse=True)
    assert chosen[0] > chosen[-1]


def test_looking_again_is_not_worth_it_when_it_only_repeats_the_first_look() -> None:
    curve = dataclasses.replace(measured(), repeatability=1.0)
    accept, reject = least_cost_thresholds(curve, PartCosts(reinspect=0.1))
    assert accept == reject


@pytest.mark.parametrize("reinspection", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_noise_in_the_last_digits_chooses_no_other_thresholds(seed: int, reinspection: bool) -> None:
    curve = measured(seed=seed)
    noise = np.random.default_rng(seed).normal(size=curve.below.shape)
    below = np.clip(np.maximum.accumulate(curve.below * (1 + 1e-9 * noise), axis=-1), 0, 1)
    noisy = dataclasses.replace(curve, below=below)
    chosen, other = (least_cost_thresholds(one, PartCosts(), reinspection=reinspection) for one in (curve, noisy))
    assert other == chosen


@pytest.mark.parametrize("name", ["escape", "false_reject", "reinspect"])
def test_costs_below_nothing_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        PartCosts(**{name: -1.0})
