"""Key figures of one replication, computed from its event log alone. A new one is an entry of FORMULAS.

A line with spans has those of a service in place of these (events.service).

OEE = availability × performance × quality of the bottleneck (Line.bottleneck), after ISO 22400-2:
availability is the share of planned time without breakdown, maintenance and set-up; performance is the share of
available time in which it works, the rest being starved, blocked or idle (stations have no reduced speed);
quality is the share of good parts shipped among all parts that left the line.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import RunError
from twinloop.replication.kpi import Kpi
from twinloop.replication.steady_state import EARLY, LATE
from twinloop.simulation.events.log import EventLog
from twinloop.simulation.events.measured import PPM, Measured
from twinloop.simulation.events.orders import book_end
from twinloop.simulation.events.service import check_served, service_figures
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.line import Line

if TYPE_CHECKING:
    from twinloop.simulation.events.tally import Tally

OPEN = "open"


class Formula(NamedTuple):
    """A key figure, and how it follows from what was counted."""

    kpi: Kpi
    of: Callable[[Measured], float]


def _money(title: str, of: Callable[[Measured], float]) -> Formula:
    return Formula(Kpi(title, "€/day"), of)


def _share(title: str, of: Callable[[Measured], float]) -> Formula:
    return Formula(Kpi(title, least=0.0, most=1.0), of)


def _count(
    title: str, unit: str, of: Callable[[Measured], float], *, most: float = math.inf, level: bool = False
) -> Formula:
    return Formula(Kpi(title, unit, least=0.0, most=most, level=level), of)


def _cost(title: str, name: str, *, level: bool = False) -> Formula:
    return _count(title, "€/day", lambda measured: measured.costs[name] / measured.days, level=level)


# The order is that of tables.
FORMULAS: dict[str, Formula] = {
    "profit_per_day": _money("Profit", lambda m: (m.revenue - m.cost) / m.days),
    "throughput_per_day": _count("Throughput", "parts/day", lambda m: m.per_day("shipped")),
    "oee": _share("OEE", lambda m: m.availability * m.performance * m.quality),
    "availability": _share("Availability", lambda m: m.availability),
    "performance": _share("Performance", lambda m: m.performance),
    "quality": _share("Quality", lambda m: m.quality),
    "wip": _count("Work in progress", "parts", lambda m: m.counts["part_minutes"] / m.window_min, level=True),
    "cycle_time_min": _count("Cycle time", "min", lambda m: m.per_part("stay_minutes"), level=True),
    "escape_ppm": _count("Escape rate", "ppm", lambda m: m.escape_ppm, most=PPM),
    "escapes_per_day": _count("Escaped parts", "parts/day", lambda m: m.per_day("escapes")),
    "first_pass_yield": _share("First-pass yield", lambda m: m.per_part("right_first_time")),
    "rework_share": _count("Rework visits per part", "", lambda m: m.per_part("reworks")),
    "reinspected_share": _count("Second looks per part", "", lambda m: m.per_part("looks_again")),
    "scrap_share": _share("Scrap per part", lambda m: m.per_part("scrapped")),
    "good_scrapped_per_day": _count("Good parts scrapped", "parts/day", lambda m: m.per_day("good_scrapped")),
    "down_hours_per_day": _count("Breakdown", "h/day", lambda m: m.down_hours / m.days),
    "failures_per_day": _count("Breakdowns", "per day", lambda m: m.per_day("failures")),
    "maintenance_hours_per_day": _count("Maintenance", "h/day", lambda m: m.maintenance_hours / m.days),
    "maintenances_per_day": _count("Maintenances", "per day", lambda m: m.per_day("maintenances")),
    "revenue_per_day": _count("Revenue", "€/day", lambda m: m.revenue / m.days),
    "cost_per_day": _count("Cost", "€/day", lambda m: m.cost / m.days),
    "material_cost_per_day": _cost("Material cost", "material"),
    "escape_cost_per_day": _cost("Escape cost", "escape"),
    "rework_cost_per_day": _cost("Rework cost", "rework"),
    "scrap_cost_per_day": _cost("Scrap cost", "scrap"),
    "reinspection_cost_per_day": _cost("Re-inspection cost", "reinspection"),
    "repair_cost_per_day": _cost("Repair cost", "repair"),
    "failure_cost_per_day": _cost("Breakdown cost", "failure"),
    "maintenance_cost_per_day": _cost("Maintenance cost", "maintenance"),
    "holding_cost_per_day": _cost("Holding cost", "holding", level=True),
    "fixed_cost_per_day": _cost("Fixed cost", "fixed"),
}
# Of lines that lose parts only (Line.loses).
LOSSES: dict[str, Formula] = {
    "lost_per_day": _count("Lost parts", "parts/day", lambda m: m.per_day("lost")),
    "lost_share": _share("Lost of all that ended", lambda m: m.counts["lost"] / max(m.gone, 1)),
}
KPIS: dict[str, Kpi] = {name: formula.kpi for name, formula in FORMULAS.items()}
# What is told beside them: parts on the line in two quarters of the time (steady_state.growth), and parts of the
# order book that have not left.
ASIDES: dict[str, Callable[[Measured], float]] = {
    EARLY: lambda m: m.counts["second_quarter_minutes"] / (m.horizon / 4),
    LATE: lambda m: m.counts["last_quarter_minutes"] / (m.horizon / 4),
    OPEN: lambda m: m.line.source.ordered - m.gone,
}


def kpis(log: EventLog, line: Line, economy: Economy, *, start: float) -> tuple[dict[str, float], NDArray[np.float64]]:
    """KPIS of the time from minute `start` (the warm-up's end) on, and the minutes [entities, STATES].

    The time ends at the horizon, or before, when all that was ordered has left. Raises RunError when nothing left the
    line in that time: no share or cycle time could be told, InputError for a log of other machines than the line's.
    """
    told, minutes = outcome(log, line, economy, start=start)
    return {name: told[name] for name in kpis_of(line)}, minutes


def kpis_of(*lines: Line) -> dict[str, Kpi]:
    """The key figures of lines that are told side by side: those that all of them have."""
    if any(line.spans for line in lines):
        tables = [service_figures(line) for line in lines]
        return {name: kpi for name, (kpi, _) in tables[0].items() if all(name in table for table in tables)}
    losses = {name: formula.kpi for name, formula in LOSSES.items()} if any(line.loses for line in lines) else {}
    return KPIS | losses


def outcome(
    log: EventLog, line: Line, economy: Economy, *, start: float
) -> tuple[dict[str, float], NDArray[np.float64]]:
    """The same with ASIDES: what a replication tells."""
    log.check_line(line)
    from twinloop.simulation.events.tally import Tally

    end = book_end(log, line.source)
    if end < log.horizon:
        log = log.until(math.nextafter(end, math.inf))
    tally = Tally.of(log, start=start, **tallied(line))
    return figures(tally, line, economy), tally.minutes


def tallied(line: Line) -> dict[str, int]:
    """What a tally has to know of a line's entities, by keyword."""
    first = first_rework(line)
    return {
        "first_rework": first,
        "first_resource": first + (line.rework.servers if line.rework else 0),
        "spans": len(line.spans),
    }


def first_rework(line: Line) -> int:
    """The first entity number that is a rework place: what such a machine works on is a visit."""
    return 1 + sum(station.servers for station in line.stations)


def figures(tally: "Tally", line: Line, economy: Economy) -> dict[str, float]:
    """Key figures and ASIDES from what was counted. Raises RunError when nothing left the line, or ended a span."""
    measured = Measured(line, economy, tally.counts, tally.minutes, tally.start, tally.horizon, tally.spans)
    asides = {name: of(measured) for name, of in ASIDES.items()}
    if line.spans:
        check_served(measured)
        return {name: of(measured) for name, (_, of) in service_figures(line).items()} | asides
    if not measured.left:
        when = "of its orders" if line.source.orders else "after the warm-up"
        raise RunError(
            f"simulate: no part left {line.name} in the {measured.days:g} days {when}: "
            "simulate more days, or check cycle, repair and interarrival times"
        )
    return {name: formula.of(measured) for name, formula in (FORMULAS | LOSSES).items()} | asides
