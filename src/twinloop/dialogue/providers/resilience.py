"""Calls that may fail, be late or hang: bounded retries with exponential back-off behind a circuit breaker.

The breaker (Nygard, Release It!, 2007) stops asking a service that failed several times in a row, so that a turn learns
at once that it is down; after a pause one call is let through to see. Clock and sleep are handed in: tests need none.
"""

import threading
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import Field

from twinloop.config import settings
from twinloop.dialogue.providers.protocols import ProviderError

T = TypeVar("T")


@settings
class ResilienceSettings:
    """How long and how often a provider is asked.

    timeout_s: of one attempt, from asking to the last byte. attempts: in all. backoff_s: before the second attempt,
    twice as long before each further one, never beyond longest_backoff_s; a service that says how long to wait is
    believed up to that. failures_to_open: attempts in a row that fail before the service is no longer asked; open_s:
    for how long.
    """

    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 3
    backoff_s: Annotated[float, Field(ge=0, le=3600)] = 0.5
    longest_backoff_s: Annotated[float, Field(ge=0, le=3600)] = 8.0
    failures_to_open: Annotated[int, Field(ge=1, le=1000)] = 5
    open_s: Annotated[float, Field(ge=0, le=86_400)] = 30.0

    @property
    def longest_s(self) -> float:
        """The longest that a call can take."""
        return self.attempts * self.timeout_s + (self.attempts - 1) * self.longest_backoff_s

    def pause_s(self, failed: int, asked_s: float | None) -> float:
        """Seconds to wait after so many failed attempts; asked_s: what the service asked for."""
        return min(self.backoff_s * 2.0 ** (failed - 1) if asked_s is None else asked_s, self.longest_backoff_s)


class Transient(ProviderError):
    """A failure that may be over soon: another attempt is worth it. wait_s: how long the service asks to wait."""

    def __init__(self, message: str, *, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class State(StrEnum):
    """Closed: asked. Open: not asked. Half-open: one call is let through to see whether it is back."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Counts failures in a row of one service. Several threads may share it."""

    def __init__(self, failures_to_open: int, open_s: float, *, clock: Callable[[], float]) -> None:
        self._most, self._open_s, self._clock = failures_to_open, open_s, clock
        self._failures, self._opened_at, self._trying = 0, 0.0, False
        self._lock = threading.Lock()

    @property
    def state(self) -> State:
        if self._failures < self._most:
            return State.CLOSED
        return State.HALF_OPEN if self._clock() - self._opened_at >= self._open_s else State.OPEN

    def admit(self) -> float:
        """0 where a call may go ahead, else the seconds until one may."""
        with self._lock:
            match self.state:
                case State.CLOSED:
                    return 0.0
                case State.HALF_OPEN if not self._trying:
                    self._trying = True
                    return 0.0
                case _:
                    return max(self._open_s - (self._clock() - self._opened_at), 0.1)

    def record(self, *, failed: bool) -> None:
        """Note how an attempt went."""
        with self._lock:
            self._failures = self._failures + 1 if failed else 0
            self._trying = False
            if failed and self._failures >= self._most:
                self._opened_at = self._clock()


class Resilient:
    """Calls one service with retries behind its breaker.

    name: of the service, for messages. clock, sleep: seconds as `time.monotonic` and `time.sleep` give and take them.
    """

    def __init__(
        self,
        name: str,
        settings: ResilienceSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name, self.settings, self.clock, self._sleep = name, settings, clock, sleep
        self.breaker = Breaker(settings.failures_to_open, settings.open_s, clock=clock)

    def call(self, attempt: Callable[[float], T]) -> T:
        """What `attempt` returns; it is given the time by `clock` at which it must have ended.

        A Transient failure is tried again; any other exception passes at once, and a ProviderError among them leaves
        the breaker alone: a service that refuses a request is up. Raises ProviderError where every attempt failed or
        the breaker is open.
        """
        for number in range(1, self.settings.attempts + 1):
            if (wait_s := self.breaker.admit()) > 0:
                raise ProviderError(
                    f"{self.name}: failed too often: it is asked again in {wait_s:.0f} s at the earliest"
                )
            try:
                result = attempt(self.clock() + self.settings.timeout_s)
            except Transient as failure:
                self.breaker.record(failed=True)
                if number == self.settings.attempts:
                    tries = "once" if number == 1 else f"{number} times"
                    raise ProviderError(f"{self.name}: {failure} (tried {tries})") from failure
                self._sleep(self.settings.pause_s(number, failure.wait_s))
            except BaseException:
                self.breaker.record(failed=False)
                raise
            else:
                self.breaker.record(failed=False)
                return result
        raise AssertionError("settings allow at least one attempt")
