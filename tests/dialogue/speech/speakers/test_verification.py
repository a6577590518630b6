"""The equal error rate is where strangers accepted and speakers rejected are equally many."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from twinloop.dialogue.speech.speakers.verification import Trials, all_pairs, equal_error_rate, verification
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


def test_trials_that_count_twice_are_as_good_as_two() -> None:
    own, others = [0.9, 0.8, 0.3], [0.4, 0.2, 0.1]
    doubled = equal_error_rate(trials([*own, 0.3], [*others, 0.4])).rate
    weights = np.array([1.0, 1.0, 2.0, 2.0, 1.0, 1.0])
    assert equal_error_rate(trials(own, others), weights).rate == pytest.approx(doubled)


def test_the_interval_holds_the_rate_and_narrows_with_speakers() -> None:
    def judged(count: int) -> tuple[float, float, float]:
        rng = np.random.default_rng(5)
        voices = np.repeat(rng.normal(size=(count, 8)), 4, axis=0) + 0.9 * rng.normal(size=(4 * count, 8))
        vectors = (voices / np.linalg.norm(voices, axis=1, keepdims=True)).astype(np.float32)
        names = [str(place // 4) for place in range(4 * count)]
        rate = verification(vectors, names, draws=200, confidence=0.95, seed=1)
        return rate.low, rate.mean, rate.high

    few, many = judged(6), judged(24)
    for low, mean, high in (few, many):
        assert 0 <= low <= mean <= high <= 1
    assert many[2] - many[0] < few[2] - few[0]


def test_speakers_who_are_never_confused_have_no_error() -> None:
    vectors = np.repeat(np.eye(3, dtype=np.float32), 2, axis=0)
    rate = verification(vectors, ["ann", "ann", "bob", "bob", "cid", "cid"], draws=50, confidence=0.9, seed=1)
    assert (rate.mean, rate.low, rate.high) == (0, 0, 0)
