"""Retries are bounded, back off, and stop where a service is down; all by a clock that is ours."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.dialogue.providers.protocols import ProviderError
from twinloop.dialogue.providers.resilience import ResilienceSettings, Resilient, State, Transient
from twinloop.errors import InputError


class FakeClock:
    """Time that passes only where somebody sleeps or works."""

    def __init__(self) -> None:
        self.now, self.pauses = 100.0, list[float]()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


class Service:
    """Fails as often as it is told, then answers."""

    def __init__(self, failures: int, *, wait_s: float | None = None) -> None:
        self.failures, self.calls, self.wait_s = failures, 0, wait_s

    def __call__(self, ends_at: float) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise Transient("no answer", wait_s=self.wait_s)
        return "answer"


def caller(clock: FakeClock, **values: float) -> Resilient:
    return Resilient("chat", ResilienceSettings(**values), clock=clock, sleep=clock.sleep)  # type: ignore[arg-type]


def test_a_service_that_recovers_is_waited_for_twice_as_long_each_time() -> None:
    clock, service = FakeClock(), Service(3)
    assert caller(clock, attempts=4, backoff_s=0.5).call(service) == "answer"
    assert clock.pauses == [0.5, 1.0, 2.0]


def test_a_service_that_stays_down_is_given_up_in_one_line() -> None:
    clock, service = FakeClock(), Service(99)
    with pytest.raises(ProviderError, match=r"^chat: no answer \(tried 3 times\)$"):
        caller(clock, attempts=3).call(service)
    assert service.calls == 3


def test_a_service_that_says_how_long_to_wait_is_believed_up_to_the_limit() -> None:
    clock = FakeClock()
    caller(clock, attempts=2, longest_backoff_s=8.0).call(Service(1, wait_s=3.0))
    caller(clock, attempts=2, longest_backoff_s=8.0).call(Service(1, wait_s=3600.0))
    assert clock.pauses == [3.0, 8.0]


def test_an_attempt_is_told_when_it_must_have_ended() -> None:
    clock, ends = FakeClock(), list[float]()
    caller(clock, timeout_s=7.0).call(ends.append)
    assert ends == [107.0]


@pytest.mark.parametrize("error", [ProviderError("the key is refused"), InputError("no such voice"), KeyError("bug")])
def test_what_another_attempt_cannot_change_is_not_tried_again(error: Exception) -> None:
    clock, calls = FakeClock(), list[float]()

    def refused(ends_at: float) -> None:
        calls.append(ends_at)
        raise error

    with pytest.raises(type(error)):
        caller(clock, attempts=5).call(refused)
    assert len(calls) == 1


def test_a_service_that_is_down_is_no_longer_asked_until_the_pause_is_over() -> None:
    clock, service = FakeClock(), Service(4)
    asked = caller(clock, attempts=2, backoff_s=0, failures_to_open=4, open_s=30.0)
    for _ in range(2):
        with pytest.raises(ProviderError, match="no answer"):
            asked.call(service)
    assert asked.breaker.state is State.OPEN
    with pytest.raises(ProviderError, match="asked again in 30 s"):
        asked.call(service)
    assert service.calls == 4
    clock.now += 30.0
    assert asked.breaker.state is State.HALF_OPEN
    assert asked.call(service) == "answer"
    assert asked.breaker.state is State.CLOSED


def test_a_service_that_is_still_down_after_the_pause_is_asked_once_only() -> None:
    clock, service = FakeClock(), Service(99)
    asked = caller(clock, attempts=3, backoff_s=0, failures_to_open=3, open_s=30.0)
    with pytest.raises(ProviderError):
        asked.call(service)
    clock.now += 31.0
    with pytest.raises(ProviderError, match="failed too often"):
        asked.call(service)
    assert service.calls == 4
    assert asked.breaker.state is State.OPEN


def test_while_one_call_tries_whether_the_service_is_back_no_other_goes_ahead() -> None:
    clock = FakeClock()
    asked = caller(clock, attempts=1, failures_to_open=1, open_s=10.0)
    with pytest.raises(ProviderError):
        asked.call(Service(1))
    clock.now += 10.0

    def meanwhile(ends_at: float) -> str:
        with pytest.raises(ProviderError, match="failed too often"):
            asked.call(Service(0))
        return "answer"

    assert asked.call(meanwhile) == "answer"


def test_a_refusal_between_failures_starts_their_count_anew() -> None:
    clock = FakeClock()
    asked = caller(clock, attempts=1, failures_to_open=2)
    outcomes: list[Callable[[float], str]] = [Service(1), Service(0), Service(1)]
    for outcome in outcomes:
        try:
            asked.call(outcome)
        except ProviderError:
            continue
    assert asked.breaker.state is State.CLOSED


@given(
    attempts=st.integers(1, 8),
    timeout_s=st.floats(0.1, 60),
    backoff_s=st.floats(0, 10),
    longest_backoff_s=st.floats(0, 10),
    waits=st.lists(st.none() | st.floats(0, 100), min_size=8, max_size=8),
)
def test_no_call_takes_longer_than_its_settings_say(
    attempts: int, timeout_s: float, backoff_s: float, longest_backoff_s: float, waits: list[float | None]
) -> None:
    clock, rest = FakeClock(), iter(waits)
    settings = ResilienceSettings(
        attempts=attempts,
        timeout_s=timeout_s,
        backoff_s=backoff_s,
        longest_backoff_s=longest_backoff_s,
        failures_to_open=1000,
    )

    def late(ends_at: float) -> None:
        clock.now = ends_at
        raise Transient("late", wait_s=next(rest))

    with pytest.raises(ProviderError):
        Resilient("chat", settings, clock=clock, sleep=clock.sleep).call(late)
    assert clock.now - 100.0 <= settings.longest_s + 1e-6
