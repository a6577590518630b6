"""Key figures of one replication, computed from its event log alone.

OEE = availability × performance × quality of the bottleneck (Line.bottleneck), after ISO 22400-2:
availability is the share of planned time without breakdown, maintenance and set-up; performance is the share of
available time in which it works, the rest being starved, blocked or idle (stations have no reduced speed);
quality is the share of good parts shipped among all parts that left the line.
"""

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import RunError
from twinloop.simulation.events.log import (
    DOWN,
    ENTER,
    REINSPECT,
    REJECT,
    RUNNING,
    SCRAP,
    SHIP,
    STARVED,
    STATES,
    EventLog,
)
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.line import Line

MINUTES_PER_HOUR = 60
PPM = 1e6
GOOD = 0

# name → (title, unit); the order is that of tables
KPIS: dict[str, tuple[str, str]] = {
    "profit_per_day": ("Profit", "€/day"),
    "throughput_per_day": ("Throughput", "parts/day"),
    "oee": ("OEE", ""),
    "availability": ("Availability", ""),
    "performance": ("Performance", ""),
    "quality": ("Quality", ""),
    "wip": ("Work in progress", "parts"),
    "cycle_time_min": ("Cycle time", "min"),
    "escape_ppm": ("Escape rate", "ppm"),
    "escapes_per_day": ("Escaped parts", "parts/day"),
    "first_pass_yield": ("First-pass yield", ""),
    "rework_share": ("Rework visits per part", ""),
    "reinspected_share": ("Second looks per part", ""),
    "scrap_share": ("Scrap per part", ""),
    "good_scrapped_per_day": ("Good parts scrapped", "parts/day"),
    "down_hours_per_day": ("Breakdown", "h/day"),
    "revenue_per_day": ("Revenue", "€/day"),
    "cost_per_day": ("Cost", "€/day"),
    "material_cost_per_day": ("Material cost", "€/day"),
    "escape_cost_per_day": ("Escape cost", "€/day"),
    "rework_cost_per_day": ("Rework cost", "€/day"),
    "scrap_cost_per_day": ("Scrap cost", "€/day"),
    "reinspection_cost_per_day": ("Re-inspection cost", "€/day"),
    "repair_cost_per_day": ("Repair cost", "€/day"),
    "holding_cost_per_day": ("Holding cost", "€/day"),
    "fixed_cost_per_day": ("Fixed cost", "€/day"),
}


def kpis(log: EventLog, line: Line, economy: Economy, *, start: float) -> tuple[dict[str, float], NDArray[np.float64]]:
    """KPIS of the time from minute `start` (the warm-up's end) to the horizon, and the minutes [entities, STATES].

    Raises RunError when nothing left the line in that time: no share or cycle time could be told.
    """
    time, event, part, condition = log.time, log.event, log.part, log.condition
    measured = time >= start
    window = log.horizon - start
    days = window / line.minutes_per_day

    shipped, scrapped = measured & (event == SHIP), measured & (event == SCRAP)
    left = shipped | scrapped
    if not left.any():
        raise RunError(
            f"simulate: no part left {line.name} in the {days:g} days after the warm-up: "
            "simulate more days, or check cycle, repair and interarrival times"
        )
    entered = time[event == ENTER]
    gone = (event == SHIP) | (event == SCRAP)
    leaves = np.full(len(entered), log.horizon)
    leaves[part[gone]] = time[gone]
    part_minutes = float(np.maximum(leaves - np.maximum(entered, start), 0.0).sum())
    rejected = np.zeros(len(entered), dtype=bool)
    rejected[part[event == REJECT]] = True
    right_first_time = shipped & (condition == GOOD) & ~rejected[part]

    minutes = log.time_in_states(start)
    states = dict(zip(STATES, _share_at_bottleneck(minutes, line), strict=True))
    availability = 1 - states["down"] - states["setup"] - states["maintenance"]
    performance = (states["running"] + states["warning"]) / availability if availability > 0 else 0.0
    count_shipped, count_left = int(shipped.sum()), int(left.sum())
    escapes = int((shipped & (condition != GOOD)).sum())
    started = int((measured & (event == ENTER)).sum())
    looks_again = int((measured & (event == REINSPECT)).sum())
    reworks = _rework_visits(log, line, measured)
    quality = (count_shipped - escapes) / count_left
    down_hours = float(minutes[:, DOWN - STARVED].sum()) / MINUTES_PER_HOUR

    revenue = economy.revenue * count_shipped
    costs = {
        "material": economy.material * started,
        "escape": economy.escape * escapes,
        "rework": economy.rework * reworks,
        "scrap": economy.scrap * int(scrapped.sum()),
        "reinspection": economy.reinspection * looks_again,
        "repair": economy.repair_hour * down_hours,
        "holding": economy.holding_hour * part_minutes / MINUTES_PER_HOUR,
        "fixed": economy.fixed_day * days,
    }
    figures = {
        "profit_per_day": (revenue - sum(costs.values())) / days,
        "throughput_per_day": count_shipped / days,
        "oee": availability * performance * quality,
        "availability": availability,
        "performance": performance,
        "quality": quality,
        "wip": part_minutes / window,
        "cycle_time_min": float((time[left] - entered[part[left]]).mean()),
        "escape_ppm": PPM * escapes / max(count_shipped, 1),
        "escapes_per_day": escapes / days,
        "first_pass_yield": int(right_first_time.sum()) / count_left,
        "rework_share": reworks / count_left,
        "reinspected_share": looks_again / count_left,
        "scrap_share": int(scrapped.sum()) / count_left,
        "good_scrapped_per_day": int((scrapped & (condition == GOOD)).sum()) / days,
        "down_hours_per_day": down_hours / days,
        "revenue_per_day": revenue / days,
        "cost_per_day": sum(costs.values()) / days,
    }
    figures |= {f"{name}_cost_per_day": cost / days for name, cost in costs.items()}
    return {name: figures[name] for name in KPIS}, minutes


def _share_at_bottleneck(minutes: NDArray[np.float64], line: Line) -> list[float]:
    first = 1 + sum(station.servers for station in line.stations[: line.bottleneck])
    rows = minutes[first : first + line.stations[line.bottleneck].servers]
    shares: list[float] = (rows.sum(axis=0) / rows.sum()).tolist()
    return shares


def _rework_visits(log: EventLog, line: Line, measured: NDArray[np.bool_]) -> int:
    if line.rework is None:
        return 0
    first = 1 + sum(station.servers for station in line.stations)
    return int((measured & (log.event == RUNNING) & (log.entity >= first)).sum())
