from collections import Counter
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.lines import PERFECT, fixed, log_of
from twinloop.replication.streams import Streams
from twinloop.simulation import Line, Order, Source, Station, Variant
from twinloop.simulation.engine.source import variant_sequence
from twinloop.simulation.events.log import ENTER


def variants_of(source: Source, count: int) -> list[int]:
    return list(islice(variant_sequence(source, Streams(1, 0)), count))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(1, 4))
def test_levelled_variants_are_never_a_lot_away_from_their_share(shares, lot):
    variants = tuple(Variant(name=f"v{number}", share=share) for number, share in enumerate(shares))
    parts = variants_of(Source(variants=variants, plan="levelled", lot_size=lot), 60 * lot)
    for made in range(lot, len(parts) + 1, lot):
        counts = Counter(parts[:made])
        for number, share in enumerate(shares):
            assert abs(counts[number] / lot - made / lot * share / sum(shares)) < len(shares)
    period = sum(shares) * lot
    assert Counter(parts[:period]) == {
        number: share * lot for number, share in enumerate(shares) if period <= len(parts)
    }


def test_levelled_variants_need_no_luck():
    source = Source(variants=(Variant(name="frame"), Variant(name="wheel", share=2.0)), plan="levelled")
    assert variants_of(source, 9) == [1, 0, 1] * 3
    assert variants_of(source, 9) == list(islice(variant_sequence(source, Streams(2, 5)), 9))


def test_orders_are_released_by_minute_then_as_listed():
    orders = (
        Order(name="third", variant="b", quantity=2, release_min=9),
        Order(name="first", variant="b"),
        Order(name="second", variant="a", quantity=3),
    )
    source = Source(variants=(Variant(name="a"), Variant(name="b")), orders=orders)
    assert [order.name for order in source.released] == ["first", "second", "third"]
    assert variants_of(source, 9) == [1, 0, 0, 0, 1, 1]
    assert source.shares == (0.5, 0.5)
    log = log_of(
        Line(source=source, stations=(Station(name="press", cycle=fixed(1.0)),), inspection=PERFECT), minutes=50.0
    )
    assert log.time[log.event == ENTER].tolist() == [0.0] * 4 + [9.0] * 2
    assert log.value[log.event == ENTER].tolist() == [1, 0, 0, 0, 1, 1]


def test_the_share_of_a_variant_is_that_of_its_parts():
    assert Source(variants=(Variant(name="a"), Variant(name="b", share=3.0))).shares == pytest.approx((0.25, 0.75))
