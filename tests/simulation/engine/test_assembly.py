import numpy as np
import pytest

from tests.simulation.lines import PERFECT, curve, fixed, log_of
from twinloop.errors import RunError
from twinloop.simulation import Line, Operators, Order, Source, Station, Transport, Variant
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.events.log import BLOCKED, ENTER, JOIN, QUEUE, RUNNING, SHIP, STARVED

KIT = (Variant(name="frame"), Variant(name="wheel", share=2.0))


def trolley_line(*, buffer: int = 1, **more) -> Line:
    """Frames and wheels in turn from one saw, two wheels built into each frame."""
    stations = (
        Station(name="saw", cycle=fixed(1.0)),
        Station(name="join", cycle=fixed(2.0), assembles={"frame": 1, "wheel": 2}),
    )
    source = Source(variants=KIT, plan="levelled")
    return Line(source=source, stations=stations, buffers=(buffer,), inspection=PERFECT, **more)


def feeders(*orders: Order, queue: int = 1) -> Line:
    """Frames welded in 20 minutes and wheels turned in one, assembled in two."""
    variants = (Variant(name="frame", route=("weld", "join")), Variant(name="wheel", route=("turn", "join")))
    stations = (
        Station(name="weld", cycle=fixed(20.0)),
        Station(name="turn", cycle=fixed(1.0)),
        Station(name="join", cycle=fixed(2.0), assembles={"frame": 1, "wheel": 2}, queue=queue),
    )
    return Line(source=Source(variants=variants, orders=orders), stations=stations, inspection=PERFECT)


def shipped(log):
    return log.time[log.event == SHIP].tolist()


@pytest.mark.parametrize(
    ("buffer", "expected"),
    [
        # The saw needs three minutes for a kit, and the joining goes on meanwhile.
        (1, [5.0, 8.0, 11.0, 14.0]),
        # Without a buffer the saw waits with the next part until the joining is done.
        (0, [5.0, 9.0, 13.0]),
    ],
)
def test_a_kit_is_joined_when_its_last_part_has_come(buffer, expected):
    log = log_of(trolley_line(buffer=buffer), minutes=14.5)
    assert shipped(log) == expected


def test_components_leave_by_being_joined_to_their_main_part():
    log = log_of(trolley_line(), minutes=14.5)
    joins = log.event == JOIN
    assert log.time[joins].tolist() == [3.0, 3.0, 6.0, 6.0, 9.0, 9.0, 12.0, 12.0]
    # Levelled: wheel, frame, wheel; the frames are 1, 4, 7, ….
    assert log.part[joins].tolist() == [0, 2, 3, 5, 6, 8, 9, 11]
    assert log.value[joins].tolist() == [1.0, 1.0, 4.0, 4.0, 7.0, 7.0, 10.0, 10.0]
    assert log.part[log.event == SHIP].tolist() == [1, 4, 7, 10]


def test_a_part_held_while_others_are_missing_is_starved_with_its_number():
    log = log_of(trolley_line(), minutes=5.5)
    waits = (log.event == STARVED) & (log.entity == 2)
    assert list(zip(log.time[waits].tolist(), log.part[waits].tolist(), strict=True)) == [
        (0.0, -1),
        (1.0, 0),
        (2.0, 1),
        (5.0, 3),
        (5.0, 4),
    ]


def test_a_wanted_part_passes_a_full_buffer():
    orders = (Order(name="wheels", variant="wheel", quantity=4), Order(name="frames", variant="frame", quantity=2))
    log = log_of(feeders(*orders), minutes=60.0)
    # Wheels 0 and 1 are in the kit, 2 waits, 3 keeps the turning blocked; the frame comes at 20 all the same.
    assert shipped(log) == [22.0, 42.0]
    assert log.time[log.event == QUEUE].tolist().count(3.0) == 1
    assert log.time[(log.event == BLOCKED) & (log.entity == 2)].tolist() == [4.0]


def test_two_machines_gather_one_kit_after_the_other():
    line = trolley_line().with_({"stations.join.servers": 2, "stations.join.cycle.mean": 6.0})
    log = log_of(line, minutes=16.5)
    # Kits are complete at 3, 6 and 10: from 8 to 9 the saw waits for room until a machine begins to gather again.
    assert shipped(log) == [9.0, 12.0, 16.0]


def test_several_main_parts_can_become_one():
    pair = Station(name="pair", cycle=fixed(1.0), assembles={"half": 2})
    line = Line(source=Source(variants=(Variant(name="half"),)), stations=(pair,), inspection=PERFECT)
    log = log_of(line, minutes=4.5)
    assert shipped(log) == [1.0, 2.0, 3.0, 4.0]
    assert log.part[log.event == SHIP].tolist() == [0, 2, 4, 6]


def test_a_defective_component_makes_the_assembly_defective():
    log = log_of(trolley_line(), minutes=300.0, gate=Gate.of(curve(prevalence=(0.8, 0.2))))
    kind = log.condition[log.event == ENTER]
    joins = log.event == JOIN
    left = log.event == SHIP
    for part, condition in zip(log.part[left], log.condition[left], strict=True):
        built = [part, *log.part[joins][log.value[joins] == part]]
        assert len(built) == 3
        assert (condition > 0) == kind[built].any()
    assert 0.3 < (log.condition[left] > 0).mean() < 0.7  # 1 - .8³ = .49


def test_vehicles_and_operators_serve_an_assembly():
    line = trolley_line(
        transport=Transport(fleet=1, trip=fixed(2.0)), operators=(Operators(name="ann", skills=("join",)),)
    )
    log = log_of(line, minutes=20.0)
    # Trips at 1, 3, 5 | 7, 9, 11 | …: kits are complete at 7, 13, 19.
    assert shipped(log) == [9.0, 15.0]
    assert log.time_in_states()[3, RUNNING - STARVED] == 5.0


def test_parts_in_the_wrong_numbers_stand_still_and_it_is_said_what_is_missing():
    source = Source(
        variants=KIT, orders=(Order(name="a", variant="wheel", quantity=9), Order(name="b", variant="frame"))
    )
    with pytest.raises(
        RunError,
        match=r"stands still from minute 4.0 on: saw waits for room in buffer 1 \(1 of 1\); "
        r"join waits for 1 frame from buffer 1: let parts come in the numbers that are assembled",
    ):
        log_of(Line(source=source, stations=trolley_line().stations, buffers=(1,), inspection=PERFECT), minutes=50.0)


def test_a_standstill_is_noticed_though_parts_go_on_arriving():
    source = Source(variants=KIT, plan="fifo", lot_size=9, interarrival=fixed(1.0))
    line = Line(source=source, stations=trolley_line().stations, buffers=(1,), inspection=PERFECT)
    with pytest.raises(
        RunError, match="stands still from minute .* join waits for .* from buffer 1: let parts come in"
    ):
        log_of(line, minutes=500.0)


def test_an_incomplete_last_kit_is_named():
    orders = (Order(name="wheels", variant="wheel", quantity=3), Order(name="frames", variant="frame", quantity=2))
    with pytest.raises(RunError, match=r"stands still from minute 40.0 on: join waits for 1 wheel from the queue of"):
        log_of(feeders(*orders), minutes=60.0)


def test_pieces_of_work_count_for_the_bottleneck():
    line = trolley_line()
    # Per part that enters: a third of a joining of two minutes, a whole sawing of one.
    assert [line.minutes_per_part(position) for position in (0, 1)] == pytest.approx([1.0, 2 / 3])
    assert line.bottleneck == 0
    assert np.isclose(feeders(Order(name="x", variant="wheel")).minutes_per_part(2), 0.0)
