from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.lines import fixed, log_of, serial_line
from twinloop.simulation.events.bottleneck import ACTIVE, bottleneck_shares, bottlenecks
from twinloop.simulation.events.intervals import state_intervals

ROWS = st.lists(
    st.tuples(
        st.floats(0, 100),
        st.sampled_from(["running", "setup", "down", "starved", "blocked", "idle", "maintenance", "warning"]),
        st.sampled_from(["m1", "m2", "m3"]),
    ),
    max_size=40,
)


def log(**machines: list[tuple[float, str]]) -> pl.DataFrame:
    """A log by hand: machine → (minute, state from then on)."""
    rows = [(minute, state, name, None) for name, changes in machines.items() for minute, state in changes]
    schema = {"time_min": pl.Float64, "event": pl.String, "entity": pl.String, "part": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("time_min", maintain_order=True)


def covered(spans: pl.DataFrame) -> float:
    """Minutes in which at least one of the spans is."""
    total, until = 0.0, float("-inf")
    for low, high in spans.select("start_min", "end_min").sort("start_min").iter_rows():
        total += max(high - max(low, until), 0.0)
        until = max(until, high)
    return total


def found(events: pl.DataFrame, horizon: float, start: float = 0.0) -> list[tuple[str, str, float, float]]:
    return bottlenecks(events, horizon=horizon, start=start).sort("start_min", "entity", "kind").rows()


# m1 is active from 0 to 10 (a set-up and a breakdown are part of it), m2 from 6 to 20, m3 from 2 to 4, 12 to 13.
HANDMADE = log(
    m1=[(0, "running"), (4, "setup"), (5, "running"), (7, "down"), (9, "running"), (10, "starved")],
    m2=[(0, "starved"), (6, "running"), (20, "blocked")],
    m3=[(0, "starved"), (2, "running"), (4, "starved"), (12, "running"), (13, "starved")],
)


def test_golden_the_longest_active_period_holds_up_the_line_and_overlaps_are_shifts():
    """By hand after Roser, Nakano and Tanaka (2002): sole, shifting while both are active, sole."""
    assert found(HANDMADE, 24.0) == [
        ("m1", "sole", 0.0, 6.0),
        ("m1", "shifting", 6.0, 10.0),
        ("m2", "shifting", 6.0, 10.0),
        ("m2", "sole", 10.0, 20.0),
    ]


def test_golden_shares_count_a_shift_for_both():
    shares = bottleneck_shares(bottlenecks(HANDMADE, horizon=24.0), horizon=24.0)
    assert shares.rows() == [
        ("m2", pytest.approx(10 / 24), pytest.approx(4 / 24)),
        ("m1", pytest.approx(6 / 24), pytest.approx(4 / 24)),
    ]


def test_a_short_active_period_within_a_longer_one_holds_up_nothing():
    assert "m3" not in bottlenecks(HANDMADE, horizon=24.0)["entity"].to_list()


def test_a_wait_of_everybody_is_nobody_s_bottleneck():
    events = log(m1=[(0, "running"), (3, "starved"), (5, "running")], m2=[(0, "starved")])
    assert found(events, 8.0) == [("m1", "sole", 0.0, 3.0), ("m1", "sole", 5.0, 8.0)]


def test_what_is_before_the_start_is_cut_but_its_length_counts():
    events = log(m1=[(0, "running"), (12, "starved")], m2=[(0, "starved"), (9, "running"), (19, "starved")])
    assert found(events, 20.0, start=10.0) == [
        ("m1", "shifting", 10.0, 12.0),
        ("m2", "shifting", 10.0, 12.0),
        ("m2", "sole", 12.0, 19.0),
    ]


def test_of_equal_periods_the_earlier_counts():
    events = log(m1=[(0, "starved"), (1, "running"), (5, "starved")], m2=[(0, "running"), (4, "starved")])
    assert found(events, 6.0)[0] == ("m2", "sole", 0.0, 1.0)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS)
def test_at_every_moment_somebody_active_holds_up_the_line_and_at_most_one_alone(rows):
    schema = ["time_min", "event", "entity"]
    events = pl.DataFrame(rows, schema=dict(zip(schema, [pl.Float64, pl.String, pl.String], strict=True)), orient="row")
    events = events.with_columns(part=pl.lit(None, pl.Int64)).sort("time_min", maintain_order=True)
    strip = bottlenecks(events, horizon=101.0)
    active = state_intervals(events, horizon=101.0).filter(pl.col("state").is_in(ACTIVE))
    assert covered(strip) == pytest.approx(covered(active))
    moments = sorted({*strip["start_min"], *strip["end_min"]})
    for low, high in pairwise(moments):
        here = strip.filter(pl.col("start_min") <= low, pl.col("end_min") >= high)
        sole, shifting = ((here["kind"] == kind).sum() for kind in ("sole", "shifting"))
        assert sole <= 1
        assert shifting != 1
        assert len(here["entity"]) == here["entity"].n_unique()


def test_the_slow_station_of_a_steady_line_is_the_only_bottleneck():
    line = serial_line(3, buffer=2).with_(
        {f"stations.m{k}.cycle": vars(fixed(2.0 if k == 2 else 1.0)) for k in (1, 2, 3)}
    )
    strip = bottlenecks(log_of(line, minutes=200.0).frame(), horizon=200.0, start=50.0)
    shares = bottleneck_shares(strip, horizon=200.0, start=50.0)
    assert shares.rows() == [("m2", pytest.approx(1.0), 0.0)]
