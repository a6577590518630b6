"""Turns as MLflow traces: a span for each part that worked, as long as the part took."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twinloop.dialogue.conversation.turn import PARTS, Turn
from twinloop.tracking.client import quietly

if TYPE_CHECKING:
    from mlflow.entities import LiveSpan

    from twinloop.tracking.store import Store

NANOSECONDS = 1_000_000_000
# How MLflow's pages draw each part.
KINDS = {"hear": "PARSER", "find": "RETRIEVER", "answer": "CHAIN", "speak": "TOOL"}


def log_turn(store: "Store", twin: str, turn: Turn) -> None:
    """Write a turn that has just ended to the twin's experiment, as a trace of its own."""
    end = time.time_ns()
    with quietly():
        import mlflow

        mlflow.set_tracking_uri(store.uri)
        mlflow.tracing.enable()
        root = mlflow.start_span_no_context(
            "turn",
            span_type="AGENT",
            inputs={"heard": turn.heard, "spoken": turn.spoken},
            experiment_id=store.experiment(twin),
            start_time_ns=end - round(turn.seconds * NANOSECONDS),
        )
        add_parts(turn, root, end=end)
        root.end(outputs=turn.record(), status="ERROR" if turn.failed else "OK", end_time_ns=end)
        mlflow.flush_trace_async_logging()


def add_parts(turn: Turn, parent: "LiveSpan | None", *, end: int | None = None) -> None:
    """A span below `parent` for each part of a turn, one after the other up to `end` (in ns; now). None: nothing."""
    if parent is None:
        return
    import mlflow

    done = end or time.time_ns()
    begin = done - round(turn.seconds * NANOSECONDS)
    for part in PARTS:
        if part not in turn.usage:
            continue
        usage = turn.usage[part]
        span = mlflow.start_span_no_context(
            part, span_type=KINDS[part], parent_span=parent, inputs=_given(turn, part), start_time_ns=begin
        )
        begin += round(usage.seconds * NANOSECONDS)
        span.set_attributes({"cpu_seconds": usage.cpu_seconds, "tokens": usage.tokens, "price": usage.price})
        span.end(outputs=_made(turn, part), end_time_ns=begin)


def _given(turn: Turn, part: str) -> Mapping[str, Any]:
    if part == "hear":
        return {"spoken": turn.spoken}
    return {"text": turn.said} if part == "speak" else {"question": turn.question}


def _made(turn: Turn, part: str) -> Mapping[str, Any]:
    if part == "hear":
        return {"text": turn.heard}
    if part == "speak":
        return {"audio_seconds": turn.audio.seconds if turn.audio is not None else 0.0}
    if part == "find":
        return {"cached": turn.cached}
    return {"said": turn.said, "citations": list(turn.citations), "refused": turn.refused}
