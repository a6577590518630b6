import numpy as np
import pytest

from tests.simulation.compiled.test_equality import LINES
from tests.simulation.lines import PERFECT, camera_line, curve, exponential, fixed, serial_line
from twinloop.errors import RunError
from twinloop.simulation import Distribution, Economy, Line, Rework, Source, Station
from twinloop.simulation.compiled import run as compiled
from twinloop.simulation.engine import run as simpy_engine
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.run import Run
from twinloop.simulation.events.log import ENTER, SHIP


def runs(line: Line, *, count: int = 3, gate: Gate | None = None, minutes: float = 1200.0) -> list[Run]:
    return [
        Run(
            line=line,
            gate=gate or Gate.of(line.inspection.assumed.curve()),
            latency_ms=0.0,
            economy=Economy(),
            seed=4,
            replication=number,
            start=200.0,
            horizon=minutes,
        )
        for number in range(count)
    ]


def assert_same(found: list[tuple[dict[str, float], np.ndarray]], expected: list[Run]) -> None:
    assert len(found) == len(expected)
    for (figures, minutes), run in zip(found, expected, strict=True):
        slow_figures, slow_minutes = run()
        assert figures == pytest.approx(slow_figures, rel=1e-9)
        np.testing.assert_allclose(minutes, slow_minutes, rtol=1e-9)


@pytest.mark.parametrize("name", ["several servers, arrivals", "rework that waits", "a crew with priorities"])
def test_key_figures_of_a_batch_are_those_of_the_simpy_engine_run_by_run(name):
    batch = runs(LINES[name])
    assert_same(compiled.outcomes(batch), batch)


def test_a_batch_may_mix_lines_and_gates():
    line = camera_line(rework=Rework(cycle=fixed(1.0)))
    gates = [Gate.of(curve(accept=accept)) for accept in (0.3, 0.5)]
    batch = [run for gate in gates for run in runs(line, gate=gate, count=2)] + runs(serial_line(2, buffer=1), count=1)
    assert_same(compiled.outcomes(batch), batch)


def test_memory_grows_where_a_line_needs_more_of_it():
    # A queue that is too slow holds ever more parts; each is looked at again and again on its way round.
    line = Line(
        source=Source(interarrival=fixed(0.5)),
        stations=(
            Station(name="camera", cycle=exponential(0.4), inspects=True, next={"slow": 0.7}),
            Station(name="slow", cycle=exponential(1.0), next={"camera": 0.9}),
        ),
        inspection=camera_line(defect_rate=0.3, false_reject_rate=0.0).inspection,
    )
    (run,) = runs(line, count=1, minutes=4000.0)
    log, expected = compiled.simulate(line, run.gate, seed=4, replication=0, minutes=4000.0), run.log()
    np.testing.assert_array_equal(log.time, expected.time)
    entered, left = (int((log.event == event).sum()) for event in (ENTER, SHIP))
    assert entered - left > 1000
    assert len(log) > 8192
    assert_same(compiled.outcomes([run, run]), [run, run])


# An exponential with a mean near the largest number overflows in about a third of the draws.
HUGE = Distribution(kind="exponential", mean=1.7e308)


@pytest.mark.parametrize("field", ["cycle", "failure", "repair", "setup", "interarrival"])
def test_a_duration_that_is_none_names_its_source_in_the_same_words(field):
    values = {"cycle": exponential(1.0)}
    values |= {"failure": exponential(5.0), "repair": exponential(1.0)} if field in ("failure", "repair") else {}
    source = Source()
    if field == "interarrival":
        source = Source(interarrival=HUGE)
    else:
        values[field] = HUGE
    line = Line(source=source, stations=(Station(name="press", **values),), inspection=PERFECT)
    if field == "setup":
        line = line.with_({"source.variants": [{"name": "a"}, {"name": "b"}]})
    errors = []
    for engine in (simpy_engine, compiled):
        with pytest.raises(RunError) as caught:
            engine.simulate(line, Gate.of(line.inspection.assumed.curve()), seed=1, replication=0, minutes=500.0)
        errors.append(str(caught.value))
    assert errors[0] == errors[1]
    owner = "source" if field == "interarrival" else "press"
    assert f"{owner}: {field}: drew a duration of inf: expected a finite number ≥ 0" in errors[0]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.5])
@pytest.mark.parametrize("place", [3, 700])
def test_a_bad_draw_stops_a_run_only_when_its_block_is_reached(value, place, monkeypatch):
    sample = Distribution.sample

    def spoilt(self: Distribution, rng: np.random.Generator, count: int) -> np.ndarray:
        drawn = sample(self, rng, count)
        before = self.__dict__.setdefault("drawn", 0)
        object.__setattr__(self, "drawn", before + count)
        if before <= place < before + count:
            drawn[place - before] = value
        return drawn

    monkeypatch.setattr(Distribution, "sample", spoilt)
    for minutes, stops in ((100.0, place < 256), (2000.0, True)):
        errors = []
        for engine in (simpy_engine, compiled):
            line = Line(stations=(Station(name="press", cycle=fixed(1.0)),), inspection=PERFECT)
            try:
                engine.simulate(line, Gate.of(line.inspection.assumed.curve()), seed=1, replication=0, minutes=minutes)
            except RunError as error:
                errors.append(str(error))
        assert len(errors) == (2 if stops else 0)
        assert len(set(errors)) == int(stops)


def test_one_or_more_workers_give_the_same_bytes():
    line = serial_line(3, buffer=2, failure=50.0, repair=5.0)
    tables = [
        line.run(days=1, replications=8, warmup_days=0.1, engine="compiled", workers=workers).replications
        for workers in (1, 2)
    ]
    assert tables[0].equals(tables[1])


def test_the_result_of_either_engine_is_the_same_and_says_which_it_was():
    line = serial_line(2, buffer=2)
    results = {engine: line.run(days=1, replications=3, warmup_days=0.1, engine=engine) for engine in ("auto", "simpy")}
    assert {name: result.engine for name, result in results.items()} == {"auto": "compiled", "simpy": "simpy"}
    for name in ("throughput_per_day", "wip", "cycle_time_min", "oee"):
        np.testing.assert_allclose(results["auto"].values(name), results["simpy"].values(name), rtol=1e-9)
