"""The typed records that pass between parts: the only way a learning result enters a simulation or a schedule."""

from twinloop.contracts.alert_curve import AlertCurve, ByLife
from twinloop.contracts.diagnosis import Diagnosis
from twinloop.contracts.event import Event, EventKind
from twinloop.contracts.operating_curve import Decision, OperatingCurve
from twinloop.contracts.operating_point import OperatingPoint, Thresholds
from twinloop.contracts.plan import Assignment, Plan
from twinloop.contracts.risk_table import Risk, RiskTable
from twinloop.contracts.service_profile import Origin, ServiceProfile
from twinloop.contracts.telemetry import Telemetry

__all__ = [
    "AlertCurve",
    "Assignment",
    "ByLife",
    "Decision",
    "Diagnosis",
    "Event",
    "EventKind",
    "OperatingCurve",
    "OperatingPoint",
    "Origin",
    "Plan",
    "Risk",
    "RiskTable",
    "ServiceProfile",
    "Telemetry",
    "Thresholds",
]
