"""A fork goes on from a state: the same parts at the same places, what is under way with the rest it has."""

import dataclasses

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from tests.simulation.events.test_mirror import check_against_engine
from tests.simulation.lines import PERFECT, camera_line, curve, exponential, fixed, queue, serial_line
from tests.simulation.test_properties import lines
from twinloop.errors import InputError
from twinloop.simulation import Distribution, Line, Rework, Source, Station, Variant
from twinloop.simulation.engine.fork import _nature
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.events.log import ENTER, SCRAP, SHIP, EventLog
from twinloop.simulation.events.state import Look, PartState
from twinloop.simulation.model.materials import Material
from twinloop.simulation.model.resources import Operators, Transport
from twinloop.simulation.model.source import Order
from twinloop.simulation.model.wear import Wear


def plain(line: Line) -> bool:
    return not (line.operators or line.materials or line.transport or line.source.orders)


@settings(max_examples=40, deadline=None)
@given(lines, st.integers(0, 1000), st.integers(0, 1000))
def test_a_fork_at_minute_zero_is_a_fresh_run(line, seed, other):
    assume(plain(line))
    fork = line.live(seed=seed).fork(seed=other, replication=3)
    fresh = line.live(seed=other, replication=3)
    assert fork.run_until(150.0).log.frame().equals(fresh.run_until(150.0).log.frame())


@settings(max_examples=80, deadline=None)
@given(lines, st.integers(0, 1000), st.floats(1.0, 300.0), st.floats(0.01, 100.0))
def test_no_part_is_lost_or_made_up_by_a_fork(line, seed, minute, more):
    assume(plain(line))
    state = line.live(seed=seed).run_until(minute).state
    refusal = ""
    try:
        fork = state.fork(line, seed=seed)
    except InputError as error:
        refusal = str(error)
    if refusal:
        assert "not told" in refusal
        reject()
    assert fork.state == state
    fork.run_until(minute + more)
    check_against_engine(fork)
    after = fork.state
    assert after.entered == after.shipped + after.scrapped + len(after.parts)
    numbers = fork.log.part_numbers()
    left = numbers[fork.log.part[np.isin(fork.log.event, (SHIP, SCRAP))]]
    assert len(np.unique(left)) == len(left)
    still = set(state.parts) - set(left.tolist())
    assert still <= set(after.parts)
    entered = numbers[fork.log.part[fork.log.event == ENTER]].tolist()
    new = entered[len(state.parts) :]
    assert set(entered[: len(state.parts)]) == set(state.parts)
    assert new == list(range(state.next_number, state.next_number + len(new)))


def clockwork(clock: str) -> Line:
    """Nothing is random and no two things happen at once: a fork has to go on exactly as the line itself."""

    def station(name: str, cycle: float, failure: float, repair: float) -> Station:
        return Station(name=name, cycle=fixed(cycle), failure=fixed(failure), repair=fixed(repair), failure_clock=clock)

    return Line(
        source=Source(interarrival=fixed(1.6180)),
        stations=(
            station("saw", 1.2347, 17.3141, 5.1717),
            station("mill", 1.3573, 23.7321, 7.2713),
            station("pack", 1.1189, 31.9137, 4.4747),
        ),
        buffers=(2, 1),
        inspection=PERFECT,
    )


@pytest.mark.parametrize("clock", ["operation", "calendar"])
def test_a_line_without_chance_goes_on_after_a_fork_as_if_there_was_none(clock):
    line = clockwork(clock)
    whole = line.live().run_until(400.0).log.frame()
    kinds = set()
    for minute in np.arange(20.05, 200.0, 3.7).tolist():
        live = line.live().run_until(minute)
        kinds.update((machine.state, machine.part is None) for machine in live.state.machines)
        rows = live.fork(seed=9).run_until(minute + 120.0).log.frame()
        columns = ("event", "entity", "part")
        # At its first minute a fork tells again what lasts, so that the first rows of both are left out.
        later = rows.filter(rows["time_min"] > minute)
        same = whole.filter((whole["time_min"] > minute) & (whole["time_min"] < minute + 120.0))
        assert later.select(columns).equals(same.select(columns)), minute
        assert later["time_min"].to_numpy() == pytest.approx(same["time_min"].to_numpy(), rel=1e-9)
    assert {("down", False), ("running", False), ("blocked", False), ("starved", True)} <= kinds


