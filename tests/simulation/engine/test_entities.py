"""Where parts wait: what a buffer logs, and in which order it gives and takes."""

import numpy as np
import pytest

from tests.simulation.lines import PERFECT, fixed, log_of, queue
from twinloop.simulation import Line, Rework, Source, Station
from twinloop.simulation.events.log import BLOCKED, ENTER, QUEUE, RUNNING, EventLog


def stations(*cycles: float) -> tuple[Station, ...]:
    return tuple(Station(name=f"m{number}", cycle=fixed(cycle)) for number, cycle in enumerate(cycles, start=1))


def rows(log: EventLog, event: int, entity: int) -> list[tuple[float, int]]:
    chosen = (log.event == event) & (log.entity == entity)
    return list(zip(log.time[chosen].tolist(), log.part[chosen].tolist(), strict=True))


def test_a_part_that_comes_to_rest_is_a_row_and_one_handed_over_is_not():
    log = log_of(Line(stations=stations(1.0, 3.0), buffers=(1,), inspection=PERFECT), minutes=8.5)
    # Part 0 is handed to the waiting machine at 1, part 1 rests from 2, part 2 is blocked at 3 until part 1 is taken.
    assert rows(log, QUEUE, 2) == [(2.0, 1), (4.0, 2), (7.0, 3)]
    assert rows(log, BLOCKED, 1) == [(3.0, 2), (5.0, 3), (8.0, 4)]


def test_a_buffer_without_places_holds_nothing():
    log = log_of(Line(stations=stations(1.0, 3.0), buffers=(0,), inspection=PERFECT), minutes=30.0)
    assert not (log.event == QUEUE).any()
    assert rows(log, RUNNING, 2)[:3] == [(1.0, 0), (4.0, 1), (7.0, 2)]


def test_arrivals_queue_and_a_saturated_source_does_not():
    arriving = Line(source=Source(interarrival=fixed(2.0)), stations=stations(3.0), inspection=PERFECT)
    assert rows(log_of(arriving, minutes=9.0), QUEUE, 1) == [(4.0, 1), (6.0, 2), (8.0, 3)]
    saturated = Line(stations=stations(3.0), inspection=PERFECT)
    assert not (log_of(saturated, minutes=20.0).event == QUEUE).any()


@pytest.mark.parametrize("servers", [1, 3])
def test_the_rows_of_a_queue_give_its_mean_length(servers):
    log = log_of(queue(arrivals=0.7 * servers, servers=servers), minutes=3000.0, seed=4)
    rest, start = log.event == QUEUE, log.event == RUNNING
    assert set(log.entity[rest].tolist()) == {1}
    entered = log.time[log.event == ENTER]
    begun = np.full(len(entered), log.horizon)
    begun[log.part[start]] = log.time[start]
    waited = float((begun - entered).sum())
    assert float((log.horizon - log.time[rest]).sum() - (log.horizon - begun[log.part[rest]]).sum()) == pytest.approx(
        waited
    )


def test_repaired_parts_go_before_those_that_wait_for_room():
    press, camera = stations(0.5, 1.0)
    line = Line(
        stations=(press, Station(name="camera", cycle=camera.cycle, inspects=True)),
        buffers=(0,),
        inspection=PERFECT.__class__(assumed=PERFECT.assumed.__class__(defect_rate=1.0, escape_rate=0.0)),
        rework=Rework(cycle=fixed(0.25), success=1.0),
    )
    log = log_of(line, minutes=10.0)
    # The camera rejects part 0 at 1.5 and takes part 1, which was blocked; repaired at 1.75 it comes before part 2.
    assert rows(log, RUNNING, 2)[:4] == [(0.5, 0), (1.5, 1), (2.5, 0), (3.5, 1)]
