import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulation.fleet.fleets import ALWAYS, DAY, fleet, workshop
from twinloop.errors import InputError
from twinloop.simulation.fleet.duty import Dates
from twinloop.simulation.fleet.workshop import WEEK, Floor, Job, Opening, Shift, Stock, Store, Workshop
from twinloop.simulation.fleet.world import World

HOURS = Workshop(bays=1, technicians={"mechanic": 1}, shifts=(Shift(begins_min=480.0, ends_min=960.0),))


def opening(workshop: Workshop = HOURS, days: int = 14) -> Opening:
    return Opening(workshop, Dates.of(days))


def test_work_stops_when_the_workshop_closes_and_goes_on_when_it_opens():
    clock = opening()
    assert clock.passed(500.0) == 20.0
    assert clock.opens(0.0) == 480.0 == clock.begin(0.0)
    assert clock.end(480.0) == 960.0
    assert clock.begin(480.0) == DAY + 480.0
    assert clock.opens(4 * DAY + 960.0) == 7 * DAY + 480.0  # from Friday's end to Monday
    assert clock.opens(500.0) == 500.0
    assert clock.passed(6 * DAY) == 5 * 480.0
    assert clock.end(1e9) == clock.opens(1e9) == math.inf


def test_overlapping_shifts_count_once_and_closed_days_do_not():
    shifts = (Shift(begins_min=480.0, ends_min=960.0), Shift(days=("Mon", "Sat"), begins_min=900.0, ends_min=1000.0))
    clock = opening(Workshop(technicians={"mechanic": 1}, shifts=shifts, closed=(1,)))
    assert clock.passed(DAY) == 520.0
    assert clock.passed(2 * DAY) == 520.0
    assert clock.passed(7 * DAY) == 520.0 + 3 * 480.0 + 100.0
    night = Workshop(technicians={"mechanic": 1}, shifts=ALWAYS)
    assert opening(night).opens(1234.5) == 1234.5


@given(time=st.floats(0, 13 * DAY))
def test_opening_minutes_and_calendar_agree(time):
    clock = opening()
    opens = clock.opens(time)
    assert clock.passed(opens) == pytest.approx(clock.passed(time))
    assert clock.begin(clock.passed(time)) == pytest.approx(opens) or clock.passed(time) == clock.passed(opens)
    assert clock.passed(clock.end(clock.passed(time))) == pytest.approx(clock.passed(time))


def test_a_vehicle_keeps_its_bay_while_it_waits_for_a_technician():
    shop = Workshop(bays=2, technicians={"mechanic": 1}, shifts=ALWAYS)
    floor = Floor(shop, opening(shop))
    first = floor.serve(0.0, [Job("mechanic", 60.0), Job("mechanic", 30.0)])
    second = floor.serve(10.0, [Job("mechanic", 20.0)])
    third = floor.serve(20.0, [Job("mechanic", 5.0)])
    assert (first.start, first.done, first.bay, first.busy_min) == (0.0, 90.0, 0, 90.0)
    assert (second.start, second.done, second.bay, second.busy_min) == (10.0, 110.0, 1, 100.0)
    assert (third.start, third.done, third.bay) == (90.0, 115.0, 0)


@given(
    gaps=st.lists(st.floats(0, 200), min_size=1, max_size=30),
    minutes=st.lists(st.floats(1, 200), min_size=30, max_size=30),
    bays=st.integers(1, 3),
    mechanics=st.integers(1, 3),
)
def test_another_bay_or_technician_delays_nobody(gaps, minutes, bays, mechanics):
    def finished(bays: int, mechanics: int) -> list[float]:
        shop = Workshop(bays=bays, technicians={"mechanic": mechanics}, shifts=(Shift(days=WEEK),))
        floor, ready, done = Floor(shop, Opening(shop, Dates.of(60))), 0.0, []
        for gap, work in zip(gaps, minutes, strict=False):
            ready += gap
            slot = floor.serve(ready, [Job("mechanic", work)])
            assert ready <= slot.start <= slot.done
            done.append(slot.done)
        return done

    today = finished(bays, mechanics)
    for more in (finished(bays + 1, mechanics), finished(bays, mechanics + 1)):
        assert all(later <= now + 1e-6 for later, now in zip(more, today, strict=True))


def test_one_bay_serves_one_vehicle_at_a_time():
    floor = Floor(HOURS, opening())
    slots = [floor.serve(100.0 * number, [Job("mechanic", 130.0)]) for number in range(8)]
    assert all(first.done <= second.start for first, second in pairwise(slots))
    assert [slot.busy_min for slot in slots] == pytest.approx([130.0] * 8)


def test_a_part_taken_is_ordered_anew():
    store = Store({0: Stock(2, 100.0), 1: Stock(0, 50.0)})
    assert [store.take(0, time) for time in (0.0, 10.0, 20.0, 30.0, 500.0)] == [0.0, 10.0, 100.0, 110.0, 500.0]
    assert store.take(1, 7.0) == 57.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"bays": 0}, "expected an integer ≥ 1"),
        ({"technicians": {}}, "expected at least 1 item"),
        ({"technicians": {"mechanic": 0}}, "expected an integer ≥ 1"),
        ({"technicians": {"<script>": 1}}, "pattern"),
        ({"shifts": ()}, "expected at least 1 item"),
        ({"closed": (-1,)}, "expected an integer ≥ 0"),
    ],
)
def test_a_workshop_without_capacity_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        Workshop(**{"technicians": {"mechanic": 1}, **values})


def test_hours_must_begin_before_they_end():
    with pytest.raises(InputError, match="expected begins_min < ends_min, got 600 and 500"):
        Shift(begins_min=600.0, ends_min=500.0)
    with pytest.raises(InputError, match="expected one of"):
        Shift(days=("Monday",))


def test_a_workshop_that_never_opens_is_refused():
    shut = workshop(closed=tuple(range(70)))
    with pytest.raises(InputError, match="workshop: closed on all of 65 days"):
        World.of(fleet(workshop=shut), days=5)


def test_a_fleet_tells_how_long_its_workshop_is_open():
    described = fleet(workshop=workshop(shifts=(Shift(begins_min=480.0, ends_min=960.0),), closed=(4,)))
    assert described.opening_minutes(3, 5).tolist() == [480.0, 0.0, 0.0, 0.0, 480.0]
    assert described.opening_minutes(5, 2).tolist() == [0.0, 0.0]