def test_set_ups_and_lots_go_on_where_they_were():
    line = Line(
        source=Source(interarrival=fixed(7.0), variants=(Variant(name="a"), Variant(name="b")), lot_size=4),
        stations=(Station(name="press", cycle=fixed(3.1), setup=fixed(2.3)),),
        inspection=PERFECT,
    )
    live = line.live(seed=1)
    while live.state["press"].state != "setup":
        live.step(0.5)
    before = live.state
    fork = live.fork(seed=8).run_until(live.now + 60.0)
    rows = fork.log.frame().filter(pl_after(fork, before.clock_min))
    running = rows.filter(rows["event"] == "running")["time_min"][0]
    assert running == pytest.approx(before["press"].since_min + 2.3)
    lots = rows.filter(rows["event"] == "enter")["value"].to_list()
    done = before.lot[1] % 4
    assert len(set(lots[: (4 - done) % 4])) <= 1
    assert len(set(lots[(4 - done) % 4 :][:4])) == 1


def pl_after(fork, minute):
    return fork.log.frame()["time_min"] > minute


def test_forks_of_a_busy_queue_serve_and_receive_as_theory_says():
    """M/M/1 with nine waiting: for 4 minutes services and arrivals are Poisson (it empties once in 10 000 times)."""
    line = queue(arrivals=0.5)
    live = line.live(seed=1)
    while len(live.state.parts) < 10:
        live.step(1.0)
    state = live.state
    served, arrived = [], []
    for replication in range(300):
        after = state.fork(line, seed=7, replication=replication).run_until(state.clock_min + 4.0).state
        served.append(after.shipped - state.shipped)
        arrived.append(after.entered - state.entered)
    for counts, mean in ((served, 4.0), (arrived, 2.0)):
        assert np.mean(counts) == pytest.approx(mean, abs=4 * np.sqrt(mean / 300))
        assert np.var(counts) == pytest.approx(mean, rel=0.4)


def test_the_rest_of_a_repair_depends_on_how_long_it_has_lasted():
    line = Line(
        stations=(
            Station(
                name="press",
                cycle=fixed(1.0),
                failure=fixed(10.5),
                repair=Distribution(kind="uniform", low=0.0, high=10.0),
            ),
        ),
        inspection=PERFECT,
    )
    live = line.live(seed=3)
    while live.state["press"].down_min < 6.0:
        live.step(0.25)
    state, ends = live.state, []
    for replication in range(200):
        fork = state.fork(line, seed=1, replication=replication).run_until(state.clock_min + 10.0)
        rows = fork.log.frame()
        ends.append(rows.filter((rows["time_min"] > state.clock_min) & (rows["event"] == "running"))["time_min"][0])
    rest = np.array(ends) - state.clock_min
    most = 10.0 - state["press"].down_min
    assert rest.max() <= most
    assert rest.mean() == pytest.approx(most / 2, abs=0.25)


def test_a_class_that_was_not_told_is_drawn_given_the_looks():
    """Bayes: of rejected parts, prevalence × rejection rate of a class, over all classes."""
    rates = curve(accept=0.3, reject=0.7, rho=0.6, prevalence=(0.8, 0.2))
    line, gate, rng = camera_line(), Gate.of(rates), np.random.default_rng(1)
    gate = dataclasses.replace(gate, reject_z=(1.0, -0.5))
    rejected = PartState(1, "part", 0.0, None, looks=(Look(1, "reject", None),), rejected=True)
    share = np.mean([_nature(rejected, line, gate, rng)[0] for _ in range(3000)])
    chances = 0.8 * 0.158655, 0.2 * 0.691462
    assert share == pytest.approx(chances[1] / sum(chances), abs=0.04)
    hard = [_nature(dataclasses.replace(rejected, condition="good"), line, gate, rng) for _ in range(300)]
    assert {condition for condition, _ in hard} == {0}
    assert np.mean([difficulty for _, difficulty in hard]) > 0.8


