"""A line as plain values, as its YAML has them; what few lines use is told only of those that do."""

import dataclasses
from typing import Any

from twinloop.simulation.model.line import Line

SELDOM = frozenset(("spans", "joint", "population", "unlimited", "batch_cycles"))


def plain(line: Line) -> dict[str, Any]:
    """The line as mappings and lists, from which `parse(Line, …)` makes the same line, also by way of JSON."""
    told = dataclasses.asdict(line)
    for place in (told, told["source"], *told["stations"]):
        for name in SELDOM.intersection(place):
            if not place[name]:
                del place[name]
    return told
