"""Discrete-event simulation of a production line whose inspection makes the errors that were measured.

Line describes, run simulates, Result answers with intervals; scenarios share random numbers.
"""

from twinloop.replication.settings import Knob
from twinloop.simulation.events.log import EventLog
from twinloop.simulation.experiments.settings import Add, ExperimentSettings, Lever, OptimiseSettings, Scale
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.initial import Initial
from twinloop.simulation.model.joint import Joint
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.maintenance import Maintenance
from twinloop.simulation.model.materials import Material
from twinloop.simulation.model.physics import Physics
from twinloop.simulation.model.predictor import Predictor
from twinloop.simulation.model.quality import AssumedRates, Inspection, Rework
from twinloop.simulation.model.resources import Crew, Operators, Shift, Transport
from twinloop.simulation.model.source import Order, Source, Variant
from twinloop.simulation.model.span import Span
from twinloop.simulation.model.station import BatchCycle, Station
from twinloop.simulation.model.wear import Shocks, Wear

__all__ = [
    "Add",
    "AssumedRates",
    "BatchCycle",
    "Crew",
    "Distribution",
    "Economy",
    "EventLog",
    "ExperimentSettings",
    "Initial",
    "Inspection",
    "Joint",
    "Knob",
    "Lever",
    "Line",
    "Maintenance",
    "Material",
    "Operators",
    "OptimiseSettings",
    "Order",
    "Physics",
    "Predictor",
    "Rework",
    "Scale",
    "Shift",
    "Shocks",
    "Source",
    "Span",
    "Station",
    "Transport",
    "Variant",
    "Wear",
]
