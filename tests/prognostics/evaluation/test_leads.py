import warnings
from dataclasses import replace

import numpy as np
import pytest

from twinloop.contracts.alert_rates import Watched
from twinloop.errors import InputError
from twinloop.prognostics.evaluation.leads import first_alerts, lead_curve, thresholds_of

HOUR = 60.0


def life(*scores: float, end: float, failed: bool = True) -> Watched:
    """One score an hour from hour 1 on, until hour `end`."""
    return Watched(np.arange(1, len(scores) + 1) * HOUR, np.array(scores), end * HOUR, failed)


def test_what_is_left_counts_from_the_first_alert_however_early():
    left, failed = first_alerts([life(0, 5, 1, 9, end=20), life(2, 2, end=3)], np.array([4.0, 9.0, 10.0]))
    assert left[0, :2].tolist() == [18 * HOUR, 16 * HOUR]
    assert np.isnan(left[0, 2])
    assert np.isnan(left[1]).all()
    assert failed.all()


def test_recall_and_leads_of_lives_that_all_fail_are_plain_shares():
    lives = [life(*[0] * (10 - lead), *[1] * lead, end=10) for lead in (1, 2, 4)] + [life(*[0] * 9, end=10)]
    curve = lead_curve(lives, model="m", thresholds=np.array([1.0]), draws=20)
    assert curve.recall[0, 0] == pytest.approx(3 / 4)
    assert curve.lead_hours[0, 0].min() == 0.0  # alerted in its last hour
    assert curve.lead_hours[0, 0].max() == 3.0
    assert (curve.false_alarms == 0).all()
    assert curve.draws == 20
    assert curve.recall[1:, 0].std() > 0


def test_an_alerted_life_that_was_cut_tells_that_more_was_left():
    # Left 2 h and failed, 3 h and cut, 6 h and failed: Kaplan and Meier say 1/3 until 2 h, all by 6 h.
    failed = [life(0, 1, end=4), life(0, 1, end=8)]
    both = lead_curve([*failed, life(0, 1, end=5, failed=False)], model="m", thresholds=np.array([1.0]), draws=0)
    alone = lead_curve(failed, model="m", thresholds=np.array([1.0]), draws=0)
    share = {hours: float((both.lead_hours[0, 0] <= hours).mean()) for hours in (2.0, 6.0)}
    assert share == {2.0: 7 / 21, 6.0: 1.0}  # of 21 levels those up to 0.3
    assert both.lead_hours[0, 0].mean() > alone.lead_hours[0, 0].mean()


def test_a_cut_life_without_an_alert_is_no_missed_failure():
    lives = [life(0, 1, end=4), life(0, 0, end=4, failed=False), life(0, 0, end=4)]
    assert lead_curve(lives, model="m", thresholds=np.array([1.0]), draws=0).recall[0, 0] == 0.5


def by_age(lives: np.ndarray) -> list[Watched]:
    """Scores that are the age itself, ten for each life."""
    return [Watched(life * np.linspace(0.1, 1.0, 10), life * np.linspace(0.1, 1.0, 10), life, True) for life in lives]


def at_half(lives: np.ndarray) -> list[Watched]:
    """Scores that pass 1 in the middle of every life."""
    return [Watched(life * np.array([0.2, 0.5]), np.array([0.0, 1.0]), life, True) for life in lives]


LAW = 6000.0 * np.random.default_rng(3).weibull(3.0, 200)


def test_an_alert_at_an_age_hangs_on_the_life_wholly_and_one_at_a_share_of_it_not_at_all() -> None:
    age, half = (
        lead_curve(seen, model="m", thresholds=np.array([level]), draws=4).by_life
        for seen, level in ((by_age(LAW), 4000.0), (at_half(LAW), 1.0))
    )
    assert age is not None
    assert half is not None
    assert age.dependence == pytest.approx(1.0, abs=0.1)  # a score comes every tenth of a life
    assert half.dependence == pytest.approx(0.0)  # every share is the same
    assert half.lead_share == pytest.approx(0.5)
    assert age.life_hours[0] == pytest.approx(np.quantile(LAW, np.linspace(0, 1, 21)) / HOUR, rel=0.05)


def test_what_began_before_it_was_watched_tells_nothing_where_enough_others_failed() -> None:
    before = [replace(life, whole=False) for life in at_half(LAW[:50] / 10)]
    alone, both = (
        lead_curve(seen, model="m", thresholds=np.array([1.0]), draws=0)
        for seen in (at_half(LAW), at_half(LAW) + before)
    )
    assert (both.lead_hours == alone.lead_hours).all()
    cut = [replace(life, failed=life.end_min < np.median(LAW)) for life in at_half(np.minimum(LAW, np.median(LAW)))]
    assert lead_curve(cut, model="m", thresholds=np.array([1.0]), draws=0).by_life is None  # half outlast all failures
    few = lead_curve(at_half(LAW[:9]) + before, model="m", thresholds=np.array([1.0]), draws=0)
    assert few.failures == 59
    assert few.by_life is None


def test_a_life_that_ended_at_its_first_score_is_no_cause_for_a_warning() -> None:
    short = Watched(np.zeros(1), np.ones(1), 0.0, failed=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own = lead_curve([*at_half(LAW), short], model="m", thresholds=np.array([1.0]), draws=0).by_life
    assert own is not None
    assert own.life_hours[0, 0] == 0.0
    assert own.lead_share == pytest.approx(0.5)


def test_thresholds_ascend_and_leave_ever_less_time_above():
    rng = np.random.default_rng(0)
    lives = [Watched(np.arange(200.0), rng.random(200), 200.0, failed=True) for _ in range(20)]
    levels = thresholds_of(lives, count=11)
    assert (np.diff(levels) > 0).all()
    assert levels[[0, -1]] == pytest.approx([0.4, 0.995], abs=0.02)


def test_nothing_that_failed_is_one_line():
    for lives in ([], [life(0, 1, end=4, failed=False)]):
        with pytest.raises(InputError, match=f"none of {len(lives)} lives ended in a failure: watch"):
            lead_curve(lives, model="m")
