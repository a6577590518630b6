import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.lines import camera_line, curve, exponential, log_of, serial_line
from tests.simulation.test_properties import lines
from twinloop.errors import InputError, RunError
from twinloop.simulation import Economy, Rework
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.events.kpi import kpis


@settings(max_examples=40, deadline=None)
@given(lines, st.integers(0, 1000), st.lists(st.floats(0.0, 200.0), max_size=5))
def test_a_line_run_in_steps_does_what_it_does_in_one_run(line, seed, stops):
    live = line.live(seed=seed, replication=2)
    for minute in sorted(stops):
        live.run_until(minute)
    log = log_of(line, minutes=200.0, seed=seed, replication=2)
    live.run_until(200.0)
    assert live.log.horizon == 200.0
    assert live.log.frame().equals(log.frame())


def test_steps_add_up_and_the_state_tells_the_minute():
    live = serial_line(3, buffer=2).live(seed=4)
    assert live.step(12.5).step(7.5).now == 20.0
    assert live.state.clock_min == 20.0
    assert live.run_until(20.0).state == live.state
    assert {machine.state for machine in live.state.machines} <= {"running", "starved", "blocked"}
    assert "m1" in live._repr_html_()


def test_key_figures_so_far_are_those_of_the_log_so_far():
    line, rates = camera_line(rework=Rework(cycle=exponential(2.0))), curve(accept=0.4, reject=0.8)
    live = line.live(seed=2, curve=rates).run_until(500.0)
    log = log_of(line, minutes=500.0, seed=2, gate=Gate.of(rates))
    assert live.kpis() == kpis(log, line, Economy(), start=0.0)[0]
    assert live.kpis(Economy(fixed_day=0.0), start=100.0)["profit_per_day"] > live.kpis(start=100.0)["profit_per_day"]


def test_before_the_first_part_has_left_there_are_no_key_figures():
    with pytest.raises(RunError, match="no part left serial"):
        serial_line(3, buffer=2).live(seed=4).step(0.01).kpis()


@pytest.mark.parametrize("minute", [-1.0, 9.0, math.nan, math.inf])
def test_time_goes_on_and_only_to_a_minute_that_exists(minute):
    live = serial_line(1, buffer=0).live().run_until(10.0)
    with pytest.raises(InputError, match=r"live: run until minute .*: expected a minute from now \(10\) on"):
        live.run_until(minute)
