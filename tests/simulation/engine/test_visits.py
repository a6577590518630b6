"""Spans, admission, populations and stations of unlimited servers, minute by minute."""

import dataclasses
from pathlib import Path

import pytest

from tests.simulation.lines import PERFECT, exponential, fixed, log_of
from tests.simulation.networks import closed, routed
from twinloop.errors import InputError, RunError
from twinloop.simulation import EventLog, Line, Order, Source, Span, Station, Variant
from twinloop.simulation.events.log import ENTER, LOSE, QUEUE, RUNNING, SHIP, SPAN

ALL = Span(name="all", start="cut", end="pack")


LOT = Order(name="lot", variant="part", quantity=3)


def shop(*spans: Span, source: Source | None = None, **stations: dict[str, object]) -> Line:
    """A cutter of two minutes and a packer of three; three parts at once."""
    fields = {name: {"cycle": fixed(minutes)} | stations.get(name, {}) for name, minutes in (("cut", 2), ("pack", 3))}
    return Line(
        source=source or Source(orders=(LOT,)),
        stations=tuple(Station(name=name, **own) for name, own in fields.items()),
        buffers=(1,),
        spans=spans,
        inspection=PERFECT,
    )


def ended(log: EventLog, span: str = "all") -> list[tuple[float, int, float]]:
    """Time, part and minutes of everybody who has been through a span."""
    rows = (log.event == SPAN) & (log.entity == log.entities.index(span))
    return list(zip(log.time[rows].tolist(), log.part[rows].tolist(), log.value[rows].tolist(), strict=True))


def test_a_span_lasts_from_coming_to_a_station_to_the_end_of_work_at_another():
    packing = Span(name="packing", start="pack", end="pack")
    log = log_of(shop(ALL, packing), minutes=20)
    assert ended(log) == [(5.0, 0, 5.0), (8.0, 1, 8.0), (11.0, 2, 11.0)]
    # Part 2 comes to be packed at minute 6 and waits until 8.
    assert ended(log, "packing") == [(5.0, 0, 3.0), (8.0, 1, 4.0), (11.0, 2, 5.0)]


def test_a_line_without_spans_writes_the_same_rows_but_theirs():
    with_spans, without = log_of(shop(ALL), minutes=20), log_of(shop(), minutes=20)
    others = with_spans.event != SPAN
    for name in ("time", "event", "entity", "part"):
        assert getattr(with_spans, name)[others].tolist() == getattr(without, name).tolist()


def test_only_the_variant_of_a_span_is_timed():
    orders = (Order(name="one", variant="a"), Order(name="two", variant="b", quantity=2))
    source = Source(variants=(Variant(name="a"), Variant(name="b")), orders=orders)
    line = shop(dataclasses.replace(ALL, variant="b"), source=source)
    assert [part for _, part, _ in ended(log_of(line, minutes=20))] == [1, 2]


def test_tokens_let_in_so_many_and_the_wait_for_one_counts():
    log = log_of(shop(dataclasses.replace(ALL, limit=1)), minutes=20)
    assert ended(log) == [(5.0, 0, 5.0), (10.0, 1, 10.0), (15.0, 2, 15.0)]
    assert log.time[(log.event == RUNNING) & (log.entity == 1)].tolist() == [0.0, 5.0, 10.0]


def test_who_is_urgent_gets_the_next_token():
    orders = (
        Order(name="stock", variant="part", quantity=3),
        Order(name="spare", variant="part", release_min=1, priority=0),
    )
    source = Source(variants=(Variant(name="part", priority=5),), orders=orders)
    line = shop(dataclasses.replace(ALL, limit=1), source=source)
    assert [part for _, part, _ in ended(log_of(line, minutes=30))] == [0, 3, 1, 2]


def test_who_finds_no_token_is_turned_away_and_leaves():
    log = log_of(shop(dataclasses.replace(ALL, limit=2, when_full="lose")), minutes=20)
    lost = log.event == LOSE
    assert log.part[lost].tolist() == [2]
    assert [log.entities[entity] for entity in log.entity[lost]] == ["all"]
    assert log.part[log.event == SHIP].tolist() == [0, 1]


def test_who_leaves_within_a_span_takes_no_token_away():
    ways = {"variants": [{"name": "a", "route": ["cut", "pack"]}, {"name": "b", "route": ["cut"]}]}
    line = shop(dataclasses.replace(ALL, limit=1), cut={"queue": 9}).with_(
        {"buffers": [], "source.variants": ways["variants"], "source.orders": []}
        | {"source.interarrival": {"kind": "deterministic", "mean": 10.0}}
    )
    log = log_of(line, minutes=300)
    assert (log.event == SHIP).sum() == 29
    assert 5 < len(ended(log)) < 25


