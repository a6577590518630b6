"""Run to failure: nothing is renewed before it fails."""

from twinloop.simulation.fleet.policies.policy import Policy


class RunToFailure(Policy):
    """Every component runs until it fails."""

    watches = False
