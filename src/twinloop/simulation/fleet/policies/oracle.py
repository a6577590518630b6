"""The oracle: what nobody has, to compare with. It uses every life to its last minute and never fails on the road."""

from twinloop.simulation.fleet.policies.policy import Policy


class Oracle(Policy):
    """A planned renewal at the moment of each failure, in its place and without notice.

    Where a visit costs no more than a failure and downtime is free, no policy costs less: none renews a component less
    often.
    """

    at_failure = True
    watches = False
