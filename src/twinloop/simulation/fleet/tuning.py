"""The numbers of a policy that has one per component, each chosen by what the component costs in simulated fleets.

All components are tried at the same place of their grids at once: what a run costs is known by component, so that a
sweep of the grid tries them all. A second sweep looks between the best values' neighbours with the others at theirs.
Whether a component is better never due is tried last, one by one, by what the whole fleet costs: in a sweep all would
be, and crowd the workshop. The replications are apart from those by which policies are compared: what was chosen by
luck earns nothing there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from twinloop.numbers import coarse
from twinloop.replication.design import Design
from twinloop.replication.experiment import replicated
from twinloop.replication.kpi import Kpi
from twinloop.replication.system import System
from twinloop.simulation.fleet.engine import simulate
from twinloop.simulation.fleet.policies.policy import NEVER, PerComponent, Policy
from twinloop.simulation.fleet.vehicle import Fleet
from twinloop.simulation.fleet.world import World

Floats = NDArray[np.float64]
Tuned = TypeVar("Tuned", bound=PerComponent)
# Far from the replications that are compared.
FIRST = 1_000_000


@dataclass(frozen=True, eq=False)
class Sweep:
    """One replication of every policy: its cost by component."""

    fleet: Fleet
    policies: Sequence[Policy]
    days: int
    warmup_days: int
    seed: int

    def __call__(self, number: int) -> Mapping[str, float]:
        world = World.of(self.fleet, days=self.days, warmup_days=self.warmup_days, seed=self.seed, replication=number)
        costs = [simulate(world, policy).ledger.by_component.tolist() for policy in self.policies]
        return {_key(p, c): cost for p, row in enumerate(costs) for c, cost in enumerate(row)}

    def costs(self, design: Design) -> Floats:
        """[policies, components] mean cost over the replications."""
        shape = len(self.policies), len(self.fleet.components)
        names = [_key(p, c) for p in range(shape[0]) for c in range(shape[1])]
        result = replicated([System("sweep", self)], design, {name: Kpi(name, "€") for name in names})["sweep"]
        return np.array([coarse(float(result.values(name).mean()), digits=10) for name in names]).reshape(shape)


def tuned(
    policy: Tuned,
    fleet: Fleet,
    *,
    days: int,
    warmup_days: int = 0,
    replications: int = 4,
    seed: int = 1,
    workers: int = 1,
) -> Tuned:
    """The policy with the best number of its grid, or near it, for every component of the fleet.

    days, warmup_days: of each of the replications. Raises InputError for a policy that does not fit the fleet.
    """
    policy.check(fleet)
    design = Design(replications=replications, first=FIRST, seed=seed, workers=workers)
    grids = [
        [value for value in policy.grid(fleet, component) if value < NEVER] or [NEVER]
        for component in range(len(fleet.components))
    ]
    for _ in range(2):
        tries = max(map(len, grids))
        candidates = [
            policy.at(dict(zip(fleet.parts, (grid[min(place, len(grid) - 1)] for grid in grids), strict=True)))
            for place in range(tries)
        ]
        costs = Sweep(fleet, candidates, days, warmup_days, seed).costs(design)
        best = [min(int(costs[:, place].argmin()), len(grid) - 1) for place, grid in enumerate(grids)]
        values = {name: grid[place] for name, grid, place in zip(fleet.parts, grids, best, strict=True)}
        grids = [_between(grid, place) for grid, place in zip(grids, best, strict=True)]
    policy = policy.at({name: value for name, value in values.items() if value < NEVER})
    while policy.values:
        names = list(policy.values)
        fewer = [policy.at({name: policy.values[name] for name in names if name != own}) for own in names]
        costs = Sweep(fleet, [policy, *fewer], days, warmup_days, seed).costs(design)
        cheapest = int(costs.sum(axis=1).argmin())
        if not cheapest:
            break
        policy = fewer[cheapest - 1]
    return policy


def _between(grid: Sequence[float], best: int) -> list[float]:
    """The best value, and half the way to its neighbours."""
    value = grid[best]
    neighbours = [grid[place] for place in (best - 1, best + 1) if 0 <= place < len(grid)]
    return sorted({value, *((value + other) / 2 for other in neighbours if max(value, other) < NEVER)})


def _key(policy: int, component: int) -> str:
    return f"{policy} {component}"
