import numpy as np
import pytest

from tests.simulation.lines import PERFECT, exponential, fixed, log_of
from twinloop.simulation import Line, Operators, Shift, Source, Station, Variant
from twinloop.simulation.events.log import BLOCKED, ENTER, IDLE, RUNNING, SHIP, STARVED


def shipped(log):
    return log.time[log.event == SHIP].tolist()


def in_state(log, name, state):
    return log.time_in_states()[log.entities.index(name), state - STARVED]


def two_stations(*operators: Operators, buffer: int = 1, day: float = 960.0) -> Line:
    stations = (Station(name="cut", cycle=fixed(1.0)), Station(name="weld", cycle=fixed(2.0)))
    return Line(stations=stations, buffers=(buffer,), operators=operators, minutes_per_day=day, inspection=PERFECT)


def test_one_operator_for_two_stations_goes_to_whoever_waited_longest():
    log = log_of(two_stations(Operators(name="ann", skills=("cut", "weld"))), minutes=13.5)
    # cut 0–1, 1–2, then in turn: weld 2–4, cut 4–5, weld 5–7, …
    assert shipped(log) == [4.0, 7.0, 10.0, 13.0]
    assert in_state(log, "ann", RUNNING) == 13.5


def test_an_operator_for_each_station_changes_nothing():
    alone = two_stations()
    staffed = two_stations(Operators(name="ann", skills=("cut",)), Operators(name="bob", skills=("weld",)))
    assert shipped(log_of(staffed, minutes=50.0)) == shipped(log_of(alone, minutes=50.0))


def test_a_station_that_nobody_has_a_skill_for_needs_nobody():
    log = log_of(two_stations(Operators(name="ann", skills=("weld",))), minutes=20.0)
    assert in_state(log, "cut", IDLE) == 0.0
    assert shipped(log) == shipped(log_of(two_stations(), minutes=20.0))


def test_work_under_way_when_the_shift_ends_is_finished_and_nothing_new_begins():
    press = Station(name="press", cycle=fixed(4.0))
    ann = Operators(name="ann", skills=("press",), shifts=(Shift(start_min=0, end_min=5),))
    log = log_of(Line(stations=(press,), operators=(ann,), minutes_per_day=10, inspection=PERFECT), minutes=30.0)
    assert shipped(log) == [4.0, 8.0, 14.0, 18.0, 24.0, 28.0]
    assert in_state(log, "press", IDLE) == 6.0
    assert in_state(log, "press", STARVED) == 0.0


def test_a_shift_of_half_the_day_halves_the_throughput():
    press = Station(name="press", cycle=fixed(1.0))
    ann = Operators(name="ann", skills=("press",), shifts=(Shift(start_min=5, end_min=10),))
    line = Line(stations=(press,), operators=(ann,), minutes_per_day=10, inspection=PERFECT)
    assert len(shipped(log_of(line, minutes=1000.5))) == 500


def test_shifts_that_follow_each_other_over_midnight_leave_no_gap():
    press = Station(name="press", cycle=fixed(3.0))
    shifts = (Shift(start_min=0, end_min=4), Shift(start_min=6, end_min=10))
    ann = Operators(name="ann", skills=("press",), shifts=shifts)
    log = log_of(Line(stations=(press,), operators=(ann,), minutes_per_day=10, inspection=PERFECT), minutes=30.5)
    assert shipped(log) == [3.0, 6.0, 9.0, 12.0, 15.0, 19.0, 22.0, 25.0, 29.0]


def test_two_groups_hand_over_at_the_end_of_the_shift():
    press = Station(name="press", cycle=fixed(4.0))
    early = Operators(name="early", skills=("press",), shifts=(Shift(start_min=0, end_min=5),))
    late = Operators(name="late", skills=("press",), shifts=(Shift(start_min=5, end_min=10),))
    line = Line(stations=(press,), operators=(early, late), minutes_per_day=10, inspection=PERFECT)
    log = log_of(line, minutes=20.0)
    assert shipped(log) == [4.0, 8.0, 12.0, 16.0]
    assert [in_state(log, name, RUNNING) for name in ("early", "late")] == [12.0, 8.0]


