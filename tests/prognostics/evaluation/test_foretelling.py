import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from tests.prognostics.models.fleet import HAZARD, Fleet
from twinloop.contracts import AlertCurve
from twinloop.errors import InputError
from twinloop.prognostics.evaluation.failures import failures_found, threshold_for, watched
from twinloop.prognostics.evaluation.foretelling import (
    Outcome,
    average_precision,
    brier,
    calibration,
    calibration_error,
    judge,
    outcome,
    over_components,
    precision_recall,
    reliability,
)
from twinloop.prognostics.evaluation.splits import lives_until, unit_time_split
from twinloop.prognostics.models.baselines import by_age, fit_single_sensor, never
from twinloop.prognostics.models.hazard import HazardModel
from twinloop.prognostics.models.table import Ahead, FeatureTable, ahead, component_age

HOURS = HAZARD.days * 24.0
LIVES = pl.DataFrame(
    [("a", "pump", 0.0, 600.0, True), ("a", "pump", 600.0, 1200.0, False), ("b", "pump", 0.0, 900.0, True)],
    schema=["asset", "component", "begin_min", "end_min", "failed"],
    orient="row",
)
ROWS = FeatureTable.of(
    pl.DataFrame(
        {"asset": ["a"] * 10 + ["b"] * 8, "time_min": [*range(120, 1201, 120), *range(120, 961, 120)], "x": 0.0}
    )
)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=60))
def test_the_area_under_precision_and_recall_is_scikit_learn_s(rows: list[tuple[bool, int]]) -> None:
    happened, score = np.array([r[0] for r in rows]), np.array([float(r[1]) for r in rows])
    if happened.any():
        assert average_precision(happened, score) == pytest.approx(average_precision_score(happened, score))
    else:
        assert np.isnan(average_precision(happened, score))


def test_squared_errors_and_calibration_by_hand() -> None:
    happened, said = np.array([True, False, False, True]), np.array([0.5, 0.5, 0.0, 1.0])
    assert brier(happened, said) == 0.125
    assert calibration_error(happened, said) == pytest.approx(0.25)
    assert calibration(happened, np.full(4, 0.5))["rows"].sum() == 4


def test_a_life_cut_within_the_horizon_has_no_outcome() -> None:
    label = Ahead(np.array([10.0, 10.0, 30.0, 30.0, 0.0, np.nan]), np.array([True, False, True, False, True, False]))
    known = outcome(label, horizon_h=24.0)
    assert known.row.tolist() == [0, 2, 3]
    assert known.happened.tolist() == [True, False, False]


def test_every_failure_is_found_or_missed_by_hand() -> None:
    rows, score = np.arange(18), np.zeros(18)
    score[3] = 1.0  # a at minute 480: two hours before its failure
    score[6] = 1.0  # a at minute 840, in the life that was cut
    score[10] = 1.0  # b at minute 120: too early to count
    found = failures_found(ROWS, LIVES, "pump", score, rows, threshold=0.5, window_hours=5.0)
    assert found.rows() == [("a", "pump", 600.0, True, 2.0), ("b", "pump", 900.0, False, None)]
    curve = AlertCurve.of_lives(
        watched(ROWS, LIVES, "pump", score, rows), thresholds=np.array([0.5]), window_hours=5.0, model="x", draws=2
    )
    assert curve.recall[0, 0] == 0.5
    assert curve.failures == 2


def test_the_threshold_keeps_false_alarms_below_what_is_allowed() -> None:
    rng = np.random.default_rng(0)
    score = rng.random(18)
    curve = AlertCurve.of_lives(
        watched(ROWS, LIVES, "pump", score, np.arange(18)),
        thresholds=np.linspace(0, 1, 21),
        window_hours=2.0,
        model="x",
        draws=2,
    )
    chosen = threshold_for(curve, false_alarms=60.0)
    rates = curve.false_alarms[0]
    assert rates[curve.thresholds >= chosen].max() <= 60.0
    assert (rates[curve.thresholds < chosen][-1:] > 60.0).all()


def test_a_model_beats_age_one_sensor_and_never(model: HazardModel, trained: Fleet, other: Fleet) -> None:
    label, table = ahead(other.table, other.lives, "brakes"), other.table
    known = outcome(label, horizon_h=HOURS)
    seen = outcome(ahead(trained.table, trained.lives, "brakes"), horizon_h=HOURS)
    age = component_age(table, other.lives, "brakes")
    scores = {
        "model": model.probability(table, other.lives, "brakes"),
        "age": by_age(model.components["brakes"].age, age, days=HAZARD.days, period_h=24.0),
        "never": never(len(table)),
    }
    judged = {name: judge(known, score, table.unit, draws=50) for name, score in scores.items()}
    sensor = fit_single_sensor(trained.table, seen.row, seen.happened)
    assert sensor.column.startswith("brake_temperature")
    precision = average_precision(known.happened, sensor.score(table)[known.row])
    assert judged["model"].average_precision.low > judged["age"].average_precision.mean
    assert judged["model"].average_precision.mean > precision - 0.05
    assert judged["model"].brier.mean < min(judged["age"].brier.mean, judged["never"].brier.mean)
    assert judged["never"].average_precision.mean == pytest.approx(judged["never"].rate)
    assert judged["model"].calibration_error.mean < 0.1


