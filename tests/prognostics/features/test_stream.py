from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.contracts import Telemetry
from twinloop.errors import InputError
from twinloop.prognostics.features.catalogue import WITHIN, catalogue, columns
from twinloop.prognostics.features.reference import Reference, fit_reference
from twinloop.prognostics.features.settings import FeatureSettings
from twinloop.prognostics.features.stream import FeatureStream, features

SETTINGS = FeatureSettings(window_min=60, spans=(2, 5), early=3, load="speed", recent_h=5.0)
UNITS = {"oil": "°C", "speed": "km/h"}
EVENTS = pl.DataFrame(
    {
        "asset": ["a", "a", "b", "a"],
        "kind": ["maintenance", "error", "failure", "maintenance"],
        "time_min": [300.0, 100.0, 420.0, 590.0],
    }
)


def telemetry(hours: int = 12, *, seed: int = 0, assets: str = "ab") -> Telemetry:
    rng = np.random.default_rng(seed)
    parts = []
    for asset in assets:
        minutes = np.unique(rng.integers(0, hours * 60, hours * 20)).astype(float)
        speed = rng.uniform(0, 90, len(minutes))
        oil = 80 + 0.3 * speed + rng.normal(size=len(minutes)) + minutes / 300
        oil[rng.random(len(minutes)) < 0.05] = np.nan
        part = pl.DataFrame({"asset": [asset] * len(minutes), "time_min": minutes, "oil": oil, "speed": speed})
        parts.append(part)
    return Telemetry.of(parts, units=UNITS)


RECORD = telemetry()
REFERENCE = fit_reference(RECORD, SETTINGS, seed=0)
EXPECTED = features(RECORD, REFERENCE, SETTINGS, events=EVENTS)


def same_bits(a: pl.DataFrame, b: pl.DataFrame) -> bool:
    values = [frame.select(pl.col(pl.Float32)).fill_null(-9e9).to_numpy().tobytes() for frame in (a, b)]
    return a.select("asset", "time_min").equals(b.select("asset", "time_min")) and values[0] == values[1]


@settings(max_examples=25)
@given(st.lists(st.floats(0, 720), max_size=12))
def test_a_stream_in_any_chunks_gives_the_same_bits(cuts: list[float]) -> None:
    stream = FeatureStream(UNITS, REFERENCE, SETTINGS, events=EVENTS)
    edges = [-1.0, *sorted(cuts), 1e9]
    parts = [
        stream.push(RECORD.frame.filter((pl.col("time_min") > low) & (pl.col("time_min") <= high)))
        for low, high in pairwise(edges)
    ]
    assert same_bits(pl.concat([*parts, stream.close()]).sort("asset", "time_min"), EXPECTED)
    assert stream.late == 0


def test_assets_one_after_the_other_give_the_same_bits() -> None:
    stream = FeatureStream(UNITS, REFERENCE, SETTINGS, events=EVENTS)
    parts = [stream.push(RECORD.frame.filter(pl.col("asset") == asset)) for asset in ("b", "a")]
    assert same_bits(pl.concat([*parts, stream.close()]).sort("asset", "time_min"), EXPECTED)


@settings(max_examples=25)
@given(st.integers(1, 11), st.integers(1, 1000))
def test_another_future_moves_nothing(hour: int, seed: int) -> None:
    now = hour * 60.0
    other = telemetry(seed=seed).frame.filter(pl.col("time_min") > now)
    past = RECORD.frame.filter(pl.col("time_min") <= now)
    changed = Telemetry.of(
        [past.with_columns(pl.col("asset").cast(pl.String)), other.with_columns(pl.col("asset").cast(pl.String))],
        units=UNITS,
    )
    later = EVENTS.with_columns(
        pl.when(pl.col("time_min") > now).then(pl.col("time_min") + 7).otherwise(pl.col("time_min"))
    )
    made = features(changed, REFERENCE, SETTINGS, events=later)
    assert same_bits(*(frame.filter(pl.col("time_min") <= now) for frame in (made, EXPECTED)))


