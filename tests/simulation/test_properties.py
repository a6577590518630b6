"""What holds for every line, found by trying many (hypothesis)."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.lines import fixed, log_of
from twinloop.simulation import AssumedRates, Distribution, Inspection, Line, Rework, Source, Station, Variant
from twinloop.simulation.events.log import ENTER, RUNNING, SCRAP, SHIP, STATES

MINUTES = 400.0
means = st.floats(0.5, 4.0)
cycles = st.one_of(
    means.map(lambda mean: Distribution(kind="exponential", mean=mean)),
    means.map(fixed),
    st.builds(lambda mean, cv: Distribution(kind="gamma", mean=mean, cv=cv), means, st.floats(0.2, 1.5)),
    means.map(lambda mean: Distribution(kind="triangular", low=0.0, mode=mean, high=2 * mean)),
)


@st.composite
def lines(draw):
    count = draw(st.integers(1, 4))
    inspecting = draw(st.integers(0, count - 1))
    unreliable = draw(st.booleans())
    clock = draw(st.sampled_from(["operation", "calendar"]))
    stations = tuple(
        Station(
            name=f"m{index}",
            cycle=draw(cycles),
            servers=draw(st.integers(1, 2)),
            setup=fixed(1.5) if draw(st.booleans()) else None,
            failure=Distribution(kind="exponential", mean=30.0) if unreliable else None,
            failure_clock=clock,
            repair=Distribution(kind="exponential", mean=6.0) if unreliable else None,
            inspects=index == inspecting,
        )
        for index in range(count)
    )
    rework = draw(st.none() | st.builds(Rework, cycle=cycles, buffer=st.integers(1, 3), max_times=st.integers(1, 3)))
    arrivals = draw(st.none() | st.floats(3.0, 6.0).map(lambda mean: Distribution(kind="exponential", mean=mean)))
    return Line(
        source=Source(interarrival=arrivals, variants=(Variant(name="a"), Variant(name="b")), lot_size=3),
        stations=stations,
        buffers=tuple(draw(st.integers(0, 3)) for _ in range(count - 1)),
        inspection=Inspection(assumed=AssumedRates(defect_rate=0.3, escape_rate=0.3, false_reject_rate=0.2)),
        rework=rework,
    )


@settings(max_examples=60, deadline=None)
@given(lines(), st.integers(0, 1000))
def test_every_part_that_entered_left_once_or_is_still_there(line, seed):
    log = log_of(line, minutes=MINUTES, seed=seed)
    entered = log.part[log.event == ENTER]
    left = log.part[(log.event == SHIP) | (log.event == SCRAP)]
    assert np.array_equal(entered, np.arange(len(entered)))
    assert len(np.unique(left)) == len(left)
    assert np.isin(left, entered).all()
    room = sum(line.buffers) + sum(station.servers for station in line.stations)
    room += line.rework.buffer + line.rework.servers if line.rework else 0
    if line.source.interarrival is None:
        assert 0 <= len(entered) - len(left) <= room


@settings(max_examples=60, deadline=None)
@given(lines(), st.integers(0, 1000), st.floats(0.0, 300.0))
def test_time_in_states_sums_to_the_time_observed(line, seed, start):
    log = log_of(line, minutes=MINUTES, seed=seed)
    states = log.time_in_states(start)
    assert states.shape == (len(log.entities), len(STATES))
    assert (states >= 0).all()
    assert np.allclose(states[1:].sum(axis=1), MINUTES - start)


@settings(max_examples=40, deadline=None)
@given(lines(), st.integers(0, 1000))
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


@settings(max_examples=30, deadline=None)
@given(lines(), st.integers(0, 1000))
def test_the_same_seed_gives_the_same_log_and_another_does_not(line, seed):
    first, again = (log_of(line, minutes=MINUTES, seed=seed) for _ in range(2))
    assert first.frame().equals(again.frame())
    if any(station.cycle.kind != "deterministic" for station in line.stations):
        other = log_of(line, minutes=MINUTES, seed=seed + 1)
        assert not np.array_equal(first.time[first.event == RUNNING], other.time[other.event == RUNNING])