def test_one_sensor_is_chosen_by_the_area_under_its_curve() -> None:
    rng = np.random.default_rng(0)
    happened = rng.random(200) < 0.3
    frame = pl.DataFrame(
        {
            "asset": "a",
            "time_min": np.arange(200.0),
            "noise.mean": rng.normal(size=200),
            "oil.mean": rng.normal(size=200) - 2 * happened,
            "age_h": np.arange(200.0),
        }
    )
    table = FeatureTable.of(frame)
    chosen = fit_single_sensor(table, np.arange(200), happened)
    assert chosen == ("oil.mean", -1.0)
    assert roc_auc_score(happened, chosen.score(table)) > 0.8
    with pytest.raises(InputError, match="got one kind only"):
        fit_single_sensor(table, np.arange(200), np.zeros(200, dtype=bool))


def test_training_and_test_share_neither_assets_nor_time(trained: Fleet) -> None:
    table, gap = trained.table, 7 * 1440.0
    split = unit_time_split(table, test_share=0.3, time_share=0.4, gap_min=gap, seed=0)
    assert not set(table.unit[split.train]) & set(table.unit[split.test])
    assert table.time_min[split.test].min() - table.time_min[split.train].max() > gap
    with pytest.raises(InputError, match="0 rows for training"):
        unit_time_split(table, test_share=0.3, time_share=0.4, gap_min=1e9, seed=0)


def test_lives_are_known_as_they_were_then() -> None:
    known = lives_until(LIVES, 700.0)
    assert known["end_min"].to_list() == [600.0, 700.0, 700.0]
    assert known["failed"].to_list() == [True, False, False]
    assert len(lives_until(LIVES, 500.0)) == 2


def test_rows_without_a_failure_cannot_be_judged() -> None:
    known = outcome(Ahead(np.full(3, 100.0), np.ones(3, dtype=bool)), horizon_h=24.0)
    with pytest.raises(InputError, match="no failure within the horizon of 3 rows"):
        judge(known, np.zeros(3), np.zeros(3, dtype=np.int64))


def test_precision_over_recall_falls_from_its_best_to_the_rate_of_chance() -> None:
    happened = np.array([True, True, False, True, False, False, False, False])
    known = Outcome(np.arange(8), happened)
    said = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
    curve = precision_recall(known, said, np.repeat([0, 1], 4), draws=20)
    precision = dict(zip(curve["recall"].round(2), curve["precision"], strict=True))
    assert precision[0.0] == precision[0.66] == 1.0
    assert precision[0.68] == precision[1.0] == pytest.approx(3 / 4)
    assert (curve["low"] <= curve["precision"]).all()
    assert (curve["precision"] <= curve["high"]).all()
    with pytest.raises(InputError, match="no failure within the horizon"):
        precision_recall(Outcome(np.arange(8), np.zeros(8, dtype=bool)), said, np.repeat([0, 1], 4))


def probabilities(seed: int, *, assets: int = 20, rows: int = 30) -> tuple[Outcome, np.ndarray, np.ndarray]:
    """Known outcomes, probabilities that are true, and units."""
    rng = np.random.default_rng(seed)
    said = rng.beta(1, 6, assets * rows)
    return Outcome(np.arange(len(said)), rng.random(len(said)) < said), said, np.repeat(np.arange(assets), rows)


def test_what_was_said_truly_lies_in_the_interval_of_what_happened() -> None:
    inside = []
    for seed in range(8):
        bins = reliability(*probabilities(seed), draws=100)
        assert (bins["low"] <= bins["happened"]).all()
        assert (bins["happened"] <= bins["high"]).all()
        inside += ((bins["low"] <= bins["said"]) & (bins["said"] <= bins["high"])).to_list()
    assert np.mean(inside) > 0.75  # of bins in which hardly anything failed, the bootstrap knows too little
    known, said, unit = probabilities(0)
    wrong = reliability(known, np.minimum(3 * said, 1.0), unit, draws=100)
    assert (wrong["high"] < wrong["said"]).sum() >= 5


def test_the_mean_over_components_is_as_sure_as_assets_that_fail_in_all_of_them_allow() -> None:
    known, said, unit = probabilities(1)
    once = judge(known, said, unit, draws=100, units=np.arange(20))
    twice = over_components([once, once], "brier")
    assert (twice.mean, twice.low, twice.high) == pytest.approx((once.brier.mean, once.brier.low, once.brier.high))
    other = judge(*probabilities(2), draws=100, units=np.arange(20))
    apart = over_components([once, other], "brier")
    assert apart.mean == pytest.approx((once.brier.mean + other.brier.mean) / 2)
    assert apart.half_width < max(once.brier.half_width, other.brier.half_width)


def test_a_life_is_whole_where_its_first_window_was_seen() -> None:
    rows = np.arange(len(ROWS))
    late = LIVES.with_columns(begin_min=pl.col("begin_min") - pl.when(pl.col("asset") == "b").then(60.0).otherwise(0.0))
    told = [life.whole for lives in (LIVES, late) for life in watched(ROWS, lives, "pump", np.zeros(len(ROWS)), rows)]
    assert told == [True, True, True, True, True, False]
