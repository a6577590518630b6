"""A maintenance crew that is smaller than the number of machines."""

import pytest

from tests.simulation.lines import PERFECT, exponential, fixed, log_of, serial_line
from twinloop.simulation import Line, Station
from twinloop.simulation.events.log import DOWN, RUNNING, STARVED, EventLog
from twinloop.simulation.model.resources import Crew

ONE = Crew(size=1)


def first_repair_ends(log: EventLog, entity: int) -> float:
    chosen = (log.entity == entity) & (log.event >= STARVED)
    event, time = log.event[chosen].tolist(), log.time[chosen].tolist()
    return time[event.index(DOWN) + 1]


def three_breakdowns(*priorities: int) -> Line:
    """m2 breaks at 4.5, m3 at 4.75 and m1 at 5.5; a repair takes 10 minutes."""
    return Line(
        stations=tuple(
            Station(
                name=f"m{number}",
                cycle=fixed(1.0),
                failure=fixed(after),
                repair=fixed(10.0),
                repair_priority=priority,
            )
            for number, after, priority in zip((1, 2, 3), (5.5, 3.5, 2.75), priorities, strict=True)
        ),
        buffers=(9, 9),
        inspection=PERFECT,
        crew=ONE,
    )


@pytest.mark.parametrize(
    ("priorities", "ends"),
    [((0, 0, 0), (34.5, 14.5, 24.5)), ((0, 2, 1), (24.5, 14.5, 34.5)), ((2, 1, 0), (34.5, 14.5, 24.5))],
)
def test_the_crew_comes_by_priority_then_in_order_of_the_calls_and_finishes_what_it_began(priorities, ends):
    log = log_of(three_breakdowns(*priorities), minutes=60.0)
    assert tuple(first_repair_ends(log, entity) for entity in (1, 2, 3)) == ends


def test_a_machine_is_down_while_it_waits_for_the_crew():
    log = log_of(three_breakdowns(0, 0, 0), minutes=34.0)
    assert log.time_in_states()[1:, DOWN - STARVED].tolist() == pytest.approx([34 - 5.5, 10.0, 24.5 - 4.75])


def test_a_crew_that_is_never_short_changes_nothing():
    line = serial_line(3, buffer=2, failure=20.0, repair=8.0)
    alone, with_crew = (log_of(line.with_({"crew": crew}), minutes=3000.0) for crew in (None, {"size": 3}))
    assert alone.frame().equals(with_crew.frame())


@pytest.mark.parametrize(
    ("machines", "size", "fails", "mended", "availability"), [(5, 1, 20.0, 5.0, 0.640747), (10, 2, 10.0, 2.0, 0.759628)]
)
def test_machine_interference_reaches_the_exact_availability(machines, size, fails, mended, availability):
    """M/M/c//N, from the birth-death chain."""
    station = Station(
        name="press", cycle=fixed(4.0), servers=machines, failure=exponential(fails), repair=exponential(mended)
    )
    log = log_of(Line(stations=(station,), inspection=PERFECT, crew=Crew(size=size)), minutes=20_000.0)
    up = 1 - log.time_in_states()[1:, DOWN - STARVED].mean() / log.horizon
    assert up == pytest.approx(availability, rel=0.03)


def test_a_crew_notices_the_breakdown_of_a_waiting_machine_when_it_is_needed():
    press = Station(name="press", cycle=fixed(1.0), failure=fixed(31.0), failure_clock="calendar", repair=fixed(5.0))
    line = Line(stations=(Station(name="slow", cycle=fixed(100.0)), press), buffers=(1,), inspection=PERFECT)
    own, crew = log_of(line, minutes=150.0), log_of(line.with_({"crew": {"size": 1}}), minutes=150.0)

    def times(log: EventLog, event: int) -> list[float]:
        return log.time[(log.entity == 2) & (log.event == event)].tolist()

    # Its own repairer has seen to it twice before the part comes at 100; the crew is called at 100.
    assert times(own, DOWN)[:2] == [31.0, 67.0]
    assert times(own, RUNNING) == [100.0]
    assert times(crew, DOWN)[:1] == [31.0]
    assert times(crew, RUNNING) == [105.0]
