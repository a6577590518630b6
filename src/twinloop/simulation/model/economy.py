"""Prices of a line: what a shipped part brings and what every loss costs, in euro."""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings

Euro = Annotated[float, Field(ge=0)]


@settings
class Economy:
    """Euro per event or hour. Profit per day is revenue minus all of these costs.

    revenue: per shipped part, defective or not; the customer's claim is `escape`.
    material: per part that enters the line, so a scrapped part has cost its material, not one that is turned away.
    escape: per defective part shipped (claim, sorting, replacement).
    rework: per visit to the rework station. scrap: per scrapped part, disposal.
    reinspection: per look after the first. repair_hour: per machine-hour of breakdown.
    failure: per breakdown, beyond its hours (spare parts, damage). maintenance: per maintenance before a breakdown.
    holding_hour: per part and hour on the line. fixed_day: staff, energy, rent.
    """

    revenue: Euro = 24.0
    material: Euro = 11.0
    escape: Euro = 120.0
    rework: Euro = 3.0
    scrap: Euro = 0.5
    reinspection: Euro = 0.2
    repair_hour: Euro = 60.0
    failure: Euro = 0.0
    maintenance: Euro = 0.0
    holding_hour: Euro = 0.05
    fixed_day: Euro = 2000.0
