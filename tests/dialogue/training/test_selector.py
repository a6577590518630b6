"""Weights that are learnt put the right sentence first, go where what tells is, and stay where nothing does."""

from dataclasses import replace

import numpy as np
import pytest

from twinloop.dialogue.answering.selector import Features
from twinloop.dialogue.answering.settings import SelectorSettings
from twinloop.dialogue.training.selector import MONITOR, Choice, fit_selector
from twinloop.dialogue.training.settings import SelectorTrainingSettings
from twinloop.errors import InputError
from twinloop.learning.settings import FitSettings

NAMES, KIND = Features._fields.index("names"), Features._fields.index("kind")
FEW = FitSettings(epochs=12, patience=12, keep="last")
QUICK = SelectorTrainingSettings(learning_rate=0.2, fit=FEW)
PLAIN = SelectorSettings(words=0, meaning=0, context=0, kind=0, passage=0, asking=0)


def choices(number: int, telling: int, *, seed: int) -> list[Choice]:
    """Questions with 2 to 6 sentences, of which the right one is ahead in one feature; the others are chance."""
    random, drawn = np.random.default_rng(seed), []
    for _ in range(number):
        features = random.uniform(size=(int(random.integers(2, 7)), len(Features._fields))).astype(np.float32)
        right = np.arange(len(features)) == features[:, telling].argmax()
        drawn.append(Choice(features, right))
    return drawn


def test_the_feature_that_tells_gets_the_weight() -> None:
    learnt = fit_selector(
        choices(80, NAMES, seed=1), choices(80, NAMES, seed=2), PLAIN, replace(QUICK, pull=0.1), seed=0
    )
    assert learnt.settings.names > 4 * max(abs(getattr(learnt.settings, name)) for name in Features._fields[:-1])
    assert learnt.fitted.best[MONITOR] > 0.75


def test_a_strong_pull_keeps_the_weights_where_they_began() -> None:
    start = replace(PLAIN, kind=2.0)
    held, loose = (
        fit_selector(choices(40, NAMES, seed=1), choices(40, NAMES, seed=2), start, replace(QUICK, pull=pull), seed=0)
        for pull in (1000.0, 0.0)
    )
    # A step of Adam is as long as the learning rate, and about one remains of going to and fro.
    assert held.settings.kind == pytest.approx(2.0, abs=QUICK.learning_rate)
    assert held.settings.names == pytest.approx(0.0, abs=QUICK.learning_rate)
    assert loose.settings.names > 0.5


def test_the_softmax_is_that_of_one_question() -> None:
    # Two sentences that differ by 1 in one feature: the log odds of the right one are weight / temperature, and the
    # pull balances 1 / temperature * (1 - p) against 2 * pull * weight.
    features = np.zeros((2, len(Features._fields)), np.float32)
    features[0, KIND] = 1.0
    one = [Choice(features, np.array([True, False]))]
    settings = SelectorTrainingSettings(
        temperature=1.0, pull=0.25, learning_rate=0.1, fit=replace(FEW, epochs=40, patience=40)
    )
    weight = fit_selector(one, one, PLAIN, settings, seed=0).settings.kind
    assert (1 - 1 / (1 + np.exp(-weight))) == pytest.approx(0.5 * weight, abs=0.03)


def test_the_same_questions_and_seed_give_the_same_weights() -> None:
    first, second = (
        fit_selector(choices(30, KIND, seed=1), choices(9, KIND, seed=2), PLAIN, QUICK, seed=4) for _ in range(2)
    )
    assert first.settings == second.settings


def test_without_questions_nothing_is_learnt() -> None:
    with pytest.raises(InputError, match="got 0 and 2: ask some"):
        fit_selector([], choices(2, KIND, seed=1), PLAIN, QUICK, seed=0)
    with pytest.raises(InputError, match="leave the question out"):
        Choice.of([], [])
