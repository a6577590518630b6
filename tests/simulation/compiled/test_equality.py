"""The compiled engine against the SimPy engine: the same rows in the same order, so the same departures."""

import contextlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.lines import PERFECT, camera_line, curve, exponential, fixed, queue, serial_line
from tests.simulation.networks import closed, routed
from twinloop.errors import RunError
from twinloop.simulation import (
    AssumedRates,
    Crew,
    Distribution,
    Initial,
    Inspection,
    Joint,
    Line,
    Material,
    Operators,
    Order,
    Rework,
    Shift,
    Source,
    Span,
    Station,
    Variant,
)
from twinloop.simulation.compiled import run as compiled
from twinloop.simulation.engine import run as simpy_engine
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.events.log import BLOCKED, DOWN, EVENTS, QUEUE, REINSPECT, SCRAP, SETUP, SHIP, SPAN, EventLog

COLUMNS = ("time", "event", "entity", "part", "condition", "value")


def both(line: Line, *, minutes: float, seed: int = 1, gate: Gate | None = None, latency_ms: float = 0.0) -> EventLog:
    """The log of both engines, after comparing them; or the same error from both."""
    how = {"seed": seed, "replication": 3, "minutes": minutes, "latency_ms": latency_ms}
    gate = gate or Gate.of(line.inspection.assumed.curve())
    logs, errors = [], []
    for engine in (simpy_engine, compiled):
        try:
            logs.append(engine.simulate(line, gate, **how))
        except RunError as error:
            errors.append(str(error))
    if errors:
        assert len(errors) == 2
        assert errors[0] == errors[1]
        raise RunError(errors[0])
    expected, found = logs
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    assert (found.entities, found.classes, found.horizon) == (expected.entities, expected.classes, expected.horizon)
    return found


def unreliable(name: str, *, cycle: Distribution, clock: str = "operation", **fields: object) -> Station:
    values = {"failure": exponential(30.0), "repair": exponential(6.0), "failure_clock": clock} | fields
    return Station(name=name, cycle=cycle, **values)


