import numpy as np
import polars as pl
import pytest

from twinloop.contracts import Telemetry
from twinloop.errors import InputError
from twinloop.prognostics.data.leaks import leaking, without_hidden_labels
from twinloop.prognostics.data.record import EVENTS, Record, lives_of


def record(assets: int = 6, days: int = 60, **columns: object) -> Record:
    """Pumps and belts that fail, a sensor that warms with the pump's wear, and what `columns` make of the hours left.

    columns: name → function of hours to the pump's failure and hours to any.
    """
    rng = np.random.default_rng(0)
    rows, events = [], []
    for number in range(assets):
        asset = f"a{number}"
        pumps = np.cumsum(rng.integers(200, 500, 10)) + 0.5
        belts = np.cumsum(rng.integers(300, 600, 10)) + 0.5
        events += [(asset, "pump", "failure", hour * 60, None, "") for hour in pumps if hour < days * 24]
        events += [(asset, "belt", "failure", hour * 60, None, "") for hour in belts if hour < days * 24]
        for hour in range(days * 24):
            pump = pumps[pumps > hour].min() - hour
            belt = belts[belts > hour].min() - hour
            told = [function(pump, min(pump, belt)) for function in columns.values()]  # type: ignore[operator]
            rows.append((asset, hour * 60.0, 90 - 0.05 * pump + rng.normal(0, 1.0), *told))
    units = {"heat": "°C"} | dict.fromkeys(columns, "")
    frame = pl.DataFrame(rows, schema=["asset", "time_min", *units], orient="row")
    telemetry = Telemetry.of([frame], units=units)
    happened = pl.DataFrame(events, schema=EVENTS, orient="row")
    return Record(telemetry, "table", events=happened, lives=lives_of(telemetry, happened, ["pump", "belt"]))


@pytest.mark.parametrize(
    "label",
    [
        lambda pump, _: pump,
        lambda pump, _: min(pump, 125.0),
        lambda pump, _: float(pump < 24),
        lambda pump, _: float(pump <= 0.5),
        lambda pump, _: np.exp(-pump / 100),
        lambda pump, _: round(pump / 24),
        lambda _, soonest: float(soonest < 48),
        lambda _, soonest: -soonest,
    ],
)
def test_a_column_that_counts_to_the_failure_is_a_leak_whatever_it_is_called(label: object) -> None:
    found = without_hidden_labels(record(channel_7=label))
    assert found.leaks == ("channel_7",)
    assert found.telemetry.sensors == ("heat",)


@pytest.mark.parametrize(
    "sensor",
    [
        lambda pump, _: 7.0,
        lambda pump, _: 100 - pump + np.random.default_rng(int(pump * 7)).normal(0, 20),  # wears, with its noise
        lambda pump, _: float(np.random.default_rng(int(pump * 31)).random() < 0.001),  # an alarm now and then
        lambda pump, _: pump % 24,  # goes by the clock
    ],
)
def test_what_wears_or_alarms_or_goes_by_the_clock_is_a_sensor(sensor: object) -> None:
    given = record(channel_7=sensor)
    assert without_hidden_labels(given) is given


def test_age_is_no_label() -> None:
    given = record(channel_7=lambda pump, _: 0.0)
    begins = given.lives.filter(component="pump").select("asset", "begin_min").sort("begin_min")
    rows = given.telemetry.frame.with_columns(pl.col("asset").cast(pl.String)).sort("time_min")
    aged = rows.join_asof(begins, left_on="time_min", right_on="begin_min", by="asset", strategy="backward")
    age = (aged["time_min"] - aged["begin_min"]).fill_null(0.0)
    frame = aged.with_columns(channel_7=age.cast(pl.Float32)).drop("begin_min")
    telemetry = Telemetry.of([frame], units=dict(given.telemetry.units))
    old = Record(telemetry, "table", events=given.events, lives=given.lives)
    assert without_hidden_labels(old) is old


def test_a_table_of_nothing_but_labels_is_refused() -> None:
    given = record(channel_7=lambda pump, _: pump)
    only = Telemetry(given.telemetry.frame.drop("heat"), {"channel_7": ""}, None)
    with pytest.raises(InputError, match="channel_7: expected sensors, every column is counted from the failures"):
        without_hidden_labels(Record(only, "table", events=given.events, lives=given.lives))


def test_names_that_tell_the_label() -> None:
    told = "is_failure will_fail rul_h RUL_days time_to_failure TTF ttf_min hours_until_breakdown failure_type target"
    told = f"{told} machine_failure label_1 failure_within_24h remaining_useful_life"
    sensors = "x y fault_count failures target_temperature classification rulers time_on life time_since_failure"
    assert leaking(told.split()) == tuple(told.split())
    assert leaking(sensors.split()) == ()
