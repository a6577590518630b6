import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from twinloop.errors import InputError
from twinloop.vision.scores import anomaly_score, defect_shares, most_likely, probability, upscale

LOGITS = arrays(np.float64, (4, 3), elements=st.floats(-50, 50))


@given(LOGITS)
def test_the_score_is_the_log_odds_of_any_defect(logits: np.ndarray) -> None:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    share = odds[:, 1:].sum(axis=1) / odds.sum(axis=1)
    assert probability(anomaly_score(logits)) == pytest.approx(share, abs=1e-9)
    assert defect_shares(logits).sum(axis=1) == pytest.approx(np.ones(4))


@given(LOGITS)
def test_one_pass_says_what_scores_and_shares_say(logits: np.ndarray) -> None:
    shares, scores = defect_shares(logits), anomaly_score(logits)
    for place, row in enumerate(logits.tolist()):
        score, kind, share = most_likely(row)
        assert score == pytest.approx(scores[place], abs=1e-12)
        assert share == pytest.approx(shares[place].max())
        assert shares[place, kind] == pytest.approx(share)


@given(LOGITS, st.floats(-100, 100))
def test_a_constant_added_to_all_logits_changes_nothing(logits: np.ndarray, constant: float) -> None:
    assert anomaly_score(logits + constant) == pytest.approx(anomaly_score(logits), abs=1e-9)


def test_large_logits_do_not_overflow() -> None:
    assert anomaly_score(np.array([[0.0, 1e4, -1e4]])) == pytest.approx([1e4])
    assert anomaly_score(np.array([[1e4, 0.0, 0.0]])) == pytest.approx([np.log(2) - 1e4])


@pytest.mark.parametrize("shape", [(3,), (3, 1), (1, 2, 2)])
def test_logits_without_a_defect_class_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="good first"):
        anomaly_score(np.zeros(shape))


@pytest.mark.parametrize(
    ("source", "target"), [((4, 4), (16, 16)), ((6, 5), (13, 17)), ((8, 8), (3, 3)), ((2, 3), (2, 3))]
)
def test_upscaling_agrees_with_torch(source: tuple[int, int], target: tuple[int, int]) -> None:
    maps = np.random.default_rng(0).normal(size=(2, *source)).astype(np.float32)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(maps)[:, None], size=target, mode="bilinear", align_corners=False
    )
    assert upscale(maps, target) == pytest.approx(expected[:, 0].numpy(), abs=1e-5)