TWO = (Variant(name="a"), Variant(name="b", share=2.0, cycle_factor=1.5))
THREE = (Variant(name="a", priority=2), Variant(name="b", priority=1, cycle_factor=0.5), Variant(name="c", priority=1))
DEFECTS = Inspection(assumed=AssumedRates(defect_rate=0.3, escape_rate=0.3, false_reject_rate=0.2))
DOUBTS = curve(accept=0.3, reject=0.7, prevalence=(0.6, 0.4))
PEOPLE = (
    Operators(name="early", count=2, skills=("saw", "pack"), shifts=(Shift(start_min=0, end_min=240),)),
    Operators(name="day", skills=("saw", "camera", "rework")),
    Operators(
        name="split", skills=("pack",), shifts=(Shift(start_min=100, end_min=200), Shift(start_min=300, end_min=480))
    ),
)
LINES = {
    "exponential": serial_line(4, buffer=2),
    "no buffers": serial_line(3, buffer=0),
    "breakdowns of operation": serial_line(3, buffer=4, failure=40.0, repair=8.0),
    "ties everywhere": Line(
        stations=tuple(
            Station(name=f"m{number}", cycle=fixed(1.0 + number % 2), servers=1 + number % 2) for number in range(4)
        ),
        buffers=(0, 1, 2),
        inspection=PERFECT,
    ),
    "breakdowns of the calendar": Line(
        stations=(
            unreliable("slow", cycle=fixed(3.0), clock="calendar"),
            unreliable("fast", cycle=fixed(1.0), clock="calendar", servers=2),
            unreliable("last", cycle=exponential(2.0), clock="calendar"),
        ),
        buffers=(1, 2),
        inspection=PERFECT,
    ),
    "set-ups and lots": Line(
        source=Source(variants=TWO, lot_size=4, plan="grouped"),
        stations=(
            unreliable("press", cycle=fixed(1.0), setup=fixed(5.0), clock="calendar"),
            unreliable("pack", cycle=exponential(1.0), setup=exponential(3.0)),
        ),
        buffers=(3,),
        inspection=PERFECT,
    ),
    "several servers, arrivals": queue(arrivals=2.4, servers=3),
    "a crew with priorities": Line(
        stations=tuple(
            unreliable(
                f"m{number}", cycle=fixed(1.0), clock=clock, repair_priority=2 - number, repair=exponential(20.0)
            )
            for number, clock in enumerate(("operation", "calendar", "operation"))
        ),
        buffers=(2, 2),
        crew=Crew(size=1),
        inspection=PERFECT,
    ),
    "inspection, no rework": camera_line(defect_rate=0.3, escape_rate=0.2),
    "rework and a return to the press": camera_line(
        rework=Rework(cycle=fixed(0.5), servers=2, buffer=2, max_times=2, returns_to="press"),
        defect_rate=0.4,
        escape_rate=0.3,
    ),
    "rework that waits": camera_line(
        rework=Rework(cycle=exponential(1.0), buffer=3, max_times=1, when_full="wait", success=0.4),
        defect_rate=0.2,
        escape_rate=0.1,
    ),
    "routes, one of them re-entrant": Line(
        source=Source(
            interarrival=exponential(4.0),
            variants=(
                Variant(name="a", route=("saw", "oven", "saw", "pack")),
                Variant(name="b", route=("oven", "pack"), cycle_factor=0.5),
            ),
        ),
        stations=(
            Station(name="saw", cycle=exponential(1.0), setup=fixed(0.5)),
            unreliable("oven", cycle=fixed(2.0), queue=3),
            Station(name="pack", cycle=exponential(1.0), servers=2, queue=0),
        ),
        inspection=PERFECT,
    ),
    "a full entry": Line(
        source=Source(interarrival=exponential(1.0), variants=(Variant(name="a", route=("saw", "pack")),)),
        stations=(
            Station(name="saw", cycle=exponential(1.0), queue=1),
            Station(name="pack", cycle=exponential(1.0), queue=1),
        ),
        inspection=PERFECT,
    ),
    "branches": Line(
        source=Source(interarrival=exponential(2.0)),
        stations=(
            Station(name="a", cycle=exponential(0.8), next={"b": 0.5, "c": 0.3}),
            Station(name="b", cycle=exponential(1.0), servers=2, next={"a": 0.2, "c": 0.8}),
            Station(name="c", cycle=exponential(0.5)),
        ),
        inspection=PERFECT,
    ),
    "inspection on a route": Line(
        source=Source(
            variants=(Variant(name="a", route=("saw", "camera", "pack")), Variant(name="b", route=("saw", "pack")))
        ),
        stations=(
            Station(name="saw", cycle=fixed(1.0)),
            Station(name="camera", cycle=fixed(0.5), inspects=True, queue=2),
            Station(name="pack", cycle=exponential(0.5), queue=1),
        ),
        inspection=DEFECTS,
        rework=Rework(cycle=exponential(1.0), max_times=3, buffer=2),
    ),
    "a set-up matrix, cycles of variants, unequal machines": Line(
        source=Source(variants=THREE, plan="grouped", lot_size=2),
        stations=(
            unreliable(
                "press",
                cycle=exponential(1.0),
                servers=2,
                speeds=(1.0, 0.4),
                cycles={"b": fixed(2.0)},
                setups={"a": {"b": fixed(3.0)}, "c": {"a": exponential(1.0), "b": fixed(0.5)}},
            ),
            Station(name="pack", cycle=fixed(1.0), setup=fixed(0.5), setups={"b": {"c": exponential(2.0)}}),
        ),
        buffers=(2,),
        inspection=PERFECT,
    ),
    "loss when full": Line(
        source=Source(interarrival=exponential(0.7), variants=THREE, when_full="lose"),
        stations=(Station(name="desk", cycle=exponential(1.0), queue=2), Station(name="till", cycle=fixed(1.0))),
        buffers=(1,),
        inspection=PERFECT,
    ),
    "priorities, also of those outside": Line(
        source=Source(interarrival=exponential(1.1), variants=THREE),
        stations=(Station(name="desk", cycle=exponential(1.0), queue=4), Station(name="till", cycle=exponential(0.8))),
        buffers=(3,),
        inspection=PERFECT,
    ),
    "orders with priorities, parts at the start": Line(
        source=Source(
            variants=THREE,
            orders=(
                Order(name="two", variant="b", quantity=90, release_min=100.0),
                Order(name="one", variant="c", quantity=300),
                Order(name="urgent", variant="a", quantity=40, release_min=300.5, priority=0),
            ),
        ),
        stations=(Station(name="saw", cycle=exponential(1.0), servers=2), unreliable("pack", cycle=fixed(0.7))),
        buffers=(5,),
        initial=(Initial(station="pack", variant="c", quantity=3), Initial(station="saw", quantity=9)),
        inspection=PERFECT,
    ),
    "orders before parts that were there": Line(
        source=Source(variants=THREE, orders=(Order(name="one", variant="b", quantity=50),)),
        stations=(Station(name="saw", cycle=exponential(1.0)),),
        initial=(Initial(station="saw", variant="a", quantity=4),),
        inspection=PERFECT,
    ),
    "operators and a crew with shifts": Line(
        minutes_per_day=480.0,
        stations=(
            unreliable("saw", cycle=exponential(1.0), servers=2, clock="calendar"),
            Station(name="camera", cycle=fixed(0.5), inspects=True),
            unreliable("pack", cycle=exponential(1.0)),
        ),
        buffers=(3, 2),
        inspection=DEFECTS,
        rework=Rework(cycle=exponential(1.0), servers=2),
        operators=PEOPLE,
        crew=Crew(size=1, shifts=(Shift(start_min=60, end_min=480),)),
    ),
    "operators who are always there": Line(
        stations=tuple(Station(name=name, cycle=exponential(1.0), servers=2) for name in ("saw", "pack")),
        buffers=(3,),
        inspection=PERFECT,
        operators=(Operators(name="team", count=2, skills=("saw", "pack")),),
    ),
    "materials": Line(
        source=Source(interarrival=exponential(1.5)),
        stations=(
            Station(name="saw", cycle=exponential(1.0), materials={"steel": 1.5, "oil": 0.1}),
            unreliable("pack", cycle=exponential(0.5), servers=2, clock="calendar", materials={"box": 1.0}),
        ),
        buffers=(3,),
        inspection=PERFECT,
        materials=(
            Material(name="steel", initial=30.0, reorder_at=20.0, order_quantity=10.0, lead_time=exponential(20.0)),
            Material(name="oil", initial=1e6),
            Material(name="box", initial=0.0, reorder_at=3.0, order_quantity=2.0, lead_time=fixed(4.0)),
        ),
    ),
    "many deliveries on their way": Line(
        stations=(Station(name="saw", cycle=fixed(0.5), materials={"steel": 1.0}),),
        inspection=PERFECT,
        materials=(Material(name="steel", initial=400.0, reorder_at=399.0, lead_time=exponential(90.0)),),
    ),
    "a closed network": closed(7),
    "a closed network on routes, durations in rows": routed(9),
    "a population on a serial line, people shared": Line(
        source=Source(population=12, variants=TWO, lot_size=2),
        stations=(
            Station(name="think", cycle=exponential(4.0), unlimited=True),
            unreliable("saw", cycle=exponential(0.5), servers=2),
            Station(name="rest", cycle=Distribution(kind="empirical", values=(0.0, 0.0, 1.0)), unlimited=True),
            unreliable("pack", cycle=exponential(0.4), servers=2, clock="calendar", setup=fixed(0.1)),
        ),
        buffers=(9, 20, 1),
        spans=(Span(name="work", start="saw", end="pack"), Span(name="round", start="think", end="pack", variant="b")),
        operators=(Operators(name="core", count=2, skills=("saw", "pack")),),
        inspection=PERFECT,
    ),
    "spans of parts that come and go, durations in rows": Line(
        source=Source(interarrival=exponential(2.0), variants=THREE, when_full="lose"),
        stations=(
            Station(name="cut", cycle=Distribution(kind="empirical", values=(0.5, 1.0, 4.0)), queue=2),
            Station(name="cool", cycle=exponential(5.0), unlimited=True),
            Station(name="pack", cycle=Distribution(kind="empirical", values=(0.1, 1.0, 1.5)), servers=2),
        ),
        buffers=(0, 4),
        spans=(Span(name="all", start="cut", end="pack"), Span(name="cooling", start="cool", end="cool", variant="b")),
        joint=Joint(stations=("pack", "cut"), renewed_at="cut"),
        inspection=PERFECT,
    ),
    "spans through rework": replace(
        camera_line(rework=Rework(cycle=exponential(1.0), servers=2, max_times=2, returns_to="press"), defect_rate=0.4),
        spans=(Span(name="checked", start="press", end="camera"), Span(name="look", start="camera", end="camera")),
    ),
    "every distribution": Line(
        stations=tuple(
            Station(name=f"m{number}", cycle=cycle)
            for number, cycle in enumerate(
                (
                    Distribution(kind="weibull", mean=1.0, cv=0.5),
                    Distribution(kind="gamma", mean=1.0, cv=1.2),
                    Distribution(kind="lognormal", mean=1.0, cv=0.8),
                    Distribution(kind="triangular", low=0.5, mode=0.5, high=2.0),
                    Distribution(kind="uniform", low=0.0, high=2.0),
                    Distribution(kind="geometric", mean=1.5),
                    Distribution(kind="empirical", values=(0.0, 0.5, 2.0)),
                )
            )
        ),
        buffers=(2,) * 6,
        inspection=PERFECT,
    ),
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_both_engines_write_the_same_rows(line):
    log = both(line, minutes=1500.0)
    assert np.isin(log.event, (SHIP, SPAN)).sum() > 20


def test_the_lines_compared_make_every_kind_of_row():
    happened = set()
    for name in ("a crew with priorities", "set-ups and lots", "rework that waits", "routes, one of them re-entrant"):
        happened |= set(both(LINES[name], minutes=800.0).event.tolist())
    assert {DOWN, SETUP, BLOCKED, QUEUE, SCRAP} <= happened
    both(camera_line(), minutes=500.0, gate=Gate.of(DOUBTS))


def test_both_engines_agree_with_second_looks_and_latency():
    rework = Rework(cycle=fixed(0.5), success_by_class={"crack": 0.9}, max_times=2)
    line = camera_line(rework=rework, max_looks=3)
    for undecided in ("accept", "reject"):
        log = both(
            line.with_({"inspection.undecided": undecided}), minutes=2000.0, gate=Gate.of(DOUBTS), latency_ms=9000.0
        )
        assert {EVENTS[event] for event in log.event} >= {"re-inspect", "reject", "accept", "scrap"}


def test_both_engines_agree_on_parts_unlike_anything_learnt():
    line = camera_line(rework=Rework(cycle=fixed(0.5), max_times=2), max_looks=3)
    plain = both(line, minutes=500.0, gate=Gate.of(DOUBTS))
    unlike = both(line.with_({"inspection.unlike_share": 0.2}), minutes=500.0, gate=Gate.of(DOUBTS))
    assert (unlike.event == REINSPECT).sum() > (plain.event == REINSPECT).sum()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            Line(
                source=Source(
                    interarrival=exponential(1.0), variants=(Variant(name="a", route=("saw", "oven", "saw")),)
                ),
                stations=(
                    Station(name="saw", cycle=exponential(1.0), queue=1),
                    Station(name="oven", cycle=exponential(1.0), queue=0),
                ),
                inspection=PERFECT,
            ),
            "stands still from minute",
        ),
        (Line(stations=(Station(name="oven", cycle=fixed(1e9)),), inspection=PERFECT), "no part left line"),
    ],
    ids=["deadlock", "nothing leaves"],
)
def test_a_line_that_stops_is_reported_in_the_same_words(line, expected):
    with pytest.raises(RunError, match=expected):
        both(line, minutes=3000.0)


