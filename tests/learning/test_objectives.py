from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.errors import RunError
from twinloop.learning.objectives import Objective, choose, rule

SCORE = Objective("ndcg", "nDCG")
SLOW = Objective("latency_ms", "latency", "minimize", unit="ms", setting="MySettings.budget_ms")
POINTS = st.lists(st.tuples(st.floats(0, 1), st.floats(0.1, 100)), min_size=1, max_size=12)


def within(limit: float | None) -> tuple[Objective, Objective]:
    return SCORE, Objective("latency_ms", "latency", "minimize", "ms", limit, "MySettings.budget_ms")


def scores(*points: tuple[float, float]) -> list[dict[str, float]]:
    return [{"ndcg": score, "latency_ms": cost} for score, cost in points]


FRONT = scores((0.70, 1.0), (0.94, 2.0), (0.95, 9.0))


@pytest.mark.parametrize(("limit", "place"), [(None, 1), (1.5, 0), (2.0, 1), (20.0, 2)])
def test_the_limit_decides_and_without_one_the_knee(limit: float | None, place: int) -> None:
    assert choose(within(limit), FRONT) == place


def test_of_equal_ones_the_cheaper_is_taken_then_the_earlier() -> None:
    assert choose(within(5.0), scores((0.9, 3.0), (0.9, 2.0), (0.9, 2.0))) == 1


def test_a_limit_that_none_keeps_names_its_setting_and_the_best() -> None:
    with pytest.raises(RunError, match=r"within MySettings\.budget_ms = 0\.5, the best has 1\.00 ms: .*are kept"):
        choose(within(0.5), FRONT)


def test_what_is_minimised_first_is_minimised() -> None:
    error = Objective("wer", "WER", "minimize")
    assert choose((error,), [{"wer": 0.3}, {"wer": 0.1}, {"wer": 0.2}]) == 1
    least = Objective("recall", "recall", limit=0.8)
    tried = [{"wer": 0.1, "recall": 0.7}, {"wer": 0.2, "recall": 0.8}, {"wer": 0.3, "recall": 0.9}]
    assert choose((error, least), tried) == 1
    assert rule((error, least)) == "best WER from 0.8"


@given(POINTS, st.floats(0.1, 100))
def test_nothing_within_the_limit_is_better(points: list[tuple[float, float]], limit: float) -> None:
    objectives = within(limit)
    able = [score for score, cost in points if objectives[1].keeps(cost)]
    if not able:
        with pytest.raises(RunError, match="no trial keeps within"):
            choose(objectives, scores(*points))
        return
    place = choose(objectives, scores(*points))
    assert objectives[1].keeps(points[place][1])
    assert SCORE.gain(points[place][0]) == max(map(SCORE.gain, able))


@pytest.mark.parametrize(
    ("objectives", "told"),
    [
        (lambda: (SCORE,), "best nDCG"),
        (lambda: within(None), "the front's knee"),
        (lambda: within(20.0), "best nDCG within 20 ms"),
        (
            lambda: (*within(20.0), Objective("mib", "size", "minimize", "MiB", 3.0)),
            "best nDCG within 20 ms and within 3 MiB",
        ),
    ],
)
def test_the_rule_is_told_in_words(objectives: Callable[[], tuple[Objective, ...]], told: str) -> None:
    assert rule(objectives()) == told


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("limit", [None, 5.0])
def test_noise_in_the_last_digits_chooses_no_other_trial(seed: int, limit: float | None) -> None:
    tried = scores((0.9412, 2.0), (0.9412, 2.0), (0.95, 5.0), (0.95, 5.0), (0.99, 30.0))
    random = np.random.default_rng(seed)
    noisy = [{name: value * (1 + 1e-9 * random.normal()) for name, value in one.items()} for one in tried]
    assert choose(within(limit), noisy) == choose(within(limit), tried)
