"""Maintenance policies of a fleet by name. A new one is a file and an entry here."""

from collections.abc import Mapping
from typing import Any

from twinloop.errors import unknown
from twinloop.simulation.fleet.policies.alert import Alert
from twinloop.simulation.fleet.policies.failure import RunToFailure
from twinloop.simulation.fleet.policies.interval import FixedInterval
from twinloop.simulation.fleet.policies.joint import Joint
from twinloop.simulation.fleet.policies.oracle import Oracle
from twinloop.simulation.fleet.policies.policy import Policy
from twinloop.simulation.fleet.policies.wear import WearSeen

__all__ = ["POLICIES", "Alert", "FixedInterval", "Joint", "Oracle", "Policy", "RunToFailure", "WearSeen", "policy_of"]

POLICIES: Mapping[str, type[Policy]] = {
    "run to failure": RunToFailure,
    "fixed interval": FixedInterval,
    "alert": Alert,
    "joint": Joint,
    "wear seen": WearSeen,
    "oracle": Oracle,
}


def policy_of(name: str, **settings: Any) -> Policy:
    """The policy of that name with its settings, the fields of its class. Raises InputError for an unknown name."""
    if name not in POLICIES:
        raise unknown("fleet: policy", name, POLICIES)
    return POLICIES[name](**settings)
