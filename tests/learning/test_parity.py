import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from twinloop.errors import RunError
from twinloop.learning.parity import (
    ScoreParity,
    auroc,
    best_threshold,
    choose_format,
    max_difference,
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


GOOD = ScoreParity(auroc_drop=0.0, rank_correlation=0.999, changed_decisions=0.0)
BAD = ScoreParity(auroc_drop=0.05, rank_correlation=0.999, changed_decisions=0.0)


@pytest.mark.parametrize(
    ("wanted", "parity", "deployed"),
    [
        ("fp32", GOOD, "fp32"),
        ("fp32", BAD, "fp32"),
        ("auto", GOOD, "int8"),
        ("auto", BAD, "fp32"),
        ("int8", GOOD, "int8"),
    ],
)
def test_int8_is_deployed_only_within_its_limits(wanted: str, parity: ScoreParity, deployed: str) -> None:
    chosen, verdict = choose_format(parity, ExportSettings(format=wanted))  # type: ignore[arg-type]
    assert chosen == deployed
    assert verdict == ("within limits" if parity is GOOD else "not deployable: AUROC falls by 0.0500 (allowed 0.01)")


def test_int8_that_was_asked_for_and_breaks_a_limit_stops_the_run() -> None:
    with pytest.raises(RunError, match=r"export: INT8: AUROC falls .* set factory.export.format=fp32"):
        choose_format(BAD, ExportSettings(format="int8"))
