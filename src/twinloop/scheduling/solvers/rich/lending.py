"""Arrays without an owner, for kernels that call each other often.

numba counts references to every array that is passed on or taken out of a tuple, with atomic operations; in schedule
generation that is more than half of all time. A lent array has nothing to count. It lives no longer than what it
was lent from: only arguments, which the caller keeps, may be lent, never an array that the kernel itself has made.
"""

from typing import Any

from numba.core import cgutils
from numba.extending import intrinsic

from twinloop.scheduling.solvers.jit import machine_code
from twinloop.scheduling.solvers.rich.layout import Layout, State


def _lent(typing_context, array):  # type: ignore[no-untyped-def]
    """The same array without an owner."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        found = context.make_array(array)(context, builder, arguments[0])
        found.meminfo = cgutils.get_null_value(found.meminfo.type)  # type: ignore[no-untyped-call]
        found.parent = cgutils.get_null_value(found.parent.type)  # type: ignore[no-untyped-call]
        return found._getvalue()

    return array(array), generate


# Called from compiled code with the array alone, which the type of `intrinsic` does not say.
lent: Any = intrinsic(_lent)


@machine_code
def lent_layout(a):  # type: ignore[no-untyped-def]
    """A layout of lent arrays."""
    return Layout(
        lent(a.operations),
        lent(a.modes),
        lent(a.needs),
        lent(a.windows),
        lent(a.jobs),
        lent(a.followers),
        lent(a.machines),
        lent(a.setups),
        lent(a.transport),
        lent(a.profiles),
        lent(a.step_time),
        lent(a.step_level),
    )


@machine_code
def lent_state(a):  # type: ignore[no-untyped-def]
    """A state of lent arrays."""
    return State(
        lent(a.start),
        lent(a.end),
        lent(a.mode),
        lent(a.row),
        lent(a.row_count),
        lent(a.step_time),
        lent(a.step_level),
        lent(a.step_count),
        lent(a.job_ready),
        lent(a.job_next),
        lent(a.job_waits),
        lent(a.behind),
    )
