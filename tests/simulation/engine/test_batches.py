import numpy as np
import pytest

from tests.simulation.lines import PERFECT, exponential, fixed, log_of
from twinloop.simulation import Line, Material, Operators, Source, Station, Transport, Variant
from twinloop.simulation.events.log import BLOCKED, DELIVER, ENTER, QUEUE, RUNNING, SETUP, SHIP, STARVED


def oven_line(*, wait: float | None = None, every: float | None = None, buffer: int = 3, **oven) -> Line:
    """A cutter of one minute and an oven of five for three parts; with `every` parts come at the oven only."""
    stations = [Station(name="oven", cycle=fixed(5.0), batch=3, batch_wait_min=wait, **oven)]
    if every is None:
        stations.insert(0, Station(name="cut", cycle=fixed(1.0)))
    source = Source(interarrival=fixed(every) if every else None)
    return Line(source=source, stations=tuple(stations), buffers=(buffer,) * (len(stations) - 1), inspection=PERFECT)


def shipped(log):
    return log.time[log.event == SHIP].tolist()


def test_a_batch_begins_when_the_last_of_its_parts_has_come():
    log = log_of(oven_line(), minutes=20.0)
    # The next three are ready before the oven is: 3–8, 8–13, 13–18.
    assert shipped(log) == [8.0] * 3 + [13.0] * 3 + [18.0] * 3
    oven = log.time_in_states()[2]
    assert (oven[STARVED - STARVED], oven[RUNNING - STARVED]) == (3.0, 17.0)
    # The cutter waits for the oven to empty the buffer.
    assert log.time[(log.event == BLOCKED) & (log.entity == 1)].tolist() == [7.0, 11.0, 16.0]


def test_every_part_of_a_batch_is_running_at_the_oven():
    log = log_of(oven_line(), minutes=7.0 + 1.5)
    begins = (log.event == RUNNING) & (log.entity == 2) & (log.time == 3.0)
    assert sorted(log.part[begins].tolist()) == [0, 1, 2]
    assert log.part[log.event == QUEUE].tolist()[:3] == [0, 1, 2]


@pytest.mark.parametrize(
    ("wait", "expected"),
    [
        # Parts at 10, 20, 30, …; the first may wait 12 minutes, then two go.
        (12.0, [27.0, 27.0, 47.0, 47.0, 67.0, 67.0]),
        # The third comes in time: full batches.
        (20.5, [35.0, 35.0, 35.0, 65.0, 65.0, 65.0]),
        (None, [35.0, 35.0, 35.0, 65.0, 65.0, 65.0]),
        # No patience: every part goes alone.
        (0.0, [15.0, 25.0, 35.0, 45.0, 55.0, 65.0]),
    ],
)
def test_an_impatient_batch_starts_with_fewer(wait, expected):
    log = log_of(oven_line(wait=wait, every=10.0), minutes=68.0)
    assert shipped(log) == expected


def test_what_came_while_the_oven_worked_goes_at_once_when_patience_is_over():
    log = log_of(oven_line(wait=0.0, every=1.0), minutes=17.0)
    # Part 0 alone 1–6; four have come by then, three go 6–11, and so on.
    assert shipped(log) == [6.0] + [11.0] * 3 + [16.0] * 3


def test_two_ovens_take_turns():
    log = log_of(oven_line(servers=2, every=1.0), minutes=15.0)
    begins = {(float(t), int(e)) for t, e in zip(log.time, log.entity, strict=True) if t and e} & {
        (3.0, 1),
        (6.0, 2),
        (9.0, 1),
        (12.0, 2),
    }
    assert len(begins) == 4
    assert shipped(log) == [8.0] * 3 + [11.0] * 3 + [14.0] * 3


def test_a_batch_takes_as_long_as_its_slowest_part_and_is_set_up_for_it():
    variants = (Variant(name="thin", cycle_factor=0.5), Variant(name="thick", cycle_factor=2.0))
    oven = Station(name="oven", cycle=fixed(4.0), batch=2, setup=fixed(1.0))
    line = Line(source=Source(variants=variants, plan="levelled"), stations=(oven,), inspection=PERFECT)
    log = log_of(line, minutes=25.0)
    assert shipped(log) == [8.0, 8.0, 16.0, 16.0, 24.0, 24.0]
    assert not (log.event == SETUP).any()  # always the same slowest variant


def test_a_batch_takes_material_for_each_part_and_one_operator():
    oven = Station(name="oven", cycle=fixed(5.0), batch=3, materials={"gas": 2.0})
    line = Line(
        stations=(Station(name="cut", cycle=fixed(1.0)), oven),
        buffers=(3,),
        inspection=PERFECT,
        materials=(Material(name="gas", initial=6, reorder_at=0, order_quantity=6, lead_time=fixed(10.0)),),
        operators=(Operators(name="ann", skills=("oven",)),),
    )
    log = log_of(line, minutes=25.0)
    # Gas for one batch; ordered at 3 and, for the batch that waits from 8 on, at 8: there at 13 and 18.
    assert shipped(log) == [8.0] * 3 + [18.0] * 3 + [23.0] * 3
    assert log.value[log.event == DELIVER].tolist()[:3] == [6.0, -6.0, 6.0]
    assert log.time_in_states()[3, RUNNING - STARVED] == 15.0


def test_the_parts_of_a_batch_leave_one_by_one_as_there_is_room():
    stations = (Station(name="oven", cycle=fixed(6.0), batch=3), Station(name="pack", cycle=fixed(2.0)))
    log = log_of(Line(stations=stations, buffers=(1,), inspection=PERFECT), minutes=21.0)
    # All three are done at 6; the last waits for room until the first is packed.
    assert shipped(log) == [8.0, 10.0, 12.0, 16.0, 18.0, 20.0]
    assert log.time[(log.event == BLOCKED) & (log.entity == 1)].tolist() == [6.0, 14.0]


def test_batches_come_together_from_vehicles_too():
    line = oven_line()
    line = Line(stations=line.stations, buffers=(3,), inspection=PERFECT, transport=Transport(fleet=1, trip=fixed(2.0)))
    # Trips begin at 1, 3, 5, …: the third part is there at 7, the sixth at 13.
    assert shipped(log_of(line, minutes=19.0)) == [12.0] * 3 + [18.0] * 3


def test_full_batches_wait_as_long_as_in_theory():
    # M/M^[2]/1 (Gross et al., Fundamentals of Queueing Theory, 5th ed., 4.2.1), λ = μ = 1: r is the root of
    # r³ - 2r + 1 in (0, 1), p0 = (1 - r)/2, p1 = p0 (1 + r), pn = p0 r^(n-2), and W = L / λ.
    root = (np.sqrt(5) - 1) / 2
    empty = (1 - root) / 2
    n = np.arange(2, 200)
    number = empty * (1 + root) + empty * float((n * root ** (n - 2.0)).sum())
    desk = Station(name="desk", cycle=exponential(), batch=2)
    log = log_of(
        Line(source=Source(interarrival=exponential()), stations=(desk,), inspection=PERFECT), minutes=50_000.0
    )
    left = log.event == SHIP
    stay = (log.time[left] - log.time[log.event == ENTER][log.part[left]]).mean()
    assert stay == pytest.approx(number, rel=0.04)
