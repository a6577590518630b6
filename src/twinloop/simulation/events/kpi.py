"""Key figures of one replication, computed from its event log alone. A new one is an entry of FORMULAS.

OEE = availability × performance × quality of the bottleneck (Line.bottleneck), after ISO 22400-2:
availability is the share of planned time without breakdown, maintenance and set-up; performance is the share of
available time in which it works, the rest being starved, blocked or idle (stations have no reduced speed);
quality is the share of good parts shipped among all parts that left the line.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import RunError
from twinloop.replication.kpi import Kpi
from twinloop.simulation.events.log import EventLog
from twinloop.simulation.events.measured import Measured
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.line import Line

if TYPE_CHECKING:
    from twinloop.simulation.events.tally import Tally

PPM = 1e6


class Formula(NamedTuple):
    """A key figure's title and unit, and how it follows from what was counted."""

    title: str
    unit: str
    of: Callable[[Measured], float]


def _cost(title: str, name: str) -> Formula:
    return Formula(title, "€/day", lambda measured: measured.costs[name] / measured.days)


# The order is that of tables.
FORMULAS: dict[str, Formula] = {
    "profit_per_day": Formula("Profit", "€/day", lambda m: (m.revenue - m.cost) / m.days),
    "throughput_per_day": Formula("Throughput", "parts/day", lambda m: m.per_day("shipped")),
    "oee": Formula("OEE", "", lambda m: m.availability * m.performance * m.quality),
    "availability": Formula("Availability", "", lambda m: m.availability),
    "performance": Formula("Performance", "", lambda m: m.performance),
    "quality": Formula("Quality", "", lambda m: m.quality),
    "wip": Formula("Work in progress", "parts", lambda m: m.counts["part_minutes"] / m.window_min),
    "cycle_time_min": Formula("Cycle time", "min", lambda m: m.per_part("stay_minutes")),
    "escape_ppm": Formula("Escape rate", "ppm", lambda m: PPM * m.counts["escapes"] / max(m.counts["shipped"], 1)),
    "escapes_per_day": Formula("Escaped parts", "parts/day", lambda m: m.per_day("escapes")),
    "first_pass_yield": Formula("First-pass yield", "", lambda m: m.per_part("right_first_time")),
    "rework_share": Formula("Rework visits per part", "", lambda m: m.per_part("reworks")),
    "reinspected_share": Formula("Second looks per part", "", lambda m: m.per_part("looks_again")),
    "scrap_share": Formula("Scrap per part", "", lambda m: m.per_part("scrapped")),
    "good_scrapped_per_day": Formula("Good parts scrapped", "parts/day", lambda m: m.per_day("good_scrapped")),
    "down_hours_per_day": Formula("Breakdown", "h/day", lambda m: m.down_hours / m.days),
    "failures_per_day": Formula("Breakdowns", "per day", lambda m: m.per_day("failures")),
    "maintenance_hours_per_day": Formula("Maintenance", "h/day", lambda m: m.maintenance_hours / m.days),
    "maintenances_per_day": Formula("Maintenances", "per day", lambda m: m.per_day("maintenances")),
    "revenue_per_day": Formula("Revenue", "€/day", lambda m: m.revenue / m.days),
    "cost_per_day": Formula("Cost", "€/day", lambda m: m.cost / m.days),
    "material_cost_per_day": _cost("Material cost", "material"),
    "escape_cost_per_day": _cost("Escape cost", "escape"),
    "rework_cost_per_day": _cost("Rework cost", "rework"),
    "scrap_cost_per_day": _cost("Scrap cost", "scrap"),
    "reinspection_cost_per_day": _cost("Re-inspection cost", "reinspection"),
    "repair_cost_per_day": _cost("Repair cost", "repair"),
    "failure_cost_per_day": _cost("Breakdown cost", "failure"),
    "maintenance_cost_per_day": _cost("Maintenance cost", "maintenance"),
    "holding_cost_per_day": _cost("Holding cost", "holding"),
    "fixed_cost_per_day": _cost("Fixed cost", "fixed"),
}
KPIS: dict[str, Kpi] = {name: Kpi(formula.title, formula.unit) for name, formula in FORMULAS.items()}


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
    measured = Measured(line, economy, tally.counts, tally.minutes, tally.horizon - tally.start)
    if not measured.left:
        raise RunError(
            f"simulate: no part left {line.name} in the {measured.days:g} days after the warm-up: "
            "simulate more days, or check cycle, repair and interarrival times"
        )
    return {name: formula.of(measured) for name, formula in FORMULAS.items()}
