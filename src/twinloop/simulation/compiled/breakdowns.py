"""Breakdowns and their repair, by operation time or by the calendar, with a crew or without: engine/machines.py.

A calendar runs on while a machine waits: what broke meanwhile is settled when the wait ends, or at the horizon.
"""

from twinloop.simulation.compiled.agenda import push
from twinloop.simulation.compiled.making import draw, lacks, spent
from twinloop.simulation.compiled.moves import plan, write
from twinloop.simulation.compiled.people import answer_calls
from twinloop.simulation.compiled.records import (
    FULL,
    MEND,
    MENDED,
    MENDING,
    REPAIRED,
    SETTLE,
    SETTLED,
    TURN_OVER,
    WORK,
    Record,
    Records,
    World,
)
from twinloop.simulation.events.log import DOWN, NOTHING, UNKNOWN
from twinloop.simulation.jit import machine_code

NEVER = float("inf")


@machine_code
def fail(rows: Records, run: Record, machine: Record, me: int) -> int:
    """Machine._repairing: down with a part in it."""
    machine.minutes -= machine.left
    machine.state = DOWN
    write(rows, run, run.now, DOWN, me, machine.noted, UNKNOWN, NOTHING)
    machine.after_repair = REPAIRED
    return MEND


@machine_code
def call_crew(world: World, run: Record, machine: Record, me: int) -> int:
    """RepairCrew.call: somebody comes at once, or when the machine's turn has come."""
    if run.crew and (run.crew_free == 0 or not run.crew_on_shift):
        push(world.calls, run.calls, machine.priority, run.called, me)
        run.calls += 1
        run.called += 1
        machine.step = MENDING
        return TURN_OVER
    run.crew_free -= 1
    return MENDING


@machine_code
def mend(world: World, run: Record, machine: Record, me: int) -> int:
    """The repair itself."""
    if spent(world, machine.repair):
        return lacks(run, machine, MENDING, machine.repair)
    machine.step = MENDED
    plan(world, run, me, draw(world, machine.repair))
    return TURN_OVER


@machine_code
def end_repair(world: World, run: Record, machine: Record) -> int:
    """RepairCrew.leave: who repaired goes on to the next call."""
    run.crew_free += 1
    answer_calls(world, run)
    return int(machine.after_repair)


@machine_code
def resume(world: World, run: Record, machine: Record) -> int:
    """After a repair the work goes on, with a new time to the next failure."""
    if spent(world, machine.failure):
        return lacks(run, machine, REPAIRED, machine.failure)
    machine.left = draw(world, machine.failure)
    return WORK


@machine_code
def settle(world: World, rows: Records, run: Record, machine: Record, me: int) -> int:
    """Machine.observe and settle: the calendar's next breakdown during a wait; again until there is none."""
    if run.rows > len(rows) - run.most_rows:
        machine.step = SETTLE
        return FULL
    if machine.repaired_at > machine.watched_to:
        if machine.repaired_at >= run.now:
            if run.finishing:
                return TURN_OVER
            if machine.repaired_at == run.now:
                return int(machine.after_wait)
            machine.state, machine.after_repair = DOWN, SETTLED
            if run.crew:
                return MEND
            machine.step = SETTLED
            plan(world, run, me, machine.repaired_at - run.now)
            return TURN_OVER
        write(rows, run, machine.repaired_at, machine.state, me, machine.noted, UNKNOWN, NOTHING)
        machine.watched_to = machine.repaired_at
    fails = machine.watched_to + machine.left
    if fails >= run.now:
        machine.left = max(machine.left - (run.now - machine.watched_to), 0.0)
        machine.watched_to = run.now
        return TURN_OVER if run.finishing else int(machine.after_wait)
    if spent(world, machine.failure):
        return lacks(run, machine, SETTLE, machine.failure)
    if not run.crew and spent(world, machine.repair):
        return lacks(run, machine, SETTLE, machine.repair)
    write(rows, run, fails, DOWN, me, machine.noted, UNKNOWN, NOTHING)
    machine.repaired_at = NEVER if run.crew else fails + draw(world, machine.repair)
    machine.left = draw(world, machine.failure)
    return SETTLE


@machine_code
def end_settling(run: Record, machine: Record) -> int:
    """The repair that a wait had left over is done."""
    machine.watched_to, machine.repaired_at = run.now, 0.0
    return int(machine.after_wait)
