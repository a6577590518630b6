"""Maintenance policies by name: when each acts in a machine's life. A new one is a file and an entry here."""

from collections.abc import Mapping

from twinloop.simulation.model.policies.condition import Condition
from twinloop.simulation.model.policies.failure import Failure
from twinloop.simulation.model.policies.interval import Interval
from twinloop.simulation.model.policies.opportunistic import Opportunistic
from twinloop.simulation.model.policies.oracle import Oracle
from twinloop.simulation.model.policies.policy import Policy
from twinloop.simulation.model.policies.predictive import Predictive

POLICIES: Mapping[str, Policy] = {
    "failure": Failure(),
    "interval": Interval(),
    "condition": Condition(),
    "predictive": Predictive(),
    "opportunistic": Opportunistic(),
    "oracle": Oracle(),
}
