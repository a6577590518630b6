"""Discrete-event simulation of a production line whose inspection makes the errors that were measured.

Line describes, run simulates, Result answers with intervals; scenarios share random numbers.
"""

from twinloop.simulation.experiments.settings import Add, ExperimentSettings, Lever, Scale
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.quality import AssumedRates, Inspection, Rework
from twinloop.simulation.model.source import Source, Variant
from twinloop.simulation.model.station import Station

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
