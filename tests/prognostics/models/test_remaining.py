import dataclasses

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.contracts import Telemetry
from twinloop.errors import InputError
from twinloop.learning.settings import FitSettings
from twinloop.prognostics.features.reference import fit_reference
from twinloop.prognostics.features.settings import FeatureSettings
from twinloop.prognostics.features.stream import features
from twinloop.prognostics.models.lookback import Sequences
from twinloop.prognostics.models.remaining import RulModel, fit_remaining, remaining_hours
from twinloop.prognostics.models.settings import BoostSettings, NetworkSettings, RulSettings
from twinloop.prognostics.models.table import FeatureTable

OPTIONS = FeatureSettings(within=False, spans=(3, 10), early=10, joint=1)
SETTINGS = RulSettings(
    cap=40.0,
    folds=3,
    boost=BoostSettings(trees=60, depth=3, learning_rate=0.1, leaf=5.0),
    network=NetworkSettings(length=12, width=8, levels=2, batch=64, fit=FitSettings(epochs=3, patience=3, keep="last")),
)


@pytest.fixture(scope="module")
def engines() -> tuple[FeatureTable, np.ndarray]:
    rng = np.random.default_rng(0)
    rows, lives = [], []
    for number in range(18):
        length = int(rng.integers(60, 110))
        wear = np.exp((np.arange(length) - length) / 15)
        for cycle in range(length):
            rows.append(
                (f"e{number:02d}", (cycle + 1) * 60.0, *(wear[cycle] * k + 0.1 * rng.normal() for k in (1, -1, 2)))
            )
        lives.append((f"e{number:02d}", "engine", 0.0, length * 60.0, True))
    telemetry = Telemetry.of(
        [pl.DataFrame(rows, schema=["asset", "time_min", "a", "b", "c"], orient="row")],
        units={"a": "", "b": "", "c": ""},
    )
    table = FeatureTable.of(features(telemetry, fit_reference(telemetry, OPTIONS, seed=0), OPTIONS))
    frame = pl.DataFrame(lives, schema=["asset", "component", "begin_min", "end_min", "failed"], orient="row")
    return table, remaining_hours(table, frame, cap=SETTINGS.cap)


@pytest.fixture(scope="module")
def fitted(engines: tuple[FeatureTable, np.ndarray]) -> RulModel:
    return fit_remaining(*engines, SETTINGS, seed=0)


def test_labels_are_cycles_to_the_end_up_to_the_cap(engines: tuple[FeatureTable, np.ndarray]) -> None:
    table, hours = engines
    assert hours[table.last].tolist() == [0.0] * 18
    assert hours.max() == 40.0
    assert hours[table.last[0] - 7] == 7.0


def test_units_unseen_are_foretold(engines: tuple[FeatureTable, np.ndarray], fitted: RulModel) -> None:
    table, hours = engines
    said = fitted.blend(fitted.out_of_fold)
    assert np.sqrt(np.mean((said - hours) ** 2)) < 0.4 * hours.std()
    assert ((said >= 0) & (said <= 40)).all()
    assert np.abs(fitted.predict(table, table.last)).max() < 8


def test_what_is_said_of_a_unit_does_not_depend_on_its_own_label(
    engines: tuple[FeatureTable, np.ndarray], fitted: RulModel
) -> None:
    table, hours = engines
    own = table.unit == 3
    changed = fit_remaining(table, np.where(own, 0.0, hours), SETTINGS, seed=0)
    assert np.array_equal(changed.out_of_fold[own, :2], fitted.out_of_fold[own, :2])
    assert not np.array_equal(changed.out_of_fold[~own, :2], fitted.out_of_fold[~own, :2])


def test_a_network_takes_part_by_its_share(engines: tuple[FeatureTable, np.ndarray]) -> None:
    table, hours = engines
    model = fit_remaining(table, hours, dataclasses.replace(SETTINGS, network_share=0.5), seed=0)
    joint, sensors, network = model.out_of_fold.T
    expected = 0.25 * joint + 0.25 * sensors + 0.5 * network
    assert model.blend(model.out_of_fold) == pytest.approx(np.clip(expected, 0, 40))
    assert model.predict(table, table.last).shape == (18,)


def test_stacking_takes_the_share_that_fits_units_unseen_best(
    engines: tuple[FeatureTable, np.ndarray], fitted: RulModel
) -> None:
    hours, judged = engines[1], np.arange(len(engines[1])) % 2 == 0
    stacked = fitted.stacked(hours, judged)
    joint, sensors = fitted.out_of_fold[judged, :2].T
    errors = [np.sum(((1 - a) * joint + a * sensors - hours[judged]) ** 2) for a in np.linspace(0, 1, 101)]
    assert stacked.settings.sensor_share == pytest.approx(np.argmin(errors) / 100, abs=0.006)


def test_without_age_no_tree_sees_it(engines: tuple[FeatureTable, np.ndarray], fitted: RulModel) -> None:
    blind = fit_remaining(*engines, dataclasses.replace(SETTINGS, with_age=False), seed=0)
    assert "age_h" in fitted.joint
    assert not {"age_h", "since_service_h", "since_failure_h"} & {*blind.joint, *blind.sensors}


def test_lives_that_were_cut_have_no_label() -> None:
    table = FeatureTable.of(pl.DataFrame({"asset": ["a"], "time_min": [60.0], "x": [1.0]}))
    lives = pl.DataFrame(
        {"asset": ["a"], "component": ["engine"], "begin_min": [0.0], "end_min": [600.0], "failed": [False]}
    )
    with pytest.raises(InputError, match="expected every life to end in a failure, 1 rows have none ahead"):
        remaining_hours(table, lives, cap=10.0)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(1, 12))
def test_windows_hold_the_unit_s_own_past(lengths: list[int], length: int) -> None:
    unit = np.repeat(np.arange(len(lengths)), lengths)
    values = np.arange(len(unit), dtype=float)[:, None]
    windows = Sequences.of(values, unit).windows(np.arange(len(unit)), length)
    for row, window in enumerate(windows):
        past = [v for v in range(max(row - length + 1, 0), row + 1) if unit[v] == unit[row]]
        assert window[:, 0].tolist() == [past[0]] * (length - len(past)) + past
        assert window[:, 1].sum() == len(past)
