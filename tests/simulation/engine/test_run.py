from dataclasses import replace

import numpy as np
import pytest

from tests.simulation.lines import PERFECT, camera_line, curve, fixed, log_of, serial_line
from twinloop.errors import InputError
from twinloop.replication.streams import Streams
from twinloop.simulation import Distribution, Line, Rework, Source, Station, Variant
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.source import variant_sequence
from twinloop.simulation.events.log import BLOCKED, ENTER, REINSPECT, REJECT, RUNNING, SCRAP, SETUP, SHIP, STARVED


def two_stations(first: float, second: float, *, buffer: int) -> Line:
    stations = (Station(name="first", cycle=fixed(first)), Station(name="second", cycle=fixed(second)))
    return Line(stations=stations, buffers=(buffer,), inspection=PERFECT)


def test_a_fast_station_before_a_slow_one_is_blocked_after_service():
    log = log_of(two_stations(1.0, 4.0, buffer=1), minutes=100.0)
    first, second = log.time_in_states()[1:]
    # The second works from minute 1 on. The first fills the machine behind it and the buffer until minute 3, then
    # works one minute of every four.
    assert second[:5].tolist() == pytest.approx([1.0, 99.0, 0.0, 0.0, 0.0])
    assert first[BLOCKED - STARVED] == pytest.approx(100.0 - 3 - 24, abs=1.0)


def test_a_slow_station_starves_the_next():
    log = log_of(two_stations(4.0, 1.0, buffer=1), minutes=100.0)
    assert log.time_in_states()[2, STARVED - STARVED] == pytest.approx(76.0)


def test_one_server_of_two_is_named_with_its_number():
    line = serial_line(1, buffer=0).with_({"stations.m1.servers": 2})
    assert log_of(line, minutes=50.0).entities == ("source", "m1_1", "m1_2")


def test_adding_a_station_leaves_the_luck_of_the_others_unchanged():
    short, long = log_of(serial_line(1, buffer=0), minutes=200.0), log_of(serial_line(2, buffer=500), minutes=200.0)
    starts = [log.time[(log.event == RUNNING) & (log.entity == 1)] for log in (short, long)]
    assert np.array_equal(*starts)


def test_a_part_keeps_its_class_in_every_scenario():
    gate = Gate.of(curve(prevalence=(0.6, 0.4)))
    logs = [log_of(camera_line().with_(buffer_1=size), minutes=300.0, gate=gate) for size in (1, 9)]
    kinds = [log.condition[log.event == ENTER][:250] for log in logs]
    assert np.array_equal(*kinds)
    assert set(kinds[0].tolist()) == {0, 1}


def test_setups_happen_only_when_the_variant_changes():
    press = Station(name="press", cycle=fixed(1.0), setup=fixed(5.0))
    source = Source(variants=(Variant(name="a"), Variant(name="b")), lot_size=10)
    line = Line(source=source, stations=(press,), inspection=PERFECT)
    log = log_of(line, minutes=2000.0)
    variants = [next(sequence) for sequence in [variant_sequence(source, Streams(1, 0))] for _ in range(5000)]
    made = int((log.event == RUNNING).sum())
    assert (log.event == SETUP).sum() in [(np.diff(variants[: made + extra]) != 0).sum() for extra in (0, 1)]
    grouped = log_of(line.with_({"source.plan": "grouped"}), minutes=2000.0)
    assert (grouped.event == SETUP).sum() < 0.6 * (log.event == SETUP).sum()


def test_grouping_reorders_lots_within_their_window_only():
    source = Source(variants=(Variant(name="a"), Variant(name="b", share=2.0)), lot_size=3, window=5)
    plans = {}
    for plan in ("fifo", "grouped"):
        sequence = variant_sequence(replace(source, plan=plan), Streams(4, 0))
        plans[plan] = [[next(sequence) for _ in range(15)] for _ in range(40)]
    assert [sorted(window) for window in plans["fifo"]] == [sorted(window) for window in plans["grouped"]]
    assert all(np.count_nonzero(np.diff(window)) <= 1 for window in plans["grouped"])


def test_a_variant_with_a_longer_cycle_takes_longer():
    source = Source(variants=(Variant(name="large", cycle_factor=2.5),))
    line = Line(source=source, stations=(Station(name="press", cycle=fixed(2.0)),), inspection=PERFECT)
    assert (log_of(line, minutes=101.0).event == SHIP).sum() == 20


def test_latency_of_the_model_lengthens_every_look():
    line = camera_line().with_({"stations.camera.cycle.mean": 2.0})
    gate = Gate.of(curve(accept=0.9, reject=0.9))
    from twinloop.simulation.engine.run import simulate

    counts = [
        int((simulate(line, gate, seed=1, replication=0, minutes=1000.0, latency_ms=ms).event == ENTER).sum())
        for ms in (0.0, 60_000.0)
    ]
    assert counts[0] / counts[1] == pytest.approx(1.5, rel=0.02)


