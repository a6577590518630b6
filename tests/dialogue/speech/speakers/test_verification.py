"""The equal error rate is where strangers accepted and speakers rejected are equally many."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from twinloop.dialogue.speech.speakers.verification import Trials, all_pairs, equal_error_rate
from twinloop.errors import InputError


def trials(own: list[float], others: list[float]) -> Trials:
    scores = np.array([*own, *others])
    return Trials(scores, np.arange(len(scores)) < len(own))


@pytest.mark.parametrize(
    ("own", "others", "rate"),
    [
        ([0.9, 0.8], [0.1, 0.2], 0.0),
        ([0.1, 0.2], [0.9, 0.8], 1.0),
        ([0.9, 0.8, 0.7, 0.2], [0.6, 0.3, 0.1, 0.0], 0.25),
        ([0.5], [0.5], 0.5),
        ([0.5, 0.5], [0.5], 0.5),
    ],
)
def test_rate_of_small_cases(own: list[float], others: list[float], rate: float) -> None:
    assert equal_error_rate(trials(own, others)).rate == pytest.approx(rate)


def test_rate_of_two_normal_distributions_is_known() -> None:
    quantiles = norm.ppf((np.arange(4000) + 0.5) / 4000)
    found = equal_error_rate(trials((quantiles + 2).tolist(), quantiles.tolist()))
    assert found.rate == pytest.approx(norm.cdf(-1), abs=1e-3)
    assert found.threshold == pytest.approx(1.0, abs=1e-2)


@given(
    own=st.lists(st.floats(-1, 1), min_size=1, max_size=20),
    others=st.lists(st.floats(-1, 1), min_size=1, max_size=20),
)
def test_rate_depends_on_the_order_of_scores_alone(own: list[float], others: list[float]) -> None:
    ranks = {score: place for place, score in enumerate(sorted({*own, *others}))}
    ranked = trials([ranks[score] for score in own], [ranks[score] for score in others])
    rate = equal_error_rate(trials(own, others)).rate
    assert 0 <= rate <= 1
    assert rate == pytest.approx(equal_error_rate(ranked).rate)


def test_every_pair_of_recordings_is_a_trial() -> None:
    vectors = np.eye(3, dtype=np.float32)[[0, 0, 1]]
    pairs = all_pairs(vectors, ["ann", "ann", "bob"])
    assert pairs.scores.tolist() == [1, 0, 0]
    assert pairs.same.tolist() == [True, False, False]


@pytest.mark.parametrize("one", [trials([0.5], []), trials([], [0.5]), trials([], [])])
def test_trials_of_one_kind_only_are_refused(one: Trials) -> None:
    with pytest.raises(InputError, match="expected trials of one speaker and of two"):
        equal_error_rate(one)