def test_waiting_for_parts_is_starved_and_waiting_for_people_is_idle():
    press = Station(name="press", cycle=fixed(2.0))
    ann = Operators(name="ann", skills=("press",), shifts=(Shift(start_min=0, end_min=50),))
    source = Source(interarrival=fixed(10.0))
    line = Line(source=source, stations=(press,), operators=(ann,), minutes_per_day=100, inspection=PERFECT)
    log = log_of(line, minutes=100.0)
    # Parts at 10, 20, …, 90; the one of minute 50 comes when the shift has ended and waits for the next.
    assert [in_state(log, "press", state) for state in (RUNNING, STARVED, IDLE)] == [8.0, 42.0, 50.0]
    assert in_state(log, "ann", IDLE) == 92.0


def test_an_operator_is_free_while_the_machine_is_blocked():
    stations = (Station(name="cut", cycle=fixed(1.0)), Station(name="weld", cycle=fixed(5.0)))
    ann = Operators(name="ann", skills=("cut",))
    log = log_of(Line(stations=stations, buffers=(0,), operators=(ann,), inspection=PERFECT), minutes=51.0)
    assert in_state(log, "cut", BLOCKED) > 35.0
    assert in_state(log, "ann", RUNNING) == in_state(log, "cut", RUNNING) == 11.0


def test_a_breakdown_keeps_the_operator_at_the_machine():
    press = Station(name="press", cycle=fixed(4.0), failure=fixed(6.0), repair=fixed(3.0))
    saw = Station(name="saw", cycle=fixed(1.0))
    ann = Operators(name="ann", skills=("press", "saw"))
    log = log_of(Line(stations=(press, saw), buffers=(9,), operators=(ann,), inspection=PERFECT), minutes=13.0)
    # press 0–4, 4–11 (down 6–9), then the saw, which had waited since 4.
    assert shipped(log) == [12.0]


def test_two_stations_and_one_operator_are_one_server():
    # Poisson arrivals to either station, equal exponential work, first come first served: M/M/1, W = 1 / (μ - λ).
    source = Source(
        interarrival=exponential(1 / 0.6),
        variants=tuple(Variant(name=name, route=(name,)) for name in ("left", "right")),
    )
    line = Line(
        source=source,
        stations=(Station(name="left", cycle=exponential()), Station(name="right", cycle=exponential())),
        operators=(Operators(name="ann", skills=("left", "right")),),
        inspection=PERFECT,
    )
    log = log_of(line, minutes=60_000.0)
    entered, left = log.time[log.event == ENTER], log.event == SHIP
    assert (log.time[left] - entered[log.part[left]]).mean() == pytest.approx(2.5, rel=0.04)
    busy = log.time_in_states()[3, RUNNING - STARVED] / 60_000.0
    assert busy == pytest.approx(0.6, rel=0.02)


def test_no_operator_works_at_two_machines_at_a_time():
    stations = tuple(Station(name=name, cycle=exponential(), servers=3) for name in ("cut", "weld"))
    team = Operators(name="team", count=2, skills=("cut", "weld"))
    log = log_of(Line(stations=stations, buffers=(4,), operators=(team,), inspection=PERFECT), minutes=400.0)
    rows = log.event >= STARVED
    order = np.flatnonzero(rows)[np.argsort(log.time[rows], kind="stable")]
    working: dict[int, bool] = {}
    for row, following in zip(order, [*order[1:], None], strict=True):
        working[int(log.entity[row])] = bool(log.event[row] == RUNNING)
        if following is None or log.time[following] > log.time[row]:
            machines, people = (sum(working.get(entity, False) for entity in group) for group in (range(1, 7), (7, 8)))
            assert machines == people <= 2
