"""Key figures of one replication, computed from its event log alone.

OEE = availability × performance × quality of the bottleneck (Line.bottleneck), after ISO 22400-2:
availability is the share of planned time without breakdown, maintenance and set-up; performance is the share of
available time in which it works, the rest being starved, blocked or idle (stations have no reduced speed);
quality is the share of good parts shipped among all parts that left the line.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import RunError
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.replication.kpi import Kpi
from twinloop.simulation.events.log import DOWN, MAINTENANCE, STARVED, STATES, EventLog
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.line import Line

if TYPE_CHECKING:
    from twinloop.simulation.events.tally import Tally

PPM = 1e6

KPIS: dict[str, Kpi] = {
    "profit_per_day": Kpi("Profit", "€/day"),
    "throughput_per_day": Kpi("Throughput", "parts/day"),
    "oee": Kpi("OEE"),
    "availability": Kpi("Availability"),
    "performance": Kpi("Performance"),
    "quality": Kpi("Quality"),
    "wip": Kpi("Work in progress", "parts"),
    "cycle_time_min": Kpi("Cycle time", "min"),
    "escape_ppm": Kpi("Escape rate", "ppm"),
    "escapes_per_day": Kpi("Escaped parts", "parts/day"),
    "first_pass_yield": Kpi("First-pass yield"),
    "rework_share": Kpi("Rework visits per part"),
    "reinspected_share": Kpi("Second looks per part"),
    "scrap_share": Kpi("Scrap per part"),
    "good_scrapped_per_day": Kpi("Good parts scrapped", "parts/day"),
    "down_hours_per_day": Kpi("Breakdown", "h/day"),
    "failures_per_day": Kpi("Breakdowns", "per day"),
    "maintenance_hours_per_day": Kpi("Maintenance", "h/day"),
    "maintenances_per_day": Kpi("Maintenances", "per day"),
    "revenue_per_day": Kpi("Revenue", "€/day"),
    "cost_per_day": Kpi("Cost", "€/day"),
    "material_cost_per_day": Kpi("Material cost", "€/day"),
    "escape_cost_per_day": Kpi("Escape cost", "€/day"),
    "rework_cost_per_day": Kpi("Rework cost", "€/day"),
    "scrap_cost_per_day": Kpi("Scrap cost", "€/day"),
    "reinspection_cost_per_day": Kpi("Re-inspection cost", "€/day"),
    "repair_cost_per_day": Kpi("Repair cost", "€/day"),
    "failure_cost_per_day": Kpi("Breakdown cost", "€/day"),
    "maintenance_cost_per_day": Kpi("Maintenance cost", "€/day"),
    "holding_cost_per_day": Kpi("Holding cost", "€/day"),
    "fixed_cost_per_day": Kpi("Fixed cost", "€/day"),
}


def kpis(log: EventLog, line: Line, economy: Economy, *, start: float) -> tuple[dict[str, float], NDArray[np.float64]]:
    """KPIS of the time from minute `start` (the warm-up's end) to the horizon, and the minutes [entities, STATES].

    Raises RunError when nothing left the line in that time: no share or cycle time could be told, InputError for a log
    of other machines than the line's.
    """
    log.check_line(line)
    from twinloop.simulation.events.tally import Tally

    first = first_rework(line)
    places = line.rework.servers if line.rework else 0
    tally = Tally.of(log, start=start, first_rework=first, first_resource=first + places)
    return figures(tally, line, economy), tally.minutes


def first_rework(line: Line) -> int:
    """The first entity number that is a rework place: what such a machine works on is a visit."""
    return 1 + sum(station.servers for station in line.stations)


def figures(tally: "Tally", line: Line, economy: Economy) -> dict[str, float]:
    """KPIS from what was counted. Raises RunError when nothing left the line."""
    counts, minutes = tally.counts, tally.minutes
    window = tally.horizon - tally.start
    days = window / line.minutes_per_day
    shipped, scrapped, started = counts["shipped"], counts["scrapped"], counts["started"]
    left = shipped + scrapped
    if not left:
        raise RunError(
            f"simulate: no part left {line.name} in the {days:g} days after the warm-up: "
            "simulate more days, or check cycle, repair and interarrival times"
        )
    states = dict(zip(STATES, _share_at_bottleneck(minutes, line), strict=True))
    availability = 1 - states["down"] - states["setup"] - states["maintenance"]
    performance = (states["running"] + states["warning"]) / availability if availability > 0 else 0.0
    escapes, looks_again, reworks = counts["escapes"], counts["looks_again"], counts["reworks"]
    part_minutes = counts["part_minutes"]
    quality = (shipped - escapes) / left
    failures, maintenances = counts["failures"], counts["maintenances"]
    down_hours = float(minutes[:, DOWN - STARVED].sum()) / MINUTES_PER_HOUR
    maintenance_hours = float(minutes[:, MAINTENANCE - STARVED].sum()) / MINUTES_PER_HOUR

    revenue = economy.revenue * shipped
    costs = {
        "material": economy.material * started,
        "escape": economy.escape * escapes,
        "rework": economy.rework * reworks,
        "scrap": economy.scrap * scrapped,
        "reinspection": economy.reinspection * looks_again,
        "repair": economy.repair_hour * down_hours,
        "failure": economy.failure * failures,
        "maintenance": economy.maintenance * maintenances,
        "holding": economy.holding_hour * part_minutes / MINUTES_PER_HOUR,
        "fixed": economy.fixed_day * days,
    }
    found = {
        "profit_per_day": (revenue - sum(costs.values())) / days,
        "throughput_per_day": shipped / days,
        "oee": availability * performance * quality,
        "availability": availability,
        "performance": performance,
        "quality": quality,
        "wip": part_minutes / window,
        "cycle_time_min": counts["stay_minutes"] / left,
        "escape_ppm": PPM * escapes / max(shipped, 1),
        "escapes_per_day": escapes / days,
        "first_pass_yield": counts["right_first_time"] / left,
        "rework_share": reworks / left,
        "reinspected_share": looks_again / left,
        "scrap_share": scrapped / left,
        "good_scrapped_per_day": counts["good_scrapped"] / days,
        "down_hours_per_day": down_hours / days,
        "failures_per_day": failures / days,
        "maintenance_hours_per_day": maintenance_hours / days,
        "maintenances_per_day": maintenances / days,
        "revenue_per_day": revenue / days,
        "cost_per_day": sum(costs.values()) / days,
    }
    found |= {f"{name}_cost_per_day": cost / days for name, cost in costs.items()}
    return {name: found[name] for name in KPIS}


def _share_at_bottleneck(minutes: NDArray[np.float64], line: Line) -> list[float]:
    first = 1 + sum(station.servers for station in line.stations[: line.bottleneck])
    rows = minutes[first : first + line.stations[line.bottleneck].servers]
    shares: list[float] = (rows.sum(axis=0) / rows.sum()).tolist()
    return shares
