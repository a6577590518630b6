"""Spans: parts of a part's way that are timed, and may be open to so many at a time only.

A span is a response time: from coming to one station until the work at another, or the same, is done. With a limit it
is a window of tokens (admission control): whoever finds none free waits in front of it, or is turned away.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.errors import nearest
from twinloop.simulation.model.names import Name
from twinloop.simulation.model.source import Variant
from twinloop.simulation.model.station import Station


@settings
class Span:
    """From coming to station `start`, to its queue or to wait for room there, until the work at station `end` is done.

    A part that comes to `start` again before it has been through `end` is still under way. What is lost on the way does
    not count. target_min: of the share that takes no longer. variant: which parts are timed (null: all).
    limit: how many parts may be between (null: any number); the others wait before `start` by priority, then in order,
    and their wait counts, or are turned away (`when_full: lose`).
    """

    name: Name
    start: Name
    end: Name
    variant: Name | None = None
    target_min: Annotated[float, Field(gt=0)] | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    when_full: Literal["wait", "lose"] = "wait"

    def __post_init__(self) -> None:
        if self.limit is None and self.when_full == "lose":
            raise ValueError(f"span {self.name}: when_full: lose needs a limit: without one it is never full")
        if self.limit is not None and self.variant is not None:
            raise ValueError(f"span {self.name}: a limit is of all parts: leave variant out, or give a span of its own")


def check_spans(
    spans: Sequence[Span],
    stations: Sequence[Station],
    variants: Sequence[Variant],
    *,
    fed: Sequence[str],
    carried: bool,
) -> None:
    """Raises ValueError for an unknown station or variant, and for a limit where it cannot be held.

    fed: stations whose source is never empty. carried: whether vehicles carry parts.
    """
    names, known = [station.name for station in stations], [variant.name for variant in variants]
    for span in spans:
        for field, name in (("start", span.start), ("end", span.end)):
            if name not in names:
                raise ValueError(f"span {span.name}: {field}: unknown station {name!r}; {nearest(name, names)}")
        if span.variant not in (None, *known):
            raise ValueError(f"span {span.name}: unknown variant {span.variant!r}; {nearest(str(span.variant), known)}")
        reasons = {
            "vehicles, which carry parts past it": carried,
            "a source that is never empty": span.start in fed,
            "inspection or assembly, where parts end": any(one.inspects or one.assembles for one in stations),
        }
        reason = next((name for name, given in reasons.items() if given), None)
        if span.limit is not None and reason:
            raise ValueError(f"span {span.name}: a limit does not go with {reason}")
    limited = [span.start for span in spans if span.limit is not None]
    twice = sorted({name for name in limited if limited.count(name) > 1})
    if twice:
        raise ValueError(f"expected one span with a limit from {twice[0]} on, got {limited.count(twice[0])}")