def test_features_of_one_window_are_those_counted_by_hand() -> None:
    rows = pl.DataFrame({"asset": ["m"] * 4, "time_min": [15.0, 30.0, 45.0, 60.0], "x": [1.0, 3.0, 5.0, 7.0]})
    record = Telemetry.of([rows], units={"x": "bar"})
    options = FeatureSettings(window_min=60, spans=(1,), early=1)
    reference = Reference(
        ("x",),
        np.array([2.0]),
        np.array([6.0]),
        *[np.zeros(1)] * 2,
        np.zeros((1, 1)),
        *np.array([[[4.0]], [[0.0]], [[2.0]]]),
        np.zeros((1, 2)),
    )
    row = features(record, reference, options).row(0, named=True)
    # The minute 60 belongs to the window that ends with it.
    assert (row["time_min"], row["rows"], row["age_h"]) == (60.0, 4.0, 0.75)
    assert (row["x.mean"], row["x.last"], row["x.low"], row["x.high"], row["x.step"]) == (4.0, 7.0, 1.0, 7.0, 2.0)
    assert row["x.spread"] == pytest.approx(np.sqrt(5))
    assert row["x.slope"] == pytest.approx(8.0)
    assert row["x.fast_energy"] == pytest.approx(3 * 4 / (4 * 20))
    assert row["x.crest"] == pytest.approx(3 / np.sqrt(5))
    assert (row["x.above"], row["x.below"], row["x.missing"]) == (0.25, 0.25, 0.0)
    assert (row["x.relative"], row["x.level_1"], row["x.change"]) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(("signal", "share"), [("slow", 0.0), ("noise", 0.5), ("alternating", 1.0)])
def test_fast_energy_tells_a_drift_from_noise_and_from_a_buzz(signal: str, share: float) -> None:
    n = 5000
    values = {
        "slow": np.arange(n) / n,
        "noise": np.random.default_rng(0).normal(size=n),
        "alternating": np.arange(n) % 2,
    }
    rows = pl.DataFrame({"asset": ["m"] * n, "time_min": np.arange(1, n + 1) / n * 60, "x": values[signal]})
    record = Telemetry.of([rows], units={"x": ""})
    made = features(record, fit_reference(record, FeatureSettings(), seed=0), FeatureSettings())
    assert made["x.fast_energy"][0] == pytest.approx(share, abs=0.02)


def test_a_level_that_follows_the_load_is_no_wear() -> None:
    def drives(speed: float, wear: float) -> Telemetry:
        rng = np.random.default_rng(3)
        kmh = speed + rng.uniform(-20, 20, 600)
        rows = pl.DataFrame(
            {"asset": ["m"] * 600, "time_min": np.arange(600.0) + 1, "oil": 80 + 0.5 * kmh + wear, "speed": kmh}
        )
        return Telemetry.of([rows], units=UNITS)

    reference = fit_reference(telemetry(hours=40), SETTINGS, seed=0)
    slow, fast, worn = (
        features(drives(*given), reference, SETTINGS)["oil.relative"].mean() for given in ((30, 0), (110, 0), (30, 25))
    )
    usual = fit_reference(drives(60, 0), SETTINGS, seed=0)
    assert abs(features(drives(110, 0), usual, SETTINGS)["oil.relative"].mean()) < 1e-3
    assert worn - slow > 5
    assert abs(fast - slow) < 20


def test_a_regime_has_a_level_of_its_own() -> None:
    rng = np.random.default_rng(0)
    mode = rng.integers(0, 3, 900).astype(float)
    rows = pl.DataFrame(
        {
            "asset": ["m"] * 900,
            "time_min": np.arange(900.0) + 1,
            "mode": mode * 10,
            "x": 100 * mode + rng.normal(size=900),
        }
    )
    record = Telemetry.of([rows], units={"mode": "", "x": ""})
    options = FeatureSettings(window_min=1, within=False, spans=(3,), regime=("mode",), regimes=3)
    made = features(record, fit_reference(record, options, seed=0), options)
    assert made["regime"].n_unique() == 3
    assert made["x.relative"].abs().max() < 5
    assert made["x.relative"].std() == pytest.approx(1, abs=0.1)


def test_what_adds_up_begins_anew_with_a_service() -> None:
    values = [0.0, 10.0, 10.0, 10.0]
    rows = pl.DataFrame({"asset": ["m"] * 4, "time_min": [60.0, 120.0, 180.0, 240.0], "x": values})
    record = Telemetry.of([rows], units={"x": ""})
    reference = Reference(
        ("x",), *[np.zeros(1)] * 4, np.zeros((1, 1)), *np.array([[[0.0]], [[0.0]], [[1.0]]]), np.zeros((1, 2))
    )
    served = pl.DataFrame({"asset": ["m"], "kind": ["maintenance"], "time_min": [150.0]})
    made = features(record, reference, FeatureSettings(spans=(1,)), events=served)
    assert made["x.excess"].to_list() == [0, 8, 8, 16]
    assert made["since_service_h"].to_list() == [0, 1, 0.5, 1.5]
    assert made["services"].to_list() == [0, 0, 1, 1]


