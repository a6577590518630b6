import numpy as np
import pytest

from twinloop.dialogue.answering.refusal import curve, threshold_for
from twinloop.errors import InputError


def test_a_threshold_refuses_the_share_that_was_asked_for() -> None:
    confidences = np.random.default_rng(0).normal(size=200)
    threshold = threshold_for(confidences, refused=0.1)
    assert np.mean(confidences < threshold) == 0.1
    with pytest.raises(InputError, match="got none"):
        threshold_for([], refused=0.1)


def test_the_curve_counts_what_each_threshold_refuses() -> None:
    points = curve([1, 2, 3, 4], [0, 1.5, 2.5, 9])
    assert [(p.threshold, p.recall, p.false) for p in points] == [
        (1, 0.25, 0),
        (2, 0.5, 0.25),
        (3, 0.75, 0.5),
        (4, 0.75, 0.75),
    ]
