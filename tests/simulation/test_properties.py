"""What holds for every line, serial or routed, with and without crew, operators, vehicles (hypothesis)."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.lines import fixed, log_of
from twinloop.simulation import AssumedRates, Distribution, Inspection, Line, Rework, Source, Station, Variant
from twinloop.simulation.events.log import ENTER, QUEUE, RUNNING, SCRAP, SHIP, STARVED, STATES
from twinloop.simulation.model.resources import Crew, Operators, Shift, Transport

MINUTES = 400.0
RATES = Inspection(assumed=AssumedRates(defect_rate=0.3, escape_rate=0.3, false_reject_rate=0.2))
means = st.floats(0.5, 4.0)
cycles = st.one_of(
    means.map(lambda mean: Distribution(kind="exponential", mean=mean)),
    means.map(fixed),
    st.builds(lambda mean, cv: Distribution(kind="gamma", mean=mean, cv=cv), means, st.floats(0.2, 1.5)),
    means.map(lambda mean: Distribution(kind="triangular", low=0.0, mode=mean, high=2 * mean)),
)
arrivals = st.floats(3.0, 6.0).map(lambda mean: Distribution(kind="exponential", mean=mean))
reworks = st.none() | st.builds(Rework, cycle=cycles, buffer=st.integers(1, 3), max_times=st.integers(1, 3))
crews = st.none() | st.builds(Crew, size=st.integers(1, 2))
fleets = st.none() | st.builds(Transport, fleet=st.integers(1, 3), trip=means.map(fixed))
rooms = st.integers(0, 3)


@st.composite
def station_tuples(draw):
    count = draw(st.integers(1, 4))
    inspecting = draw(st.integers(0, count - 1))
    unreliable = draw(st.booleans())
    clock = draw(st.sampled_from(["operation", "calendar"]))
    return tuple(
        Station(
            name=f"m{index}",
            cycle=draw(cycles),
            servers=draw(st.integers(1, 2)),
            setup=fixed(1.5) if draw(st.booleans()) else None,
            failure=Distribution(kind="exponential", mean=30.0) if unreliable else None,
            failure_clock=clock,
            repair=Distribution(kind="exponential", mean=6.0) if unreliable else None,
            repair_priority=draw(st.integers(0, 2)),
            inspects=index == inspecting,
        )
        for index in range(count)
    )


@st.composite
def teams(draw, stations):
    """Nobody, or one or two groups of which the second is there for part of the day only."""
    names = [station.name for station in stations]
    skills = st.lists(st.sampled_from(names), min_size=1, unique=True).map(tuple)
    shifts = ((), (Shift(start_min=0.0, end_min=50.0), Shift(start_min=60.0, end_min=100.0)))
    return tuple(
        Operators(name=f"team{number}", count=draw(st.integers(1, 2)), skills=draw(skills), shifts=shifts[number])
        for number in range(draw(st.integers(0, 2)))
    )


@st.composite
def serial_lines(draw):
    stations = draw(station_tuples())
    return Line(
        source=Source(
            interarrival=draw(st.none() | arrivals),
            variants=(Variant(name="a"), Variant(name="b")),
            lot_size=3,
        ),
        stations=stations,
        buffers=tuple(draw(rooms) for _ in stations[1:]),
        inspection=RATES,
        rework=draw(reworks),
        crew=draw(crews),
        operators=draw(teams(stations)),
        transport=draw(fleets),
        minutes_per_day=100.0,
    )


@st.composite
def routed_lines(draw):
    """Parts go forward only and queues are small, or they come again and queues have no limit (no deadlock)."""
    stations, forward, branching = draw(station_tuples()), draw(st.booleans()), draw(st.booleans())
    names = [station.name for station in stations]
    changed = []
    for position in range(len(stations)):
        following = names[position + 1 :] if forward else names
        chosen = draw(st.lists(st.sampled_from(following), max_size=2, unique=True)) if following and branching else []
        changed.append({"queue": draw(rooms) if forward else None, "next": dict.fromkeys(chosen, 0.4)})
    visited = st.lists(st.sampled_from(names), min_size=1, max_size=1 if branching else 5, unique=forward)
    ways = [sorted(way) if forward else way for way in (draw(visited), draw(visited))]
    one_entry = len({way[0] for way in ways}) == 1
    return Line(
        source=Source(
            interarrival=draw(st.none() | arrivals) if one_entry else draw(arrivals),
            variants=tuple(Variant(name=name, route=tuple(way)) for name, way in zip("ab", ways, strict=True)),
        ),
        stations=tuple(
            Station(**{**vars(station), **changes}) for station, changes in zip(stations, changed, strict=True)
        ),
        inspection=RATES,
        rework=draw(reworks),
        crew=draw(crews),
        operators=draw(teams(stations)),
        transport=draw(fleets),
        minutes_per_day=100.0,
    )


lines = st.one_of(serial_lines(), routed_lines())


@settings(max_examples=80, deadline=None)
@given(lines, st.integers(0, 1000))
def test_every_part_that_entered_left_once_or_is_still_there(line, seed):
    log = log_of(line, minutes=MINUTES, seed=seed)
    entered = log.part[log.event == ENTER]
    left = log.part[(log.event == SHIP) | (log.event == SCRAP)]
    assert np.array_equal(entered, np.arange(len(entered)))
    assert len(np.unique(left)) == len(left)
    assert np.isin(left, entered).all()
    room = sum(line.buffers) + sum(station.servers for station in line.stations)
    room += line.rework.buffer + line.rework.servers if line.rework else 0
    room += line.transport.fleet if line.transport else 0
    if line.saturated and not line.routed:
        assert 0 <= len(entered) - len(left) <= room


@settings(max_examples=80, deadline=None)
@given(lines, st.integers(0, 1000), st.floats(0.0, 300.0))
def test_time_in_states_sums_to_the_time_observed(line, seed, start):
    log = log_of(line, minutes=MINUTES, seed=seed)
    states = log.time_in_states(start)
    assert states.shape == (len(log.entities), len(STATES))
    assert (states >= 0).all()
    assert np.allclose(states[1:].sum(axis=1), MINUTES - start)


@settings(max_examples=60, deadline=None)
@given(lines, st.integers(0, 1000))
def test_the_number_in_the_line_is_never_negative_and_obeys_little(line, seed):
    log = log_of(line, minutes=MINUTES, seed=seed)
    steps = np.isin(log.event, (ENTER, SHIP, SCRAP))
    order = np.argsort(log.time[steps], kind="stable")
    time = log.time[steps][order]
    level = np.cumsum(np.where(log.event[steps][order] == ENTER, 1, -1))
    assert (level >= 0).all()
    # Over [0, T] Little's law is exact when the time of parts still there is counted to T.
    in_line = float(np.sum(level * np.diff(np.append(time, MINUTES))) / MINUTES)
    leaves = np.full(int((log.event == ENTER).sum()), MINUTES)
    gone = (log.event == SHIP) | (log.event == SCRAP)
    leaves[log.part[gone]] = log.time[gone]
    stay = (leaves - log.time[log.event == ENTER]).mean()
    assert np.isclose(in_line, stay * len(leaves) / MINUTES)


def capacities(line: Line) -> dict[int, float]:
    """Room before the station whose first machine is the key; machines that are repaired may hold a part besides."""
    first, room = 1, {}
    for position, station in enumerate(line.stations):
        if line.routed:
            room[first] = np.inf if station.queue is None else station.queue
        else:
            room[first] = line.buffers[position - 1] if position else np.inf
        room[first] += station.servers if station.failure_clock == "calendar" else 0
        first += station.servers
    return room | ({first: line.rework.buffer} if line.rework else {})


@settings(max_examples=80, deadline=None)
@given(lines, st.integers(0, 1000))
def test_a_part_that_rests_is_taken_by_that_station_and_no_queue_overflows(line, seed):
    log = log_of(line, minutes=MINUTES, seed=seed)
    capacity = capacities(line)
    firsts = sorted(capacity)
    machines_end = 1 + sum(station.servers for station in line.stations) + (line.rework.servers if line.rework else 0)
    rests, level, now = {}, Counter(), 0.0
    columns = (column[log.order()].tolist() for column in (log.time, log.event, log.entity, log.part))
    for time, event, entity, part in zip(*columns, strict=True):
        if time > now:  # within one moment the next part comes to rest before the one that was taken is worked on
            assert all(level[first] <= capacity[first] for first in firsts)
            now = time
        if event == QUEUE:
            assert part not in rests
            rests[part] = entity
            level[entity] += 1
        elif event >= STARVED and entity < machines_end and part in rests:
            assert rests[part] == max(first for first in firsts if first <= entity)
            level[rests.pop(part)] -= 1
        elif event in (SHIP, SCRAP):
            assert part not in rests


@settings(max_examples=30, deadline=None)
@given(lines, st.integers(0, 1000))
def test_the_same_seed_gives_the_same_log_and_another_does_not(line, seed):
    first, again = (log_of(line, minutes=MINUTES, seed=seed) for _ in range(2))
    assert first.frame().equals(again.frame())
    if all(station.cycle.kind != "deterministic" for station in line.stations):
        other = log_of(line, minutes=MINUTES, seed=seed + 1)
        assert not np.array_equal(first.time[first.event == RUNNING], other.time[other.event == RUNNING])
