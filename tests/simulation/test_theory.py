"""The SimPy engine against exact results directly (the table: theory.py); compiled/ holds them more tightly."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from tests.simulation.lines import camera_line, curve, exponential, fixed, log_of, queue
from tests.simulation.theory import KNOWN
from twinloop.simulation import Line, Station
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.events.log import ACCEPT, DOWN, ENTER, REINSPECT, REJECT, RUNNING, SHIP, STARVED, EventLog


def waiting_times(log: EventLog) -> np.ndarray:
    entered, started = log.time[log.event == ENTER], log.event == RUNNING
    return log.time[started] - entered[log.part[started]]


@pytest.mark.parametrize(("servers", "arrivals", "must_wait"), [(3, 2.4, 0.647191), (5, 4.0, 0.554113)])
def test_queue_with_several_servers_waits_as_erlang_says(servers, arrivals, must_wait):
    waits = waiting_times(log_of(queue(arrivals=arrivals, servers=servers), minutes=40_000, seed=2))
    assert (waits > 0).mean() == pytest.approx(must_wait, rel=0.03)
    assert waits.mean() == pytest.approx(must_wait / (servers - arrivals), rel=0.05)


ROUGHLY = (
    "M/M/1",
    "M/D/1",
    "Jackson network",
    "M/M/1//5",
    "M/M/2//10",
    "two machines (0.01, 0.1, 0.02, 0.1, 10)",
    "two machines (0.05, 0.2, 0.05, 0.2, 5)",
    "2 stations, buffers of 2",
    "3 stations, buffers of 1",
    "4 stations, buffers of 5",
    "2 unreliable stations",
    "3 unreliable stations",
)


@pytest.mark.parametrize("name", ROUGHLY)
def test_the_engine_comes_close_to_the_exact_value(name):
    known = KNOWN[name]
    (run,) = known.runs(minutes=known.rough, replications=1, seed=2)
    assert known.measure(*run()) == pytest.approx(known.exact, rel=0.04)


@pytest.mark.parametrize("clock", ["operation", "calendar"])
def test_a_machine_that_never_waits_is_available_for_mttf_over_mttf_plus_mttr(clock):
    press = Station(
        name="press", cycle=fixed(1.0), failure=exponential(40.0), failure_clock=clock, repair=exponential(10.0)
    )
    log = log_of(Line(stations=(press,)), minutes=100_000)
    assert 1 - log.time_in_states()[1, DOWN - STARVED] / log.horizon == pytest.approx(0.8, rel=0.01)


def test_a_calendar_clock_also_runs_while_the_machine_waits():
    waits = {
        clock: Line(
            stations=(
                Station(name="slow", cycle=fixed(10.0)),
                Station(
                    name="press",
                    cycle=fixed(1.0),
                    failure=exponential(40.0),
                    failure_clock=clock,
                    repair=exponential(10.0),
                ),
            ),
            buffers=(5,),
        )
        for clock in ("operation", "calendar")
    }
    down = {
        clock: log_of(line, minutes=200_000).time_in_states()[2, DOWN - STARVED] / 200_000
        for clock, line in waits.items()
    }
    assert down["calendar"] == pytest.approx(0.2, rel=0.03)
    assert down["operation"] == pytest.approx(0.1 * 10 / 40, rel=0.05)


def accepted_after_two_looks(accept: float, reject: float, rho: float) -> float:
    """P(accepted) when a part in the band is looked at once more: a bivariate normal with correlation ρ."""
    low, high = norm.ppf([accept, reject])
    if rho == 1.0:
        return accept
    both = multivariate_normal([0, 0], [[1, rho], [rho, 1]])
    return accept + float(both.cdf([high, low]) - both.cdf([low, low]))


@pytest.mark.parametrize("rho", [0.0, 0.5, 1.0])
def test_two_looks_let_through_what_the_copula_says(rho):
    measured = curve(accept=0.3, reject=0.7, rho=rho)
    log = log_of(camera_line(), minutes=20_000, gate=Gate.of(measured))
    defective = log.condition == 1
    escapes = (defective & (log.event == ACCEPT)).sum() / (defective & (log.event == ENTER)).sum()
    assert escapes == pytest.approx(accepted_after_two_looks(0.3, 0.7, rho), abs=0.012)


def test_looking_again_at_a_repeatable_part_does_not_redraw_luck():
    escapes = {}
    for looks in (1, 4):
        measured = curve(accept=0.1, reject=0.9, rho=1.0)
        log = log_of(camera_line(max_looks=looks), minutes=10_000, gate=Gate.of(measured))
        escapes[looks] = int(((log.condition == 1) & (log.event == SHIP)).sum())
    assert escapes[1] == pytest.approx(escapes[4], abs=1)


@pytest.mark.parametrize("undecided", ["accept", "reject"])
def test_a_part_unlike_anything_learnt_is_looked_at_to_the_end_and_then_left_to_the_rule(undecided):
    share, looks = 0.1, 3
    sure = camera_line(max_looks=looks, defect_rate=0.0, escape_rate=0.0, false_reject_rate=0.0)
    line = sure.with_({"inspection.unlike_share": share, "inspection.undecided": undecided})
    log = log_of(line, minutes=10_000)
    events = {event: int((log.event == event).sum()) for event in (ENTER, ACCEPT, REINSPECT, REJECT)}
    unlike = events[REINSPECT] / (looks - 1)
    assert unlike / events[ENTER] == pytest.approx(share, abs=0.01)
    assert events[REJECT] == pytest.approx(unlike if undecided == "reject" else 0, abs=2)
