"""Discrete-event simulation of a production line whose inspection makes the errors that were measured.

Line describes, run simulates, Result answers with intervals; scenarios share random numbers.
"""

from twinloop.simulation.distributions import Distribution
from twinloop.simulation.economy import Economy
from twinloop.simulation.line import AssumedRates, Inspection, Line, Rework, Source, Station, Variant
from twinloop.simulation.settings import Add, ExperimentSettings, Lever, Scale

__all__ = [
    "Add",
    "AssumedRates",
    "Distribution",
    "Economy",
    "ExperimentSettings",
    "Inspection",
    "Lever",
    "Line",
    "Rework",
    "Scale",
    "Source",
    "Station",
    "Variant",
]