def test_a_rejected_part_is_reworked_at_most_so_often_then_scrapped():
    rework = Rework(cycle=fixed(0.5), success=0.0, max_times=2)
    line = camera_line(rework=rework, defect_rate=1.0, escape_rate=0.0)
    log = log_of(line, minutes=200.0)
    scrapped = log.part[log.event == SCRAP]
    assert len(scrapped) > 20
    assert not (log.event == SHIP).any()
    visits = np.bincount(log.part[(log.event == RUNNING) & (log.entity == 3)])
    assert set(visits[scrapped].tolist()) == {2}


def test_rework_that_succeeds_turns_a_defective_part_into_a_good_one():
    rework = Rework(cycle=fixed(0.5), success_by_class={"defect": 1.0}, success=0.0)
    line = camera_line(rework=rework, defect_rate=1.0, escape_rate=0.0, false_reject_rate=0.0)
    log = log_of(line, minutes=200.0)
    assert set(log.condition[log.event == SHIP].tolist()) == {0}
    assert not (log.event == SCRAP).any()


def test_a_good_part_that_is_always_rejected_costs_rework_and_scrap():
    rework = Rework(cycle=fixed(0.5))
    log = log_of(camera_line(rework=rework, defect_rate=0.0, false_reject_rate=1.0), minutes=100.0)
    assert (log.event == REJECT).sum() > 2 * (log.event == SCRAP).sum() - 10 > 0
    assert set(log.condition[log.event == SCRAP].tolist()) == {0}


def test_without_a_rework_station_rejected_parts_are_scrapped():
    log = log_of(camera_line(defect_rate=1.0, escape_rate=0.0), minutes=50.0)
    assert (log.event == SCRAP).sum() == (log.event == REJECT).sum() > 0


def test_a_full_rework_queue_scraps_instead_of_blocking():
    rework = Rework(cycle=fixed(100.0), buffer=1)
    log = log_of(camera_line(rework=rework, defect_rate=1.0, escape_rate=0.0), minutes=100.0)
    assert (log.event == SCRAP).sum() > 80
    assert not ((log.event == BLOCKED) & (log.entity == 2)).any()


def test_reworked_parts_can_return_to_an_earlier_station():
    rework = Rework(cycle=fixed(0.5), returns_to="press", success=1.0)
    line = camera_line(rework=rework, defect_rate=0.5, escape_rate=0.0, false_reject_rate=0.0)
    log = log_of(line, minutes=200.0)
    reworked = np.unique(log.part[(log.event == RUNNING) & (log.entity == 3)])
    pressed = np.bincount(log.part[(log.event == RUNNING) & (log.entity == 1)])
    assert set(pressed[reworked[:-3]].tolist()) == {2}


def test_a_part_that_stays_undecided_is_rejected_or_accepted_as_configured():
    gate = Gate.of(curve(accept=0.01, reject=0.99, rho=1.0))
    for undecided, event in (("reject", SCRAP), ("accept", SHIP)):
        log = log_of(camera_line().with_({"inspection.undecided": undecided}), minutes=100.0, gate=gate)
        looked_twice = np.unique(log.part[log.event == REINSPECT])
        ended = set(log.event[np.isin(log.part, looked_twice[:-1]) & np.isin(log.event, (SHIP, SCRAP))].tolist())
        assert ended == {event}


def test_rework_success_for_a_class_the_curve_lacks_is_refused():
    rework = Rework(cycle=fixed(0.5), success_by_class={"dent": 0.5})
    with pytest.raises(
        InputError, match=r"names 'dent', which the operating curve does not know \(its classes: good, crack"
    ):
        log_of(camera_line(rework=rework), minutes=50.0, gate=Gate.of(curve()))


def test_the_log_as_a_table_is_sorted_and_named(tmp_path):
    stations = (
        Station(name="slow", cycle=fixed(7.0)),
        Station(
            name="press",
            cycle=fixed(1.0),
            failure=Distribution(kind="weibull", mean=20.0, cv=0.7),
            failure_clock="calendar",
            repair=fixed(5.0),
        ),
    )
    log = log_of(Line(stations=stations, buffers=(2,), inspection=PERFECT), minutes=300.0)
    log.save(tmp_path / "events.parquet")
    import polars as pl

    table = pl.read_parquet(tmp_path / "events.parquet")
    assert table.columns == ["time_min", "event", "entity", "part", "condition", "value"]
    assert table["time_min"].is_sorted()
    assert len(table) == len(log)
    assert set(table["entity"]) == {"source", "slow", "press"}
    assert set(table["condition"]) == {"good", None}
    assert set(table.filter(pl.col("event") == "starved")["part"]) == {None}
