"""The inspection station: its decisions, drawn from one draw of a measured operating curve, and what follows from them.

Look k of a part of class c sees z = √ρ·u + √(1−ρ)·e_k and scores at quantile Φ(z) of its class (the
copula of contracts/operating_curve.py). Comparing z with Φ⁻¹ of the class's rates is the same and
needs no Φ per look. A part unlike anything learnt has no place on that scale: its u is NaN, which is
neither below nor above a limit, so that every look asks for another.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import ndtri

from twinloop.contracts import OperatingCurve
from twinloop.replication.streams import ByPart
from twinloop.simulation.engine.entities import Part
from twinloop.simulation.engine.machines import Machine, Place, Process
from twinloop.simulation.engine.transport import Dock
from twinloop.simulation.engine.visits import Door
from twinloop.simulation.events.log import ACCEPT, REINSPECT, REJECT, RUNNING, SCRAP
from twinloop.simulation.model.quality import Inspection, Rework
from twinloop.simulation.model.station import Station


@dataclass(frozen=True)
class Gate:
    """What decides about a part: small, plain and quick to send to a worker.

    upper_share: [C] cumulative prevalence. accept_z, reject_z: [C] limits of z per class.
    """

    classes: tuple[str, ...]
    upper_share: tuple[float, ...]
    accept_z: tuple[float, ...]
    reject_z: tuple[float, ...]
    part_weight: float
    look_weight: float

    @classmethod
    def of(cls, curve: OperatingCurve, *, draw: int = 0) -> Self:
        """The gate of one draw at the curve's operating point; draw 0 is the estimate."""
        shares = np.cumsum(curve.prevalence / curve.prevalence.sum())
        return cls(
            classes=curve.classes,
            upper_share=(*shares[:-1].tolist(), 1.0),
            accept_z=tuple(ndtri(curve.accepted(draw=draw)).tolist()),
            reject_z=tuple(ndtri(1 - curve.rejected(draw=draw)).tolist()),
            part_weight=math.sqrt(curve.repeatability),
            look_weight=math.sqrt(1 - curve.repeatability),
        )


class Inspector(Machine):
    """The camera: each cycle is one look; a part is accepted, looked at again, or rejected."""

    def __init__(
        self,
        place: Place,
        station: Station,
        *,
        gate: Gate,
        inspection: Inspection,
        rework: Rework | None,
        rework_queue: Door | Dock | None,
        latency_min: float,
    ) -> None:
        super().__init__(place, station)
        self._gate, self._inspection, self._latency_min = gate, inspection, latency_min
        self._rework, self._rework_queue = rework, rework_queue
        self._streams, self._noise = place.streams, list[ByPart]()
        self.looked = 0

    def _process(self, part: Part) -> Process:
        first, self.looked = 1 + self.looked, 0
        for look in range(first, self._inspection.max_looks + 1):
            yield from self._work(self._minutes(part) + self._latency_min, RUNNING, part)
            decision = self._decide(part)
            if decision == REINSPECT and look == self._inspection.max_looks:
                decision = REJECT if self._inspection.undecided == "reject" else ACCEPT
            self.log.record(self.env.now, decision, self.entity, part.number, part.condition)
            if decision != REINSPECT:
                part.rejected = decision == REJECT
                return

    def _decide(self, part: Part) -> int:
        gate, look = self._gate, part.looks
        while look >= len(self._noise):
            self._noise.append(self._streams.by_part(f"look {len(self._noise)}", "normal"))
        part.looks = look + 1
        z = gate.part_weight * part.difficulty + gate.look_weight * self._noise[look][part.number]
        if z < gate.accept_z[part.condition]:
            return ACCEPT
        return REJECT if z >= gate.reject_z[part.condition] else REINSPECT

    def _pass_on(self, part: Part) -> Process:
        if not part.rejected:
            yield from super()._pass_on(part)
            return
        rework, queue = self._rework, self._rework_queue
        if rework is not None and queue is not None and part.reworks < rework.max_times:
            if queue.put(part):
                return
            if rework.when_full == "wait" or queue.admits(part):
                yield from self._wait_for_room(queue, part)
                return
        self.log.record(self.env.now, SCRAP, self.entity, part.number, part.condition)
