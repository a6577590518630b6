import polars as pl
import pytest

from tests.simulation.lines import camera_line, curve, exponential, log_of, serial_line
from twinloop.simulation import Economy, Rework
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.run import simulate
from twinloop.simulation.events.kpi import kpis
from twinloop.simulation.events.log import DOWN, ENTER, EVENTS, RUNNING, SHIP, STARVED, EventLog

GATE = Gate.of(curve(accept=0.4, reject=0.8))
LINE = camera_line(rework=Rework(cycle=exponential(2.0), success=0.5))


def test_a_log_grows_while_it_is_read():
    log = EventLog(("source", "press"), ("good",), 10.0)
    log.record(0.0, ENTER, 0, 0, 0, 2)
    columns = (log.time, log.event)
    log.record(1.5, RUNNING, 1, 0)
    assert len(log) == 2
    assert [column.tolist() for column in columns] == [[0.0], [ENTER]]
    assert (log.time.tolist(), log.part.tolist(), log.value[0]) == ([0.0, 1.5], [0, 0], 2.0)
    assert log.noted(1)[0][:5] == (1.5, RUNNING, 1, 0, -1)


def test_rows_that_are_noted_late_are_sorted_by_time():
    log = EventLog(("source", "press"), ("good",), 10.0)
    for time, state in ((0.0, STARVED), (7.0, RUNNING), (3.0, DOWN), (5.0, STARVED)):
        log.record(time, state, 1)
    assert log.frame()["event"].to_list() == ["starved", "down", "starved", "running"]
    assert log.time_in_states()[1][[0, 1, 4]].tolist() == [5.0, 3.0, 2.0]


def test_a_silent_log_keeps_nothing_of_the_same_run():
    line = serial_line(3, buffer=2, failure=20.0, repair=4.0)
    gate = Gate.of(line.inspection.assumed.curve())
    silent = simulate(line, gate, seed=1, replication=0, minutes=200.0, silent=True)
    assert len(silent) == 0
    assert len(log_of(line, minutes=200.0)) > 500


def test_a_log_of_columns_is_the_log_they_are_of():
    log = log_of(LINE, minutes=300.0, gate=GATE)
    columns = {name: getattr(log, name) for name in ("time", "event", "entity", "part", "condition", "value")}
    again = EventLog.of(log.entities, log.classes, log.horizon, columns)
    assert again.frame().equals(log.frame())
    again.record(300.0, STARVED, 1)
    assert len(again) == len(log) + 1


def test_a_saved_log_comes_back_with_the_same_key_figures(tmp_path):
    log = log_of(LINE, minutes=3000.0, gate=GATE)
    log.save(tmp_path / "events.parquet")
    again = EventLog.load(tmp_path / "events.parquet", line=LINE)
    assert (again.entities, again.classes, again.horizon) == (log.entities, log.classes, log.horizon)
    assert again.notes == ()
    before, _ = kpis(log, LINE, Economy(), start=500.0)
    after, _ = kpis(again, LINE, Economy(), start=500.0)
    assert after == pytest.approx(before, rel=1e-12, abs=1e-12)


def test_what_was_known_at_a_minute_is_the_log_before_it():
    log = log_of(LINE, minutes=300.0, gate=GATE)
    early = log.until(100.0)
    assert early.horizon == 100.0
    assert early.time.max() < 100.0
    assert len(early) == int((log.time < 100.0).sum())


def test_numbers_outside_are_kept_apart_from_the_order_of_entering(tmp_path):
    log = EventLog(("source", "press"), ("good",), 9.0, numbers=(40, 7), next_number=50)
    for part in range(3):
        log.record(float(part), ENTER, 0, part, 0, 0)
        log.record(part + 0.5, SHIP, 1, part, 0)
    assert log.part_numbers().tolist() == [40, 7, 50]
    assert [row[3] for row in log.noted()] == [40, 40, 7, 7, 50, 50]
    log.save(tmp_path / "events.parquet")
    assert pl.read_parquet(tmp_path / "events.parquet")["part"].to_list() == [40, 40, 7, 7, 50, 50]
    again = EventLog.load(tmp_path / "events.parquet")
    assert (again.numbers, again.next_number, again.part.tolist()) == ((40, 7, 50), 51, [0, 0, 1, 1, 2, 2])


def test_the_names_of_events_are_those_of_the_contract():
    assert (EVENTS[ENTER], EVENTS[DOWN]) == ("enter", "down")
    assert len(set(EVENTS)) == 19