def test_a_trend_is_its_slope_per_window() -> None:
    rows = pl.DataFrame({"asset": ["m"] * 400, "time_min": np.arange(1, 401) * 60.0, "x": np.arange(400) * 0.25})
    record = Telemetry.of([rows], units={"x": ""})
    reference = Reference(
        ("x",), *[np.zeros(1)] * 4, np.zeros((1, 1)), *np.array([[[0.0]], [[0.0]], [[1.0]]]), np.zeros((1, 2))
    )
    made = features(record, reference, FeatureSettings(spans=(10,), within=False))
    assert made["x.trend_10"][-1] == pytest.approx(0.25, rel=1e-3)


def test_rows_that_come_after_a_later_one_are_left_out_and_counted() -> None:
    stream = FeatureStream(UNITS, REFERENCE, SETTINGS, events=EVENTS)
    parts = [stream.push(RECORD.frame)]
    # Of windows that are closed, and of those that are open: the very same rows once more.
    assert stream.push(RECORD.frame).is_empty()
    assert stream.late == len(RECORD.frame)
    assert same_bits(pl.concat([*parts, stream.close()]).sort("asset", "time_min"), EXPECTED)
    # Of the windows that `close` closed: later than any row, and still too late.
    more = pl.DataFrame({"asset": ["a", "b"], "time_min": [719.99] * 2, "oil": [90.0] * 2, "speed": [50.0] * 2})
    assert stream.push(more).is_empty()
    assert stream.close().is_empty()
    assert stream.late == len(RECORD.frame) + 2


def test_rows_in_order_of_time_over_all_assets_give_the_same_bits() -> None:
    stream = FeatureStream(UNITS, REFERENCE, SETTINGS, events=EVENTS)
    parts = [stream.push(RECORD.frame.sort("time_min", "asset")), stream.close()]
    assert stream.late == 0
    assert same_bits(pl.concat(parts).sort("asset", "time_min"), EXPECTED)
    assert parts[0].select("asset", "time_min").equals(parts[0].select("asset", "time_min").sort("asset", "time_min"))


def test_a_window_without_a_value_has_no_course() -> None:
    rows = RECORD.frame.with_columns(oil=pl.when(pl.col("time_min") > 600).then(pl.col("oil")))
    made = features(Telemetry(rows, UNITS), REFERENCE, SETTINGS).filter(pl.col("time_min") <= 600)
    assert set(made["oil.missing"]) == {1.0}
    inside = [feature.name for feature in WITHIN if feature.name != "missing"]
    assert made.select(f"oil.{name}" for name in inside).null_count().sum_horizontal().item() == len(inside) * len(made)


def test_the_catalogue_names_every_column_once() -> None:
    named = columns(SETTINGS, UNITS)
    assert list(named) == EXPECTED.columns[2:]
    assert named["oil.slope"] == "°C/h"
    table = catalogue(SETTINGS)
    assert len(table) == len(set(table["name"])) == 31
    assert all(table[name].str.len_chars().min() > 0 for name in ("formula", "unit", "reason"))


def test_a_reference_survives_json() -> None:
    assert same_bits(features(RECORD, Reference.of(REFERENCE.record()), SETTINGS, events=EVENTS), EXPECTED)


def test_sensors_that_are_not_there_are_refused() -> None:
    with pytest.raises(InputError, match="unknown name 'sped'; did you mean 'speed'"):
        fit_reference(RECORD, FeatureSettings(load="sped"), seed=0)
    with pytest.raises(InputError, match="expected the reference's sensors oil, speed, got oil"):
        FeatureStream({"oil": "°C"}, REFERENCE, SETTINGS)


def test_joint_signals_average_noise_out_and_time_since_wear_set_in_is_counted() -> None:
    rng = np.random.default_rng(0)
    n, sensors = 300, [f"s{k}" for k in range(8)]
    wear = np.maximum(np.arange(n) - 200, 0) / 20
    rows = pl.DataFrame(
        {
            "asset": ["m"] * n,
            "time_min": np.arange(1, n + 1) * 60.0,
            **{name: wear + rng.normal(size=n) for name in sensors},
        }
    )
    record = Telemetry.of([rows], units=dict.fromkeys(sensors, ""))
    options = FeatureSettings(within=False, spans=(1, 10, 20), early=50, joint=1, drifts=(0.5,))
    made = features(record, fit_reference(record, options, seed=0), options)
    joint, single = (np.corrcoef(made[name], wear)[0, 1] for name in ("joint_1.relative", "s0.relative"))
    assert joint > 0.95 > single
    since = made["drifted_0.5"].to_numpy()
    assert since[190] == 0
    assert since[-1] == pytest.approx(300 - 212, abs=12)
