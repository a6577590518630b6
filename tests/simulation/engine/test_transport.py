import numpy as np
import pytest

from tests.simulation.lines import PERFECT, exponential, fixed, log_of
from twinloop.simulation import AssumedRates, Inspection, Line, Rework, Source, Station, Transport, Variant
from twinloop.simulation.events.log import BLOCKED, ENTER, IDLE, QUEUE, RUNNING, SCRAP, SHIP, STARVED


def carried(*, fleet: int, buffer: int = 1, trip: float = 3.0) -> Line:
    stations = (Station(name="cut", cycle=fixed(1.0)), Station(name="weld", cycle=fixed(2.0)))
    transport = Transport(fleet=fleet, trip=fixed(trip))
    return Line(stations=stations, buffers=(buffer,), transport=transport, inspection=PERFECT)


@pytest.mark.parametrize(
    ("fleet", "buffer", "expected"),
    [
        # One vehicle is the bottleneck: it leaves at 1, 4, 7, …, and the welding follows it.
        (1, 1, [6.0, 9.0, 12.0, 15.0]),
        # Two vehicles: the room before the welding is. Trips begin at 1, 2, 6, 8, 11, …
        (2, 1, [6.0, 8.0, 11.0, 13.0, 16.0]),
        (9, 1, [6.0, 8.0, 11.0, 13.0, 16.0]),
        # Without a buffer a trip begins when the welding waits for a part.
        (2, 0, [6.0, 11.0, 16.0]),
        # Enough of both: the welding is.
        (3, 9, [6.0, 8.0, 10.0, 12.0, 14.0, 16.0]),
    ],
)
def test_parts_leave_as_vehicles_and_room_allow(fleet, buffer, expected):
    log = log_of(carried(fleet=fleet, buffer=buffer), minutes=16.5)
    assert log.time[log.event == SHIP].tolist() == expected


def test_a_machine_is_blocked_until_a_vehicle_takes_its_part():
    log = log_of(carried(fleet=1), minutes=10.5)
    cut = log.entity == 1
    assert log.time[cut & (log.event == BLOCKED)].tolist() == [2.0, 5.0, 8.0]
    assert log.time[cut & (log.event == RUNNING)].tolist() == [0.0, 1.0, 4.0, 7.0, 10.0]


def test_a_vehicle_is_running_with_its_part_or_idle():
    log = log_of(carried(fleet=2, buffer=0), minutes=16.0)
    minutes = log.time_in_states()
    assert log.entities[3:] == ("vehicle_1", "vehicle_2")
    assert minutes[3, [RUNNING - STARVED, IDLE - STARVED]].tolist() == [9.0, 7.0]
    assert minutes[4, IDLE - STARVED] == 16.0
    trips = (log.entity == 3) & (log.event == RUNNING)
    assert log.part[trips].tolist() == [0, 1, 2]


def test_a_quick_vehicle_changes_nothing():
    plain = Line(
        stations=(Station(name="cut", cycle=fixed(1.0)), Station(name="weld", cycle=fixed(2.0))),
        buffers=(2,),
        inspection=PERFECT,
    )
    quick = carried(fleet=1, buffer=2, trip=1e-9)
    ships = [log.time[log.event == SHIP] for log in (log_of(line, minutes=60.0) for line in (plain, quick))]
    assert np.allclose(*ships)


def test_rejected_parts_are_carried_to_rework_and_back():
    line = Line(
        stations=(Station(name="press", cycle=fixed(5.0)), Station(name="camera", cycle=fixed(1.0), inspects=True)),
        buffers=(3,),
        inspection=Inspection(
            max_looks=1, assumed=AssumedRates(defect_rate=1.0, escape_rate=0.0, false_reject_rate=0.0)
        ),
        rework=Rework(cycle=fixed(2.0), success=1.0),
        transport=Transport(fleet=2, trip=fixed(0.5)),
    )
    log = log_of(line, minutes=60.0)
    # press 5, trip, look, trip, repair, trip, second look: 5 + .5 + 1 + .5 + 2 + .5 + 1.
    assert log.time[log.event == SHIP][0] == 10.5
    trips = log.part[(log.event == RUNNING) & (log.entity >= 4)]
    assert set(np.bincount(trips)[:8].tolist()) == {3}


def test_a_rejected_part_waits_for_a_vehicle_and_is_scrapped_only_for_want_of_room():
    line = Line(
        stations=(Station(name="press", cycle=fixed(1.0)), Station(name="camera", cycle=fixed(0.5), inspects=True)),
        buffers=(3,),
        inspection=Inspection(
            max_looks=1, assumed=AssumedRates(defect_rate=1.0, escape_rate=0.0, false_reject_rate=0.0)
        ),
        rework=Rework(cycle=fixed(0.5), success=1.0, buffer=50),
        transport=Transport(fleet=1, trip=fixed(2.0)),
    )
    log = log_of(line, minutes=200.0)
    assert not (log.event == SCRAP).any()
    assert ((log.event == BLOCKED) & (log.entity == 2)).any()


def test_on_a_reentrant_route_every_step_is_a_trip():
    line = Line(
        source=Source(interarrival=fixed(20.0), variants=(Variant(name="part", route=("a", "b", "a")),)),
        stations=(Station(name="a", cycle=fixed(2.0)), Station(name="b", cycle=fixed(3.0))),
        transport=Transport(fleet=1, trip=fixed(1.0)),
        inspection=PERFECT,
    )
    log = log_of(line, minutes=100.0)
    stay = log.time[log.event == SHIP] - log.time[log.event == ENTER][: (log.event == SHIP).sum()]
    assert stay.tolist() == [9.0] * 4
    assert not (log.event == QUEUE).any()


def test_a_fleet_is_a_queue_with_as_many_servers():
    # Stations that take no time, Poisson arrivals and exponential trips: parts wait for a vehicle as in M/M/c.
    arrivals, fleet = 1.8, 3
    line = Line(
        source=Source(interarrival=exponential(1 / arrivals)),
        stations=tuple(Station(name=name, cycle=fixed(1e-6)) for name in ("load", "unload")),
        buffers=(100,),
        transport=Transport(fleet=fleet, trip=exponential()),
        inspection=PERFECT,
    )
    log = log_of(line, minutes=15_000.0)
    terms = np.cumprod([1.0] + [arrivals / n for n in range(1, fleet + 1)])
    waits = terms[-1] * fleet / (fleet - arrivals)
    erlang_c = waits / (terms[:-1].sum() + waits)
    left = log.event == SHIP
    stay = (log.time[left] - log.time[log.event == ENTER][log.part[left]]).mean()
    assert stay - 1 == pytest.approx(erlang_c / (fleet - arrivals), rel=0.08)
    busy = log.time_in_states()[3:, RUNNING - STARVED].sum() / 15_000.0
    assert busy == pytest.approx(arrivals, rel=0.02)