def test_a_log_of_a_real_plant_can_be_continued(tmp_path):
    line = camera_line(rework=Rework(cycle=exponential(2.0)))
    (tmp_path / "plant.csv").write_text(
        "time_min,event,entity,part\n0,enter,source,31\n0,running,press,31\n1,enter,source,32\n1,running,press,32\n"
        "1,running,camera,31\n1.2,reject,camera,31\n1.2,starved,camera,\n1.2,running,rework,31\n"
    )
    state = EventLog.load(tmp_path / "plant.csv", line=line, horizon=1.4).replay(line)
    assert (state["rework"].part, state["press"].worked_min) == (31, pytest.approx(0.4))
    fork = state.fork(line, seed=4).run_until(60.0)
    assert fork.state.entered == state.entered + len(fork.log.part_numbers()) - 2
    assert fork.log.frame()["part"].drop_nulls().unique().sort().to_list()[:3] == [31, 32, 33]
    assert fork.kpis()["throughput_per_day"] > 0


def test_a_fork_of_a_fork_knows_what_was_before_both():
    line = serial_line(3, buffer=2, failure=15.0, repair=6.0)
    fork = line.live(seed=1).run_until(80.0).fork(seed=2).run_until(120.0)
    again = fork.fork(seed=3).run_until(160.0)
    assert again.state.entered >= fork.state.entered
    assert [machine.name for machine in again.state.machines] == ["m1", "m2", "m3"]
    assert again.fork(seed=4).state == again.state
    first = line.live(seed=1).run_until(80.0)
    assert not first.fork(seed=2).run_until(120.0).log.frame().equals(first.fork(seed=3).run_until(120.0).log.frame())


PRESS = Station(name="press", cycle=fixed(1.0))
WEAR = Wear(kind="gamma", mean_life_min=60.0)
REFUSED = {
    "operators": {"operators": (Operators(name="day", skills=("press",)),)},
    "materials": {"materials": (Material(name="steel", initial=1.0),)},
    "transport": {"transport": Transport(fleet=1, trip=fixed(1.0))},
    "orders": {"source": Source(orders=(Order(name="first", variant="part"),))},
    "wear": {"stations": (dataclasses.replace(PRESS, wear=WEAR, repair=fixed(1.0)),)},
    "batches": {"stations": (dataclasses.replace(PRESS, batch=2),)},
}


@pytest.mark.parametrize("feature", REFUSED)
def test_what_cannot_be_continued_is_refused_by_name(feature):
    line = Line(**({"stations": (PRESS,), "inspection": PERFECT} | REFUSED[feature]))
    with pytest.raises(InputError, match=f"fork: line has .*{feature}.*, whose state a log does not tell") as caught:
        line.live().fork(seed=1)
    assert "\n" not in str(caught.value)


def test_a_state_that_is_not_of_the_line_is_refused():
    state = serial_line(2, buffer=3, failure=4.0, repair=20.0).live(seed=1).run_until(40.0).state
    with pytest.raises(InputError, match="the state is of m1, m2, serial has m1, m2, m3: give the line"):
        state.fork(serial_line(3, buffer=3))
    with pytest.raises(InputError, match="is down, but serial has no failure and repair for it"):
        state.fork(serial_line(2, buffer=3))
    part = next(iter(state.parts.values()))
    cracked = dataclasses.replace(state, parts=state.parts | {part.number: dataclasses.replace(part, condition="rust")})
    with pytest.raises(InputError, match="class of another curve: unknown name 'rust'; known: good, defect"):
        cracked.fork(serial_line(2, buffer=3, failure=4.0, repair=20.0))
