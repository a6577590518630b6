"""A fleet under its policies, many times: the same lives, the same driving, in as many processes as there are."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Unpack

from twinloop.replication.design import Design, How
from twinloop.replication.experiment import run
from twinloop.replication.kpi import Kpi
from twinloop.replication.result import Result
from twinloop.replication.system import System
from twinloop.simulation.fleet.engine import simulate
from twinloop.simulation.fleet.policies.policy import Policy
from twinloop.simulation.fleet.record import KPIS
from twinloop.simulation.fleet.vehicle import Fleet
from twinloop.simulation.fleet.world import World


@dataclass(frozen=True, eq=False)
class Played:
    """One replication of a fleet under every policy: its key figures, by policy and figure."""

    fleet: Fleet
    policies: Mapping[str, Policy]
    days: int
    warmup_days: int
    seed: int
    drawn: bool

    def __call__(self, number: int) -> Mapping[str, float]:
        world = World.of(self.fleet, days=self.days, warmup_days=self.warmup_days, seed=self.seed, replication=number)
        figures: dict[str, float] = {}
        for name, policy in self.policies.items():
            record = simulate(world, policy, draw=1 + number if self.drawn else 0)
            figures |= {key(name, kpi): value for kpi, value in record.figures().items()}
        return figures


@dataclass(frozen=True, eq=False)
class Alone:
    """One replication of a fleet under one policy: its key figures."""

    played: Played

    def __call__(self, number: int) -> Mapping[str, float]:
        (name,) = self.played.policies
        figures = self.played(number)
        return {kpi: figures[key(name, kpi)] for kpi in KPIS}


def run_policy(fleet: Fleet, policy: Policy, *, days: int = 365, warmup_days: int = 60, **how: Unpack[How]) -> Result:
    """The key figures of a fleet under one policy with their intervals; the keywords are the fields of `Design`.

    Replication r uses draw 1 + r mod draws of what was measured, and again its estimate. Results of one seed pair:
    `result.compare(other)`. Raises InputError for a policy that does not fit the fleet.
    """
    design = Design(**how)
    policy.check(fleet)
    drawn = Played(fleet, {fleet.name: policy}, days, warmup_days, design.seed, drawn=True)
    estimate = Alone(dataclasses.replace(drawn, drawn=False)) if policy.draws else None
    return run([System(fleet.name, Alone(drawn), estimate)], design, KPIS)[fleet.name]


def key(policy: str, kpi: str) -> str:
    """What a policy's key figure is called where several policies are one system."""
    return f"{policy}: {kpi}"


def kpis_of(policies: Mapping[str, Policy]) -> dict[str, Kpi]:
    """The key figures of several policies as one table."""
    return {key(name, kpi): described for name in policies for kpi, described in KPIS.items()}
