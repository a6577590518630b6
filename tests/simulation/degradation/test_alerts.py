import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulation.lines import log_of
from tests.simulation.worn import wear, worn_line
from twinloop.contracts import AlertCurve
from twinloop.errors import InputError
from twinloop.simulation.degradation.alerts import Watched, alert_curve, watched_lives
from twinloop.simulation.degradation.history import History, histories
from twinloop.simulation.degradation.sensors import telemetry

THRESHOLDS = np.array([1.0, 2.0, 3.0])
MINUTES = np.arange(0.0, 600.0, 60.0)


def life(score: list[float], *, end: float = 600.0, failed: bool = True) -> Watched:
    return Watched(MINUTES[: len(score)], np.array(score), end, failed)


def judged(*lives: Watched, **changes: object) -> AlertCurve:
    return alert_curve(lives, **{"thresholds": THRESHOLDS, "window_hours": 3.0, "model": "test", "draws": 20} | changes)


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


def observed(seed: int) -> tuple[History, pl.DataFrame]:
    line = worn_line(wear("gamma"))
    log = log_of(line, minutes=60_000.0, seed=seed)
    history = next(histories(line, log, seed=seed, replication=0))
    return history, telemetry(line, log, seed=seed, replication=0).wide("press")


def features(wide: pl.DataFrame) -> np.ndarray:
    sensors = wide.select("temperature", "power", pl.col("vibration").log())
    return sensors.select(pl.all().rolling_mean(6, min_samples=1), one=pl.lit(1.0)).to_numpy()


def test_a_regression_on_the_telemetry_of_the_twin_foresees_its_failures():
    history, wide = observed(seed=1)
    time = wide["time_min"].to_numpy()

    def remaining(history: History, time: np.ndarray) -> np.ndarray:
        ends = np.array([life.path.life_min for life in history.lives])
        return ends[history.life_at(time)] - history.age(time)

    working = wide["power"].to_numpy() > 3.0
    target = remaining(history, time)
    weights, *_ = np.linalg.lstsq(features(wide)[working], target[working], rcond=None)

    fresh, unseen = observed(seed=2)
    time, working = unseen["time_min"].to_numpy(), unseen["power"].to_numpy() > 3.0
    foreseen, truth = features(unseen) @ weights, remaining(fresh, time)
    error = np.abs(foreseen - truth)[working].mean()
    blind = np.abs(np.median(truth[working]) - truth[working]).mean()
    assert error < 0.75 * blind

    hours_left = np.where(working, foreseen, 1e6) / 60
    curve = alert_curve(
        watched_lives(fresh, time, -hours_left),
        thresholds=np.linspace(-12.0, 0.0, 13),
        window_hours=8.0,
        model="regression",
    )
    # By chance: alerts that come as often as those of the middle threshold, at random times.
    rng = np.random.default_rng(0)
    luck = alert_curve(
        watched_lives(fresh, time, rng.permutation(-hours_left)),
        thresholds=np.linspace(-12.0, 0.0, 13),
        window_hours=8.0,
        model="chance",
    )
    middle = 6
    assert curve.recall[0, middle] > 0.8
    assert curve.false_alarms[0, middle] < 0.3 * luck.false_alarms[0, middle]
    assert curve.failures > 40
