"""What upkeep costs and brings, per part shipped: the figures that maintenance policies are compared by.

Per day, a policy that lets its machine stand would look cheap (renewal reward; Barlow and Hunter, 1960).
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.replication.kpi import Kpi
from twinloop.simulation.events.kpi import KPIS
from twinloop.simulation.model.line import Line

Floats = NDArray[np.float64]
ORACLE, FAILURE = "oracle", "run to failure"
COST = "upkeep_cost_per_part"
# name → figure and digits; the order is that of tables
FIGURES: dict[str, tuple[Kpi, int]] = {
    COST: (Kpi("Upkeep cost", "€/part", least=0.0), 3),
    "availability": (KPIS["availability"], 4),
    "failures_per_day": (KPIS["failures_per_day"], 2),
    "maintenances_per_day": (KPIS["maintenances_per_day"], 2),
    "throughput_per_day": (KPIS["throughput_per_day"], 1),
    "profit_per_day": (KPIS["profit_per_day"], 0),
}


def upkeep_figures(table: pl.DataFrame, line: Line) -> dict[str, Floats]:
    """[replications] of every figure of FIGURES, and of all that is per day, from a result's replications."""
    day = {name: table[name].to_numpy() for name in table.columns if name.endswith("_per_day")}
    machines = sum(station.servers for station in line.stations) + (line.rework.servers if line.rework else 0)
    stood = (day["down_hours_per_day"] + day["maintenance_hours_per_day"]) * MINUTES_PER_HOUR
    upkeep = day["failure_cost_per_day"] + day["repair_cost_per_day"] + day["maintenance_cost_per_day"]
    day[COST] = upkeep / day["throughput_per_day"]
    day["availability"] = 1 - stood / (line.minutes_per_day * machines)
    return day
