"""The state that is rebuilt from the log is the engine's own, at any minute."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.lines import PERFECT, camera_line, exponential, fixed, log_of, serial_line
from tests.simulation.test_properties import lines
from twinloop.errors import InputError
from twinloop.simulation import Line, Source, Station, Variant
from twinloop.simulation.events.log import DOWN, EVENTS, NO_PART, EventLog
from twinloop.simulation.events.mirror import replay
from twinloop.simulation.model.materials import Material
from twinloop.simulation.model.resources import Operators, Transport
from twinloop.simulation.model.wear import Wear

MINUTES = 400.0


def check_against_engine(live):
    """What the log says is what machines and buffers really do."""
    plant, state = live._plant, live.state
    assert state.clock_min == live.now
    number = plant.log.part_numbers().tolist()
    handed_over: dict[str, int] = {}
    for machine, known in zip(plant.machines, state.machines, strict=True):
        broken = machine._repaired_at > machine._watched_to
        assert known.state == EVENTS[DOWN if broken else machine.state], machine.name
        # A blocked machine that broke down has passed its part on when somebody made room.
        held = None if machine.part == NO_PART else number[machine.part]
        assert known.part == held or (broken and machine.state == DOWN and known.part is None), machine.name
        if not broken:
            assert known.since_min == machine.since
        if broken and known.part is None:
            station = machine.inlet.name
            handed_over[station] = handed_over.get(station, 0) + 1
    holding = {machine.part for machine in plant.machines}
    for buffer, waiting in zip(plant.buffers, state.waiting.values(), strict=True):
        inside = [number[part.number] for part in buffer.parts]
        outside = [number[part.number] for part, _ in buffer._givers if part.number not in holding]
        # A part handed to a machine that is down waits before it; one that finds no room when it enters waits outside.
        assert list(waiting)[len(waiting) - len(inside + outside) :] == inside + outside
        assert len(waiting) - len(inside + outside) <= handed_over.get(buffer.name, 0)
        for part in buffer.parts:
            told = state.parts[number[part.number]]
            assert (len(told.looks), told.reworks, told.rejected) == (part.looks, part.reworks, part.rejected)
            assert told.variant == plant.line.source.variants[part.variant].name
            assert told.repaired or told.condition == plant.log.classes[part.condition]
    # Only a draw tells where a part of a branching line has been handed to.
    assert state.elsewhere == () or (plant.line.branching and len(state.elsewhere) <= sum(handed_over.values()))
    assert state.entered == state.shipped + state.scrapped + state.joined + len(state.parts)


@settings(max_examples=60, deadline=None)
@given(lines, st.integers(0, 1000), st.lists(st.floats(0.01, MINUTES), min_size=1, max_size=4))
def test_the_replayed_state_is_the_engines_own_at_any_minute(line, seed, minutes):
    live = line.live(seed=seed)
    seen = []
    for minute in sorted(minutes):
        live.run_until(minute)
        check_against_engine(live)
        seen.append(live.state)
    for state in seen:
        assert replay(live.log, line, at=state.clock_min) == state


@settings(max_examples=20, deadline=None)
@given(line=lines, seed=st.integers(0, 1000), minute=st.floats(1.0, MINUTES))
def test_the_state_comes_out_of_a_saved_log_as_well(line, seed, minute, tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "events.parquet"
    log = log_of(line, minutes=MINUTES, seed=seed)
    log.save(path)
    assert replay(EventLog.load(path), line, at=minute) == replay(log, line, at=minute)


def routed(*, branching: bool) -> Line:
    """Two stations that parts visit twice, by their route or by chance."""
    chances = ({"mill": 0.4, "drill": 0.2}, {"lathe": 0.5}) if branching else ({}, {})
    routes = (("lathe",), ("mill",)) if branching else (("lathe", "mill", "lathe"), ("mill", "drill"))
    return Line(
        source=Source(
            interarrival=exponential(3.0),
            variants=tuple(Variant(name=name, route=route) for name, route in zip("ab", routes, strict=True)),
        ),
        stations=(
            Station(
                name="lathe",
                cycle=exponential(),
                queue=2,
                next=chances[0],
                failure=exponential(20.0),
                repair=exponential(3.0),
            ),
            Station(name="mill", cycle=exponential(), servers=2, next=chances[1]),
            Station(name="drill", cycle=exponential(0.5)),
        ),
        inspection=PERFECT,
    )


@pytest.mark.parametrize("branching", [False, True])
def test_parts_of_routed_lines_are_found_where_they_are(branching):
    live = routed(branching=branching).live(seed=4)
    for _ in range(40):
        live.step(7.3)
        check_against_engine(live)
    assert live.state.shipped > 50


def test_a_line_with_people_vehicles_batches_and_assembly_is_followed_too():
    """Everything that moves or holds a part; nobody's shift ends in these minutes."""
    line = Line(
        source=Source(interarrival=exponential(2.0), variants=(Variant(name="body"), Variant(name="lid"))),
        stations=(
            Station(name="fit", cycle=exponential(1.0), assembles={"body": 1, "lid": 1}),
            Station(name="oven", cycle=exponential(4.0), batch=3, batch_wait_min=6.0),
            Station(name="pack", cycle=exponential(1.0), materials={"box": 1.0}),
        ),
        buffers=(5, 5),
        inspection=PERFECT,
        materials=(Material(name="box", initial=10, reorder_at=4, order_quantity=8, lead_time=fixed(30.0)),),
        operators=(Operators(name="crew", count=2, skills=("fit", "pack")),),
        transport=Transport(fleet=2, trip=fixed(0.7)),
    )
    live, carried, loaded, boxes = line.live(seed=7), False, 0, set()
    for _ in range(60):
        state = live.step(3.7).state
        plant = live._plant
        assert state.elsewhere == ()
        assert state.entered == state.shipped + state.scrapped + state.joined + len(state.parts)
        for machine, known in zip(plant.machines, state.machines, strict=True):
            assert (known.state, known.part) == (EVENTS[machine.state], None if machine.part < 0 else machine.part)
        oven, loaded_now = plant.machines[1], {state["oven"].part, *state["oven"].others} - {None}
        assert loaded_now == {part.number for part in oven.batch} | ({oven.part} - {NO_PART})
        assert state.levels["box"] == plant.resources.stocks["box"].level
        for buffer, waiting in zip(plant.buffers[1:], list(state.waiting.values())[1:], strict=True):
            assert list(waiting) == [part.number for part in buffer.parts]
        carried |= any(state[name].part is not None for name in ("vehicle_1", "vehicle_2"))
        loaded, boxes = max(loaded, len(state["oven"].others)), boxes | {state.levels["box"]}
    assert carried
    assert loaded == 2
    assert len(boxes) > 5
    assert state.joined > 10
    assert replay(live.log, line, at=100.0).clock_min == 100.0


