"""Faults 23, 24 and 25: durations that are none, workers, and lines that stand still."""

import pytest

from tests.simulation.lines import camera_line, curve, fixed, log_of, serial_line
from twinloop.errors import InputError, RunError
from twinloop.simulation import Distribution, Line, Rework, Source, Station
from twinloop.simulation.experiments.experiment import run_scenarios
from twinloop.simulation.experiments.scenario import Scenario
from twinloop.simulation.model.economy import Economy


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("stations.m1.cycle", "m1: cycle"),
        ("stations.m1.repair", "m1: repair"),
        ("stations.m1.failure", "m1: failure"),
        ("source.interarrival", "source: interarrival"),
    ],
)
def test_a_duration_that_overflows_names_whose_it_was(path, source):
    line = serial_line(1, buffer=0, failure=5.0, repair=1.0)
    line = line.with_({path: {"kind": "lognormal", "mean": 1.7e308, "cv": 20.0}})
    with pytest.raises(RunError, match=rf"simulate: {source}: drew a duration of inf: expected a finite number ≥ 0"):
        log_of(line, minutes=1000.0)


@pytest.mark.parametrize("workers", [2, 3])
def test_any_number_of_workers_gives_identical_results(workers):
    scenarios = [
        Scenario("uncertain model", camera_line(rework=Rework(cycle=fixed(2.0))), curve(draws=9, spread=0.1), 4.0),
        Scenario("unreliable", serial_line(3, buffer=2, failure=50.0, repair=9.0)),
    ]
    plan = {"economy": Economy(), "days": 0.3, "warmup_days": 0.1, "replications": 5, "seed": 7}
    alone, together = (run_scenarios(scenarios, workers=count, **plan) for count in (1, workers))
    for name in alone:
        assert alone[name].replications.equals(together[name].replications)
        assert alone[name].states.equals(together[name].states)


def test_a_rework_loop_that_blocks_itself_names_what_waits_for_what():
    rework = Rework(cycle=fixed(1.0), buffer=1, when_full="wait", success=0.0, max_times=5)
    line = camera_line(rework=rework, defect_rate=1.0, escape_rate=0.0).with_(buffer_1=0)
    with pytest.raises(RunError) as caught:
        log_of(line, minutes=5000.0)
    message = str(caught.value)
    assert "camera line stands still from minute" in message
    assert "camera waits for room in the queue of rework (1 of 1)" in message
    assert "rework waits for room in buffer 1 (0 of 0)" in message
    assert message.endswith("enlarge a buffer of the loop or set rework.when_full: scrap")
    assert "\n" not in message


def test_the_same_loop_runs_on_when_a_full_queue_scraps():
    rework = Rework(cycle=fixed(1.0), buffer=1, when_full="scrap", success=0.0, max_times=5)
    line = camera_line(rework=rework, defect_rate=1.0, escape_rate=0.0).with_(buffer_1=0)
    log = log_of(line, minutes=5000.0)
    assert log.time.max() > 4990.0


def test_a_source_that_never_delivers_is_named():
    line = Line(source=Source(interarrival=fixed(9000.0)), stations=(Station(name="press", cycle=fixed(1.0)),))
    with pytest.raises(RunError, match=r"no part left line within 500 minutes: press waits for a part from the source"):
        log_of(line, minutes=500.0)


def test_a_station_that_never_finishes_is_named():
    line = serial_line(2, buffer=1).with_({"stations.m2.cycle": {"kind": "deterministic", "mean": 1e9}})
    with pytest.raises(RunError, match=r"m2 is still running; m1 waits for room in buffer 1 \(1 of 1\)"):
        log_of(line, minutes=500.0)


def test_a_repair_that_never_ends_is_named():
    press = Station(
        name="press", cycle=fixed(10.0), failure=fixed(5.0), repair=Distribution(kind="deterministic", mean=1e7)
    )
    with pytest.raises(RunError, match="press is still down"):
        log_of(Line(stations=(press,)), minutes=500.0)


def test_a_run_with_nothing_after_the_warm_up_is_refused():
    with pytest.raises(InputError, match="days = 0: expected a number > 0; days are counted after the warm-up"):
        serial_line(1, buffer=0).run(days=0, warmup_days=2)
