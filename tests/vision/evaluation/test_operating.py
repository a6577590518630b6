import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import beta, multivariate_normal

from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.vision.evaluation.operating import (
    both_below,
    cheapest,
    expected_costs,
    least_cost_thresholds,
    line_mix,
    operating_curve,
    outcome,
    threshold_grid,
)
from twinloop.vision.evaluation.settings import EvaluateSettings, PartCosts

CLASSES = ("good", "crack", "pit")


def measured(
    *, good: int = 60, crack: int = 20, pit: int = 10, exposures: int = 1, seed: int = 0, **changes: object
) -> OperatingCurve:
    random = np.random.default_rng(seed)
    labels = np.repeat(np.repeat([0, 1, 2], [good, crack, pit]), exposures)
    scores = random.normal(np.array([-3.0, 2.0, 0.5])[labels], 1.5)
    return operating_curve(
        expit(scores),
        labels,
        groups=[str(part) for part in np.repeat(np.arange(good + crack + pit), exposures)],
        classes=CLASSES,
        settings=EvaluateSettings(**changes),  # type: ignore[arg-type]
        part_repeatability=0.8,
        seed=seed,
        model="test",
    )


def perfect(good: int, crack: int, **changes: object) -> OperatingCurve:
    labels = np.repeat([0, 1], [good, crack])
    return operating_curve(
        np.where(labels == 1, 0.9, 0.1),
        labels,
        groups=[str(place) for place in range(len(labels))],
        classes=("good", "crack"),
        settings=EvaluateSettings(**changes),  # type: ignore[arg-type]
        part_repeatability=0.8,
        seed=3,
        model="test",
    )


def test_no_escape_among_twenty_parts_is_not_a_promise_of_none() -> None:
    curve = perfect(100, 20, draws=2000)
    escapes = np.array([curve.accepted(draw=draw)[1] for draw in range(1, curve.draws + 1)])
    assert curve.accepted()[1] == pytest.approx(0.5 / 21)
    for level in (0.5, 0.9, 0.975):  # Jeffreys: Beta(k + ½, n − k + ½) with k = 0
        assert np.quantile(escapes, level) == pytest.approx(beta(0.5, 20.5).ppf(level), rel=0.15)


def test_a_rate_has_the_jeffreys_posterior() -> None:
    labels = np.repeat([0, 1], [50, 30])
    probabilities = np.where(np.arange(80) % 5 == 0, 0.9, 0.1)  # 10 of 50 good parts, 6 of 30 cracks score high
    curve = operating_curve(
        probabilities,
        labels,
        groups=[str(place) for place in range(80)],
        classes=("good", "crack"),
        settings=EvaluateSettings(draws=2000),
        part_repeatability=0.5,
        seed=1,
        model="test",
    )
    rejects = np.array([curve.rejected(draw=draw)[0] for draw in range(1, 2001)])
    posterior = beta(10.5, 40.5)
    assert curve.rejected()[0] == pytest.approx(posterior.mean())
    assert rejects.mean() == pytest.approx(posterior.mean(), abs=0.005)
    assert np.quantile(rejects, [0.025, 0.975]) == pytest.approx(posterior.ppf([0.025, 0.975]), abs=0.015)


def test_counts_are_parts_and_exposures_of_one_part_are_no_new_evidence() -> None:
    once, often = perfect(100, 20), measured(good=100, crack=20, pit=5, exposures=6)
    assert once.counts.tolist() == [100, 20]
    assert often.counts.tolist() == [100, 20, 5]
    # six photographs of five parts still leave the doubt of five parts
    spread = np.std([often.accepted(draw=draw)[2] for draw in range(1, often.draws + 1)])
    assert spread > 0.05


def test_draws_are_whole_curves_and_repeat() -> None:
    one, two = measured(seed=4), measured(seed=4)
    assert np.array_equal(one.below, two.below)
    assert not np.array_equal(one.below[1:], measured(seed=5).below[1:])
    assert np.all(np.diff(one.below, axis=-1) >= 0)
    # neighbouring thresholds move together: that is what "joint" means
    middle = one.below.shape[-1] // 2
    assert np.corrcoef(one.below[1:, 1, middle], one.below[1:, 1, middle + 3])[0, 1] > 0.5


