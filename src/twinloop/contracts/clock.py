"""By which clock hours are counted: those that an asset works, or those of the calendar.

A predictor that counts hours of driving and a workshop that opens by the day differ by a factor of ten: two records
meet only on one clock.
"""

from typing import Literal, get_args

from twinloop.errors import InputError

Clock = Literal["work", "calendar"]


def check_clock(kind: str, clock: str, *, expected: str | None = None, remedy: str = "say which it is") -> None:
    """Raise InputError for a clock that is not one, or not the `expected` one."""
    if clock not in get_args(Clock):
        raise InputError(f"{kind}: expected clock = {' or '.join(get_args(Clock))}, got {clock!r}: {remedy}")
    if expected is not None and clock != expected:
        raise InputError(f"{kind}: expected hours of {expected}, got hours of {clock}: {remedy}")
