"""A vehicle fleet and its workshop: components that wear with driving, visits that are planned, failures that are not.

A Fleet describes, simulate runs it under a policy, compare_policies answers with paired intervals.
"""

from twinloop.simulation.fleet.comparison import FleetComparison, compare_policies
from twinloop.simulation.fleet.duty import Duty
from twinloop.simulation.fleet.engine import simulate
from twinloop.simulation.fleet.experiment import run_policy
from twinloop.simulation.fleet.history import FleetHistory, simulate_history
from twinloop.simulation.fleet.modes import Mode
from twinloop.simulation.fleet.morning import Morning, Visit
from twinloop.simulation.fleet.policies import (
    Alert,
    FixedInterval,
    Joint,
    Oracle,
    Policy,
    RunToFailure,
    WearSeen,
    policy_of,
)
from twinloop.simulation.fleet.scenario import BadBatch, Fault, Scenario
from twinloop.simulation.fleet.scored import HazardScorer, Scored
from twinloop.simulation.fleet.sensor_faults import SensorFault
from twinloop.simulation.fleet.sensors import Sensing, telemetry
from twinloop.simulation.fleet.standard import StandardFleet
from twinloop.simulation.fleet.tuning import tuned
from twinloop.simulation.fleet.vehicle import Component, Fleet, Kind, Supplier, Vehicle
from twinloop.simulation.fleet.watching import watched_lives
from twinloop.simulation.fleet.workshop import Shift, Workshop
from twinloop.simulation.fleet.world import World

__all__ = [
    "Alert",
    "BadBatch",
    "Component",
    "Duty",
    "Fault",
    "FixedInterval",
    "Fleet",
    "FleetComparison",
    "FleetHistory",
    "HazardScorer",
    "Joint",
    "Kind",
    "Mode",
    "Morning",
    "Oracle",
    "Policy",
    "RunToFailure",
    "Scenario",
    "Scored",
    "Sensing",
    "SensorFault",
    "Shift",
    "StandardFleet",
    "Supplier",
    "Vehicle",
    "Visit",
    "WearSeen",
    "Workshop",
    "World",
    "compare_policies",
    "policy_of",
    "run_policy",
    "simulate",
    "simulate_history",
    "telemetry",
    "tuned",
    "watched_lives",
]
