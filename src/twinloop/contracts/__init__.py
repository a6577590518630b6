"""The typed records that pass between parts: the only way a learning result enters a simulation or a schedule."""

from twinloop.contracts.operating_curve import Decision, OperatingCurve
from twinloop.contracts.plan import Assignment, Plan

__all__ = ["Assignment", "Decision", "OperatingCurve", "Plan"]
