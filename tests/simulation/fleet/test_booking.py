"""The booking optimiser as the rule of a fleet: what a twin puts together of the two."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pytest

from twinloop.contracts import RiskTable
from twinloop.scheduling.booking.candidates import Work, candidates
from twinloop.scheduling.booking.days import book
from twinloop.scheduling.booking.slots import Workshop
from twinloop.simulation.fleet.engine import simulate
from twinloop.simulation.fleet.morning import Morning, Visit
from twinloop.simulation.fleet.policies import Joint, RunToFailure
from twinloop.simulation.fleet.record import COST
from twinloop.simulation.fleet.risks import Foresight
from twinloop.simulation.fleet.standard import StandardFleet
from twinloop.simulation.fleet.world import World

FLEET = StandardFleet(vehicles=8).fleet()
AHEAD = 30


@dataclass(frozen=True)
class Booked:
    """Books the days from the earliest on that can still be agreed; what is agreed takes its minutes first."""

    foresight: Foresight

    def __call__(self, morning: Morning, risks: RiskTable) -> Iterable[Visit]:
        fleet, first = morning.fleet, morning.earliest_day
        hours = fleet.driving_hours(morning.day, first - morning.day + AHEAD)[:, first - morning.day :]
        free = RiskTable.of(risks.frame.filter(risks.frame["asset"].is_in(list(self.free(morning)))))
        wanted = candidates(
            free,
            {c.name: Work(c.skill, round(c.repair.average), c.visit) for c in fleet.components},
            hours=dict(zip(fleet.names, hours.tolist(), strict=True)),
            renewed=self.foresight.renewed(fleet),
        )
        if not wanted:
            return
        plan = book(wanted, self.workshop(morning))
        for asset, (day, components) in plan.visits.items():
            yield Visit(asset, components, first + day)

    @staticmethod
    def free(morning: Morning) -> Iterable[str]:
        """Vehicles that are up and have no visit."""
        for name, up, booked in zip(morning.fleet.names, morning.up, morning.booked.any(axis=1), strict=True):
            if up and not booked:
                yield name

    @staticmethod
    def workshop(morning: Morning) -> Workshop:
        """Minutes by day, less those of the visits that are agreed."""
        fleet = morning.fleet
        opening = fleet.opening_minutes(morning.earliest_day, AHEAD)
        minutes = {skill: count * opening for skill, count in fleet.workshop.technicians.items()}
        bays = fleet.workshop.bays * opening
        for place, component in enumerate(fleet.components):
            for day in morning.visit_day[:, place] - morning.earliest_day:
                if 0 <= day < AHEAD:
                    minutes[component.skill][int(day)] -= component.repair.average
                    bays[int(day)] -= component.repair.average
        whole = {skill: tuple(np.maximum(left, 0).astype(int).tolist()) for skill, left in minutes.items()}
        return Workshop(whole, tuple(np.maximum(bays, 0).astype(int).tolist()))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_booking_optimiser_decides_for_a_fleet(seed):
    world = World.of(FLEET, days=45, seed=seed)
    foresight = Foresight(horizons_hours=(10.0, 20.0, 40.0, 80.0, 160.0))
    booked = simulate(world, Joint(Booked(foresight), foresight=foresight))
    never = simulate(world, RunToFailure())
    assert sum(not stay.roadside for stay in booked.stays) > 5
    assert booked.failures < never.failures
    assert booked.figures()[COST] < never.figures()[COST]
