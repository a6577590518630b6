"""Lines on which parts find their way by routes or branches."""

from dataclasses import replace

import numpy as np
import pytest

from tests.simulation.lines import PERFECT, exponential, fixed, log_of
from twinloop.errors import RunError
from twinloop.simulation import AssumedRates, Inspection, Line, Rework, Source, Station, Variant
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.run import simulate
from twinloop.simulation.events.log import (
    BLOCKED,
    ENTER,
    QUEUE,
    REJECT,
    RUNNING,
    SCRAP,
    SHIP,
    EventLog,
)

WORKSHOP = Line(
    name="workshop",
    source=Source(
        interarrival=exponential(4.0),
        variants=(
            Variant(name="shaft", route=("saw", "lathe", "saw", "lathe", "pack")),
            Variant(name="plate", route=("lathe", "pack")),
            Variant(name="rod", route=("saw",)),
        ),
    ),
    stations=tuple(Station(name=name, cycle=exponential()) for name in ("saw", "lathe", "pack")),
    inspection=PERFECT,
)


def branching(*, minutes: float, seed: int = 1, **changes: object) -> EventLog:
    """Half of the parts go from a to b, 0.3 to c, 0.2 leave; of b's a quarter goes back to a."""
    line = Line(
        source=Source(interarrival=exponential(2.0)),
        stations=(
            Station(name="a", cycle=exponential(0.5), next={"b": 0.5, "c": 0.3}),
            Station(name="b", cycle=exponential(), next={"a": 0.25}),
            Station(name="c", cycle=exponential()),
        ),
        inspection=PERFECT,
    )
    return log_of(line.with_(changes), minutes=minutes, seed=seed)


def test_parts_visit_the_stations_of_their_route_in_order_and_again():
    log = log_of(WORKSHOP, minutes=2000.0)
    number = {station.name: position for position, station in enumerate(WORKSHOP.stations, start=1)}
    variants = log.value[log.event == ENTER]
    gone = np.flatnonzero(np.isin(np.arange(len(variants)), log.part[log.event == SHIP]))
    assert len(gone) > 300
    for part in gone:
        visited = log.entity[(log.part == part) & (log.event == RUNNING)].tolist()
        assert visited == [number[name] for name in WORKSHOP.source.variants[int(variants[part])].route]


def test_a_part_leaves_at_the_last_station_of_its_route():
    log = log_of(WORKSHOP, minutes=2000.0)
    shipped = log.event == SHIP
    variants = log.value[log.event == ENTER][log.part[shipped]]
    assert set(zip(variants.tolist(), log.entity[shipped].tolist(), strict=True)) == {(0, 3), (1, 3), (2, 1)}


def test_a_route_through_all_stations_is_a_serial_line():
    stations = tuple(
        Station(name=name, cycle=exponential(), servers=servers, failure=exponential(9.0), repair=fixed(2.0))
        for name, servers in (("a", 2), ("b", 1), ("c", 2))
    )
    serial = Line(stations=stations, buffers=(2, 1), inspection=PERFECT)
    routed = Line(
        source=Source(variants=(Variant(name="part", route=("a", "b", "c")),)),
        stations=(stations[0], replace(stations[1], queue=2), replace(stations[2], queue=1)),
        inspection=PERFECT,
    )
    assert log_of(serial, minutes=500.0).frame().equals(log_of(routed, minutes=500.0).frame())


def test_parts_branch_with_the_given_probabilities():
    log = branching(minutes=20_000.0)
    visits = np.bincount(log.entity[log.event == RUNNING], minlength=4)[1:]
    # Traffic equations: a = 1 + b/4, b = a/2, so a = 8/7, b = 4/7, c = 12/35 visits per part.
    assert visits / (log.event == ENTER).sum() == pytest.approx([8 / 7, 4 / 7, 12 / 35], rel=0.02)
    leaving = np.bincount(log.entity[log.event == SHIP], minlength=4)[1:] / (log.event == SHIP).sum()
    assert leaving == pytest.approx([8 / 35, 3 / 7, 12 / 35], rel=0.03)


def test_stations_branch_with_their_own_luck():
    plain = branching(minutes=200.0)
    slower = branching(minutes=200.0, **{"stations.c.cycle.mean": 5.0})
    reached_b = [log.part[(log.event == RUNNING) & (log.entity == 2)] for log in (plain, slower)]
    assert np.array_equal(*reached_b)


