"""Replications as machine code: one with its whole log, or many with their key figures only."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twinloop.replication.streams import Streams
from twinloop.simulation.compiled.features import check_known
from twinloop.simulation.compiled.layout import layout
from twinloop.simulation.compiled.memory import Memory
from twinloop.simulation.compiled.standstill import stands_still
from twinloop.simulation.engine import run as simpy_engine
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.run import Run
from twinloop.simulation.events.kpi import figures, outcome, tallied
from twinloop.simulation.events.log import EventLog
from twinloop.simulation.events.tally import Tally
from twinloop.simulation.model.entities import entities
from twinloop.simulation.model.line import Line

Floats = NDArray[np.float64]


def simulate(
    line: Line,
    gate: Gate,
    *,
    seed: int,
    replication: int,
    minutes: float,
    latency_ms: float = 0.0,
    drawn: bool = True,
) -> EventLog:
    """The event log of `minutes` of production: the same rows as engine.run.simulate.

    Raises InputError for a line with features that are refused, and what the SimPy engine raises.
    """
    log = EventLog(entities(line), gate.classes, minutes)
    memory = _memory(line, gate, latency_ms)
    memory.play(
        Streams(seed, replication),
        minutes=minutes,
        read=lambda rows, number, _: log.extend(rows[:number]),
        drawn=drawn,
    )
    if _stopped(memory, line):
        log = simpy_engine.simulate(
            line, gate, seed=seed, replication=replication, minutes=minutes, latency_ms=latency_ms, drawn=drawn
        )
    return log


def outcomes(runs: Sequence[Run]) -> list[tuple[dict[str, float], Floats]]:
    """Key figures and minutes [entities, STATES] of every run, in their order, without keeping a log.

    Runs of one line and gate in a row share their memory. Raises what `simulate` and `kpis` raise.
    """
    results: list[tuple[dict[str, float], Floats]] = []
    memory, known = None, None
    for run in runs:
        key = (id(run.line), run.gate, run.latency_ms)
        if memory is None or key != known:
            memory, known = _memory(run.line, run.gate, run.latency_ms), key
        results.append(_outcome(memory, run))
    return results


def _outcome(memory: Memory, run: Run) -> tuple[dict[str, float], Floats]:
    line = run.line
    streams = Streams(run.seed, run.replication)
    if line.source.orders:
        # Where the book ends is known only when it has.
        log = EventLog(entities(line), run.gate.classes, run.horizon)
        memory.play(
            streams, minutes=run.horizon, read=lambda rows, number, _: log.extend(rows[:number]), drawn=run.drawn
        )
        return outcome(run.log() if _stopped(memory, line) else log, line, run.economy, start=run.start)
    tally = Tally(len(entities(line)), start=run.start, horizon=run.horizon, **tallied(line))
    memory.play(streams, minutes=run.horizon, read=tally.add, drawn=run.drawn, tally=tally)
    if _stopped(memory, line):
        run.log()
    tally.close()
    return figures(tally, run.line, run.economy), tally.minutes


def _stopped(memory: Memory, line: Line) -> bool:
    endless = line.saturated or line.closed
    return memory.stuck or stands_still(memory.world, memory.layout.rules.machines, endless=endless)


def _memory(line: Line, gate: Gate, latency_ms: float) -> Memory:
    check_known(line)
    return Memory(layout(line, gate, latency_min=latency_ms / simpy_engine.MS_PER_MINUTE))
