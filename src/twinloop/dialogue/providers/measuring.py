"""What a call took, measured where it happens."""

import resource
import time
from collections.abc import Callable

from twinloop.dialogue.providers.protocols import Usage


def stopwatch() -> Callable[..., Usage]:
    """Start measuring; the result, called with what was counted (tokens, audio_seconds, price), gives the usage so far.

    CPU seconds are of this process and of the programs that it started and waited for.

    >>> usage = stopwatch()
    >>> usage(tokens=3).tokens
    3
    """
    began, worked = time.perf_counter(), _cpu_seconds()

    def usage(*, tokens: int = 0, audio_seconds: float = 0.0, price: float = 0.0) -> Usage:
        return Usage(
            seconds=time.perf_counter() - began,
            cpu_seconds=_cpu_seconds() - worked,
            tokens=tokens,
            audio_seconds=audio_seconds,
            price=price,
        )

    return usage


def _cpu_seconds() -> float:
    # To the microsecond, where os.times counts in hundredths of a second.
    programs = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + programs.ru_utime + programs.ru_stime
