"""How busy operators and vehicles were and what was out of stock, from the event log alone.

They are entities of the log beside the machines, so a table is all that it takes; so are their bars in a Gantt chart.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from twinloop.errors import InputError
from twinloop.simulation.events.log import DELIVER, RUNNING, STARVED, EventLog
from twinloop.simulation.model.entities import numbered
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.resources import Operators, spans


def utilisation_frame(log: EventLog, line: Line, *, start: float = 0.0) -> pl.DataFrame:
    """One row per operator and vehicle between minute `start` and the horizon.

    Columns resource, kind ("operator" or "vehicle"), there_min (on shift), busy_min, utilisation (busy of there;
    above 1 where work goes on after the shift's end, null for who is never there).
    """
    busy = log.time_in_states(start)[:, RUNNING - STARVED]
    rows = []
    for name, kind, there in _people_and_vehicles(line, start, log.horizon):
        minutes = float(busy[_entity(log, name)])
        rows.append((name, kind, there, minutes, minutes / there if there > 0 else None))
    columns = {"resource": pl.String, "kind": pl.String, "there_min": pl.Float64, "busy_min": pl.Float64}
    return pl.DataFrame(rows, schema={**columns, "utilisation": pl.Float64}, orient="row")


def stocks_frame(log: EventLog, line: Line, *, start: float = 0.0) -> pl.DataFrame:
    """One row per material between minute `start` and the horizon.

    Columns material, delivered, used, level (at the horizon), lowest, mean_level, stockouts (how often a station began
    to wait for it), stockout_min (minutes in which one did), in units of the material. What is there at minute 0 is
    its first delivery.
    """
    waiting = log.time_in_states(start)[:, STARVED - STARVED]
    order = log.order()
    rows = []
    for material in line.materials:
        entity = _entity(log, material.name)
        mine = order[log.entity[order] == entity]
        changes = mine[log.event[mine] == DELIVER]
        time, change = log.time[changes], log.value[changes]
        inside = time >= start
        opening = float(change[~inside].sum())
        levels = np.concatenate([[opening], opening + np.cumsum(change[inside])])
        stays = np.diff(np.concatenate([[start], time[inside], [log.horizon]]))
        # Several changes of one minute are one: a level counts where it lasted, and at the horizon.
        lasting = levels[np.append(stays[:-1] > 0, True)]
        began = (log.event[mine] == STARVED) & (log.time[mine] >= start)
        rows.append(
            {
                "material": material.name,
                "delivered": float(change[inside & (change > 0)].sum()),
                "used": float(-change[inside & (change < 0)].sum()),
                "level": float(levels[-1]),
                "lowest": float(lasting.min()),
                "mean_level": float((levels * stays).sum() / (log.horizon - start)),
                "stockouts": int(began.sum()),
                "stockout_min": float(waiting[entity]),
            }
        )
    kinds = dict.fromkeys(("delivered", "used", "level", "lowest", "mean_level"), pl.Float64)
    return pl.DataFrame(
        rows, schema={"material": pl.String, **kinds, "stockouts": pl.Int64, "stockout_min": pl.Float64}
    )


def _people_and_vehicles(line: Line, start: float, horizon: float) -> Iterator[tuple[str, str, float]]:
    for group in line.operators:
        there = _minutes_there(group, line.minutes_per_day, start, horizon)
        for name in numbered(group.name, group.count):
            yield name, "operator", there
    for name in numbered("vehicle", line.transport.fleet) if line.transport else ():
        yield name, "vehicle", horizon - start


def _minutes_there(group: Operators, day: float, start: float, horizon: float) -> float:
    if not group.shifts:
        return horizon - start
    there = 0.0
    for since, until in spans(group.shifts, day):
        if since >= horizon:
            return there
        there += max(min(until, horizon) - max(since, start), 0.0)
        if until >= horizon:
            return there
    return there


def _entity(log: EventLog, name: str) -> int:
    if name not in log.entities:
        raise InputError(f"events: the log is of {', '.join(log.entities[1:])}, not of {name}: give the line it is of")
    return log.entities.index(name)