def test_times_so_far_are_those_of_the_present_operation_breakdown_and_life():
    line = Line(
        stations=(Station(name="press", cycle=fixed(10.0), failure=fixed(14.0), repair=fixed(5.0)),), inspection=PERFECT
    )
    log = log_of(line, minutes=40.0)
    assert [
        (replay(log, line, at=at)["press"].state, replay(log, line, at=at)["press"].worked_min) for at in (3, 13)
    ] == [
        ("running", 3.0),
        ("running", 3.0),
    ]
    broken = replay(log, line, at=16)["press"]
    assert (broken.state, broken.down_min, broken.worked_min, broken.life_min) == ("down", 2.0, 4.0, 0.0)
    again = replay(log, line, at=21)["press"]
    assert (again.state, again.part, again.since_min) == ("running", 1, 19.0)
    assert (again.worked_min, again.life_min) == (6.0, 2.0)


def test_health_is_what_was_last_told_and_forgotten_after_the_repair():
    line = Line(stations=(Station(name="press", cycle=fixed(10.0)),), inspection=PERFECT)
    log = EventLog(("source", "press"), ("good",), 60.0)
    for time, state, health in ((0.0, "running", math.nan), (5.0, "warning", 0.3), (9.0, "maintenance", 0.2)):
        log.record(time, EVENTS.index(state), 1, value=health)
    assert replay(log, line, at=8.0)["press"].health == 0.3
    assert replay(log, line)["press"].health == 0.2
    log.record(20.0, EVENTS.index("starved"), 1)
    assert replay(log, line)["press"].health is None
    assert replay(log, line)["press"].last_maintenance_min == 20.0


def test_a_wearing_machine_tells_its_health_through_the_log():
    wear = Wear(kind="gamma", mean_life_min=60.0)
    line = Line(stations=(Station(name="press", cycle=fixed(1.0), wear=wear, repair=fixed(8.0)),), inspection=PERFECT)
    live, told = line.live(seed=2), set()
    for _ in range(300):
        machine = live.step(1.0).state["press"]
        assert machine.state == EVENTS[live._plant.machines[0].state]
        told.add((machine.state, machine.health is None))
    assert {("warning", False), ("down", False), ("running", True)} <= told


def test_a_state_has_a_face_and_plain_values():
    state = serial_line(2, buffer=3).live(seed=1).run_until(50.0).state
    assert "m1" in state._repr_html_()
    assert "<table>" in state._repr_html_()
    assert f"{state.shipped} shipped" in str(state)
    assert state.record()["machines"][0]["name"] == "m1"
    with pytest.raises(InputError, match=r"unknown name 'm3'; known: m1, m2"):
        state["m3"]


@pytest.mark.parametrize("at", [-1.0, math.nan, 41.0])
def test_a_minute_outside_of_the_log_is_refused(at):
    line = serial_line(1, buffer=0)
    with pytest.raises(InputError, match=r"replay: minute .*: expected 0 to 40, where the log ends"):
        replay(log_of(line, minutes=40.0), line, at=at)


def test_a_log_of_another_line_is_refused():
    with pytest.raises(InputError, match="the log is of press, camera, serial has m1, m2: load it with its line"):
        replay(log_of(camera_line(), minutes=40.0), serial_line(2, buffer=1))
