from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from twinloop.errors import RunError
from twinloop.learning.parity import (
    auroc,
    average_precision,
    batch_differences,
    best_threshold,
    choose_format,
    max_difference,
    require_deployable,
    require_equal,
    score_parity,
)
from twinloop.learning.settings import ExportSettings

SCORES = np.array([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0])
POSITIVE = np.array([False, False, False, True, True, True])


def test_auroc_of_a_known_ranking() -> None:
    assert auroc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])) == 0.75


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auroc_agrees_with_scikit_learn_ties_included(rows: list[tuple[int, bool]]) -> None:
    scores, positive = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    if positive.all() or not positive.any():
        assert np.isnan(auroc(scores, positive))
    else:
        assert auroc(scores, positive) == pytest.approx(roc_auc_score(positive, scores))


def test_the_largest_difference_of_any_output_counts() -> None:
    one = [np.zeros((2, 3), np.float32), np.zeros((2, 1), np.float32)]
    other = [np.zeros((2, 3), np.float32), np.array([[0.0], [0.5]], np.float32)]
    assert max_difference(one, other) == 0.5


def test_a_difference_is_relative_where_the_reference_is_beyond_one() -> None:
    one, other = [np.array([0.5, -200.0], np.float32)], [np.array([0.5625, -201.0], np.float32)]
    assert max_difference(one, other) == 0.0625
    assert max_difference(one, [np.array([0.5, -225.0], np.float32)]) == 0.125


def test_every_batch_size_is_compared_on_two_full_batches_and_a_rest() -> None:
    called: list[int] = []

    def graph(batch: np.ndarray) -> list[np.ndarray]:
        called.append(len(batch))
        return [batch + (len(batch) == 7)]  # wrong at one batch size only

    inputs = np.zeros((64, 1), np.float32)
    assert batch_differences(graph, inputs, [inputs], sizes=(1, 2, 7)) == {1: 0, 2: 0, 7: 1}
    assert called == [1, 1, 1, 2, 2, 1, 7, 7, 1]


def test_average_precision_of_a_known_ranking() -> None:
    positive = np.array([True, False, True, False])
    assert average_precision(np.array([4.0, 3.0, 2.0, 1.0]), positive) == pytest.approx((1 + 2 / 3) / 2)
    assert np.isnan(average_precision(np.array([1.0, 2.0]), np.array([True, True])))


@pytest.mark.parametrize(
    "other",
    [
        [np.zeros((2, 4), np.float32)],
        [],
        [np.full((2, 3), np.nan, np.float32)],
        [np.full((2, 3), np.inf, np.float32)],
    ],
)
def test_outputs_that_cannot_be_compared_differ_infinitely(other: list[np.ndarray]) -> None:
    assert max_difference([np.zeros((2, 3), np.float32)], other) == float("inf")


@pytest.mark.parametrize("difference", [1.1e-3, float("inf"), float("nan")])
def test_the_gate_closes_beyond_the_tolerance(difference: float) -> None:
    with pytest.raises(RunError, match="export: FP32: raw outputs differ from torch"):
        require_equal(difference, tolerance=1e-3, name="FP32")


def test_the_gate_stays_open_within_the_tolerance() -> None:
    require_equal(1e-3, tolerance=1e-3, name="FP32")


def test_the_best_threshold_lies_between_separable_scores() -> None:
    assert best_threshold(SCORES, POSITIVE) == 0.0


def test_equal_scores_break_no_limit() -> None:
    parity = score_parity(SCORES, SCORES + 1e-3, positive=POSITIVE)
    assert (parity.auroc_drop, parity.changed_decisions) == (0, 0)
    assert parity.rank_correlation == pytest.approx(1)
    assert parity.breaches(ExportSettings()) == []


def test_every_broken_limit_is_said() -> None:
    parity = score_parity(SCORES, -SCORES, positive=POSITIVE)
    assert (parity.auroc_drop, parity.changed_decisions) == (1, 1)
    assert parity.rank_correlation == pytest.approx(-1)
    assert len(parity.breaches(ExportSettings())) == 3


def test_scores_that_are_no_numbers_break_every_limit() -> None:
    parity = score_parity(SCORES, np.full(6, np.nan), positive=POSITIVE)
    assert len(parity.breaches(ExportSettings())) == 3


def test_constant_scores_are_no_parity() -> None:
    parity = score_parity(SCORES, np.zeros(6), positive=POSITIVE)
    assert parity.rank_correlation == 0
    assert parity.breaches(ExportSettings())


def test_images_of_one_class_are_judged_without_auroc() -> None:
    parity = score_parity(SCORES, SCORES, positive=np.zeros(6, bool))
    assert np.isnan(parity.auroc_drop)
    assert parity.breaches(ExportSettings()) == []


LIMIT = ["AUROC falls by 0.0500 (allowed 0.01)"]
SPEEDS = {"fp32": 1.0, "fp16": 1.4, "int8": 2.0}


@pytest.mark.parametrize(
    ("wanted", "breaches", "speeds", "deployed"),
    [
        ("fp32", {"fp16": [], "int8": []}, SPEEDS, "fp32"),
        ("fp16", {"fp16": [], "int8": LIMIT}, {**SPEEDS, "fp16": 0.5}, "fp16"),
        ("int8", {"fp16": LIMIT, "int8": []}, SPEEDS, "int8"),
        ("auto", {"fp16": [], "int8": []}, SPEEDS, "int8"),
        ("auto", {"fp16": [], "int8": LIMIT}, SPEEDS, "fp16"),
        ("auto", {"fp16": LIMIT, "int8": LIMIT}, SPEEDS, "fp32"),
        ("auto", {"fp16": [], "int8": []}, {"fp32": 1.0, "fp16": 1.0, "int8": 1.09}, "fp32"),
        ("auto", {"fp16": [], "int8": []}, {"fp32": 1.0, "fp16": 1.0, "int8": 1.1}, "int8"),
        ("auto", {"int8": []}, {"fp32": 1.0, "int8": 0.7}, "fp32"),
    ],
)
def test_only_auto_looks_at_the_clock_and_takes_the_fastest_that_gains_enough_within_its_limits(
    wanted: Any, breaches: dict[str, list[str]], speeds: dict[str, float], deployed: str
) -> None:
    assert choose_format(breaches, speeds, ExportSettings(format=wanted)) == deployed


@given(
    st.dictionaries(st.sampled_from(["fp16", "int8"]), st.booleans()),
    st.tuples(*[st.floats(0.1, 10)] * 2),
    st.floats(1, 5),
)
def test_what_auto_deploys_breaks_nothing_and_is_never_slower(
    broken: dict[str, bool], speeds: tuple[float, float], least: float
) -> None:
    gains = {"fp32": 1.0} | dict(zip(("fp16", "int8"), speeds, strict=True))
    breaches = {name: LIMIT if is_broken else [] for name, is_broken in broken.items()}
    chosen = choose_format(breaches, gains, ExportSettings(format="auto", least_speedup=least))
    able = {name for name, found in breaches.items() if not found and gains[name] >= least}
    assert chosen in (able or {"fp32"})
    assert all(gains[chosen] >= gains[name] for name in able)


@pytest.mark.parametrize("name", ["fp16", "int8"])
def test_a_format_that_was_asked_for_and_breaks_a_limit_stops_the_run(name: str) -> None:
    with pytest.raises(RunError, match=rf"export: {name.upper()}: AUROC falls .* set factory.export.format=fp32"):
        require_deployable({name: LIMIT}, name)
    require_deployable({name: LIMIT}, "auto")
    require_deployable({name: []}, name)
