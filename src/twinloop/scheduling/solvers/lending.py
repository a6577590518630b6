"""Arrays without an owner, for kernels that call each other often.

numba counts references to every array that is passed on or taken out of a tuple, with atomic operations; in schedule
generation that is more than half of all time. A lent array has nothing to count. It lives no longer than what it
was lent from: only arguments, which the caller keeps, may be lent, never an array that the kernel itself has made.
"""

from typing import Any

from numba.core import cgutils, types
from numba.extending import intrinsic


def _lent(typing_context, given):  # type: ignore[no-untyped-def]
    """The same array, or NamedTuple of arrays, without an owner."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        kind, value = signature.args[0], arguments[0]
        if isinstance(kind, types.Array):
            return _without_owner(context, builder, kind, value)  # type: ignore[no-untyped-call]
        columns = zip(kind.types, cgutils.unpack_tuple(builder, value), strict=True)  # type: ignore[no-untyped-call]
        lent_columns = [_without_owner(context, builder, *column) for column in columns]  # type: ignore[no-untyped-call]
        return context.make_tuple(builder, kind, lent_columns)

    return given(given), generate


def _without_owner(context, builder, kind, value):  # type: ignore[no-untyped-def]
    array = context.make_array(kind)(context, builder, value)
    array.meminfo = cgutils.get_null_value(array.meminfo.type)  # type: ignore[no-untyped-call]
    array.parent = cgutils.get_null_value(array.parent.type)  # type: ignore[no-untyped-call]
    return array._getvalue()


# Called from compiled code with the arrays alone, which the type of `intrinsic` does not say.
lent: Any = intrinsic(_lent)
