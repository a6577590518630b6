"""Lives of a fleet's components, drawn when first asked for: the k-th of each is the same under every policy.

Luck belongs to the part, not to the calendar: its wear, supplier, batch, way to fail and repair time come from streams
of its vehicle, component and number, so that policies are compared on the same fleets.
"""

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np

from twinloop.replication.streams import Streams
from twinloop.simulation.fleet.vehicle import Fleet
from twinloop.simulation.model.distributions import guarded
from twinloop.simulation.model.wear import Wear
from twinloop.simulation.model.wear_path import WearPath, life_path


class Unit(NamedTuple):
    """One part in one vehicle.

    path: wear over minutes of driving. repair_min: of technicians' work to replace it as planned. mode, supplier: their
    places. batch: number. luck: uniform, which damage its failure does. used: uniform, the share of its life that is
    over where a fleet begins with used parts.
    """

    path: WearPath
    repair_min: float
    mode: int
    supplier: int
    batch: int
    luck: float
    used: float


class Lives:
    """All lives of one replication; batch_life: (component, supplier, batch) by name → factor of the mean life."""

    def __init__(
        self, fleet: Fleet, streams: Streams, *, batch_life: Mapping[tuple[str, str, int], float] | None = None
    ) -> None:
        self.fleet, self.streams = fleet, streams
        self._batch_life = batch_life or {}
        self._units: dict[tuple[int, int, int, float], Unit] = {}
        self._kinds = [fleet.kind_of(place) for place in range(len(fleet.vehicles))]
        self._wear = cache(_faster)

    def entity(self, vehicle: int, component: int) -> str:
        """What a component's streams are keyed by."""
        return f"{self.fleet.vehicles[vehicle].name}/{self.fleet.components[component].name}"

    def unit(self, vehicle: int, component: int, number: int, *, start: float = 0.0) -> Unit:
        """Life `number` (from 0) of a vehicle's component, which begins at wear level `start`."""
        key = (vehicle, component, number, start)
        if key not in self._units:
            self._units[key] = self._drawn(*key)
        return self._units[key]

    def _drawn(self, vehicle: int, component: int, number: int, start: float) -> Unit:
        described, entity = self.fleet.components[component], self.entity(vehicle, component)
        rng = self.streams.generator(entity, f"part {number}")
        mode_luck, supplier_luck, batch_luck, luck, used = rng.random(5).tolist()
        repair = float(guarded(described.repair.sample(rng, 1), f"{entity}: repair")[0])
        mode = _chosen([mode.share for mode in described.modes], mode_luck)
        place = _chosen([supplier.share for supplier in described.suppliers], supplier_luck)
        supplier = described.suppliers[place]
        batch = int(batch_luck * supplier.batches)
        life = supplier.life * self._batch_life.get((described.name, supplier.name, batch), 1.0)
        stress = self._kinds[vehicle].stress.get(described.name, 1.0) / life
        path = life_path(self._wear(described.wear, stress), self.streams, entity, number, start=start)
        return Unit(path, repair, mode, place, batch, luck, used)


def _faster(wear: Wear, stress: float) -> Wear:
    """The same wear `stress` times as fast: with the same luck the same path on a shorter scale of time."""
    if stress == 1:
        return wear
    shocks = wear.shocks and dataclasses.replace(wear.shocks, every_min=wear.shocks.every_min / stress)
    return dataclasses.replace(wear, mean_life_min=wear.mean_life_min / stress, shocks=shocks)


def _chosen(shares: list[float], luck: float) -> int:
    if len(shares) == 1:
        return 0
    return int(np.searchsorted(np.cumsum(shares), luck * sum(shares), side="right"))
