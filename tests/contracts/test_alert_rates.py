import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.contracts import AlertCurve
from twinloop.contracts.alert_rates import Watched
from twinloop.errors import InputError

THRESHOLDS = np.array([1.0, 2.0, 3.0])
MINUTES = np.arange(0.0, 600.0, 60.0)


def life(score: list[float], *, end: float = 600.0, failed: bool = True) -> Watched:
    return Watched(MINUTES[: len(score)], np.array(score), end, failed)


def judged(*lives: Watched, **changes: object) -> AlertCurve:
    how = {"thresholds": THRESHOLDS, "window_hours": 3.0, "model": "test", "draws": 20}
    return AlertCurve.of_lives(lives, **how | changes)  # type: ignore[arg-type]


def test_recall_lead_time_and_false_alarms_are_counted_by_hand():
    hit = life([0, 0, 1, 0, 0, 0, 0, 2, 3, 3])  # alert at 1 before the window, then from minute 420 and 480 on
    miss = life([0, 2, 0, 2, 2, 0, 0, 0, 0, 0])
    cut = life([0, 0, 0, 0, 0, 0, 3, 0, 9, 9], failed=False)  # the last window counts for nothing
    curve = judged(hit, miss, cut, hours_per_month=7.0)
    assert curve.recall[0] == pytest.approx([0.5, 0.5, 0.5])
    assert curve.lead_hours[0, :, 5] == pytest.approx([3.0, 3.0, 2.0])
    # 3 lives × 7 quiet hours, one month each
    assert curve.false_alarms[0] == pytest.approx([4 / 3, 3 / 3, 1 / 3])
    assert curve.failures == 2
    assert curve.asset_months == pytest.approx(3.0)


def test_a_predictor_that_never_alerts_recalls_nothing_and_is_never_wrong():
    curve = judged(life([0.0] * 10))
    assert not curve.recall.any()
    assert not curve.false_alarms.any()
    assert not curve.lead_hours.any()


def test_lives_without_a_failure_cannot_be_judged():
    with pytest.raises(InputError, match="none of 1 lives ended in a failure: watch the assets for longer"):
        judged(life([0.0] * 10, failed=False))


@given(st.lists(st.tuples(st.lists(st.integers(0, 4), min_size=1, max_size=10), st.booleans()), min_size=1, max_size=8))
def test_any_scores_give_a_curve_that_can_be(scores: list[tuple[list[int], bool]]) -> None:
    lives = [life([float(value) for value in score], end=60.0 * len(score), failed=failed) for score, failed in scores]
    curve = judged(life([0.0, 5.0], end=120.0), *lives)
    assert curve.draws == 20
    assert (curve.lead_hours <= 3.0).all()


def test_the_same_seed_gives_the_same_draws():
    lives = [life([0, 0, value, 2, 0, 3, 1, 0, value, 1]) for value in (0.0, 1.0, 2.0)]
    assert np.array_equal(judged(*lives).recall, judged(*lives).recall)
    assert not np.array_equal(judged(*lives).recall, judged(*lives, seed=1).recall)


def test_a_curve_says_by_which_clock_its_hours_are():
    assert judged(life([0, 3], end=120.0)).clock == "work"
    assert judged(life([0, 3], end=120.0), clock="calendar").clock == "calendar"


def test_a_failure_whose_record_ended_sooner_is_neither_found_nor_missed():
    hit, miss = life([0, 0, 0, 0, 0, 0, 0, 0, 3, 3]), life([0] * 10)
    silent = life([0, 3, 0], end=600.0)  # nothing was told in the three hours before its failure
    both, three = judged(hit, miss), judged(hit, miss, silent)
    assert three.recall[0].tolist() == both.recall[0].tolist() == [0.5] * 3
    assert three.failures == 2
    assert three.asset_months > both.asset_months
    assert three.false_alarms[0] == pytest.approx(both.false_alarms[0] + 1 / three.asset_months)
    with pytest.raises(InputError, match="1 of 1 lives ended in a failure, but no score came in the 3 h before one"):
        judged(silent)