means = st.sampled_from([0.5, 1.0, 1.5, 2.0]) | st.floats(0.5, 4.0)
durations = st.one_of(
    means.map(fixed),
    means.map(exponential),
    st.builds(lambda mean, cv: Distribution(kind="gamma", mean=mean, cv=cv), means, st.floats(0.2, 1.5)),
    st.just(Distribution(kind="geometric", mean=2.0)),
    st.just(Distribution(kind="empirical", values=(0.0, 1.0, 1.0, 3.0))),
)


shifts = st.sampled_from(
    [(), (Shift(start_min=0, end_min=100),), (Shift(start_min=10, end_min=30), Shift(start_min=30, end_min=80))]
)
order_books = st.lists(
    st.builds(
        Order,
        name=st.sampled_from(["one", "two", "three"]),
        variant=st.sampled_from(["a", "b"]),
        quantity=st.integers(1, 30),
        release_min=st.sampled_from([0.0, 7.25, 50.0]),
        priority=st.none() | st.integers(0, 2),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda order: order.name,
).map(tuple)


def teams(names: list[str], name: str) -> st.SearchStrategy[Operators]:
    skills = st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True).map(tuple)
    return st.builds(Operators, name=st.just(name), count=st.integers(1, 2), skills=skills, shifts=shifts)


