import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.simulation.compiled.test_equality import lines
from tests.simulation.lines import log_of, serial_line
from twinloop.errors import RunError
from twinloop.simulation.events.log import ENTER, JOIN, LEAVING, REJECT, RUNNING, SCRAP, SHIP, EventLog
from twinloop.simulation.events.tally import Tally


def by_columns(log: EventLog, *, start: float) -> dict[str, float]:
    """The same numbers by whole columns."""
    time, event, part, condition = log.time, log.event, log.part, log.condition
    measured = time >= start
    shipped, scrapped = measured & (event == SHIP), measured & (event == SCRAP)
    entered = time[event == ENTER]
    gone = np.isin(event, LEAVING)
    leaves = np.full(len(entered), log.horizon)
    leaves[part[gone]] = time[gone]
    rejected = np.isin(part, part[event == REJECT])
    left = shipped | scrapped
    return {
        "started": (measured & (event == ENTER)).sum(),
        "shipped": shipped.sum(),
        "scrapped": scrapped.sum(),
        "escapes": (shipped & (condition != 0)).sum(),
        "right_first_time": (shipped & (condition == 0) & ~rejected).sum(),
        "part_minutes": np.maximum(leaves - np.maximum(entered, start), 0.0).sum(),
        "stay_minutes": (time[left] - entered[part[left]]).sum(),
    }


@settings(max_examples=20, deadline=None)
@given(lines(), st.integers(0, 1000), st.floats(0.0, 150.0))
def test_one_pass_over_the_rows_counts_what_whole_columns_count(line, seed, start):
    try:
        log = log_of(line, minutes=200.0, seed=seed)
    except RunError:
        assume(False)
    tally = Tally.of(log, start=start, first_rework=len(log.entities))
    np.testing.assert_allclose(tally.minutes, log.time_in_states(start), rtol=1e-9, atol=1e-9)
    expected = by_columns(log, start=start)
    assert {name: tally.counts[name] for name in expected} == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_rows_may_come_in_portions():
    log = log_of(serial_line(3, buffer=2, failure=30.0, repair=5.0), minutes=500.0)
    whole = Tally.of(log, start=100.0, first_rework=9)
    portions = Tally(len(log.entities), start=100.0, horizon=log.horizon, first_rework=9)
    for rows in np.array_split(log.records, 7):
        portions.add(rows, len(rows), int(log.part.max()) + 1)
    portions.close()
    assert portions.counts == whole.counts
    assert np.array_equal(portions.minutes, whole.minutes)


def test_rows_in_another_order_are_sorted_first():
    log = log_of(serial_line(2, buffer=2), minutes=300.0)
    backwards = EventLog(log.entities, log.classes, log.horizon)
    keep = np.unique(log.time, return_index=True)[1]
    backwards.extend(log.records[keep][::-1])
    forwards = EventLog(log.entities, log.classes, log.horizon)
    forwards.extend(log.records[keep])
    found, expected = (Tally.of(one, start=50.0, first_rework=9) for one in (backwards, forwards))
    assert np.array_equal(found.minutes, expected.minutes)


def test_a_part_built_into_another_is_no_longer_work_in_progress():
    log = EventLog(("source", "press"), ("good",), 100.0)
    for number in (0, 1):
        log.record(0.0, ENTER, 0, number, 0, 0.0)
    log.record(0.0, RUNNING, 1, 0)
    log.record(20.0, JOIN, 1, 1, 0, 0.0)
    log.record(50.0, SHIP, 1, 0, 0)
    counts = Tally.of(log, start=0.0, first_rework=9).counts
    assert counts["part_minutes"] == 70.0
    assert (counts["shipped"], counts["stay_minutes"]) == (1, 50.0)
