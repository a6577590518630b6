"""Machines of a shop as they stand when its plan is made: worn so far, and what their sensors say comes.

Each is watched alone, piece after piece, in runs to failure; how it stands is the first life of the fresh runs that has
lasted to its age. A plan is made by the risks; the wear level behind them is what really is, for executing the plan.
"""

from typing import NamedTuple

import polars as pl

from twinloop.contracts import RiskTable
from twinloop.errors import InputError
from twinloop.simulation.maintenance.foresight import Foresight
from twinloop.simulation.maintenance.settings import UpkeepSettings, WornMachine
from twinloop.simulation.maintenance.watching import LEARNING_REPLICATION, foreseen
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.source import Source
from twinloop.simulation.model.station import Station

MACHINES = {
    "machine": pl.String,
    "age_min": pl.Float64,
    "level": pl.Float64,
    "health": pl.Float64,
    "foreseen_by": pl.String,
    "learnt_from": pl.Int64,
    "note": pl.String,
}
# Of the clock of work nothing is seen of a repair: any time will do.
REPAIR = Distribution(kind="deterministic", mean=60.0)


class Standing(NamedTuple):
    """risks: as they stand; renewed: of the same machines just maintained; both on the clock of work.

    machines: a row each (`MACHINES`), with the wear level that no sensor tells.
    """

    risks: RiskTable
    renewed: RiskTable
    machines: pl.DataFrame


def standing(settings: UpkeepSettings, *, seed: int) -> Standing:
    """How every machine stands. Raises InputError for an age that no fresh life reaches."""
    risks, renewed, rows = [], [], []
    for place, machine in enumerate(settings.machines):
        # Machines alike have lives of their own.
        first = LEARNING_REPLICATION * (place + 2)
        foresight, fresh = foreseen(
            _watched(machine, settings), settings.physics, settings.foresight, seed=seed, first=first
        )
        lives = [one for run in fresh for one in run.all_lives]
        paths = [life.path for run in fresh for history in run.machines for life in history.lives]
        reached = [number for number, one in enumerate(lives) if one.end_min > machine.age_min]
        if not reached:
            raise InputError(
                f"upkeep: {machine.name}: none of {len(lives)} simulated lives reaches the age of "
                f"{machine.age_min:g} min: expected a younger machine or a longer life"
            )
        now = lives[reached[0]].until(machine.age_min, asset=machine.name)
        risks.append(foresight.risks([now], cost=machine.failure_cost).frame)
        renewed.append(foresight.renewed(lives, machine.name, cost=machine.failure_cost).frame)
        level = float(paths[reached[0]].level(machine.age_min))
        rows.append(_row(machine, level, foresight))
    frame = pl.DataFrame(rows, schema=MACHINES, orient="row")
    if not rows:
        return Standing(RiskTable.of([]), RiskTable.of([]), frame)
    return Standing(RiskTable.of(pl.concat(risks)), RiskTable.of(pl.concat(renewed)), frame)


def _watched(machine: WornMachine, settings: UpkeepSettings) -> Line:
    station = Station(name="machine", cycle=settings.cycle, repair=REPAIR, wear=machine.wear)
    return Line(name="watched", stations=(station,), source=Source(interarrival=settings.interarrival))


def _row(machine: WornMachine, level: float, foresight: Foresight) -> tuple[object, ...]:
    health = 1 - level / machine.wear.limit
    return (machine.name, machine.age_min, level, health, foresight.name, foresight.learnt, foresight.note)