@st.composite
def stations(draw: st.DrawFn, index: int, *, inspects: bool, **more: object) -> Station:
    fails = draw(st.booleans())
    return Station(
        name=f"m{index}",
        cycle=draw(durations),
        servers=draw(st.integers(1, 3)),
        setup=draw(st.none() | durations),
        failure=draw(st.sampled_from([fixed(10.0), exponential(30.0)])) if fails else None,
        failure_clock=draw(st.sampled_from(["operation", "calendar"])),
        repair=draw(durations) if fails else None,
        repair_priority=draw(st.integers(0, 2)),
        inspects=inspects,
        cycles=draw(st.just({}) | durations.map(lambda own: {"b": own})),
        setups=draw(st.just({}) | durations.map(lambda own: {"a": {"b": own}})),
        materials=draw(st.dictionaries(st.sampled_from(["steel", "oil"]), st.sampled_from([0.5, 2.0]))),
        **more,
    )


@st.composite
def lines(draw: st.DrawFn) -> Line:
    count = draw(st.integers(1, 4))
    inspecting = draw(st.none() | st.integers(0, count - 1))
    way = draw(st.sampled_from(["serial", "serial", "routes", "branches"]))
    names = [f"m{index}" for index in range(count)]
    more: list[dict[str, object]] = [{} for _ in range(count)]
    routes: list[tuple[str, ...] | None] = [None, None]
    if way == "routes":
        routes = draw(
            st.lists(st.lists(st.sampled_from(names), min_size=1, max_size=5).map(tuple), min_size=2, max_size=2)
        )
    if way == "branches":
        shares = [
            draw(st.dictionaries(st.sampled_from(names), st.floats(0.05, 0.9 / count), min_size=1)) for _ in names
        ]
        more = [{"next": share} for share in shares]
    if way != "serial":
        rooms = [draw(st.none() | st.integers(0, 3)) for _ in names]
        more = [fields | {"queue": room} for fields, room in zip(more, rooms, strict=True)]
    rework = None
    if inspecting is not None:
        back = st.sampled_from(names[: inspecting + 1]) if way == "serial" else st.none()
        rework = draw(
            st.none()
            | st.builds(
                Rework,
                cycle=durations,
                servers=st.integers(1, 2),
                buffer=st.integers(1, 3),
                max_times=st.integers(1, 3),
                when_full=st.sampled_from(["scrap", "wait"]),
                returns_to=back,
            )
        )
    interarrival = draw(st.none() | durations) if way == "serial" else draw(durations)
    orders: tuple[Order, ...] = ()
    if interarrival is not None and draw(st.booleans()):
        interarrival, orders = None, draw(order_books)
    made = [draw(stations(index, inspects=index == inspecting, **fields)) for index, fields in enumerate(more)]
    made = [
        replace(station, speeds=tuple(draw(st.sampled_from([0.5, 1.0])) for _ in range(station.servers)))
        if draw(st.booleans())
        else station
        for station in made
    ]
    if way == "serial" and (interarrival is not None or orders):
        made[0] = replace(made[0], queue=draw(st.none() | st.integers(0, 3)))
    never_full = way != "serial" or interarrival is not None
    initial = [Initial(station="m0", quantity=2)] if never_full and made[0].queue is None and way != "routes" else []
    return Line(
        minutes_per_day=100.0,
        source=Source(
            interarrival=interarrival,
            orders=orders,
            variants=(
                Variant(name="a", route=routes[0], priority=draw(st.integers(0, 1))),
                Variant(name="b", cycle_factor=0.5, route=routes[1]),
            ),
            lot_size=draw(st.integers(1, 3)),
            plan=draw(st.sampled_from(["fifo", "grouped"])),
            when_full=draw(st.sampled_from(["wait", "lose"])) if interarrival is not None else "wait",
        ),
        stations=tuple(made),
        initial=tuple(initial),
        materials=(
            Material(name="steel", initial=5.0, reorder_at=draw(st.integers(0, 9)), lead_time=draw(durations)),
            Material(name="oil", initial=draw(st.sampled_from([100.0, 1e6]))),
        ),
        operators=tuple(
            draw(st.lists(teams(names, "team"), max_size=1)) + draw(st.lists(teams(names, "others"), max_size=1))
        ),
        buffers=tuple(draw(st.integers(0, 3)) for _ in range(count - 1)) if way == "serial" else (),
        inspection=Inspection(
            max_looks=draw(st.integers(1, 3)),
            assumed=AssumedRates(defect_rate=0.3, escape_rate=0.3, false_reject_rate=0.2, repeatability=0.5),
        ),
        rework=rework,
        crew=draw(st.none() | st.builds(Crew, size=st.integers(1, 2), shifts=shifts)),
    )


