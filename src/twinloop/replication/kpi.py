"""Key figures by name: what every replication of a system tells. Whoever simulates hands the table in."""

from collections.abc import Mapping
from typing import NamedTuple

from twinloop.numbers import fixed


class Kpi(NamedTuple):
    """What a key figure is called, and its unit; a share has none."""

    title: str
    unit: str = ""

    @property
    def heading(self) -> str:
        """Title and unit as the head of a table's column."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def text(self, value: float) -> str:
        """A value with the digits that tell something.

        >>> Kpi("Profit", "€/day").text(9412.3), Kpi("OEE").text(0.81234)
        ('9\u202f412', '0.812')
        """
        return fixed(value, 3 if not self.unit else 1 if abs(value) < 100 else 0)


# name → key figure; the order is that of tables, and the first is the one that matters most.
Kpis = Mapping[str, Kpi]
