"""Key figures by name: what every replication of a system tells. Whoever simulates hands the table in."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from twinloop.numbers import MISSING, Interval, fixed


class Kpi(NamedTuple):
    """What a key figure is called, and its unit; a share has none.

    least, most: what it can be, so that no interval promises a share above 1 or a count below 0. level: whether it
    follows how much there is in the system, and so has a mean only where the system settles.
    """

    title: str
    unit: str = ""
    least: float = -math.inf
    most: float = math.inf
    level: bool = False

    @property
    def heading(self) -> str:
        """Title and unit as the head of a table's column."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def within(self, ends: Interval) -> Interval:
        """The part of an interval of the figure that can be."""
        return ends.within(self.least, self.most)

    def change_within(self, ends: Interval) -> Interval:
        """The part of an interval of a difference of two such figures that can be."""
        return ends.within(self.least - self.most, self.most - self.least)

    def text(self, value: float | None) -> str:
        """A value with the digits that tell something; a dash where there is none.

        >>> Kpi("Profit", "€/day").text(9412.3), Kpi("OEE").text(0.81234)
        ('9\u202f412', '0.812')
        """
        if value is None:
            return MISSING
        return fixed(value, 3 if not self.unit else 1 if abs(value) < 100 else 0)


# name → key figure; the order is that of tables, and the first is the one that matters most.
Kpis = Mapping[str, Kpi]