@settings(max_examples=100, deadline=None)
@given(lines(), st.integers(0, 10_000))
def test_whatever_the_line_both_engines_write_the_same_rows(line, seed):
    # A line that stops does so in both engines, in the same words: `both` has compared them.
    with contextlib.suppress(RunError):
        both(line, minutes=200.0, seed=seed)


OBSERVED = Distribution(kind="empirical", values=(0.0, 0.5, 1.0, 3.0))


@st.composite
def populations(draw: st.DrawFn) -> Line:
    count = draw(st.integers(1, 3))
    names = ["rest", *(f"m{index}" for index in range(count))]
    made = [draw(stations(index, inspects=False)) for index in range(count)]
    made = [
        Station(name=station.name, cycle=station.cycle, unlimited=True) if draw(st.integers(0, 3)) == 0 else station
        for station in made
    ]
    joint = None
    if draw(st.booleans()):
        made = [replace(station, cycle=OBSERVED, cycles={}) for station in made]
        renewed_at, resampled = draw(st.sampled_from(names)), draw(st.booleans())
        joint = Joint(stations=tuple(names[1:]), renewed_at=renewed_at, resampled=resampled)
    on_routes = draw(st.booleans())
    way = st.lists(st.sampled_from(names), max_size=4).map(lambda more: ("rest", *more))
    free = [station.name for station in made if not station.unlimited]
    return Line(
        minutes_per_day=100.0,
        source=Source(
            population=draw(st.integers(1, 9)),
            variants=(
                Variant(name="a", route=draw(way) if on_routes else None, priority=draw(st.integers(0, 1))),
                Variant(name="b", route=draw(way) if on_routes else None, cycle_factor=0.5),
            ),
        ),
        stations=(Station(name="rest", cycle=draw(durations), unlimited=True), *made),
        buffers=() if on_routes else tuple(draw(st.integers(0, 3)) for _ in made),
        spans=tuple(
            Span(
                name=f"span{number}",
                start=draw(st.sampled_from(names)),
                end=draw(st.sampled_from(names)),
                variant=draw(st.none() | st.sampled_from(["a", "b"])),
            )
            for number in range(draw(st.integers(1, 3)))
        ),
        joint=joint,
        materials=(
            Material(name="steel", initial=5.0, reorder_at=draw(st.integers(0, 9)), lead_time=draw(durations)),
            Material(name="oil", initial=1e6),
        ),
        operators=(draw(teams(free, "team")),) if free and draw(st.booleans()) else (),
        inspection=PERFECT,
        crew=draw(st.none() | st.builds(Crew, size=st.integers(1, 2), shifts=shifts)),
    )


@settings(max_examples=60, deadline=None)
@given(populations(), st.integers(0, 10_000))
def test_whatever_the_population_both_engines_write_the_same_rows(line, seed):
    with contextlib.suppress(RunError):
        both(line, minutes=150.0, seed=seed)