def test_a_population_goes_round_and_who_is_turned_away_begins_again():
    line = Line(
        source=Source(population=2),
        stations=(Station(name="rest", cycle=fixed(4.0), unlimited=True), Station(name="work", cycle=fixed(5.0))),
        buffers=(5,),
        spans=(Span(name="all", start="work", end="work", limit=1, when_full="lose"),),
        inspection=PERFECT,
    )
    log = log_of(line, minutes=16.5)
    # Both come at minute 4; part 1 is turned away then and at 8, and has its turn at 12, so that part 0 has none at 13.
    assert ended(log) == [(9.0, 0, 5.0)]
    assert list(zip(log.time[log.event == LOSE], log.part[log.event == LOSE], strict=True)) == [(4, 1), (8, 1), (13, 0)]
    assert log.part[log.event == ENTER].tolist() == [0, 1, 1, 1, 0]
    assert not (log.event == SHIP).any()


def test_who_gives_up_in_a_population_begins_again_and_frees_the_token():
    line = Line(
        source=Source(population=2),
        stations=(
            Station(name="rest", cycle=fixed(4.0), unlimited=True),
            Station(name="work", cycle=fixed(3.0), patience=fixed(1.0)),
        ),
        buffers=(5,),
        spans=(Span(name="all", start="work", end="work", limit=2),),
        inspection=PERFECT,
    )
    log = log_of(line, minutes=16)
    # At 4 part 1 waits, gives up at 5, comes at 9 and leaves at 12; part 0 leaves at 7, comes at 11, is served from 12.
    assert ended(log) == [(7.0, 0, 3.0), (12.0, 1, 3.0), (15.0, 0, 4.0)]


def test_everybody_begins_at_once_where_servers_are_unlimited():
    log = log_of(shop(ALL, pack={"unlimited": True}), minutes=20)
    assert ended(log) == [(5.0, 0, 5.0), (7.0, 1, 7.0), (9.0, 2, 9.0)]
    rests = (log.event == QUEUE) & (log.entity == 2)
    assert log.time[rests].tolist() == [2.0, 4.0, 6.0]


@pytest.mark.parametrize("line", [closed(6), routed(7)], ids=["branches", "routes"])
def test_nobody_of_a_population_is_ever_lost_sight_of(line):
    live = line.live(seed=2)
    for minute in (1.0, 50.0, 300.0):
        state = live.run_until(minute).state
        assert len(state.parts) == line.source.population
        assert live.log.replay(line, at=minute).waiting == state.waiting
        assert state.resources == ()
    with pytest.raises(InputError, match="fork: .* has unlimited stations, spans"):
        live.fork(seed=1)


def test_the_log_of_a_population_comes_back_from_its_file(tmp_path: Path):
    line = closed(9).with_({"spans": [{"name": "answer", "start": "s1", "end": "s3", "limit": 1, "when_full": "lose"}]})
    log = log_of(line, minutes=400)
    assert (log.event == LOSE).sum() > 5
    log.save(tmp_path / "events.parquet")
    loaded = EventLog.load(tmp_path / "events.parquet", line=line)
    for name in ("time", "event", "entity", "part"):
        assert getattr(loaded, name).tolist() == getattr(log, name).tolist()


def test_a_span_that_nobody_ends_is_reported_with_its_way():
    never = dataclasses.replace(closed(3), spans=(Span(name="answer", start="s1", end="s3"),))
    with pytest.raises(RunError, match="no part went through a span of network within 0.01 minutes"):
        log_of(never, minutes=0.01)
    line = shop(ALL, Span(name="back", start="pack", end="cut"))
    with pytest.raises(RunError, match="no part has been through span back of line .* leads from pack to cut"):
        line.run(days=1, replications=2, engine="simpy")


def test_a_population_whose_stations_block_each_other_is_reported():
    line = closed(6).with_({"stations.s1.queue": 0, "stations.s2.queue": 0, "stations.s3.queue": 0})
    line = line.with_({"stations.s1.next": {"s2": 1.0}, "stations.s2.next": {"s1": 0.9, "s3": 0.1}})
    with pytest.raises(RunError, match="stands still from minute"):
        log_of(line, minutes=5000)


def test_spans_go_through_a_machine_that_fails_and_waits():
    failing = {"failure": exponential(5.0), "repair": fixed(1.0)}
    log = log_of(shop(ALL, cut=failing), minutes=60)
    shipped = log.time[log.event == SHIP]
    assert [minutes for _, _, minutes in ended(log)] == pytest.approx(shipped.tolist())
