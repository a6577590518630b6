import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.lines import log_of, queue, serial_line
from twinloop.simulation.events.intervals import queue_levels, state_intervals, waits


def frame(rows: list[tuple[float, str, str, int | None]]) -> pl.DataFrame:
    """A log as a frame: time, event, entity, part."""
    schema = {"time_min": pl.Float64, "event": pl.String, "entity": pl.String, "part": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


LOG = frame(
    [
        (0.0, "enter", "source", 0),
        (0.0, "running", "saw", 0),
        (0.0, "starved", "mill", None),
        (2.0, "enter", "source", 1),
        (2.0, "running", "saw", 1),
        (2.0, "running", "mill", 0),
        (5.0, "queue", "mill", 1),
        (5.0, "starved", "saw", None),
        (9.0, "ship", "mill", 0),
        (9.0, "running", "mill", 1),
    ]
)


def test_parts_that_follow_each_other_are_one_stay():
    rows = state_intervals(LOG, horizon=10.0).rows()
    assert rows == [
        ("mill", "starved", 0.0, 2.0, 0, None, None),
        ("mill", "running", 2.0, 10.0, 2, 0, 1),
        ("saw", "running", 0.0, 5.0, 2, 0, 1),
        ("saw", "starved", 5.0, 10.0, 0, None, None),
    ]


def test_rows_out_of_order_and_states_without_duration_do_not_show():
    early = frame([(4.0, "down", "saw", None), (0.0, "running", "saw", 0), (4.0, "running", "saw", 0)])
    assert state_intervals(early, horizon=6.0).select("state", "start_min", "end_min").rows() == [("running", 0.0, 6.0)]


def test_a_wait_ends_with_the_part_s_next_row():
    assert waits(LOG).rows() == [("mill", 1, 5.0, 9.0)]
    assert queue_levels(LOG).rows() == [("mill", 5.0, 1), ("mill", 9.0, 0)]


def test_a_part_that_waits_at_the_end_is_still_there():
    found = frame([(1.0, "queue", "mill", 7), (2.0, "queue", "mill", 8), (3.0, "running", "mill", 7)])
    assert queue_levels(found).rows() == [("mill", 1.0, 1), ("mill", 2.0, 2), ("mill", 3.0, 1)]


@settings(max_examples=15, deadline=None)
@given(buffer=st.integers(0, 4), stations=st.integers(2, 4), seed=st.integers(0, 1000))
def test_states_fill_the_time_and_levels_stay_within_the_room(buffer, stations, seed):
    line = serial_line(stations, buffer=buffer, failure=30.0, repair=5.0)
    log = log_of(line, minutes=200.0, seed=seed)
    stays = state_intervals(log.frame(), horizon=200.0)
    total = stays.group_by("entity").agg(minutes=(pl.col("end_min") - pl.col("start_min")).sum())
    assert len(total) == stations
    assert all(abs(minutes - 200.0) < 1e-9 for minutes in total["minutes"])
    levels = queue_levels(log.frame())["level"]
    assert levels.is_between(0, buffer).all()
    if buffer and stations > 2:
        assert levels.max() == buffer


def test_an_unlimited_queue_holds_those_who_came_and_were_not_served():
    events = log_of(queue(arrivals=0.9), minutes=500.0).frame()
    entered = events.filter(pl.col("event") == "enter").height
    started = events.filter(pl.col("event") == "running")["part"].n_unique()
    assert queue_levels(events)["level"][-1] == entered - started
