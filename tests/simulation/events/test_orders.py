import pytest

from tests.simulation.lines import PERFECT, fixed, log_of
from twinloop.errors import InputError
from twinloop.simulation import AssumedRates, Inspection, Line, Order, Source, Station, Variant
from twinloop.simulation.events.orders import orders_frame

VARIANTS = (Variant(name="a", route=("saw", "drill")), Variant(name="b", route=("drill", "saw", "drill")))
ORDERS = (
    Order(name="later", variant="b", quantity=2, release_min=10, due_min=18),
    Order(name="first", variant="a", quantity=3, due_min=9),
    Order(name="second", variant="b", release_min=1),
)


def shop(*orders: Order, inspection: Inspection = PERFECT, **camera) -> Line:
    stations = (Station(name="saw", cycle=fixed(2.0)), Station(name="drill", cycle=fixed(1.0), **camera))
    return Line(source=Source(variants=VARIANTS, orders=orders), stations=stations, inspection=inspection)


def test_orders_are_released_together_and_their_lateness_is_that_of_the_last_part():
    table = orders_frame(log_of(shop(*ORDERS), minutes=30.0), shop(*ORDERS).source)
    # first: saw 0–2, 2–4, 4–6, drill until 3, 5, 7. second: drill 1–2, saw 6–8, drill 8–9.
    # later: drill 10–11, 11–12, saw 11–13, 13–15, drill 13–14, 15–16.
    assert table.select("order", "release_min", "completed_min", "flow_min", "tardiness_min").rows() == [
        ("first", 0.0, 7.0, 7.0, 0.0),
        ("second", 1.0, 9.0, 8.0, None),
        ("later", 10.0, 16.0, 6.0, 0.0),
    ]
    assert table["shipped"].to_list() == table["quantity"].to_list() == [3, 1, 2]


def test_an_order_that_is_not_done_is_late_by_what_is_known():
    table = orders_frame(log_of(shop(*ORDERS), minutes=15.5), shop(*ORDERS).source)
    assert table["completed_min"].to_list() == [7.0, 9.0, None]
    assert table["tardiness_min"].to_list() == [0.0, None, 0.0]
    early = (Order(name="x", variant="a", quantity=9, due_min=4),)
    assert orders_frame(log_of(shop(*early), minutes=10.0), shop(*early).source)["tardiness_min"].to_list() == [6.0]


def test_an_order_whose_release_is_not_reached_has_no_parts():
    orders = (*ORDERS, Order(name="far", variant="a", release_min=100))
    row = orders_frame(log_of(shop(*orders), minutes=30.0), shop(*orders).source).rows(named=True)[-1]
    assert (row["order"], row["shipped"], row["completed_min"]) == ("far", 0, None)


def test_scrapped_parts_complete_an_order_and_are_counted():
    bad = Inspection(max_looks=1, assumed=AssumedRates(defect_rate=1.0, escape_rate=0.0))
    line = shop(Order(name="x", variant="a", quantity=4), inspection=bad, inspects=True)
    row = orders_frame(log_of(line, minutes=30.0), line.source).rows(named=True)[0]
    assert (row["shipped"], row["scrapped"], row["completed_min"]) == (0, 4, 9.0)


def test_when_all_orders_are_done_the_line_waits_for_more_without_complaint():
    log = log_of(shop(*ORDERS), minutes=500.0)
    assert log.time.max() == 16.0


def test_a_log_of_another_source_is_refused():
    log = log_of(shop(*ORDERS), minutes=30.0)
    with pytest.raises(InputError, match="the log has 6 parts, the orders are of 3: give its source"):
        orders_frame(log, Source(variants=VARIANTS, orders=ORDERS[1:2]))