def test_a_class_without_a_part_is_unknown_not_perfect() -> None:
    curve = measured(pit=0, defect_mix={"crack": 0.5, "pit": 0.5})
    assert curve.counts[2] == 0
    assert curve.accepted()[2] == pytest.approx(0.5)
    assert curve.prevalence == pytest.approx([0.97, 0.015, 0.015])


def test_the_mix_of_defects_is_as_observed_or_as_configured() -> None:
    counts = np.array([100, 30, 10])
    assert line_mix(CLASSES, counts, defect_rate=0.04, mix={}) == pytest.approx([0.96, 0.03, 0.01])
    configured = line_mix(CLASSES, counts, defect_rate=0.04, mix={"crack": 1, "pit": 1})
    assert configured == pytest.approx([0.96, 0.02, 0.02])


@pytest.mark.parametrize("mix", [{"crack": 1.0}, {"crack": 1.0, "pit": 1.0, "dent": 1.0}, {"dent": 1.0}])
def test_a_mix_of_other_classes_is_refused(mix: dict[str, float]) -> None:
    with pytest.raises(InputError, match="the data has the defect classes crack, pit"):
        line_mix(CLASSES, np.array([1, 1, 1]), defect_rate=0.04, mix=mix)


def test_a_split_without_defects_is_refused() -> None:
    with pytest.raises(InputError, match="at least one defective part"):
        line_mix(CLASSES, np.array([5, 0, 0]), defect_rate=0.04, mix={})


def test_the_grid_holds_todays_threshold() -> None:
    grid = threshold_grid(40, include=0.37)
    assert 0.37 in grid
    assert np.all(np.diff(grid) > 0)
    assert grid[0] < 1e-5
    assert grid[-1] > 1 - 1e-5


def test_the_grid_is_even_in_log_odds_and_as_long_as_it_was_asked_to_be() -> None:
    grid = threshold_grid(40, include=0.37)
    assert len(grid) == 40
    steps = np.diff(logit(grid[grid != 0.37]))
    assert steps == pytest.approx(np.full(38, 24 / 38))
    assert 0.5 in threshold_grid(21)  # even in log odds it would not be
    assert len(threshold_grid(21)) == 21


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


def test_exposures_of_a_part_count_by_their_share() -> None:
    # Part a scores low in two of three pictures, part b in none; both are cracks. The good part scores low.
    curve = operating_curve(
        np.array([0.2, 0.2, 0.9, 0.6, 0.1]),  # 0.6 is not below today's threshold, as the station decides
        np.array([1, 1, 1, 1, 0]),
        groups=["a", "a", "a", "b", "c"],
        classes=("good", "crack"),
        settings=EvaluateSettings(draws=3, pseudo_count=2.0, today_threshold=0.6, line_defect_rate=0.1),
        part_repeatability=0.7,
        seed=1,
        model="abc",
    )
    # Prior: one part below, one above every threshold.
    assert curve.accepted() == pytest.approx([(1 + 1) / 3, (1 + 2 / 3) / 4])
    assert (curve.accept_below, curve.reject_from, curve.repeatability, curve.model) == (0.6, 0.6, 0.7, "abc")
    assert curve.counts.tolist() == [1, 2]
    assert curve.prevalence == pytest.approx([0.9, 0.1])
    assert curve.draws == 3


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


@pytest.mark.parametrize(
    "changes",
    [
        {"line_defect_rate": 0.0},
        {"line_defect_rate": 1.0},
        {"today_threshold": 1.5},
        {"draws": 0},
        {"repeatability": -0.1},
        {"defect_mix": {"crack": 0.0}},
        {"calibration": "guess"},
        {"costs": {"escape": -1.0}},
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"^EvaluateSettings.{next(iter(changes))}"):
        EvaluateSettings(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("reinspection", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_noise_in_the_last_digits_chooses_no_other_thresholds(seed: int, reinspection: bool) -> None:
    curve = measured(seed=seed)
    noise = np.random.default_rng(seed).normal(size=curve.below.shape)
    below = np.clip(np.maximum.accumulate(curve.below * (1 + 1e-9 * noise), axis=-1), 0, 1)
    noisy = dataclasses.replace(curve, below=below)
    chosen, other = (least_cost_thresholds(one, PartCosts(), reinspection=reinspection) for one in (curve, noisy))
    assert other == chosen
