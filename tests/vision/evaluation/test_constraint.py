import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from twinloop.contracts import OperatingCurve
from twinloop.contracts.curve_settings import PartCosts
from twinloop.contracts.part_costs import outcome
from twinloop.vision.evaluation.constraint import escape_ppm, limit_escapes, upper_escape_ppm
from twinloop.vision.evaluation.settings import EvaluateSettings

COSTS = PartCosts(escape=5, false_reject=20, reinspect=0.1)


def curve_of(
    good: int, crack: int, *, spread: float = 1.0, apart: float = 6.0, seed: int = 0, **changes: object
) -> OperatingCurve:
    from scipy.special import expit

    random = np.random.default_rng(seed)
    labels = np.repeat([0, 1], [good, crack])
    scores = random.normal(np.where(labels == 1, apart / 2, -apart / 2), spread)
    return OperatingCurve.of_probabilities(
        expit(scores),
        labels,
        groups=[str(place) for place in range(len(labels))],
        classes=("good", "crack"),
        settings=EvaluateSettings(**{"draws": 200, "thresholds": 40, **changes}),  # type: ignore[arg-type]
        repeatability=0.6,
        seed=seed,
        model="test",
    )


def test_escapes_are_counted_per_million_shipped_parts() -> None:
    curve = OperatingCurve(
        thresholds=np.array([0.2, 0.8]),
        classes=("good", "crack"),
        below=np.array([[[0.90, 0.98], [0.10, 0.35]]] * 2),
        prevalence=np.array([0.95, 0.05]),
        counts=np.array([10, 10]),
        repeatability=0.5,
        accept_below=0.2,
        reject_from=0.2,
        model="test",
    )
    assert escape_ppm(curve) == pytest.approx([1e6 * 0.05 * 0.1 / (0.05 * 0.1 + 0.95 * 0.9)] * 2)
    banded = curve.at(0.2, 0.8)
    good, crack = outcome(banded, COSTS).accepted
    assert escape_ppm(banded)[0] == pytest.approx(1e6 * 0.05 * crack / (0.05 * crack + 0.95 * good))


def test_the_upper_limit_is_the_posteriors_95_percent_quantile() -> None:
    curve = curve_of(4000, 50, apart=30, draws=2000).at(0.5)  # no escape among fifty, no good part lost
    rate = beta(0.5, 50.5).ppf(0.95)
    assert upper_escape_ppm(curve) == pytest.approx(1e6 * 0.03 * rate / (0.03 * rate + 0.97), rel=0.1)


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 10_000), st.floats(500, 40_000), st.booleans())
def test_the_thresholds_are_the_cheapest_of_all_pairs_that_keep_the_limit(seed: int, limit: float, again: bool) -> None:
    curve = curve_of(60, 40, spread=2.5, seed=seed, thresholds=20, draws=40)
    found = limit_escapes(curve, COSTS, limit_ppm=limit, reinspection=again)
    keeping = [
        outcome(moved, COSTS).cost_per_part
        for place, low in enumerate(curve.thresholds)
        for high in (curve.thresholds[place:] if again else [low])
        if upper_escape_ppm(moved := curve.at(low, high)) <= limit
    ]
    if found.thresholds is None:
        assert keeping == []
        assert found.status != "met"
        assert found.upper_ppm > limit
    else:
        chosen = curve.at(*found.thresholds)
        assert found.upper_ppm == upper_escape_ppm(chosen) <= limit
        assert outcome(chosen, COSTS).cost_per_part == pytest.approx(min(keeping), abs=1e-9)


def test_a_limit_that_cost_alone_would_break_moves_the_thresholds_down() -> None:
    curve = curve_of(400, 400, spread=2.0)
    loose, tight = (limit_escapes(curve, COSTS, limit_ppm=limit) for limit in (30_000, 3_000))
    assert loose.status == tight.status == "met"
    assert tight.thresholds[0] < loose.thresholds[0]  # type: ignore[index]
    assert "with 95 % confidence" in tight.line


def test_too_few_parts_are_told_with_how_many_it_takes_and_those_are_enough() -> None:
    few = limit_escapes(curve_of(200, 60), COSTS, limit_ppm=300)
    assert (few.status, few.thresholds) == ("more parts needed", None)
    assert few.defective_needed is not None
    assert few.good_needed is not None
    assert few.defective_needed > 60
    # with no escape, q95 of Beta(½, n + ½) is about 1.92 / n: 0.03 · 1.92 / n ≤ 300 ppm of about 0.97 shipped
    assert few.defective_needed == pytest.approx(0.03 * 1.92 / (300e-6 * 0.97), rel=0.2)
    assert f"takes about {few.defective_needed}" in few.line
    enough = curve_of(few.good_needed, int(1.3 * few.defective_needed), draws=400)
    assert limit_escapes(enough, COSTS, limit_ppm=300).status == "met"


def test_a_detector_that_ranks_a_defect_below_every_good_part_cannot_meet_it() -> None:
    curve = curve_of(100, 60)
    blind = dataclasses.replace(curve, below=curve.below[:, ::-1], counts=curve.counts[::-1])
    found = limit_escapes(blind, COSTS, limit_ppm=100)
    assert (found.status, found.defective_needed) == ("cannot be met", None)
    assert "cannot be met" in found.line


def test_somewhat_too_few_parts_need_somewhat_more_not_twice_as_many() -> None:
    few = limit_escapes(curve_of(200, 60), COSTS, limit_ppm=800)
    assert few.status == "more parts needed"
    # q95 of Beta(½, n + ½) is about 1.92 / n: 0.03 · 1.92 / n ≤ 800 ppm of about 0.97 shipped
    assert few.defective_needed == pytest.approx(0.03 * 1.92 / (800e-6 * 0.97), rel=0.1)
    assert few.good_needed == pytest.approx(200 * few.defective_needed / 60, abs=4)  # type: ignore[operator]
    assert (few.good, few.defective) == (200, 60)


def test_without_both_numbers_of_parts_no_number_is_promised() -> None:
    few = limit_escapes(curve_of(200, 60), COSTS, limit_ppm=800)
    assert "it takes about" in few.line
    for name in ("good_needed", "defective_needed"):
        assert "it cannot be met with this detector" in dataclasses.replace(few, **{name: None}).line
