"""A rule given from outside: each morning it sees the fleet and the risks and says which visits are to be agreed."""

from collections.abc import Iterable
from typing import Protocol

from twinloop.contracts import RiskTable
from twinloop.simulation.fleet.lives import Lives, Unit
from twinloop.simulation.fleet.morning import Morning, Visit
from twinloop.simulation.fleet.policies.failure import RunToFailure
from twinloop.simulation.fleet.policies.policy import Policy
from twinloop.simulation.fleet.risks import Foresight
from twinloop.simulation.fleet.vehicle import Fleet


class Rule(Protocol):
    """Any callable of this form; one that is used by several processes can be pickled."""

    def __call__(self, morning: Morning, risks: RiskTable) -> Iterable[Visit]:
        """The visits to be agreed this morning, of vehicles that are up, on day `morning.earliest_day` or later."""


class Joint(Policy):
    """`rule` decides for the whole fleet. signals: the policy whose due ages it sees as alerts, none unless given.

    foresight: makes the risks of each morning from ages and alerts; its own default knows the laws of the lives.
    """

    def __init__(self, rule: Rule, *, signals: Policy | None = None, foresight: Foresight | None = None) -> None:
        self.rule, self.signals = rule, signals or RunToFailure()
        self.foresight = foresight or Foresight()

    @property
    def draws(self) -> int:
        return self.signals.draws

    def check(self, fleet: Fleet) -> None:
        self.signals.check(fleet)

    def due_age(self, lives: Lives, vehicle: int, component: int, number: int, unit: Unit, *, draw: int = 0) -> float:
        return self.signals.due_age(lives, vehicle, component, number, unit, draw=draw)

    def visits(self, morning: Morning) -> Iterable[Visit]:
        return self.rule(morning, self.foresight.risks(morning))
