import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.errors import InputError
from twinloop.learning.latency import Latency, hardware, measure, measure_in_turn, quantised_ms, speedups


@pytest.mark.parametrize(
    ("latency_ms", "step"), [(0.2, 10.0), (0.5, 10.0), (10.0, 10.0), (10.1, 30.0), (30.1, 100.0), (120.0, 300.0)]
)
def test_latency_is_rounded_up_in_two_steps_a_decade(latency_ms: float, step: float) -> None:
    assert quantised_ms(latency_ms) == step


@given(st.floats(0.01, 2.0), st.floats(1.0, 5.0))
def test_a_machine_that_is_five_times_slower_takes_no_other_step(latency_ms: float, busy: float) -> None:
    assert quantised_ms(latency_ms * busy) == quantised_ms(latency_ms)


@given(st.floats(1e-6, 1e6))
def test_a_step_never_flatters_and_is_its_own_step(latency_ms: float) -> None:
    step = quantised_ms(latency_ms)
    assert latency_ms <= step <= max(10.0, 10 / 3 * latency_ms * (1 + 1e-12))
    assert quantised_ms(step) == step


@pytest.mark.parametrize("latency_ms", [0.0, -1.0, float("nan"), float("inf")])
def test_a_latency_that_cannot_be_is_refused(latency_ms: float) -> None:
    with pytest.raises(InputError, match="expected a positive number of milliseconds"):
        quantised_ms(latency_ms)


def test_warm_up_calls_are_made_but_not_counted() -> None:
    calls = []
    latency = measure(lambda: calls.append(1), runs=50, warmup=7, threads=1)
    assert len(calls) == 57
    assert latency.runs == 50
    assert 0 <= latency.p50_ms <= latency.p95_ms <= latency.p99_ms


def test_a_slow_call_is_measured_as_slow() -> None:
    latency = measure(lambda: sum(range(100_000)), runs=10, warmup=1, threads=1)
    assert latency.p50_ms > 0.1
    record = latency.record()
    assert record["quantised_ms"] == quantised_ms(latency.p50_ms)
    assert record["threads"] == 1


def test_calls_that_are_compared_take_turns_and_each_round_begins_with_another() -> None:
    order: list[str] = []
    calls = {name: lambda name=name: order.append(name) for name in "abc"}
    times = measure_in_turn(calls, runs=4, warmup=1, threads=1)
    assert "".join(order) == "abc" + "abc" + "bca" + "cab" + "abc"
    assert {name: found.runs for name, found in times.items()} == {"a": 4, "b": 4, "c": 4}


def test_a_speedup_is_the_ratio_of_medians() -> None:
    def timed(p50_ms: float) -> Latency:
        return Latency(mean_ms=9.0, least_ms=0.1, p50_ms=p50_ms, p95_ms=9.0, p99_ms=9.0, runs=10, warmup=0, threads=1)

    assert speedups({"a": timed(3.0), "b": timed(1.5), "c": timed(4.0)}, reference="a") == {"a": 1, "b": 2, "c": 0.75}


def test_the_machine_is_named_beside_what_was_measured_on_it() -> None:
    found = hardware()
    assert found["cpu"]
    assert int(found["cores"]) >= 1
    assert str(found["onnxruntime"]).count(".") == 2