def test_probabilities_that_sum_to_one_within_rounding_let_nobody_out():
    stations = (
        Station(name="a", cycle=fixed(1.0), next={"b": 0.1, "c": 0.2, "d": 0.7}),
        *(Station(name=name, cycle=fixed(0.5)) for name in "bcd"),
    )
    log = log_of(Line(stations=stations, inspection=PERFECT), minutes=2000.0)
    assert 1 not in log.entity[log.event == SHIP]


def test_arrivals_that_find_a_full_queue_wait_outside_and_none_is_lost():
    line = Line(
        source=Source(interarrival=fixed(1.0), variants=(Variant(name="part", route=("a",)),)),
        stations=(Station(name="a", cycle=fixed(2.0), queue=1),),
        inspection=PERFECT,
    )
    log = log_of(line, minutes=20.5)
    assert log.part[log.event == RUNNING].tolist() == list(range(10))
    # Part 2 comes at 3 and part 3 at 4: one rests in the queue, the others outside until there is room.
    assert log.time[log.event == QUEUE].tolist()[:3] == [2.0, 3.0, 5.0]
    assert (log.event == ENTER).sum() == 20


def test_a_finished_part_blocks_its_machine_while_the_next_queue_is_full():
    line = WORKSHOP.with_({"stations.lathe.queue": 0, "stations.lathe.cycle.mean": 3.0})
    log = log_of(line, minutes=300.0)
    assert set(log.entity[log.event == BLOCKED].tolist()) == {1}
    assert not ((log.event == QUEUE) & (log.entity == 2)).any()


def test_a_rejected_part_is_reworked_inspected_again_and_goes_on_with_its_route():
    camera = Station(name="camera", cycle=fixed(0.5), inspects=True)
    line = Line(
        source=Source(variants=(Variant(name="part", route=("press", "camera", "press", "pack")),)),
        stations=(Station(name="press", cycle=fixed(1.0)), camera, Station(name="pack", cycle=fixed(0.5))),
        inspection=Inspection(assumed=AssumedRates(defect_rate=0.5, escape_rate=0.0, false_reject_rate=0.0)),
        rework=Rework(cycle=fixed(0.5), success=1.0),
    )
    log = log_of(line, minutes=200.0)
    assert not (log.event == SCRAP).any()
    rejected = set(log.part[log.event == REJECT].tolist())
    paths = {
        part in rejected: tuple(log.entity[(log.part == part) & (log.event == RUNNING)].tolist())
        for part in log.part[log.event == SHIP]
    }
    assert paths == {False: (1, 2, 1, 3), True: (1, 2, 4, 2, 1, 3)}


def crossing(**queues: int) -> Line:
    """Variant a goes from x to y, b from y to x; c only needs z."""
    routes = {"a": ("x", "y"), "b": ("y", "x"), "c": ("z",)}
    return Line(
        name="crossing",
        source=Source(
            interarrival=exponential(), variants=tuple(Variant(name=name, route=way) for name, way in routes.items())
        ),
        stations=tuple(Station(name=name, cycle=fixed(1.0), queue=queues.get(name)) for name in "xyz"),
        inspection=PERFECT,
    )


def test_machines_that_wait_for_each_other_are_named_though_others_work():
    with pytest.raises(RunError) as caught:
        log_of(crossing(x=0, y=1), minutes=500.0)
    message = str(caught.value)
    assert "simulate: part of crossing stands still from minute" in message
    assert "x waits for room in the queue of y (1 of 1); y waits for room in the queue of x (0 of 0)" in message
    assert message.endswith("enlarge a queue of the loop")
    assert "z" not in message.removeprefix("simulate: part of crossing")
    assert "\n" not in message


def test_the_same_crossing_with_room_runs_on():
    assert (log_of(crossing(), minutes=500.0).event == SHIP).sum() > 400


def test_a_machine_that_waits_for_room_in_its_own_queue_is_named():
    line = Line(
        source=Source(variants=(Variant(name="part", route=("a", "a", "a")),)),
        stations=(Station(name="a", cycle=fixed(1.0), queue=0),),
        inspection=PERFECT,
    )
    with pytest.raises(RunError, match=r"line stands still from minute 1\.0 on: a waits for room in the queue of a"):
        log_of(line, minutes=50.0)


def test_a_standstill_is_found_without_a_log():
    gate = Gate.of(PERFECT.assumed.curve())
    with pytest.raises(RunError, match="part of crossing stands still"):
        simulate(crossing(x=0, y=1), gate, seed=1, replication=0, minutes=500.0, silent=True)
