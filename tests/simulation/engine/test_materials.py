import numpy as np
import pytest
from scipy.stats import poisson

from tests.simulation.lines import PERFECT, exponential, fixed, log_of
from twinloop.errors import RunError
from twinloop.simulation import Line, Material, Source, Station
from twinloop.simulation.events.log import DELIVER, NO_PART, RUNNING, SHIP, STARVED


def press_line(material: Material, *, quantity: float = 1.0, servers: int = 1, cycle: float = 2.0) -> Line:
    press = Station(name="press", cycle=fixed(cycle), servers=servers, materials={material.name: quantity})
    return Line(stations=(press,), materials=(material,), inspection=PERFECT)


def test_a_station_starves_until_the_delivery_comes():
    steel = Material(name="steel", initial=2, reorder_at=0, order_quantity=3, lead_time=fixed(5.0))
    log = log_of(press_line(steel), minutes=22.5)
    # Taken at 0 and 2, ordered at 2, there at 7; taken at 7, 9 and 11, ordered at 11, there at 16.
    assert log.time[log.event == SHIP].tolist() == [2.0, 4.0, 9.0, 11.0, 13.0, 18.0, 20.0, 22.0]
    assert log.time_in_states()[1, STARVED - STARVED] == 6.5
    waits = (log.event == STARVED) & (log.entity == 1)
    assert log.time[waits].tolist() == [4.0, 13.0, 22.0]
    assert log.part[waits].tolist() == [2, 5, 8]  # the part is there: only its material is missing


def test_the_log_tells_the_level_of_a_stock_at_all_times():
    steel = Material(name="steel", initial=2, reorder_at=0, order_quantity=3, lead_time=fixed(5.0))
    log = log_of(press_line(steel), minutes=12.0)
    changes = log.event == DELIVER
    assert set(log.entity[changes].tolist()) == {log.entities.index("steel")}
    assert set(log.part[changes].tolist()) == {NO_PART}
    assert list(zip(log.time[changes].tolist(), log.value[changes].tolist(), strict=True)) == [
        (0.0, 2.0),
        (0.0, -1.0),
        (2.0, -1.0),
        (7.0, 3.0),
        (7.0, -1.0),
        (9.0, -1.0),
        (11.0, -1.0),
    ]


def test_ordering_in_time_keeps_the_station_busy():
    steel = Material(name="steel", initial=3, reorder_at=2, order_quantity=3, lead_time=fixed(3.0))
    assert log_of(press_line(steel), minutes=100.0).time_in_states()[1].tolist() == [0.0, 100.0, *[0.0] * 6]


def test_as_many_order_quantities_as_are_missed_come_together():
    screws = Material(name="screws", initial=0, order_quantity=4, lead_time=fixed(5.0))
    log = log_of(press_line(screws, quantity=10.0), minutes=7.5)
    # 4 ordered at the start; the first part misses 6 more than that, two quantities.
    assert log.value[log.event == DELIVER].tolist() == [4.0, 8.0, -10.0]
    assert log.time[log.event == RUNNING].tolist() == [5.0]


def test_who_waited_first_is_served_first():
    steel = Material(name="steel", initial=0, order_quantity=1, lead_time=fixed(3.0))
    log = log_of(press_line(steel, servers=3, cycle=1.0), minutes=20.0)
    begins = log.event == RUNNING
    assert (np.diff(log.part[begins]) > 0).all()


def test_quantities_that_add_up_only_nearly_are_enough():
    glue = Material(name="glue", initial=0.3)
    with pytest.raises(RunError, match=r"press needs 0.1 of glue in minute 6.0, 0 is left"):
        log_of(press_line(glue, quantity=0.1), minutes=50.0)


def test_a_material_that_never_comes_is_named_with_what_can_be_done():
    steel = Material(name="steel", initial=2)
    with pytest.raises(
        RunError,
        match=r"press needs 1 of steel in minute 4.0, 0 is left and no more comes: give steel a lead_time or a larger",
    ):
        log_of(press_line(steel), minutes=50.0)


def test_a_delivery_beyond_the_horizon_is_named_as_what_all_wait_for():
    steel = Material(name="steel", initial=0, lead_time=fixed(100.0))
    with pytest.raises(RunError, match="no part left line within 50 minutes: press waits for 1 of steel"):
        log_of(press_line(steel), minutes=50.0)


def test_how_often_a_base_stock_fails_is_that_of_the_theory():
    # With one order per part (reorder_at one below the initial stock S) the number on order is Poisson(λL), and a part
    # waits when that is S or more (Palm's theorem). Enough machines that no part waits for another.
    steel = Material(name="steel", initial=6, reorder_at=5, order_quantity=1, lead_time=fixed(4.0))
    line = press_line(steel, servers=30, cycle=0.01)
    line = Line(
        source=Source(interarrival=exponential()), stations=line.stations, materials=line.materials, inspection=PERFECT
    )
    log = log_of(line, minutes=20_000.0)
    waited = (log.event == STARVED) & (log.part != NO_PART)
    share = waited.sum() / len(np.unique(log.part[log.event == RUNNING]))
    assert share == pytest.approx(poisson.sf(5, 4.0), rel=0.06)
